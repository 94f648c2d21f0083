//! Asks a server the same thing again and again, by many connections, or only holds such; and says in one line of JSON how
//! it went.
//!
//! With a rate, requests begin when their time has come whether or not earlier ones were answered in time, and a
//! latency counts from that moment: a server that stalls cannot hide it. Without one, each connection asks without a
//! pause. It ends after its time, or when its input ends.

mod client;
mod crowd;
mod options;
mod tally;

use std::{
    fs,
    io::{self, Read},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use client::{Client, Request};
use options::{Load, Options};
use tally::Tally;

/// Stack of a thread: there are many, and each does little.
const STACK_BYTES: usize = 256 << 10;

fn main() -> ExitCode {
    let outcome = Options::parse(std::env::args().skip(1)).and_then(|options| match options {
        Options::Load(load) => run(&load).map(|tally| tally.json()),
        Options::Crowd(crowd) => crowd::run(&crowd),
    });
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("driver: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Load) -> Result<Tally, String> {
    let body = fs::read(&options.body).map_err(|error| format!("cannot read `{}`: {error}", options.body))?;
    let request = Request::new(options, &body);
    let ends = end_of_input();
    let start = Instant::now();
    let tallies = thread::scope(|scope| {
        let ask = |index| {
            let (request, ends) = (&request, &ends);
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            builder.spawn_scoped(scope, move || ask(options, request, start, index, ends))
        };
        let threads: Vec<_> = (0..options.connections).map(ask).collect();
        let tally = |thread: Result<thread::ScopedJoinHandle<'_, Tally>, _>| {
            let thread = thread.map_err(|error| format!("cannot start a thread: {error}"))?;
            thread.join().map_err(|_| "a thread ended in a panic".to_owned())
        };
        threads.into_iter().map(tally).collect::<Result<Vec<_>, String>>()
    })?;
    let mut all = Tally::default();
    tallies.into_iter().for_each(|tally| all.add(tally));
    all.seconds = start.elapsed().as_secs_f64();
    Ok(all)
}

/// One connection, from the first request to the last.
fn ask(options: &Load, request: &Request, start: Instant, index: u32, ends: &AtomicBool) -> Tally {
    let mut client = Client::new(options.address);
    let mut tally = Tally::default();
    let end = start + Duration::from_secs_f64(options.seconds);
    let pace = options.rate.map(|rate| f64::from(options.connections) / rate);
    for turn in 0_u32.. {
        let begins = match pace {
            // Connections take turns, so that requests are spread evenly.
            Some(pace) => {
                let share = f64::from(index) / f64::from(options.connections);
                let begins = start + Duration::from_secs_f64((f64::from(turn) + share) * pace);
                thread::sleep(begins.saturating_duration_since(Instant::now()));
                begins
            }
            None => Instant::now(),
        };
        if begins >= end || ends.load(Ordering::Relaxed) {
            break;
        }
        let outcome = client.ask(request);
        tally.count(outcome, begins.elapsed(), client.take_retries());
    }
    tally
}

/// Becomes true when the input ends; nobody waits for the thread that waits for it.
fn end_of_input() -> Arc<AtomicBool> {
    let ends = Arc::new(AtomicBool::new(false));
    let told = ends.clone();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::Relaxed);
    });
    ends
}
