//! Command lines of the programs that build images: pure functions.

use std::path::Path;

use super::{Revision, Tool, Variant};

/// What an image is made of.
#[derive(Debug, Clone)]
pub(crate) struct Recipe<'a> {
    /// The folder with the Dockerfile.
    pub(crate) folder: &'a Path,
    pub(crate) revision: &'a Revision,
    pub(crate) variant: Variant,
    /// Nothing of an earlier build is used.
    pub(crate) is_fresh: bool,
}

/// Ends well where the program has somebody who builds.
pub(super) fn probe(tool: Tool) -> Vec<String> {
    words(match tool {
        Tool::Docker => &["docker", "version", "--format", "{{.Server.Version}}"],
        Tool::Podman => &["podman", "version", "--format", "{{.Client.Version}}"],
        Tool::Buildctl => &["buildctl", "debug", "workers"],
    })
}

/// Builds the image. `note` is a file in which the program notes what came of it.
///
/// `output` is what only `buildctl` has: where the image goes to.
pub(super) fn build(tool: Tool, recipe: &Recipe<'_>, note: &Path, output: &str) -> Vec<String> {
    let Recipe { folder, revision, .. } = recipe;
    let (folder, note) = (folder.display(), note.display().to_string());
    let mut values = vec![
        format!("REVISION={}", revision.name),
        format!("SOURCE_DATE_EPOCH={}", revision.epoch),
    ];
    if recipe.variant == Variant::Wgpu {
        values.push("VARIANT=wgpu".to_owned());
    }
    let mut line = match tool {
        Tool::Docker => words(&["docker", "build"]),
        // The time of every file that is written while it builds; the others take it from SOURCE_DATE_EPOCH.
        Tool::Podman => [
            words(&["podman", "build", "--timestamp"]),
            vec![revision.epoch.to_string()],
        ]
        .concat(),
        Tool::Buildctl => words(&["buildctl", "build", "--frontend", "dockerfile.v0"]),
    };
    for value in values {
        line.extend(match tool {
            Tool::Docker | Tool::Podman => ["--build-arg".to_owned(), value],
            Tool::Buildctl => ["--opt".to_owned(), format!("build-arg:{value}")],
        });
    }
    line.extend(recipe.is_fresh.then(|| "--no-cache".to_owned()));
    match tool {
        Tool::Docker | Tool::Podman => line.extend(["--iidfile".to_owned(), note, folder.to_string()]),
        Tool::Buildctl => line.extend([
            "--local".to_owned(),
            format!("context={folder}"),
            "--local".to_owned(),
            format!("dockerfile={folder}"),
            "--output".to_owned(),
            output.to_owned(),
            "--metadata-file".to_owned(),
            note,
        ]),
    }
    line
}

/// Writes an image that the program keeps into a file.
pub(super) fn save(tool: Tool, id: &str, file: &Path) -> Vec<String> {
    let mut line = words(&[tool.as_str(), "save", "--output"]);
    line.extend([file.display().to_string(), id.to_owned()]);
    if tool == Tool::Podman {
        line.splice(2..2, words(&["--format", "docker-archive"]));
    }
    line
}

/// Has the program keep the image of a file.
pub(super) fn keep(tool: Tool, file: &Path) -> Vec<String> {
    [
        words(&[tool.as_str(), "load", "--quiet", "--input"]),
        vec![file.display().to_string()],
    ]
    .concat()
}

/// Hands an image that the program keeps to the registry of its name. `note` is for podman alone.
pub(super) fn push(tool: Tool, name: &str, note: &Path) -> Vec<String> {
    let mut line = words(&[tool.as_str(), "push"]);
    if tool == Tool::Podman {
        line.extend(["--digestfile".to_owned(), note.display().to_string()]);
    }
    line.push(name.to_owned());
    line
}

/// Tells under which digests registries have the image, one a line.
pub(super) fn digests(name: &str) -> Vec<String> {
    let format = r#"{{range .RepoDigests}}{{println .}}{{end}}"#;
    words(&["docker", "image", "inspect", "--format", format, name])
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Every line that a tool is asked with.
    fn check(tool: Tool, expected: Expect) {
        let revision = Revision {
            name: "0123abcd".to_owned(),
            epoch: 1_700_000_000,
        };
        let mut recipe = Recipe {
            folder: Path::new("."),
            revision: &revision,
            variant: Variant::Cpu,
            is_fresh: false,
        };
        let (note, file, name) = (
            Path::new("note"),
            Path::new("image.tar"),
            "registry.example/slipway:0011",
        );
        let mut lines = vec![probe(tool), build(tool, &recipe, note, "type=docker,dest=image.tar")];
        (recipe.variant, recipe.is_fresh) = (Variant::Wgpu, true);
        lines.push(build(tool, &recipe, note, &format!("type=image,name={name},push=true")));
        if tool != Tool::Buildctl {
            lines.extend([save(tool, "sha256:00", file), keep(tool, file), push(tool, name, note)]);
        }
        lines.extend((tool == Tool::Docker).then(|| digests(name)));
        let lines: Vec<String> = lines.iter().map(|line| line.join(" ")).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn docker_is_asked_in_its_words() {
        check(
            Tool::Docker,
            expect![[r#"
            docker version --format {{.Server.Version}}
            docker build --build-arg REVISION=0123abcd --build-arg SOURCE_DATE_EPOCH=1700000000 --iidfile note .
            docker build --build-arg REVISION=0123abcd --build-arg SOURCE_DATE_EPOCH=1700000000 --build-arg VARIANT=wgpu --no-cache --iidfile note .
            docker save --output image.tar sha256:00
            docker load --quiet --input image.tar
            docker push registry.example/slipway:0011
            docker image inspect --format {{range .RepoDigests}}{{println .}}{{end}} registry.example/slipway:0011"#]],
        );
    }

    #[test]
    fn podman_is_asked_in_its_words() {
        check(
            Tool::Podman,
            expect![[r#"
            podman version --format {{.Client.Version}}
            podman build --timestamp 1700000000 --build-arg REVISION=0123abcd --build-arg SOURCE_DATE_EPOCH=1700000000 --iidfile note .
            podman build --timestamp 1700000000 --build-arg REVISION=0123abcd --build-arg SOURCE_DATE_EPOCH=1700000000 --build-arg VARIANT=wgpu --no-cache --iidfile note .
            podman save --format docker-archive --output image.tar sha256:00
            podman load --quiet --input image.tar
            podman push --digestfile note registry.example/slipway:0011"#]],
        );
    }

    #[test]
    fn buildctl_is_asked_in_its_words() {
        check(
            Tool::Buildctl,
            expect![[r#"
            buildctl debug workers
            buildctl build --frontend dockerfile.v0 --opt build-arg:REVISION=0123abcd --opt build-arg:SOURCE_DATE_EPOCH=1700000000 --local context=. --local dockerfile=. --output type=docker,dest=image.tar --metadata-file note
            buildctl build --frontend dockerfile.v0 --opt build-arg:REVISION=0123abcd --opt build-arg:SOURCE_DATE_EPOCH=1700000000 --opt build-arg:VARIANT=wgpu --no-cache --local context=. --local dockerfile=. --output type=image,name=registry.example/slipway:0011,push=true --metadata-file note"#]],
        );
    }
}
