//! The documents say what is: their commands parse, the files and formats that they name exist.

use std::{collections::BTreeSet, path::Path};

use clap::{CommandFactory, Parser, error::ErrorKind};

use crate::workspace;

const DOCUMENTS: [&str; 9] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/benchmarks.md",
    "docs/clients.md",
    "docs/formats.md",
    "docs/hs.md",
    "docs/kubernetes.md",
    "docs/operations.md",
];

/// What documents may call besides our own programs and scripts.
const OTHER_PROGRAMS: [&str; 10] = [
    "cargo", "cat", "cd", "curl", "docker", "git", "grpcurl", "helm", "hs", "kubectl",
];

/// A document in its two parts.
#[derive(Default)]
struct Parts {
    prose: String,
    /// The text of each fenced block with the language behind its opening fence.
    blocks: Vec<(String, String)>,
}

/// Takes a document apart. A fence may be indented, as it is in a list.
fn parts(document: &str) -> Parts {
    let mut parts = Parts::default();
    let mut is_open = false;
    for line in workspace::read(document).lines() {
        match (line.trim_start().strip_prefix("```"), parts.blocks.last_mut()) {
            (Some(language), _) => {
                is_open = !is_open;
                parts
                    .blocks
                    .extend(is_open.then(|| (language.to_owned(), String::new())));
            }
            (None, Some((_, text))) if is_open => *text += &format!("{line}\n"),
            (None, _) => parts.prose += &format!("{line}\n"),
        }
    }
    assert!(!is_open, "{document}: a block is not closed");
    parts
}

/// The simple commands in the `sh` blocks of a document, as words, with lines ended by `\` joined.
pub(crate) fn commands(document: &str) -> Vec<Vec<String>> {
    let blocks = parts(document)
        .blocks
        .into_iter()
        .filter(|(language, _)| language == "sh");
    let text: String = blocks.map(|(_, text)| text.replace("\\\n", " ")).collect();
    text.lines()
        .flat_map(|line| split(line).unwrap_or_else(|| panic!("{document}: an open quote in `{line}`")))
        .collect()
}

/// A line of shell: words in quotes or bare, `#` comments, commands joined by `&&` or `|`.
fn split(line: &str) -> Option<Vec<Vec<String>>> {
    let mut commands = vec![Vec::new()];
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next().filter(|first| *first != '#') {
        let (word, after) = match first {
            '\'' | '"' => rest[1..].split_once(first)?,
            _ => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
        };
        match word {
            "&&" | "|" => commands.push(Vec::new()),
            _ => commands.last_mut()?.push(word.to_owned()),
        }
        rest = after.trim_start();
    }
    Some(commands.into_iter().filter(|words| !words.is_empty()).collect())
}

/// Parses a command with the very arguments of its program; `None` for a program that is not ours.
fn parse(words: &[String]) -> Option<Result<(), clap::Error>> {
    let program = words.first()?;
    match program.strip_prefix("target/release/").unwrap_or(program) {
        "mnist-data" => Some(accept::<mnist_data::cli::Args>(words)),
        "pipeline" => Some(accept::<pipeline::cli::Args>(words)),
        "server" => Some(accept::<server::cli::Args>(words)),
        "trainer" => Some(accept::<trainer::cli::Args>(words)),
        _ => None,
    }
}

fn accept<Args: Parser>(words: &[String]) -> Result<(), clap::Error> {
    match Args::try_parse_from(words) {
        Err(error) if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Err(error),
        _ => Ok(()),
    }
}

#[test]
fn every_command_in_a_document_is_one_that_its_program_takes() {
    for document in DOCUMENTS {
        for words in commands(document) {
            match parse(&words) {
                Some(Ok(())) => {}
                Some(Err(error)) => panic!("{document}: `{}`\n{error}", words.join(" ")),
                None => assert!(
                    OTHER_PROGRAMS.contains(&words[0].as_str()) || workspace::root().join(&words[0]).is_file(),
                    "{document}: unknown program in {words:?}"
                ),
            }
        }
    }
}

#[test]
fn the_readme_has_the_commands_that_a_new_user_types() {
    let commands: Vec<String> = commands("README.md").iter().map(|words| words.join(" ")).collect();
    for expected in [
        "cargo build --release",
        "target/release/pipeline up",
        "cargo test --workspace",
    ] {
        assert!(
            commands.iter().any(|command| command == expected),
            "`{expected}` is missing in {commands:#?}"
        );
    }
    assert!(
        commands.iter().any(|command| command.starts_with("curl ")),
        "no curl line to paste"
    );
    for subcommand in pipeline::cli::Args::command()
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let mention = format!("pipeline {}", subcommand.get_name());
        assert!(
            workspace::read("README.md").contains(&mention),
            "`{mention}` is not mentioned"
        );
    }
}

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    assert!(
        workspace::read(".ci/run")
            .lines()
            .any(|line| line.trim().ends_with("cargo test --workspace"))
    );
}

/// What stands in backticks outside of code blocks.
fn quoted(document: &str) -> BTreeSet<String> {
    parts(document)
        .prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_file_that_a_document_names_exists() {
    let root = workspace::root();
    let is_file_name = |name: &String| {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        let is_plain = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'));
        // What the trainer leaves beside a model is no file of the repository.
        let is_ours = is_plain && !name.starts_with("mnist.");
        is_ours && (name.starts_with("crates/") || matches!(extension, Some("rs" | "md" | "toml" | "yaml" | "svg")))
    };
    for document in DOCUMENTS {
        let names: Vec<String> = quoted(document).into_iter().filter(is_file_name).collect();
        for name in names {
            // Files of a crate are named from the folder with the crates (`server/src/http.rs`), or by a name that
            // several crates have (`cli.rs`).
            let is_of_many = |(path, _): &(String, String)| path.ends_with(&format!("/{name}"));
            let exists = root.join(&name).exists() || workspace::sources().iter().any(is_of_many);
            assert!(exists, "{document} names `{name}`, which does not exist");
        }
    }
    assert!(
        quoted("ARCHITECTURE.md")
            .iter()
            .filter(|name| is_file_name(name))
            .count()
            > 10
    );
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    for document in DOCUMENTS {
        let folder = workspace::root()
            .join(document)
            .parent()
            .expect("a document lies in a folder")
            .to_owned();
        let text = workspace::read(document);
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|link| link.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.starts_with("http")) {
            assert!(
                folder.join(target).exists(),
                "{document} links to `{target}`, which does not exist"
            );
        }
    }
}

/// `pub const REPORT_FORMAT: u32 = 1;` anywhere in the shipped code.
fn format_numbers() -> Vec<(String, String)> {
    let shipped = workspace::sources()
        .into_iter()
        .filter(|(path, _)| path.contains("/src/"));
    let lines = shipped.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>());
    let constants = lines.filter_map(|line| {
        let (name, number) = line.split_once("const ")?.1.split_once(": u32 = ")?;
        name.ends_with("FORMAT")
            .then(|| (name.to_owned(), number.trim_end_matches(';').to_owned()))
    });
    constants.collect()
}

/// The structs with a field `format: u32`: documents that are stored.
fn stored_documents() -> Vec<String> {
    let mut documents = Vec::new();
    for (_, text) in workspace::sources()
        .into_iter()
        .filter(|(path, _)| path.contains("/src/"))
    {
        let mut current = String::new();
        for line in text.lines() {
            if let Some((_, name)) = line.split_once("struct ") {
                current = name
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .next()
                    .unwrap_or_default()
                    .to_owned();
            }
            // A private field belongs to a helper that looks at a document, not to a document.
            if line.trim_start().starts_with("pub") && line.ends_with(" format: u32,") {
                documents.push(current.clone());
            }
        }
    }
    documents
}

#[test]
fn every_stored_format_is_described_with_its_number() {
    let rows: Vec<String> = workspace::read("docs/formats.md")
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(str::to_owned)
        .collect();
    let numbers = format_numbers();
    assert!(numbers.len() >= 4, "only {numbers:?} found: the search is broken");
    for (constant, number) in numbers {
        let (constant_cell, number_cell) = (format!("| `{constant}` |"), format!("| {number} |"));
        let is_described = rows
            .iter()
            .any(|row| row.contains(&constant_cell) && row.contains(&number_cell));
        assert!(
            is_described,
            "no row of docs/formats.md has `{constant}` with format {number}"
        );
    }
    let documents = stored_documents();
    assert!(documents.len() >= 4, "only {documents:?} found: the search is broken");
    for document in documents {
        assert!(
            rows.iter().any(|row| row.contains(&format!("`{document}`"))),
            "docs/formats.md lacks `{document}`"
        );
    }
}
