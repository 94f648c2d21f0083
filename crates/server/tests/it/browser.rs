//! A real browser, told by the WebDriver protocol what to do: `chromedriver` speaks it over plain HTTP.

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use test_support::{Running, Workspace, patience};

/// Longest time for anything that a page or the browser does.
const PATIENCE: Duration = Duration::from_secs(60);

/// As headless tests need it: no sandbox, which root cannot have, and nothing that asks the network by itself.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en",
];

/// A browser with one window; it ends with the test.
pub(crate) struct Browser {
    agent: ureq::Agent,
    session: String,
    pointer: &'static str,
    _driver: Running,
    _profile: Workspace,
}

/// What the window is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// Wide, with a mouse.
    Desktop,
    /// 390 pixels wide, with a finger.
    Phone,
}

impl Browser {
    /// Starts a browser; none where the machine has none, which is told past the test harness.
    pub(crate) fn start(device: Device) -> Option<Self> {
        let Some(program) = chromedriver() else {
            let _ = writeln!(io::stderr(), "no `chromedriver` in PATH: no browser opens the page");
            return None;
        };
        let driver = Running::start(Command::new(program).arg("--port=0"));
        let port = patience("chromedriver", PATIENCE, || {
            let stdout = driver.stdout();
            let (_, rest) = stdout.split_once("successfully on port ")?;
            rest.split_once('.').map(|(port, _)| port.to_owned())
        });
        let profile = Workspace::new();
        let flags: Vec<String> = FLAGS
            .iter()
            .map(|flag| (*flag).to_owned())
            .chain([format!("--user-data-dir={}", profile.join("profile").display())])
            .collect();
        let mut options = json!({"args": flags});
        if device == Device::Phone {
            let metrics = json!({"width": 390, "height": 844, "pixelRatio": 2.0, "touch": true, "mobile": true});
            options["mobileEmulation"] = json!({"deviceMetrics": metrics});
        }
        let wanted = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let mut browser = Self {
            agent: config.timeout_global(Some(PATIENCE)).build().into(),
            session: format!("http://127.0.0.1:{port}/session"),
            pointer: if device == Device::Phone { "touch" } else { "mouse" },
            _driver: driver,
            _profile: profile,
        };
        let session = browser.post("", &json!({"capabilities": {"alwaysMatch": wanted}}));
        browser.session += &format!("/{}", session["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// Runs the body of a function in the page, and returns its result.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The text of an element, as it can be seen.
    pub(crate) fn text(&self, id: &str) -> String {
        let text = self.run(&format!("return document.getElementById('{id}').innerText"));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an element's text contains `part`, and returns the text.
    #[track_caller]
    pub(crate) fn wait_for(&self, id: &str, part: &str) -> String {
        let began = Instant::now();
        let found = patience(&format!("an element #{id}"), 2 * PATIENCE, || {
            let text = self.text(id);
            match text.contains(part) {
                true => Some(Ok(text)),
                false => (began.elapsed() > PATIENCE).then_some(Err(text)),
            }
        });
        found.unwrap_or_else(|text| panic!("waited in vain for `{part}` in #{id}, which says `{text}`"))
    }

    /// Draws with the pointer in an element; places are 0 to 1 of its width and height.
    pub(crate) fn draw(&self, id: &str, strokes: &[Vec<(f32, f32)>]) {
        let place = self.run(&format!(
            "const place = document.getElementById('{id}').getBoundingClientRect();
             return [place.left, place.top, place.width, place.height]"
        ));
        let [left, top, width, height] = [0, 1, 2, 3].map(|index| place[index].as_f64().unwrap());
        let mut actions = Vec::new();
        for stroke in strokes {
            for (index, &(x, y)) in stroke.iter().enumerate() {
                let (x, y) = (left + f64::from(x) * width, top + f64::from(y) * height);
                actions.push(json!({"type": "pointerMove", "duration": 10, "x": x as i64, "y": y as i64}));
                if index == 0 {
                    actions.push(json!({"type": "pointerDown", "button": 0}));
                }
            }
            actions.push(json!({"type": "pointerUp", "button": 0}));
        }
        let pointer = json!({"type": "pointer", "id": "pointer", "parameters": {"pointerType": self.pointer}, "actions": actions});
        self.post("/actions", &json!({"actions": [pointer]}));
    }

    /// Presses keys one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|what| json!({"type": what, "value": key.to_string()})))
            .collect();
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}),
        );
    }

    /// What pages have logged or were forbidden since the last call.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().unwrap().iter();
        entries
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let mut answer = self.agent.post(&url).send_json(body).unwrap();
        let document: Value = answer.body_mut().read_json().unwrap();
        assert_eq!(answer.status(), 200, "{path}: {document}");
        document["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser is no child of the test, so its driver has to end it. A second panic would hide the first.
        let _ = self.agent.delete(&self.session).call();
    }
}

fn chromedriver() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join("chromedriver"))
        .find(|program| program.is_file())
}
