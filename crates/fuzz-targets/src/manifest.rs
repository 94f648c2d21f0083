//! Manifests: what is accepted can be deployed, and every mistake has its place.

use formats::{
    application::ApplicationSpec,
    manifest::{Form, Manifest},
    yaml::{MISTAKES_MAX, Mistakes},
};

use crate::Outcome;

/// An `application.yaml`; other bytes than UTF-8 do not reach the reader.
pub fn manifest(bytes: &[u8]) -> Outcome {
    let Ok(text) = str::from_utf8(bytes) else {
        return Outcome::Refused;
    };
    match Manifest::parse("application.yaml", text) {
        Ok(manifest) => {
            check(&manifest);
            Outcome::Accepted
        }
        Err(mistakes) => {
            check_mistakes(&mistakes, text);
            Outcome::of(&mistakes)
        }
    }
}

fn check(manifest: &Manifest) {
    assert!(!manifest.models().is_empty());
    if let Form::Pipeline(stages) = &manifest.form {
        for stage in stages {
            assert_eq!(stage.services.iter().map(|service| service.weight).sum::<u32>(), 100);
        }
    }
    for notice in &manifest.notices {
        assert!(!notice.to_string().is_empty());
    }
    let pinned = manifest.pin(|name| format!("{name}:7").parse().ok());
    let spec = pinned.expect("every model has a version");
    let json = serde_json::to_string(&spec).expect("a deployed application has a JSON form");
    let again: ApplicationSpec = serde_json::from_str(&json).expect("what was written can be read");
    assert_eq!(again, spec);
}

fn check_mistakes(mistakes: &Mistakes, text: &str) {
    assert!((1..=MISTAKES_MAX).contains(&mistakes.list.len()), "{mistakes}");
    let n_lines = text.split(['\n', '\r']).count();
    for mistake in &mistakes.list {
        let line = mistake.place.line;
        assert!((1..=n_lines).contains(&line), "line {line} of {n_lines}: {mistakes}");
    }
}
