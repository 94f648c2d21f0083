use expect_test::{Expect, expect};

use super::*;
use crate::{
    plan::{Plan, StepName},
    settings::{Settings, tests::settings},
};

/// A step that finished and would run with the same key, with everything in its place.
struct Case {
    step: Step,
    done: Option<Done>,
    observed: Observed,
    upcoming: BTreeSet<Location>,
}

fn case(name: StepName) -> Case {
    let step = Plan::new(&settings()).step(name).unwrap().clone();
    let digest = |location: &Location| Ok::<_, ()>(Some(Digest::of(location.to_string().as_bytes())));
    let build = |program: Program| Ok::<_, ()>(Digest::of(program.as_str().as_bytes()));
    let key = Key::new(&step, ToString::to_string, digest, build).unwrap();
    let outputs = step
        .writes
        .iter()
        .map(|location| (location.to_string(), digest(location).unwrap()));
    let outputs: BTreeMap<_, _> = outputs.collect();
    Case {
        done: Some(Done {
            key: key.clone(),
            outputs: outputs
                .clone()
                .into_iter()
                .map(|(name, digest)| (name, digest.unwrap()))
                .collect(),
            finished_at_ms: 0,
        }),
        observed: Observed {
            key,
            outputs,
            standing: Standing::Stands,
        },
        upcoming: BTreeSet::new(),
        step,
    }
}

fn check(name: StepName, change: impl FnOnce(&mut Case), expected: Expect) {
    let mut case = case(name);
    change(&mut case);
    let decision = task(&case.step, case.done.as_ref(), &case.observed, &case.upcoming);
    expected.assert_eq(&render(&decision));
}

fn render(decision: &Decision) -> String {
    match decision {
        Decision::Skip(reason) => format!("skip: {}", reason.text),
        Decision::Run(reason) => format!("run: {}", reason.text),
    }
}

fn set(key: &mut Key, flag: &str, value: &str) {
    key.arguments.insert(flag.to_owned(), value.to_owned());
}

#[test]
fn a_step_that_never_finished_runs() {
    check(
        StepName::Train,
        |case| case.done = None,
        expect!["run: it has not finished before"],
    );
}

#[test]
fn a_step_with_nothing_changed_is_skipped() {
    check(StepName::Train, |_| {}, expect!["skip: nothing has changed"]);
}

#[test]
fn a_step_that_is_asked_to_look_again_runs_and_leaves_what_it_left() {
    let key = case(StepName::Download).observed.key;
    check(
        StepName::Download,
        |case| {
            case.step = Plan::new(&settings())
                .refreshed()
                .step(StepName::Download)
                .unwrap()
                .clone();
            let digest = |location: &Location| Ok::<_, ()>(Some(Digest::of(location.to_string().as_bytes())));
            let build = |program: Program| Ok::<_, ()>(Digest::of(program.as_str().as_bytes()));
            assert_eq!(Key::new(&case.step, ToString::to_string, digest, build), Ok(key));
        },
        expect!["run: it is asked to look again"],
    );
}

#[test]
fn changed_hyperparameters_are_named_with_their_values() {
    check(
        StepName::Train,
        |case| {
            set(&mut case.observed.key, "--learning-rate", "0.02");
            set(&mut case.observed.key, "--recipe", "best");
        },
        expect!["run: learning_rate is now 0.02, recipe changed from default to best"],
    );
}

#[test]
fn flags_that_come_and_go_are_named() {
    check(
        StepName::Test,
        |case| {
            set(&mut case.observed.key, "--noisy-accuracy-min", "0.9");
            case.observed.key.arguments.remove("--accuracy-min");
        },
        expect!["run: accuracy_min is not set any more, noisy_accuracy_min changed from 0.95 to 0.9"],
    );
    check(
        StepName::Download,
        |case| set(&mut case.observed.key, "--allow-unknown-digest", ""),
        expect!["run: allow_unknown_digest is now on"],
    );
}

#[test]
fn another_build_of_the_program_runs_the_step_again() {
    let rebuilt = |case: &mut Case| {
        case.observed
            .key
            .programs
            .insert("trainer".to_owned(), Digest::of(b"new build"));
    };
    check(
        StepName::Train,
        rebuilt,
        expect!["run: the program `trainer` is another build"],
    );
}

#[test]
fn a_changed_or_missing_input_is_named() {
    let name = "data/train-images-idx3-ubyte";
    let change = |case: &mut Case| {
        case.observed
            .key
            .inputs
            .insert(name.to_owned(), Some(Digest::of(b"other")));
    };
    check(
        StepName::Train,
        change,
        expect!["run: `train-images-idx3-ubyte`, which it reads, has changed"],
    );
    let remove = |case: &mut Case| {
        case.observed.key.inputs.insert(name.to_owned(), None);
    };
    check(
        StepName::Train,
        remove,
        expect!["run: `train-images-idx3-ubyte`, which it reads, is missing"],
    );
}

#[test]
fn a_missing_or_changed_output_is_named() {
    let name = "models/mnist.safetensors";
    check(
        StepName::Train,
        |case| {
            case.observed.outputs.insert(name.to_owned(), None);
        },
        expect!["run: `mnist.safetensors`, which it left, is missing"],
    );
    check(
        StepName::Train,
        |case| {
            case.observed
                .outputs
                .insert(name.to_owned(), Some(Digest::of(b"other")));
        },
        expect!["run: what it left in `mnist.safetensors` was changed"],
    );
}

#[test]
fn a_step_runs_after_one_that_writes_what_it_reads() {
    check(
        StepName::Upload,
        |case| {
            case.upcoming.insert(case.step.reads[0].clone());
        },
        expect!["run: a step before it writes `mnist.safetensors`"],
    );
}

#[test]
fn what_is_gone_from_the_server_is_done_again() {
    check(
        StepName::Upload,
        |case| case.observed.standing = Standing::Gone("mnist:3 is not in the registry any more".to_owned()),
        expect!["run: mnist:3 is not in the registry any more"],
    );
    check(
        StepName::Upload,
        |case| case.observed.standing = Standing::Unknown,
        expect!["skip: nothing has changed here (the server, which does not answer, was not asked)"],
    );
}

#[test]
fn what_opens_the_server_runs_no_task_again_and_starts_the_server_anew() {
    let mut settings = settings();
    let keys = |settings: &Settings| {
        let key = |step: &Step| {
            Key::new::<()>(step, ToString::to_string, |_| Ok(None), |_| Ok(Digest::of(b"build"))).unwrap()
        };
        Plan::new(settings).steps.iter().map(key).collect::<Vec<_>>()
    };
    let before = keys(&settings);
    settings.server.management_token_file = Some("tokens".into());
    settings.server.api_keys_file = Some("keys".into());
    let changed: Vec<bool> = keys(&settings)
        .iter()
        .zip(&before)
        .map(|(now, before)| now != before)
        .collect();
    assert_eq!(changed, StepName::ALL.map(|name| name == StepName::Serve));
}

#[test]
fn a_service_runs_on_only_with_the_same_settings_and_ready() {
    let mut key = case(StepName::Serve).observed.key;
    let mut running = Service::Running {
        key: key.clone(),
        started_at_ms: 0,
        id: "process 4242".to_owned(),
        is_ready: true,
    };
    let check = |running: &Service, key: &Key, expected: Expect| expected.assert_eq(&render(&service(running, key)));
    check(&Service::Stopped, &key, expect!["run: it does not run"]);
    check(
        &running,
        &key,
        expect!["skip: process 4242 runs with the same settings"],
    );
    set(&mut key, "--listen", "127.0.0.1:9000");
    check(
        &running,
        &key,
        expect!["run: listen changed from <listen> to 127.0.0.1:9000"],
    );
    if let Service::Running { key: old, is_ready, .. } = &mut running {
        *old = key.clone();
        *is_ready = false;
    }
    check(&running, &key, expect!["run: process 4242 runs but is not ready"]);
}
