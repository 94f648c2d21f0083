//! How an image is built, pushed and loaded, with a program in place of Docker that writes down what it is asked for.

mod real;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use expect_test::{Expect, expect};
use test_support::{Outcome, Running, Workspace};

use crate::{RUN_MAX, pipeline};

/// Answers as Docker does, as far as it is asked here.
const DOCKER: &str = r#"#!/bin/sh
echo "docker $*" >> asked
case "$1 $2" in
"build "*) echo "Step 1/1 : FROM scratch" ;;
"image inspect")
    echo "elsewhere.example/slipway@sha256:22"
    echo "registry.example/slipway@sha256:11" ;;
esac
while [ $# -gt 1 ]; do
    case "$1" in
    --iidfile) echo sha256:00 > "$2" ;;
    --output) /bin/cp raw.tar "$2" ;;
    esac
    shift
done
"#;

/// A folder where only these programs are on the PATH.
fn place(programs: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::new();
    fs::create_dir(workspace.join("bin")).unwrap();
    for (name, script) in programs {
        let path = workspace.write(&format!("bin/{name}"), script.as_bytes());
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    write_image(&workspace.join("raw.tar"));
    workspace
}

/// An image without anything in it, as `docker save` writes it.
fn write_image(path: &Path) {
    let mut archive = tar::Builder::new(fs::File::create(path).unwrap());
    let config = r#"{"os": "linux", "created": "now", "config": {"Hostname": "somewhere", "User": "65532:65532"}}"#;
    let manifest = r#"[{"Config": "config.json", "RepoTags": null, "Layers": []}]"#;
    for (name, text) in [("config.json", config), ("manifest.json", manifest)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let mut command = pipeline(workspace, arguments);
    command.env("PATH", workspace.join("bin"));
    Running::start(&mut command).wait(RUN_MAX)
}

/// Checks exit code, stdout, stderr and what programs were asked for, without the names of passing folders.
#[track_caller]
fn check(workspace: &Workspace, arguments: &[&str], expected: Expect) {
    let outcome = run(workspace, arguments);
    let asked = fs::read_to_string(workspace.join("asked")).unwrap_or_default();
    let text = format!("{}\n{}{}{asked}", outcome.code, outcome.stdout, outcome.stderr);
    let text = text.replace(&workspace.path().display().to_string(), "FOLDER");
    let plain = |word: &str| match word.contains("/.tmp") {
        true => Path::new(word).file_name().unwrap().to_str().unwrap().to_owned(),
        false => word.to_owned(),
    };
    let lines = text
        .lines()
        .map(|line| line.split(' ').map(plain).collect::<Vec<_>>().join(" "));
    expected.assert_eq(&lines.map(|line| line + "\n").collect::<String>());
}

#[test]
fn an_image_is_kept_under_a_tag_that_its_content_decides() {
    check(
        &place(&[("docker", DOCKER)]),
        &["image", "build"],
        expect![[r#"
        0
        localhost/slipway:d10e73b66c03
        build | Step 1/1 : FROM scratch
        docker version --format {{.Server.Version}}
        docker build --build-arg REVISION=unknown --build-arg SOURCE_DATE_EPOCH=0 --iidfile note .
        docker save --output raw.tar sha256:00
        docker load --quiet --input image.tar
    "#]],
    );
}

#[test]
fn a_pushed_image_is_named_by_its_digest() {
    check(
        &place(&[("docker", DOCKER)]),
        &["image", "push", "registry.example/slipway", "--variant", "wgpu"],
        expect![[r#"
            0
            registry.example/slipway@sha256:11
            build | Step 1/1 : FROM scratch
            docker version --format {{.Server.Version}}
            docker build --build-arg REVISION=unknown --build-arg SOURCE_DATE_EPOCH=0 --build-arg VARIANT=wgpu --iidfile note .
            docker save --output raw.tar sha256:00
            docker load --quiet --input image.tar
            docker push registry.example/slipway:d10e73b66c03
            docker image inspect --format {{range .RepoDigests}}{{println .}}{{end}} registry.example/slipway:d10e73b66c03
        "#]],
    );
}

#[test]
fn an_image_is_loaded_by_a_command() {
    let load = "#!/bin/sh\necho \"load $*\" >> asked\n";
    let place = place(&[("docker", DOCKER), ("load", load)]);
    check(
        &place,
        &["image", "load", "--with", "load --into nodes"],
        expect![[r#"
        0
        localhost/slipway:d10e73b66c03
        build | Step 1/1 : FROM scratch
        docker version --format {{.Server.Version}}
        docker build --build-arg REVISION=unknown --build-arg SOURCE_DATE_EPOCH=0 --iidfile note .
        docker save --output raw.tar sha256:00
        docker load --quiet --input image.tar
        load --into nodes localhost/slipway:d10e73b66c03
    "#]],
    );
}

#[test]
fn it_is_said_what_is_missing() {
    check(
        &place(&[]),
        &["image", "build"],
        expect![[r#"
        1
        error: nothing builds images here: none of `docker`, `podman` and `buildctl` is on the PATH

        hint: install one of them, or build elsewhere and name the image with `pipeline up --image`
    "#]],
    );
    let refuses = "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n";
    check(
        &place(&[("docker", refuses)]),
        &["image", "build"],
        expect![[r#"
        1
        error: nothing builds images here:
          `docker`: Cannot connect to the Docker daemon

        hint: start the engine (`systemctl start docker`, say), or choose another program with `--tool`
    "#]],
    );
    // The first one whose engine answers is taken.
    let podman = DOCKER.replace("docker", "podman");
    let both = place(&[("docker", refuses), ("podman", &podman)]);
    assert_eq!(run(&both, &["image", "build"]).code, 0);
    assert!(fs::read_to_string(both.join("asked")).unwrap().contains("podman build"));
    let fails = DOCKER.replace("Step 1/1 : FROM scratch\"", "Step 1/1 : FROM nothing\"; exit 3");
    check(
        &place(&[("docker", &fails)]),
        &["image", "build"],
        expect![[r#"
        1
        build | Step 1/1 : FROM nothing
        error: `docker build --build-arg REVISION=unknown --build-arg SOURCE_DATE_EPOCH=0 --iidfile note .` ended with exit code 3

        hint: the lines above are what it says about it
        docker version --format {{.Server.Version}}
        docker build --build-arg REVISION=unknown --build-arg SOURCE_DATE_EPOCH=0 --iidfile note .
    "#]],
    );
    let buildctl = "#!/bin/sh\n";
    check(
        &place(&[("buildctl", buildctl)]),
        &["image", "build"],
        expect![[r#"
        1
        error: `buildctl` keeps no images, so nobody can be asked for one by its name

        hint: `pipeline image push` hands the image to a registry, `--archive` leaves it in a file
    "#]],
    );
    check(
        &place(&[("docker", DOCKER)]),
        &["image", "load"],
        expect![[r#"
            1
            error: cannot read the kubeconfig
              because: failed to read kubeconfig from '"FOLDER/.kube/config"': No such file or directory (os error 2)
              because: No such file or directory (os error 2)
        "#]],
    );
}
