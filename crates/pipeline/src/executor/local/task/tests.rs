use std::{cell::Cell, fs};

use super::*;

const LIMITS: TaskLimits = TaskLimits {
    time_max: Duration::from_secs(60),
    stop_max: Duration::from_secs(60),
};

fn shell(script: &str, limits: TaskLimits, interrupt: &Interrupt, output: &mut dyn FnMut(&str)) -> Ended {
    run(Command::new("sh").args(["-c", script]), limits, interrupt, output).unwrap()
}

#[test]
fn lines_of_both_streams_come_in_order_and_the_exit_code_is_kept() {
    let mut lines = Vec::new();
    let script = "echo one; echo two >&2; printf 'three without an end'; exit 75";
    let ended = shell(script, LIMITS, &Interrupt::default(), &mut |line| {
        lines.push(line.to_owned())
    });
    assert_eq!(ended, Ended::Code(75));
    assert_eq!(lines, ["one", "two", "three without an end"]);
}

#[test]
fn variables_of_the_shell_change_no_hyperparameter() {
    let command = command(Path::new("pipeline"), Path::new(".pipeline"), &["trainer".to_owned()]);
    for variable in ["LEARNING_STEPS", "LEARNING_RATE", "BATCH_SIZE"] {
        assert!(
            command.get_envs().any(|set| set == (variable.as_ref(), None)),
            "{variable}"
        );
    }
}

#[test]
fn a_signal_from_elsewhere_is_told() {
    let ended = shell("kill -9 $$", LIMITS, &Interrupt::default(), &mut |_| {});
    assert_eq!(ended, Ended::Signal(9));
}

#[test]
fn an_interrupt_ends_the_child_and_its_children() {
    let interrupt = Interrupt::default();
    let grandchild = Cell::new(None);
    let ended = shell("sleep 1000 & echo $!; wait", LIMITS, &interrupt, &mut |line| {
        grandchild.set(line.parse::<u32>().ok());
        interrupt.set();
    });
    assert_eq!(ended, Ended::Interrupted);
    let stat = format!("/proc/{}/stat", grandchild.get().unwrap());
    test_support::patience(
        "the end of the grandchild",
        Duration::from_secs(20),
        || match fs::read_to_string(&stat) {
            Ok(stat) => stat.contains(") Z ").then_some(()),
            Err(_) => Some(()),
        },
    );
}

#[test]
fn a_child_that_does_not_end_when_asked_is_killed() {
    let interrupt = Interrupt::default();
    let limits = TaskLimits {
        stop_max: Duration::from_millis(100),
        ..LIMITS
    };
    let script = "trap '' TERM; echo ready; while true; do sleep 1; done";
    let ended = shell(script, limits, &interrupt, &mut |_| interrupt.set());
    assert_eq!(ended, Ended::Interrupted);
}

#[test]
fn a_child_that_takes_too_long_is_stopped() {
    let limits = TaskLimits {
        time_max: Duration::from_millis(50),
        ..LIMITS
    };
    let ended = shell("exec sleep 1000", limits, &Interrupt::default(), &mut |_| {});
    assert_eq!(ended, Ended::TimedOut(limits.time_max));
}

#[test]
fn a_grandchild_that_holds_the_output_open_does_not_hold_the_delivery_up() {
    let mut lines = Vec::new();
    let started = Instant::now();
    let ended = shell("sleep 1000 & echo $!", LIMITS, &Interrupt::default(), &mut |line| {
        lines.push(line.to_owned())
    });
    assert_eq!(ended, Ended::Code(0));
    assert!(started.elapsed() < Duration::from_secs(30));
    let grandchild = Pid::from_raw(lines[0].parse().unwrap()).unwrap();
    let _ = rustix::process::kill_process(grandchild, Signal::KILL);
}
