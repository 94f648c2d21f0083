//! The report in a real browser: it shows, asks nobody for anything, and has nothing to complain about.

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
};

use test_support::{FileServer, OnDemand, Running, Workspace};

use crate::{RUN_MAX, trainer, workspace};

/// The names under which systems have it.
const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What a browser said about a page, and what it asked for.
struct Visit {
    /// The page as it understood it.
    dom: String,
    /// What the page logged or was forbidden.
    complaints: Vec<String>,
    /// Which files it asked our server for.
    requests: Vec<String>,
}

fn chromium() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let mut candidates = CHROMIUM
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|candidate| candidate.is_file())
}

/// Opens a file of the folder `models/mnist` in the browser, by way of a server that notes what it is asked for.
fn visit(workspace: &Workspace, chromium: &Path, file: &str) -> Visit {
    let server = FileServer::start(&workspace.join("models/mnist"));
    let mut command = workspace.command(chromium);
    command
        .args([
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ])
        // Tests may run as root, which Chromium's sandbox refuses.
        .args(["--no-sandbox", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", workspace.join("profile").display()))
        .arg(format!("{}{file}", server.url()));
    let outcome = Running::start(&mut command).wait(RUN_MAX);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let complaints = outcome.stderr.lines().filter(|line| line.contains("CONSOLE"));
    Visit {
        dom: outcome.stdout,
        complaints: complaints.map(str::to_owned).collect(),
        // Browsers open a second connection in case they need it; one that nothing came through has no path.
        requests: server
            .requests()
            .into_iter()
            .map(|request| request.path)
            .filter(|path| !path.is_empty())
            .collect(),
    }
}

#[test]
fn a_browser_shows_the_report_and_asks_for_nothing_else() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let Some(chromium) = chromium() else {
        // Past the test harness, which shows what a test prints only if it fails.
        let _ = writeln!(io::stderr(), "no Chromium in PATH: no browser opens the report");
        return;
    };
    let workspace = workspace();
    let outcome = trainer(&workspace, &["--steps", "60", "--batch-size", "32"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let report = visit(&workspace, &chromium, "mnist.report.html");
    assert!(
        report.dom.contains("Worst errors") && report.dom.contains("</html>"),
        "{}",
        report.dom
    );
    assert_eq!(report.complaints, [""; 0]);
    assert_eq!(report.requests, ["mnist.report.html"]);

    // The same page with an image that lies elsewhere: both ways of finding that out must see it.
    let page = String::from_utf8(workspace.read("models/mnist/mnist.report.html")).unwrap();
    let greedy = page.replace("</body>", "<img src=\"other.png\" alt=\"\"></body>");
    workspace.write("models/mnist/forbidden.html", greedy.as_bytes());
    let forbidden = visit(&workspace, &chromium, "forbidden.html");
    assert!(
        forbidden.complaints.iter().any(|line| line.contains("other.png")),
        "{:?}",
        forbidden.complaints
    );
    let lenient = greedy
        .replace("default-src 'none'", "default-src *")
        .replace("img-src data:", "img-src *");
    workspace.write("models/mnist/allowed.html", lenient.as_bytes());
    let allowed = visit(&workspace, &chromium, "allowed.html");
    assert!(
        allowed.requests.contains(&"other.png".to_owned()),
        "{:?}",
        allowed.requests
    );
}
