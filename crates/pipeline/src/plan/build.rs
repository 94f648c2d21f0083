//! From settings to steps.

use formats::hyperparameters::RECIPE;

use super::{Argument, Kind, Location, Place, Plan, Program, Step, StepName, Value};
use crate::settings::{Registry, Settings};

/// The name that the trainer gives its artifact in [`Place::Models`].
const ARTIFACT: &str = "mnist.safetensors";
/// The name that the trainer gives its report, beside the artifact.
const TRAINING_REPORT: &str = "mnist.report.json";
/// Every small document that a step hands on, in [`Place::Results`].
pub(crate) mod results {
    use super::{Location, Place};

    /// The version that the upload published.
    pub(crate) fn published() -> Location {
        Location::file(Place::Results, "published.json")
    }

    /// The revision that the deploy made.
    pub(crate) fn deployed() -> Location {
        Location::file(Place::Results, "deployed.json")
    }

    /// What the test found.
    pub(crate) fn test_report() -> Location {
        Location::file(Place::Results, "test.json")
    }

    /// A request body with a test image, for the line that a person pastes.
    pub(crate) fn example() -> Location {
        Location::file(Place::Results, "example.json")
    }
}

impl Plan {
    /// The steps that these settings ask for.
    pub fn new(settings: &Settings) -> Self {
        Self {
            steps: vec![
                download(settings),
                train(settings),
                serve(settings),
                upload(settings),
                deploy(settings),
                test(settings),
            ],
        }
    }

    /// The same steps, but the data set is fetched again: its source may have another one now.
    pub fn refreshed(mut self) -> Self {
        let download = self.steps.iter_mut().find(|step| step.name == StepName::Download);
        let refresh = Argument {
            flag: "--refresh",
            value: Value::Refresh,
        };
        download.expect("a plan has every step").arguments.push(refresh);
        self
    }
}

fn download(settings: &Settings) -> Step {
    let mut arguments = vec![whole("--data-dir", Place::Data)];
    if let Some(source) = &settings.data.source {
        arguments.push(text("--source", source));
    }
    if settings.data.allow_unknown_digest {
        arguments.push(switch("--allow-unknown-digest"));
    }
    Step {
        name: StepName::Download,
        kind: Kind::Task,
        program: Program::MnistData,
        command: Some("download"),
        arguments,
        reads: Vec::new(),
        writes: data_files().collect(),
        // Every file is verified by its digest, whichever build fetched it.
        builds: Vec::new(),
    }
}

fn train(settings: &Settings) -> Step {
    let training = &settings.training;
    let mut arguments = vec![text(RECIPE.flag, &training.recipe)];
    let overrides = training.overrides.iter();
    arguments.extend(overrides.map(|(parameter, value)| text(parameter.flag, value)));
    arguments.extend([text("--seed", training.seed), text("--device", &training.device)]);
    arguments.extend(gates(training.accuracy_min, training.noisy_accuracy_min));
    arguments.extend([
        whole("--data-dir", Place::Data),
        whole("--models-dir", Place::Models),
        // The data is the download step's affair; a second way to it would have other settings.
        switch("--no-download"),
    ]);
    Step {
        name: StepName::Train,
        kind: Kind::Task,
        program: Program::Trainer,
        command: None,
        arguments,
        reads: data_files().collect(),
        writes: vec![artifact(), Location::file(Place::Models, TRAINING_REPORT)],
        builds: vec![Program::Trainer],
    }
}

fn serve(settings: &Settings) -> Step {
    let mut arguments = vec![Argument {
        flag: "--listen",
        value: Value::Listen,
    }];
    // A bucket is no place: nobody has to bring it to a step.
    let mut registry = Vec::new();
    match &settings.server.registry {
        Registry::Folder(_) => {
            arguments.push(whole("--registry", Place::Registry));
            registry.push(Location::whole(Place::Registry));
        }
        Registry::Bucket(bucket) => {
            arguments.push(text("--registry", &bucket.url));
            arguments.extend(
                bucket
                    .endpoint
                    .iter()
                    .map(|endpoint| text("--bucket-endpoint", endpoint)),
            );
            arguments.extend(bucket.region.iter().map(|region| text("--bucket-region", region)));
        }
    }
    arguments.push(Argument {
        flag: "--drain-delay-ms",
        value: Value::DrainDelay,
    });
    arguments.extend(token_file(settings, "--management-token-file"));
    arguments.extend(api_keys_file(settings));
    Step {
        name: StepName::Serve,
        kind: Kind::Service,
        program: Program::Server,
        command: None,
        arguments,
        reads: registry.clone(),
        writes: registry,
        builds: vec![Program::Server],
    }
}

fn upload(settings: &Settings) -> Step {
    let mut arguments = vec![
        server_url(),
        text("--model", &settings.model),
        file("--artifact", artifact()),
        // The run makes a repeated upload safe: the same run gets the same version for the same artifact.
        Argument {
            flag: "--run",
            value: Value::Run,
        },
        file("--result", results::published()),
    ];
    arguments.extend(token_file(settings, "--token-file"));
    Step {
        name: StepName::Upload,
        kind: Kind::Task,
        program: Program::Pipeline,
        command: Some("upload"),
        arguments,
        reads: vec![artifact()],
        writes: vec![results::published()],
        // The server decides what is published: a rebuilt pipeline must not publish the same artifact once more.
        builds: Vec::new(),
    }
}

fn deploy(settings: &Settings) -> Step {
    let manifest = Location::file(Place::Project, &settings.application.display().to_string());
    let mut arguments = vec![
        server_url(),
        file("--manifest", manifest.clone()),
        file("--published", results::published()),
        file("--result", results::deployed()),
    ];
    arguments.extend(token_file(settings, "--token-file"));
    Step {
        name: StepName::Deploy,
        kind: Kind::Task,
        program: Program::Pipeline,
        command: Some("deploy"),
        arguments,
        reads: vec![manifest, results::published()],
        writes: vec![results::deployed()],
        builds: Vec::new(),
    }
}

fn test(settings: &Settings) -> Step {
    let test = &settings.test;
    let mut arguments = vec![
        server_url(),
        text("--application", &settings.manifest.name),
        text("--signature", settings.signature()),
        whole("--data-dir", Place::Data),
        text("--images", test.images),
        text("--seed", test.seed),
    ];
    arguments.extend(gates(test.accuracy_min, test.noisy_accuracy_min));
    arguments.extend([
        file("--deployed", results::deployed()),
        file("--report", results::test_report()),
        file("--example", results::example()),
    ]);
    arguments.extend(api_keys_file(settings));
    Step {
        name: StepName::Test,
        kind: Kind::Task,
        program: Program::Pipeline,
        command: Some("test"),
        arguments,
        reads: data_files()
            .filter(|location| location.file.as_ref().is_some_and(|name| name.starts_with("t10k-")))
            .chain([results::deployed()])
            .collect(),
        writes: vec![results::test_report(), results::example()],
        // What was proven with one server is not proven with another.
        builds: vec![Program::Pipeline, Program::Server],
    }
}

/// The thresholds that are on.
fn gates(accuracy_min: Option<f64>, noisy_accuracy_min: Option<f64>) -> impl Iterator<Item = Argument> {
    let clean = accuracy_min.map(|least| text("--accuracy-min", least));
    let noisy = noisy_accuracy_min.map(|least| text("--noisy-accuracy-min", least));
    clean.into_iter().chain(noisy)
}

/// What opens the management, where the settings have it.
fn token_file(settings: &Settings, flag: &'static str) -> Option<Argument> {
    let is_set = settings.server.management_token_file.is_some();
    is_set.then_some(Argument {
        flag,
        value: Value::TokenFile,
    })
}

/// What opens predictions, where the settings have it.
fn api_keys_file(settings: &Settings) -> Option<Argument> {
    let is_set = settings.server.api_keys_file.is_some();
    is_set.then_some(Argument {
        flag: "--api-keys-file",
        value: Value::ApiKeysFile,
    })
}

fn artifact() -> Location {
    Location::file(Place::Models, ARTIFACT)
}

fn data_files() -> impl Iterator<Item = Location> {
    mnist_data::FILES
        .into_iter()
        .map(|file| Location::file(Place::Data, file.name))
}

fn text(flag: &'static str, value: impl ToString) -> Argument {
    Argument {
        flag,
        value: Value::Text(value.to_string()),
    }
}

fn file(flag: &'static str, location: Location) -> Argument {
    Argument {
        flag,
        value: Value::Location(location),
    }
}

fn whole(flag: &'static str, place: Place) -> Argument {
    file(flag, Location::whole(place))
}

fn switch(flag: &'static str) -> Argument {
    Argument {
        flag,
        value: Value::Switch,
    }
}

fn server_url() -> Argument {
    Argument {
        flag: "--server",
        value: Value::ServerUrl,
    }
}
