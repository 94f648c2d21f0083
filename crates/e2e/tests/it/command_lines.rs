//! Every step's command line is parsed by the very `Args` of its program: a renamed flag fails here in a second.

use std::path::Path;

use clap::{CommandFactory, Parser};
use formats::hyperparameters::{Hyperparameter, OVERRIDES, RECIPE, Values};
use pipeline::{
    places::Places,
    plan::{Plan, Program, Step},
    settings::Settings,
};

fn settings() -> Settings {
    Settings::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipeline.yaml")).unwrap()
}

/// The settings with everything switched on that is off as they are shipped.
fn settings_with_everything() -> Settings {
    let mut settings = settings();
    settings.data.source = Some("digits".to_owned());
    settings.data.allow_unknown_digest = true;
    settings.server.management_token_file = Some("tokens".into());
    settings.server.api_keys_file = Some("keys".into());
    settings
}

fn line(settings: &Settings, step: &Step) -> Vec<String> {
    let places = Places::new(settings);
    let arguments = step.command_line(|value| places.resolve(value, "000001-20260112T101530Z"));
    [vec![step.program.as_str().to_owned()], arguments].concat()
}

#[test]
fn every_step_is_understood_by_its_program() {
    for settings in [settings(), settings_with_everything()] {
        for step in Plan::new(&settings).refreshed().steps {
            let line = line(&settings, &step);
            let parsed = match step.program {
                Program::MnistData => mnist_data::cli::Args::try_parse_from(&line).map(drop),
                Program::Trainer => trainer::cli::Args::try_parse_from(&line).map(drop),
                Program::Server => server::cli::Args::try_parse_from(&line).map(drop),
                Program::Pipeline => pipeline::cli::Args::try_parse_from(&line).map(drop),
            };
            parsed.unwrap_or_else(|error| panic!("{}: {error}", line.join(" ")));
        }
    }
}

#[test]
fn what_the_settings_allow_the_trainer_allows() {
    let ends = |parameter: &Hyperparameter| match parameter.values {
        Values::Whole { least, most } => [least.to_string(), most.to_string()],
        Values::Number { least, most } => [least.to_string(), most.to_string()],
        Values::Words(words) => [words[0].to_owned(), words[words.len() - 1].to_owned()],
    };
    for end in [0, 1] {
        let mut settings = settings();
        settings.training.recipe = ends(&RECIPE)[end].clone();
        settings.training.overrides = OVERRIDES
            .map(|parameter| (parameter, ends(parameter)[end].clone()))
            .to_vec();
        settings.training.seed = u64::MAX;
        let step = Plan::new(&settings).steps.remove(1);
        trainer::cli::Args::try_parse_from(line(&settings, &step)).unwrap();
    }
}

/// A variable in somebody's shell must not change what a delivery does: the plan says everything itself, and what it leaves
/// to the recipe, the executor takes out of the environment.
#[test]
fn every_option_of_the_trainer_with_a_variable_is_set_by_the_plan_or_by_the_recipe() {
    let settings = settings();
    let step = Plan::new(&settings).steps.remove(1);
    let line = line(&settings, &step);
    let command = trainer::cli::Args::command();
    for option in command.get_arguments().filter(|option| option.get_env().is_some()) {
        let flag = format!("--{}", option.get_long().unwrap());
        let is_of_recipe = OVERRIDES.iter().any(|parameter| parameter.flag == flag);
        assert!(
            is_of_recipe || line.contains(&flag),
            "{flag} is left to the environment"
        );
    }
}
