use clap::Parser;
use formats::{
    artifact::{EffectiveAugmentation, EffectiveRecipe, TrainingSummary},
    digest::Digest,
    history::{HISTORY_FORMAT, TrainingPoint},
    report::{Accuracy, ImageCounts, TRAINING_REPORT_FORMAT},
};
use model::{Layer, Network};
use ndarray::Array3;
use roxmltree::{Document, Node, ParsingOptions};

use super::*;
use crate::{cli::Args, evaluation::measure};

/// Images of 3 × 2 pixels whose first pixel, in steps of 64, is the class.
fn images() -> Dataset {
    let pixels: Vec<u8> = (0..600_usize).map(|index| (index * 41 % 256) as u8).collect();
    let labels = pixels.chunks(6).map(|pixels| pixels[0] / 64).collect();
    Dataset::new(Array3::from_shape_vec((100, 3, 2), pixels).unwrap(), labels, 4).unwrap()
}

/// A recipe with some values of its own.
fn recipe() -> EffectiveRecipe {
    EffectiveRecipe {
        name: "default".to_owned(),
        overridden: ["steps", "epsilon", "shift_pixels"].map(str::to_owned).to_vec(),
        warm_up_share: 0.05,
        weight_decay: 0.05,
        epsilon: 1e-6,
        label_smoothing: 0.0,
        augmentation: EffectiveAugmentation {
            shift_share: 0.8,
            shift_pixels: 2,
            affine_share: 0.0,
            rotation: 10.0,
            scale: 0.1,
            shear: 0.1,
            elastic_share: 0.0,
            elastic_pixels: 1.4,
            elastic_smoothness: 4.0,
            noise_share: 0.2,
            noise_amplitude: 1.0,
        },
    }
}

/// A report with everything in it, of a network that gets some images right.
fn report() -> TrainingReport {
    let layer = Layer {
        weights: (0..24)
            .map(|index| if index < 4 { index as f32 } else { 0.0 })
            .collect(),
        bias: vec![0.6, 0.3, -0.3, -1.3],
    };
    let evaluation = measure(&Network::new(vec![layer]).unwrap(), &images(), 1).unwrap();
    let point = |step: u32| TrainingPoint {
        format: HISTORY_FORMAT,
        step,
        epoch: 1,
        loss: f64::from(100 - step) / 4.0,
        learning_rate: 0.01,
        steps_per_second: 4_000.0,
        clean: Some(Accuracy {
            correct: step.into(),
            total: 100,
        }),
        noisy: Some(Accuracy {
            correct: u64::from(step) / 2,
            total: 100,
        }),
        elapsed_ms: step.into(),
    };
    TrainingReport {
        format: TRAINING_REPORT_FORMAT,
        artifact: Digest::of(b"artifact"),
        layers: vec![6, 4],
        training: TrainingSummary {
            engine: "burn flex".to_owned(),
            steps: 90,
            batch_size: 128,
            learning_rate: 0.01,
            schedule: "cosine".to_owned(),
            seed: 3,
            recipe: Some(recipe()),
            final_loss: 0.025,
            clean: evaluation.clean.accuracy,
            noisy: evaluation.noisy.accuracy,
        },
        training_ms: 1_240,
        evaluation_ms: 90,
        images: ImageCounts {
            train: 55_000,
            held_out: 5_000,
            test: 100,
            rows: 3,
            columns: 2,
        },
        machine: Machine {
            processor: Some("A <processor> & more".to_owned()),
            cores: 2,
            threads: 2,
            instruction_set: "avx2".to_owned(),
            system: "linux x86_64".to_owned(),
        },
        history: (1..=90).map(point).collect(),
        evaluation,
    }
}

/// The page as XML, which forgives nothing: what HTML leaves open is closed first. No `>` stands in a value of an attribute,
/// where it is escaped.
fn well_formed(page: &str) -> String {
    let mut page = page.to_owned();
    for name in ["<meta ", "<link "] {
        let mut parts = page.split(name);
        let before = parts.next().unwrap().to_owned();
        page = parts.fold(before, |page, part| page + name + &part.replacen('>', "/>", 1));
    }
    page
}

fn parsed(page: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error}"))
}

fn elements<'a>(document: &'a Document<'a>, name: &str, class: &str) -> Vec<Node<'a, 'a>> {
    let is_wanted = |node: &Node<'_, '_>| {
        let classes = node.attribute("class").unwrap_or_default();
        node.tag_name().name() == name && (class.is_empty() || classes.split(' ').any(|one| one == class))
    };
    document.descendants().filter(is_wanted).collect()
}

fn text(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(Node::is_text).filter_map(|node| node.text());
    texts.collect::<String>().trim().to_owned()
}

fn texts(document: &Document<'_>, name: &str, class: &str) -> Vec<String> {
    elements(document, name, class).into_iter().map(text).collect()
}

#[test]
fn the_page_is_well_formed_and_has_every_section() {
    let page = well_formed(&page::page(&report(), &images()).unwrap());
    let document = parsed(&page);
    let headings = texts(&document, "h2", "");
    assert_eq!(
        headings,
        [
            "Course of the training",
            "Accuracy by noise",
            "Calibration",
            "Precision and recall",
            "Confusion",
            "Worst errors",
            "Settings",
            "Machine and times"
        ]
    );
    assert_eq!(texts(&document, "a", ""), headings);
    assert_eq!(elements(&document, "figure", "chart").len(), 6);
    assert_eq!(elements(&document, "table", "heat").len(), 2);
    assert_eq!(elements(&document, "li", "").len(), 30);
}

#[test]
fn the_page_shows_the_numbers_of_the_report() {
    let report = report();
    let page = well_formed(&page::page(&report, &images()).unwrap());
    let document = parsed(&page);
    let heat_maps = elements(&document, "table", "heat");
    let cells = heat_maps.iter().flat_map(|table| table.descendants());
    let confusion: Vec<String> = cells.filter(|node| node.tag_name().name() == "td").map(text).collect();
    let measures = [&report.evaluation.clean, &report.evaluation.noisy].into_iter();
    let counts = measures.flat_map(|measures| measures.confusion.iter().flatten());
    assert_eq!(confusion, counts.map(u64::to_string).collect::<Vec<_>>());
    let Accuracy { correct, total } = report.evaluation.clean.accuracy;
    assert!(texts(&document, "span", "").contains(&format!("{correct} of {total}")));
    let settings = texts(&document, "div", "");
    for words in [
        "schedulecosine",
        "batch size128",
        "seed3",
        "training1.24 s",
        "held-out images5,000",
    ] {
        assert!(settings.contains(&words.to_owned()), "no {words} in {settings:?}");
    }
}

/// Whoever sees neither drawings nor colours gets the same in words.
#[test]
fn every_image_and_chart_of_the_page_has_words() {
    let report = report();
    let page = well_formed(&page::page(&report, &images()).unwrap());
    let document = parsed(&page);
    let drawings = document
        .descendants()
        .filter(|node| node.attribute("role") == Some("img"));
    let words: Vec<&str> = drawings
        .map(|drawing| drawing.attribute("aria-label").unwrap())
        .collect();
    assert_eq!(words.len(), 6 + 30);
    assert!(words.iter().all(|words| words.len() > 30), "{words:?}");
    let worst = &report.evaluation.worst_errors[0];
    let expected = format!(
        "Test image {} of class {}, answered {} ",
        worst.image, worst.label, worst.class_id
    );
    assert!(
        words.iter().any(|words| words.starts_with(&expected)),
        "no `{expected}` in {words:?}"
    );
}

#[test]
fn the_page_asks_nobody_for_anything_and_runs_nothing() {
    let page = well_formed(&page::page(&report(), &images()).unwrap());
    let document = parsed(&page);
    for node in document.descendants() {
        assert!(
            !["script", "iframe", "object", "embed", "img"].contains(&node.tag_name().name()),
            "{node:?}"
        );
        for attribute in node.attributes() {
            let is_address = ["src", "href", "srcset", "data"].contains(&attribute.name());
            let stays_here = attribute.value().starts_with('#') || attribute.value() == "data:,";
            assert!(!is_address || stays_here, "{attribute:?}");
            assert!(!attribute.name().starts_with("on"), "{attribute:?}");
        }
    }
    assert!(
        !page.contains("url(") && !page.contains("@import"),
        "a style sheet may ask for files too"
    );
}

#[test]
fn what_looks_like_html_is_shown_as_it_is() {
    let mut report = report();
    report.training.engine = "<script>alert('&amp;')</script>".to_owned();
    let page = well_formed(&page::page(&report, &images()).unwrap());
    let document = parsed(&page);
    assert!(elements(&document, "script", "").is_empty());
    let values = texts(&document, "dd", "");
    assert!(values.contains(&report.training.engine), "{values:?}");
    assert!(values.contains(&"A <processor> & more".to_owned()), "{values:?}");
}

#[test]
fn the_style_sheet_knows_every_colour_of_the_charts() {
    let page = page::page(&report(), &images()).unwrap();
    for tone in chart::Tone::ALL {
        let plotters::style::RGBColor(red, green, blue) = tone.color();
        let selector = format!(".chart [stroke=\"#{red:02X}{green:02X}{blue:02X}\"]");
        assert!(page.contains(&selector), "no rule for {tone:?}: {selector}");
    }
}

#[test]
fn a_network_without_errors_and_a_class_without_images_are_no_mistake() {
    let mut report = report();
    report.evaluation.worst_errors.clear();
    report.evaluation.clean.classes[3].recall = None;
    report.history.clear();
    let page = page::page(&report, &images()).unwrap();
    assert!(page.contains("Every clean test image got the right answer."));
    assert!(page.contains("The course was not recorded."));
    assert!(card::card(&report).contains("# Model card"));
}

#[test]
fn the_card_says_what_the_report_says() {
    let report = report();
    let card = card::card(&report);
    for words in [
        "# Model card: mnist ",
        "## What it is",
        "6 → 4 units",
        "55,000 images to train on, 5,000 held out of them, and 100 test images, of 3 × 2 pixels each.",
        "never on test images",
        "| schedule | cosine |",
        &format!(
            "| clean test images | {} |",
            words::of_images(report.evaluation.clean.accuracy)
        ),
        "## Limits of use",
        "## How to reproduce",
        &report.artifact.to_string(),
    ] {
        assert!(card.contains(words), "no `{words}` in\n{card}");
    }
}

#[test]
fn the_command_on_the_card_gives_the_same_settings() {
    let mut report = report();
    let settings = |report: &TrainingReport| {
        let command = card::command(&report.training);
        let args = Args::try_parse_from(command.split(' ')).unwrap_or_else(|error| panic!("{command}: {error}"));
        args.train.settings().unwrap().training
    };
    let training = settings(&report);
    assert_eq!(
        (training.recipe.as_str(), training.seed, training.steps.get()),
        ("default", 3, 90)
    );
    assert_eq!((training.epsilon, training.augmentation.shift.pixels), (1e-6, 2));
    assert_eq!(training.overridden(), ["steps", "epsilon", "shift_pixels"]);
    assert_eq!(training.device.engine_name(), report.training.engine);

    // A model from before there were recipes.
    report.training.recipe = None;
    let training = settings(&report);
    assert_eq!((training.steps.get(), training.batch_size.get()), (90, 128));
    assert_eq!((training.learning_rate, training.schedule.as_str()), (0.01, "cosine"));
    assert_eq!((training.weight_decay, training.label_smoothing), (0.0, 0.0));
}

#[test]
fn the_files_are_written_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let names = Names::new(false);
    let models_dir = ModelsDir::open(folder.path(), 0, &names.all()).unwrap();
    let report = report();
    let page = render(&report, &images()).unwrap().write(&models_dir, &names).unwrap();
    assert_eq!(page, folder.path().join("mnist.report.html"));
    for name in ["mnist.card.md", "mnist.report.html", "mnist.report.json"] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
    let numbers = std::fs::read(folder.path().join("mnist.report.json")).unwrap();
    assert_eq!(serde_json::from_slice::<TrainingReport>(&numbers).unwrap(), report);
}
