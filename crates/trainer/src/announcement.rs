//! What a person reads at the start of a run: every value that decides what comes out.

use crate::settings::TrainingSettings;

/// How many of [`TrainingSettings::values`] stand on a line together. From the third line on it is about a kind of
/// augmentation, the part of the rows that it takes first.
const LINES: [usize; 6] = [5, 3, 2, 4, 3, 2];

/// The settings of a run, by the names that flags and `pipeline.yaml` have for them.
pub(crate) fn announcement(settings: &TrainingSettings) -> String {
    let mut text = format!("training with the recipe {}", settings.recipe.as_str());
    let overridden = settings.overridden();
    if !overridden.is_empty() {
        text += &format!(", but for {}", overridden.join(", "));
    }
    let values = settings.values();
    let mut rest = values.as_slice();
    for (line, n_values) in LINES.into_iter().enumerate() {
        let (values, after) = rest.split_at(n_values);
        rest = after;
        let is_off = line >= 2 && values[0].1 == "0";
        if !is_off {
            let values: Vec<String> = values.iter().map(|(of, value)| format!("{} {value}", of.key)).collect();
            text += &format!("\n  {}", values.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use formats::hyperparameters::OVERRIDES;

    use super::*;
    use crate::{device::DeviceKind, recipe::Recipe};

    #[test]
    fn every_value_is_told_but_those_of_what_is_switched_off() {
        expect![[r#"
            training with the recipe default
              steps 10000, batch_size 128, learning_rate 0.01, schedule cosine, warm_up_share 0.05
              weight_decay 0.05, epsilon 0.003, label_smoothing 0
              shift_share 0.8, shift_pixels 1
              affine_share 0.2, rotation 10, scale 0.1, shear 0.1
              elastic_share 0.2, elastic_pixels 0.8, elastic_smoothness 5
              noise_share 0.22, noise_amplitude 1"#]]
        .assert_eq(&announcement(&Recipe::Default.settings(1, DeviceKind::Native)));
        let tutorial = TrainingSettings {
            learning_rate: 0.02,
            label_smoothing: 0.1,
            ..Recipe::Tutorial.settings(1, DeviceKind::Native)
        };
        expect![[r#"
            training with the recipe tutorial, but for learning_rate, label_smoothing
              steps 10000, batch_size 128, learning_rate 0.02, schedule constant, warm_up_share 0
              weight_decay 0, epsilon 0.00000001, label_smoothing 0.1"#]]
        .assert_eq(&announcement(&tutorial));
    }

    #[test]
    fn every_line_on_augmentation_begins_with_its_share() {
        assert_eq!(LINES.iter().sum::<usize>(), OVERRIDES.len());
        let mut first = 0;
        for (line, n_values) in LINES.into_iter().enumerate() {
            let begins_with_share = OVERRIDES[first].key.ends_with("_share");
            assert_eq!(begins_with_share, line >= 2, "{}", OVERRIDES[first].key);
            first += n_values;
        }
    }
}
