//! What the user wrote: `pipeline.yaml` and the application manifest it names, understood before anything runs.

mod quantity;
mod read;
mod schedule;

use std::{
    fs,
    net::SocketAddr,
    num::{NonZeroU16, NonZeroU32},
    path::{Path, PathBuf},
    time::Duration,
};

use formats::{
    bucket::{BucketUrl, Endpoint},
    hyperparameters::Hyperparameter,
    manifest::{Form, Manifest},
    name::ModelName,
    version::ModelSelector,
    yaml::{Document, Mistakes},
};
use thiserror::Error;

pub use quantity::Quantity;
pub use schedule::Schedule;

/// The signature at which a model of the trainer answers, and so a `singular` application.
pub(crate) const SIGNATURE: &str = "predict";

/// Everything that decides a delivery run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The folder of `pipeline.yaml`; every other path is relative to it.
    pub root: PathBuf,
    /// The name of `pipeline.yaml` in it.
    pub file: PathBuf,
    /// The name under which versions are registered.
    pub model: ModelName,
    /// The file of the manifest.
    pub application: PathBuf,
    /// What the manifest says.
    pub manifest: Manifest,
    /// Where data comes from.
    pub data: DataSettings,
    /// How a model is trained.
    pub training: TrainingSettings,
    /// How it is served.
    pub server: ServerSettings,
    /// How it is proven.
    pub test: TestSettings,
    /// What must not last longer.
    pub limits: Limits,
    /// What a cluster is asked for.
    pub kubernetes: KubernetesSettings,
}

/// Where data comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSettings {
    /// The folder of the IDX files.
    pub dir: PathBuf,
    /// A folder or URL to look at first.
    pub source: Option<String>,
    /// Whether files may be others than MNIST's own.
    pub allow_unknown_digest: bool,
}

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingSettings {
    /// The folder of artifact and report.
    pub models_dir: PathBuf,
    /// The complete set of hyperparameters, in the trainer's word.
    pub recipe: String,
    /// Single values in place of the recipe's, as the trainer's flags take them.
    pub overrides: Vec<(&'static Hyperparameter, String)>,
    /// Seed of weights, batches and noise.
    pub seed: u64,
    /// Which engine on which device. The trainer knows its devices; a wrong one ends the run when it starts.
    pub device: String,
    /// Gate for clean test images, 0 to 1: a model below it is never published.
    pub accuracy_min: Option<f64>,
    /// Gate for noisy test images, 0 to 1.
    pub noisy_accuracy_min: Option<f64>,
}

/// How a model is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// The address at which the server listens.
    pub listen: SocketAddr,
    /// Where the registry is.
    pub registry: Registry,
    /// The file with the tokens that the management takes.
    pub management_token_file: Option<PathBuf>,
    /// The file with the keys that predictions take.
    pub api_keys_file: Option<PathBuf>,
}

/// Where the registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registry {
    /// In a folder here, on a volume in a cluster.
    Folder(PathBuf),
    /// In a bucket, which is the same everywhere.
    Bucket(Bucket),
}

/// A bucket, as far as the settings tell: credentials are in the environment here, and in a secret of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Which one, and what is ours in it.
    pub url: BucketUrl,
    /// Who keeps it, in place of Amazon.
    pub endpoint: Option<Endpoint>,
    /// Its region.
    pub region: Option<String>,
}

/// How a model is proven.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestSettings {
    /// Clean images to send; half as many noisy ones follow.
    pub images: NonZeroU32,
    /// Seed of the noise.
    pub seed: u64,
    /// Gate for clean images, 0 to 1.
    pub accuracy_min: Option<f64>,
    /// Gate for noisy images, 0 to 1.
    pub noisy_accuracy_min: Option<f64>,
}

/// What must not last longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often a step is tried after a failure that may pass.
    pub attempts: NonZeroU32,
    /// Longest time of one attempt.
    pub task_max: Duration,
    /// Longest time until the server is ready.
    pub ready_max: Duration,
    /// Longest time between the request to end and the kill.
    pub stop_max: Duration,
}

/// What a cluster is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// Pods that answer.
    pub replicas: NonZeroU16,
    /// Most pods under load, where there may be more.
    pub replicas_max: Option<NonZeroU16>,
    /// Size of the volume for everything but the registry.
    pub work_storage: Quantity,
    /// Size of the volume for the registry, where it is on one.
    pub registry_storage: Quantity,
    /// The secret with the credentials for the registry's bucket, where it is in one.
    pub registry_credentials: Option<String>,
    /// The ConfigMap with the authority of the bucket's certificate, where it is no public one.
    pub registry_certificates: Option<String>,
    /// Class of both; absent: the cluster's default.
    pub storage_class: Option<String>,
    /// Which pods may have the volumes at once.
    pub access_mode: AccessMode,
    /// When the cluster itself looks for other data and goes on from there.
    pub retraining_schedule: Option<Schedule>,
    /// For the training.
    pub training: Resources,
    /// For each pod of the server.
    pub server: Resources,
    /// For each other step.
    pub step: Resources,
}

/// What a pod may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    /// Promised; more is given where nobody else wants it.
    pub cpu: Quantity,
    /// Promised, and what takes more is killed.
    pub memory: Quantity,
}

/// Which pods may have a volume at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessMode {
    /// Those of one node.
    ReadWriteOnce,
    /// All of them.
    ReadWriteMany,
}

/// The settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A file is not there or not readable.
    #[error("cannot read `{path}`")]
    Read {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is written there is wrong: every mistake of all files, one a line.
    #[error("the settings have {}:\n{}", count(.0), lines(.0))]
    Mistakes(Vec<Mistakes>),
    /// The manifest deploys something else than what the run trains.
    #[error(
        "`{application}` asks for {asked}, but this run publishes `{published}` (key `model` of `{file}`): one model \
         has one name"
    )]
    OtherModel {
        /// The manifest.
        application: String,
        /// What it names.
        asked: String,
        /// What the run publishes.
        published: ModelName,
        /// The settings file.
        file: String,
    },
}

impl Registry {
    /// The bucket, where it is in one.
    pub(crate) fn bucket(&self) -> Option<&Bucket> {
        match self {
            Self::Folder(_) => None,
            Self::Bucket(bucket) => Some(bucket),
        }
    }
}

impl Settings {
    /// Reads `file` and the manifest that it names.
    ///
    /// Both are read to their ends, so every mistake in either is told at once.
    pub fn load(file: &Path) -> Result<Self, SettingsError> {
        let text = read_file(file)?;
        let root = file.parent().unwrap_or(Path::new("")).to_owned();
        let name = file.display().to_string();
        let document = Document::parse(&name, &text).map_err(|mistakes| SettingsError::Mistakes(vec![mistakes]))?;
        // The manifest's place is looked up on its own: a mistake elsewhere must not hide those of the manifest.
        let application = read::application(&document);
        let manifest = application.map(|path| load_manifest(&root.join(path))).transpose()?;
        let manifest_mistakes = match &manifest {
            Some(Err(mistakes)) => vec![mistakes.clone()],
            Some(Ok(_)) | None => Vec::new(),
        };
        let place = (root.clone(), file.file_name().map(PathBuf::from).unwrap_or_default());
        let settings = match (document.read(|node| read::settings(node, place)), manifest) {
            (Ok(settings), Some(Ok(manifest))) => settings(manifest),
            (Err(mistakes), _) => return Err(SettingsError::Mistakes([vec![mistakes], manifest_mistakes].concat())),
            (Ok(_), _) => return Err(SettingsError::Mistakes(manifest_mistakes)),
        };
        settings.check_names(&name)?;
        Ok(settings)
    }

    /// Where the application answers: under its model's own signature, or as a pipeline under its own name.
    pub fn signature(&self) -> &str {
        match self.manifest.form {
            Form::Singular(_) => SIGNATURE,
            Form::Pipeline(_) => self.manifest.name.as_str(),
        }
    }

    /// The model that is trained must be the one that is deployed.
    fn check_names(&self, file: &str) -> Result<(), SettingsError> {
        let models = self.manifest.models();
        let is_ours = |selector: &&ModelSelector| match selector {
            ModelSelector::Newest(name) => *name == self.model,
            ModelSelector::Fixed(version) => version.name == self.model,
        };
        let foreign = models.iter().find(|selector| match selector {
            // A fixed version of another model is in the registry already; an open one nobody would publish.
            ModelSelector::Newest(name) => *name != self.model,
            ModelSelector::Fixed(_) => false,
        });
        match foreign.or_else(|| models.first().filter(|_| !models.iter().any(is_ours))) {
            None => Ok(()),
            Some(asked) => Err(SettingsError::OtherModel {
                application: self.root.join(&self.application).display().to_string(),
                asked: format!("model `{asked}`"),
                published: self.model.clone(),
                file: file.to_owned(),
            }),
        }
    }
}

fn load_manifest(path: &Path) -> Result<Result<Manifest, Mistakes>, SettingsError> {
    let text = read_file(path)?;
    Ok(Manifest::parse(&path.display().to_string(), &text))
}

fn read_file(path: &Path) -> Result<String, SettingsError> {
    fs::read_to_string(path).map_err(|source| SettingsError::Read {
        path: path.display().to_string(),
        source,
    })
}

fn count(files: &[Mistakes]) -> String {
    match files.iter().map(|file| file.list.len() + file.n_left_out).sum() {
        1_usize => "a mistake".to_owned(),
        many => format!("{many} mistakes"),
    }
}

fn lines(files: &[Mistakes]) -> String {
    let files: Vec<String> = files.iter().map(ToString::to_string).collect();
    files.join("\n")
}

#[cfg(test)]
pub(crate) mod tests;
