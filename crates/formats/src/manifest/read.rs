//! The keys of a manifest.

use super::{Form, Manifest, ManifestStage, Notice, Service};
use crate::{
    sticky::Sticky,
    version::ModelSelector,
    yaml::{Node, Read, Section},
};

/// What this program carries out.
const APPLICATION: &str = "Application";
/// The original's other kinds.
const OTHER_KINDS: [&str; 4] = ["Model", "Runtime", "Environment", "Config"];
/// The original's client writes it and never reads it; other schemas have the same keys with another meaning.
const VERSION: &str = "v2-alpha";

pub(super) fn manifest(root: Node<'_>) -> Read<Manifest> {
    let mut section = root.section()?;
    let kind = section.required("kind", |node| match node.text()? {
        other if OTHER_KINDS.contains(&other) => Ok(Err(
            node.refuse(format!("`{other}` is not carried out here, only `{APPLICATION}` is"))
        )),
        _ => node.choice(&[(APPLICATION, Ok(()))]),
    });
    if let Ok(is_application) = kind {
        // Another kind has other keys: to report them as unknown would bury the one mistake that matters.
        is_application?;
    }
    let mut notices = Vec::new();
    let version = section.optional("version", |node| node.choice(&[(VERSION, ())]));
    let name = section.required("name", Node::parse);
    let singular = section.optional("singular", |node| singular(node, &mut notices));
    let pipeline = section.optional("pipeline", |node| {
        let stages = node.list(|stage| self::stage(stage, &mut notices))?;
        if stages.is_empty() {
            Err(node.refuse("expected at least one stage, found none"))
        } else {
            Ok(stages)
        }
    });
    let sticky = section.optional("sticky", sticky);
    let streaming = section.optional("streaming", |node| {
        note(&mut notices, node, "applications answer over HTTP only");
        node.list(|item| item.section().map(drop))
    });
    section.finish();
    let form = match (singular?, pipeline?) {
        (Some(model), None) => Form::Singular(model),
        (None, Some(stages)) => Form::Pipeline(stages),
        (None, None) => return Err(root.refuse("missing key `singular` or `pipeline`")),
        (Some(_), Some(_)) => return Err(root.refuse("expected one of `singular` and `pipeline`, found both")),
    };
    kind?.and(version).and(streaming)?;
    notices.sort_by_key(|notice| notice.place);
    Ok(Manifest {
        name: name?,
        sticky: sticky?,
        form,
        notices,
    })
}

/// Ours: the original draws each request anew.
fn sticky(node: Node<'_>) -> Read<Sticky> {
    let mut section = node.section()?;
    let header = section.optional("header", Node::parse);
    let cookie = section.optional("cookie", Node::parse);
    section.finish();
    match (header?, cookie?) {
        (Some(header), None) => Ok(Sticky::Header(header)),
        (None, Some(cookie)) => Ok(Sticky::Cookie(cookie)),
        (None, None) => Err(node.refuse("missing key `header` or `cookie`")),
        (Some(_), Some(_)) => Err(node.refuse("expected one of `header` and `cookie`, found both")),
    }
}

fn singular(node: Node<'_>, notices: &mut Vec<Notice>) -> Read<ModelSelector> {
    let mut section = node.section()?;
    let model = section.required("model", Node::parse);
    // The original ignores it too: a model of this form answers under its own signatures.
    let signature = section.optional("signature", Node::text);
    let surroundings = surroundings(&mut section, notices);
    let monitoring = monitoring(&mut section, notices);
    section.finish();
    signature.map(drop).and(surroundings).and(monitoring).and(model)
}

fn stage(node: Node<'_>, notices: &mut Vec<Notice>) -> Read<ManifestStage> {
    let mut section = node.section()?;
    let signature = section.required("signature", Node::parse);
    let model = section.optional("model", Node::parse);
    let services = section.optional("modelservices", |node| {
        let services = node.list(|service| self::service(service, notices))?;
        check_weights(node, &services)?;
        Ok(services)
    });
    let surroundings = surroundings(&mut section, notices);
    let monitoring = monitoring(&mut section, notices);
    section.finish();
    let services = match (model?, services?) {
        (Some(model), None) => vec![Service { model, weight: 100 }],
        (None, Some(services)) => services,
        (None, None) => return Err(node.refuse("missing key `model` or `modelservices`")),
        (Some(_), Some(_)) => return Err(node.refuse("expected one of `model` and `modelservices`, found both")),
    };
    surroundings.and(monitoring)?;
    Ok(ManifestStage {
        signature: signature?,
        services,
    })
}

fn service(node: Node<'_>, notices: &mut Vec<Notice>) -> Read<Service> {
    let mut section = node.section()?;
    let model = section.required("model", Node::parse);
    let weight = section.required("weight", |node| node.integer(0..=100));
    let surroundings = surroundings(&mut section, notices);
    section.finish();
    surroundings?;
    Ok(Service {
        model: model?,
        weight: weight?,
    })
}

fn check_weights(node: Node<'_>, services: &[Service]) -> Read<()> {
    let sum: u64 = services.iter().map(|service| u64::from(service.weight)).sum();
    if sum == 100 {
        Ok(())
    } else {
        Err(node.refuse(format!("expected weights that add up to 100, found {sum}")))
    }
}

/// Where the original runs a model: an image with a runtime, on chosen machines.
fn surroundings(section: &mut Section<'_>, notices: &mut Vec<Notice>) -> Read<()> {
    let runtime = section.optional("runtime", |node| {
        note(notices, node, "models run inside the server");
        node.text()
    });
    let environment = section.optional("environment", |node| {
        note(notices, node, "models run where the server runs");
        node.text()
    });
    runtime.and(environment).map(drop)
}

fn monitoring(section: &mut Section<'_>, notices: &mut Vec<Notice>) -> Read<()> {
    let monitoring = section.optional("monitoring", |node| {
        note(notices, node, "nothing watches the traffic yet");
        node.list(|metric| metric.section().map(drop))
    });
    monitoring.map(drop)
}

fn note(notices: &mut Vec<Notice>, node: Node<'_>, instead: &'static str) {
    notices.push(Notice {
        place: node.place(),
        path: node.path(),
        instead,
    });
}
