//! The delivery run: from settings to a model that answers, proven through its own address.
//!
//! A run is a plan (data), an executor (how a program runs) and one loop that decides what is up to date. Steps are
//! ordinary programs with arguments; this crate never links the trainer or the server, and talks to the server over
//! HTTP only. Start reading at [`plan`] for what there is to do, at `delivery.rs` for the loop.

pub mod cli;
mod client;
mod commands;
mod credentials;
pub mod decide;
mod delivery;
mod executor;
mod files;
mod hint;
mod image;
mod interrupt;
pub mod places;
pub mod plan;
mod probe;
pub mod render;
mod report;
mod score;
pub mod server_url;
mod service;
pub mod settings;
mod standing;
mod state;
mod summary;
mod time;

use std::process::ExitCode;

use serde_json::json;

use cli::{Args, Command};

pub use hint::hint;

/// Carries out what the command line asks for.
///
/// With `--json`, an error is also printed as one JSON document on stdout.
pub fn run(arguments: Args) -> anyhow::Result<ExitCode> {
    console::start_log(arguments.verbose);
    let is_json = arguments.command.is_json();
    let result = carry_out(arguments.command);
    if let (true, Err(error)) = (is_json, &result) {
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        let document = json!({
            "format": summary::OUTPUT_FORMAT,
            "error": {"message": error.to_string(), "because": causes, "hint": hint(error)},
        });
        console::print(&document.to_string());
    }
    result
}

fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(arguments) => commands::up::up(&arguments),
        Command::Plan(arguments) => commands::plan::plan(&arguments),
        Command::Status(arguments) => commands::status::status(&arguments),
        Command::Logs(arguments) => commands::logs::logs(&arguments),
        Command::Down(arguments) => commands::down::down(&arguments),
        Command::Forward(arguments) => commands::forward::forward(&arguments),
        Command::Image(arguments) => commands::image::image(&arguments),
        Command::Render(arguments) => commands::render::render(&arguments),
        Command::Upload(arguments) => commands::upload::upload(arguments),
        Command::Deploy(arguments) => commands::deploy::deploy(arguments),
        Command::Rollback(arguments) => commands::rollback::rollback(&arguments),
        Command::Test(arguments) => commands::test::test(&arguments),
        Command::Load(arguments) => commands::load::load(&arguments),
        Command::Launch(arguments) => commands::launch::launch(arguments),
    }
}
