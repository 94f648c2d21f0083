//! What some answers come to: confusion, precision and recall.

use formats::evaluation::{ClassMeasures, Measures};

use super::{answers::Answers, calibration::calibration, rounded};

/// All measures of these answers.
pub(super) fn measures(answers: &Answers, n_classes: usize) -> Measures {
    let mut confusion = vec![vec![0_u64; n_classes]; n_classes];
    for answer in answers.iter() {
        confusion[usize::from(answer.label)][answer.class_id] += 1;
    }
    let classes = (0..n_classes).map(|class| class_measures(&confusion, class)).collect();
    Measures {
        accuracy: answers.accuracy(),
        classes,
        confusion,
        calibration: calibration(answers),
    }
}

fn class_measures(confusion: &[Vec<u64>], class: usize) -> ClassMeasures {
    let images = confusion[class].iter().sum();
    let answers = confusion.iter().map(|answers| answers[class]).sum();
    let share = |of: u64| (of > 0).then(|| rounded(confusion[class][class] as f64 / of as f64));
    ClassMeasures {
        images,
        answers,
        precision: share(answers),
        recall: share(images),
    }
}
