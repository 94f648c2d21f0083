//! An image in a file, as `docker save` writes it: written anew, without what the program that built it noted of the build.
//!
//! Engines write down when they built and by which steps; so the same programs would be another image each time. What is
//! left here is what decides how the image runs, and the time of its commit.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use anyhow::{Context, bail};
use formats::digest::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What decides how a container runs.
const OF_CONTAINER: [&str; 10] = [
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
];
/// On what it runs, and what lies in it.
const OF_IMAGE: [&str; 4] = ["architecture", "os", "variant", "rootfs"];
/// Longest document in an archive.
const DOCUMENT_MAX: u64 = 4 << 20;
const MANIFEST: &str = "manifest.json";

/// The entry of an image in the manifest of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Writes the one image of `from` into `to`, from the time `epoch` and under the name that `name` makes of its id, and
/// returns the id: the digest of everything that is in it.
pub(super) fn stamp(from: &Path, to: &Path, epoch: u64, name: impl FnOnce(Digest) -> String) -> anyhow::Result<Digest> {
    let entries: Vec<Entry> = document(from, MANIFEST)?;
    let [entry] = <[Entry; 1]>::try_from(entries)
        .map_err(|entries| anyhow::anyhow!("expected one image in the archive, found {}", entries.len()))?;
    let config = plain(document(from, &entry.config)?, epoch)?;
    let config = serde_json::to_vec(&config).context("cannot write the image's document")?;
    let id = Digest::of(&config);

    let mut archive = tar::Builder::new(File::create(to)?);
    let layers = copy_layers(from, &entry.layers, epoch, &mut archive)?;
    let entry = Entry {
        config: format!("{id}.json"),
        repo_tags: Some(vec![name(id)]),
        layers,
    };
    append(
        &mut archive,
        &entry.config,
        config.len() as u64,
        epoch,
        config.as_slice(),
    )?;
    let manifest = serde_json::to_vec(&[entry]).context("cannot write the archive's manifest")?;
    append(
        &mut archive,
        MANIFEST,
        manifest.len() as u64,
        epoch,
        manifest.as_slice(),
    )?;
    archive.into_inner()?.sync_all()?;
    Ok(id)
}

/// What of an image's document decides how it runs.
fn plain(config: Value, epoch: u64) -> anyhow::Result<Value> {
    let keep = |object: &Value, keys: &[&str]| {
        let entries = keys
            .iter()
            .filter_map(|&key| Some((key.to_owned(), object.get(key)?.clone())));
        entries.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>()
    };
    let mut plain = keep(&config, &OF_IMAGE);
    let seconds = i64::try_from(epoch).context("the commit's time is no time")?;
    plain.insert(
        "created".to_owned(),
        json!(Timestamp::from_second(seconds)?.to_string()),
    );
    plain.insert(
        "config".to_owned(),
        Value::Object(keep(&config["config"], &OF_CONTAINER)),
    );
    Ok(Value::Object(plain))
}

/// What one engine leaves out, and another writes down as nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Reads one JSON document of an archive.
fn document<T: for<'a> Deserialize<'a>>(archive: &Path, name: &str) -> anyhow::Result<T> {
    let mut archive = tar::Archive::new(File::open(archive)?);
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.path()?.as_ref() == Path::new(name) {
            let mut text = Vec::new();
            entry.take(DOCUMENT_MAX).read_to_end(&mut text)?;
            return serde_json::from_slice(&text).with_context(|| format!("`{name}` is not what it should be"));
        }
    }
    bail!("the archive has no `{name}`")
}

/// Copies the layers one after the other, and returns their new names.
fn copy_layers(from: &Path, layers: &[String], epoch: u64, to: &mut tar::Builder<File>) -> anyhow::Result<Vec<String>> {
    let names: BTreeMap<&Path, String> = (layers.iter().enumerate())
        .map(|(index, layer)| (Path::new(layer.as_str()), format!("layer-{index}.tar")))
        .collect();
    let mut n_copied = 0;
    let mut archive = tar::Archive::new(File::open(from)?);
    for entry in archive.entries()? {
        let entry = entry?;
        let path = entry.path()?.into_owned();
        let Some(name) = names.get(path.as_path()) else {
            continue;
        };
        if !entry.header().entry_type().is_file() {
            bail!("expected layer `{}` to be a file", path.display());
        }
        let n_bytes = entry.size();
        append(to, name, n_bytes, epoch, entry)?;
        n_copied += 1;
    }
    if n_copied != names.len() {
        bail!("expected {} layers in the archive, found {n_copied}", names.len());
    }
    Ok(layers
        .iter()
        .map(|layer| names[Path::new(layer.as_str())].clone())
        .collect())
}

fn append(to: &mut tar::Builder<impl Write>, name: &str, size: u64, epoch: u64, data: impl Read) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(epoch);
    to.append_data(&mut header, name, data)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    /// An archive as an engine writes it, with what changes from build to build.
    fn archive(folder: &Path, build: &str) -> std::path::PathBuf {
        let path = folder.join(format!("{build}.tar"));
        let config = json!({
            "architecture": "amd64", "os": "linux", "container": build, "created": build, "docker_version": "20.10",
            "history": [{"created": build, "created_by": "COPY"}],
            "config": {"Hostname": build, "Image": build, "User": "65532:65532", "Cmd": null, "Env": ["PATH=/usr/bin"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:00"]},
        });
        let manifest = json!([{"Config": "c.json", "RepoTags": null, "Layers": [format!("{build}/layer.tar")]}]);
        let mut writer = tar::Builder::new(File::create(&path).unwrap());
        let mut add = |name: &str, bytes: &[u8]| append(&mut writer, name, bytes.len() as u64, 7, bytes).unwrap();
        add(&format!("{build}/layer.tar"), b"a layer");
        add("c.json", config.to_string().as_bytes());
        add(MANIFEST, manifest.to_string().as_bytes());
        writer.finish().unwrap();
        path
    }

    #[test]
    fn the_same_programs_are_the_same_image_whenever_they_are_built() {
        let folder = tempfile::tempdir().unwrap();
        let stamped = ["monday", "tuesday"].map(|build| {
            let (from, to) = (archive(folder.path(), build), folder.path().join("image.tar"));
            let id = stamp(&from, &to, 1_700_000_000, |id| format!("slipway:{}", id.short())).unwrap();
            (id, std::fs::read(to).unwrap())
        });
        assert!(stamped[0] == stamped[1]);
        let path = folder.path().join("image.tar");
        let entries: Value = document(&path, MANIFEST).unwrap();
        let id = stamped[0].0;
        assert_eq!(entries[0]["RepoTags"][0], format!("slipway:{}", id.short()));
        let config: Value = document(&path, &format!("{id}.json")).unwrap();
        expect![[r#"{"architecture":"amd64","config":{"Env":["PATH=/usr/bin"],"User":"65532:65532"},"created":"2023-11-14T22:13:20Z","os":"linux","rootfs":{"diff_ids":["sha256:00"],"type":"layers"}}"#]]
        .assert_eq(&config.to_string());
        let layers: Vec<Entry> = document(&path, MANIFEST).unwrap();
        assert_eq!(layers[0].layers, ["layer-0.tar"]);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::write(&from, b"").unwrap();
        let refusal = stamp(&from, &to, 0, |_| String::new()).unwrap_err();
        assert_eq!(refusal.to_string(), "the archive has no `manifest.json`");
    }
}
