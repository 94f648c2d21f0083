//! The keys of `pipeline.yaml`. Every key must be there: the file is the only place where a value stands.

use std::{
    net::SocketAddr,
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
    time::Duration,
};

use formats::{
    bucket::BucketUrl,
    hyperparameters::{Hyperparameter, OVERRIDES, RECIPE, Values},
    manifest::Manifest,
    yaml::{Document, Node, Read},
};

use super::{
    AccessMode, Bucket, DataSettings, KubernetesSettings, Limits, Registry, Resources, ServerSettings, Settings,
    TestSettings, TrainingSettings,
};

// What the trainer takes: a device beyond is a mistake to be told now, not after the download.
const DEVICES: [&str; 4] = ["native", "flex", "ndarray", "wgpu"];
const ATTEMPTS_MAX: NonZeroU32 = NonZeroU32::new(100).expect("it is not 0");

/// The path of the manifest, where the document has one.
pub(super) fn application(document: &Document) -> Option<PathBuf> {
    let read = |root: Node<'_>| root.section()?.required("application", path);
    document.read(read).ok()
}

/// Everything but the manifest, which is read meanwhile. `place` is the folder of the file, and its name there.
pub(super) fn settings(root: Node<'_>, place: (PathBuf, PathBuf)) -> Read<impl FnOnce(Manifest) -> Settings + use<>> {
    let mut section = root.section()?;
    let model = section.required("model", Node::parse);
    let application = section.required("application", path);
    let data = section.required("data", data);
    let training = section.required("training", training);
    let server = section.required("server", server);
    let test = section.required("test", test);
    let limits = section.required("limits", limits);
    let kubernetes = section.required("kubernetes", |node| {
        kubernetes(node, server.as_ref().ok().map(|server| &server.registry))
    });
    section.finish();
    let (model, application, data) = (model?, application?, data?);
    let (training, server, test, limits, kubernetes) = (training?, server?, test?, limits?, kubernetes?);
    Ok(move |manifest| Settings {
        root: place.0,
        file: place.1,
        model,
        application,
        manifest,
        data,
        training,
        server,
        test,
        limits,
        kubernetes,
    })
}

fn data(node: Node<'_>) -> Read<DataSettings> {
    let mut section = node.section()?;
    let dir = section.required("dir", path);
    let source = section.optional("source", Node::text);
    let allow_unknown_digest = section.required("allow_unknown_digest", Node::flag);
    section.finish();
    Ok(DataSettings {
        dir: dir?,
        source: source?.map(str::to_owned),
        allow_unknown_digest: allow_unknown_digest?,
    })
}

fn training(node: Node<'_>) -> Read<TrainingSettings> {
    let mut section = node.section()?;
    let models_dir = section.required("models_dir", path);
    let recipe = section.required(RECIPE.key, |node| value(node, &RECIPE));
    let overrides = OVERRIDES.map(|parameter| {
        let value = section.optional(parameter.key, |node| value(node, parameter));
        value.map(|value| value.map(|value| (parameter, value)))
    });
    let seed = section.required("seed", |node| node.integer(0..=u64::MAX));
    let device = section.required("device", |node| choice(node, &DEVICES));
    let accuracy_min = section.optional("accuracy_min", share);
    let noisy_accuracy_min = section.optional("noisy_accuracy_min", share);
    section.finish();
    Ok(TrainingSettings {
        models_dir: models_dir?,
        recipe: recipe?,
        overrides: overrides
            .into_iter()
            .filter_map(Result::transpose)
            .collect::<Read<_>>()?,
        seed: seed?,
        device: device?,
        accuracy_min: accuracy_min?,
        noisy_accuracy_min: noisy_accuracy_min?,
    })
}

/// A value of a hyperparameter, as the trainer's flag takes it.
fn value(node: Node<'_>, parameter: &Hyperparameter) -> Read<String> {
    match parameter.values {
        Values::Whole { least, most } => node.integer(least..=most).map(|number| number.to_string()),
        Values::Number { least, most } => node.number(least..=most).map(|number| number.to_string()),
        Values::Words(words) => choice(node, words),
    }
}

/// One of these words, which mean something to the trainer.
fn choice(node: Node<'_>, words: &[&'static str]) -> Read<String> {
    let choices: Vec<_> = words.iter().map(|&word| (word, word)).collect();
    node.choice(&choices).map(str::to_owned)
}

fn server(node: Node<'_>) -> Read<ServerSettings> {
    let mut section = node.section()?;
    let listen = section.required("listen", |node| {
        node.text()?
            .parse()
            .map_err(|_| node.refuse("expected an address with a port, such as `127.0.0.1:8080`"))
    });
    let registry = section.required("registry", registry);
    let endpoint = section.optional("registry_endpoint", Node::parse);
    let region = section.optional("registry_region", region);
    let management_token_file = section.optional("management_token_file", path);
    let api_keys_file = section.optional("api_keys_file", path);
    section.finish();
    let (listen, management_token_file): (SocketAddr, _) = (listen?, management_token_file?);
    let registry = match (registry?, endpoint?, region?) {
        (Registry::Bucket(bucket), endpoint, region) => Registry::Bucket(Bucket {
            endpoint,
            region,
            ..bucket
        }),
        (folder, None, None) => folder,
        _ => {
            return Err(node.refuse("`registry_endpoint` and `registry_region` belong to a `registry` at `s3://…`"));
        }
    };
    if !listen.ip().is_loopback() && management_token_file.is_none() {
        return Err(node.refuse(format!(
            "others reach `{listen}`, where a server is managed only with a `management_token_file`, found none"
        )));
    }
    Ok(ServerSettings {
        listen,
        registry,
        management_token_file,
        api_keys_file: api_keys_file?,
    })
}

fn test(node: Node<'_>) -> Read<TestSettings> {
    let mut section = node.section()?;
    let images = section.required("images", positive);
    let seed = section.required("seed", |node| node.integer(0..=u64::MAX));
    let accuracy_min = section.optional("accuracy_min", share);
    let noisy_accuracy_min = section.optional("noisy_accuracy_min", share);
    section.finish();
    Ok(TestSettings {
        images: images?,
        seed: seed?,
        accuracy_min: accuracy_min?,
        noisy_accuracy_min: noisy_accuracy_min?,
    })
}

fn limits(node: Node<'_>) -> Read<Limits> {
    let mut section = node.section()?;
    let attempts = section.required("attempts", |node| node.integer(NonZeroU32::MIN..=ATTEMPTS_MAX));
    let task_max = section.required("task_seconds", seconds);
    let ready_max = section.required("ready_seconds", seconds);
    let stop_max = section.required("stop_seconds", seconds);
    section.finish();
    Ok(Limits {
        attempts: attempts?,
        task_max: task_max?,
        ready_max: ready_max?,
        stop_max: stop_max?,
    })
}

/// `registry`: the server's, where it could be read.
fn kubernetes(node: Node<'_>, registry: Option<&Registry>) -> Read<KubernetesSettings> {
    let mut section = node.section()?;
    let replicas = section.required("replicas", |node| node.integer(NonZeroU16::MIN..));
    let replicas_max = section.optional("replicas_max", |node| node.integer(NonZeroU16::MIN..));
    let work_storage = section.required("work_storage", Node::parse);
    let registry_storage = section.required("registry_storage", Node::parse);
    let registry_credentials = section.optional("registry_credentials", object_name);
    let registry_certificates = section.optional("registry_certificates", object_name);
    let storage_class = section.optional("storage_class", Node::text);
    let access_mode = section.required("access_mode", |node| {
        node.choice(&[
            ("ReadWriteOnce", AccessMode::ReadWriteOnce),
            ("ReadWriteMany", AccessMode::ReadWriteMany),
        ])
    });
    let retraining_schedule = section.optional("retraining_schedule", Node::parse);
    let mut resources = |cpu, memory| {
        let (cpu, memory) = (
            section.required(cpu, Node::parse),
            section.required(memory, Node::parse),
        );
        Ok(Resources {
            cpu: cpu?,
            memory: memory?,
        })
    };
    let training = resources("training_cpu", "training_memory");
    let server = resources("server_cpu", "server_memory");
    let step = resources("step_cpu", "step_memory");
    section.finish();
    let (replicas, replicas_max) = (replicas?, replicas_max?);
    let (registry_credentials, registry_certificates) = (registry_credentials?, registry_certificates?);
    if let Some(most) = replicas_max.filter(|most| *most < replicas) {
        return Err(node.refuse(format!(
            "expected `replicas_max` to be at least `replicas`, found {most} and {replicas}"
        )));
    }
    let is_for_bucket = registry_credentials.is_some() || registry_certificates.is_some();
    let bucket = registry.map(Registry::bucket);
    if is_for_bucket && bucket == Some(None) {
        return Err(
            node.refuse("`registry_credentials` and `registry_certificates` belong to a `server.registry` at `s3://…`")
        );
    }
    let endpoint = bucket.flatten().and_then(|bucket| bucket.endpoint.as_ref());
    if let Some(endpoint) = endpoint.filter(|endpoint| registry_certificates.is_some() && !endpoint.is_https()) {
        return Err(node.refuse(format!(
            "`registry_certificates` belongs to a `server.registry_endpoint` at `https://…`, found `{endpoint}`"
        )));
    }
    Ok(KubernetesSettings {
        replicas,
        replicas_max,
        work_storage: work_storage?,
        registry_storage: registry_storage?,
        registry_credentials,
        registry_certificates,
        storage_class: storage_class?.map(str::to_owned),
        access_mode: access_mode?,
        retraining_schedule: retraining_schedule?,
        training: training?,
        server: server?,
        step: step?,
    })
}

fn registry(node: Node<'_>) -> Read<Registry> {
    if !BucketUrl::is_meant(node.text()?) {
        return path(node).map(Registry::Folder);
    }
    Ok(Registry::Bucket(Bucket {
        url: node.parse()?,
        endpoint: None,
        region: None,
    }))
}

fn region(node: Node<'_>) -> Read<String> {
    let text = node.text()?;
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        true => Ok(text.to_owned()),
        false => Err(node.refuse("expected a region, such as `eu-central-1`")),
    }
}

/// The name of an object of a cluster.
fn object_name(node: Node<'_>) -> Read<String> {
    let text = node.text()?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    match (1..=253).contains(&text.len()) && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(node.refuse("expected the name of an object: lower-case letters, digits, `-` and `.`")),
    }
}

fn share(node: Node<'_>) -> Read<f64> {
    node.number(0.0..=1.0)
}

fn positive(node: Node<'_>) -> Read<NonZeroU32> {
    node.integer(NonZeroU32::MIN..)
}

/// At most a day: a limit that nobody lives to see is none.
fn seconds(node: Node<'_>) -> Read<Duration> {
    node.integer(1..=86_400).map(Duration::from_secs)
}

fn path(node: Node<'_>) -> Read<PathBuf> {
    match node.text()? {
        "" => Err(node.refuse("expected a path, found nothing")),
        text => Ok(PathBuf::from(text)),
    }
}
