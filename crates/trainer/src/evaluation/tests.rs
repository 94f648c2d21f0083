use model::Layer;
use ndarray::Array3;

use super::*;

/// Images of 1 × 2 pixels, of which the brighter one is the class.
fn images(n_images: usize) -> Dataset {
    let pixels: Vec<u8> = (0..n_images)
        .flat_map(|index| [(index * 37 % 256) as u8, (index * 91 % 256) as u8])
        .collect();
    let labels = pixels.chunks(2).map(|pixels| u8::from(pixels[1] > pixels[0])).collect();
    Dataset::new(Array3::from_shape_vec((n_images, 1, 2), pixels).unwrap(), labels, 2).unwrap()
}

/// A network whose logits are `scale` times the pixels.
fn network(scale: f32) -> Network {
    let layer = Layer {
        weights: vec![scale, 0.0, 0.0, scale],
        bias: vec![0.0, 0.0],
    };
    Network::new(vec![layer]).unwrap()
}

fn answer(label: u8, class_id: usize, probability: f32) -> Answer {
    Answer {
        label,
        class_id,
        probability,
    }
}

#[test]
fn answers_are_those_of_the_images_one_by_one() {
    let (images, network) = (images(1_203), network(3.0));
    let noise = Noise::new(7);
    let together = answers(&network, &images, 1, Some((&noise, 1.0))).unwrap();
    let mut noise = noise.clone();
    for (index, answer) in together.iter().enumerate() {
        let mut pixels = [0.0; 2];
        images.scale_into(index, &mut pixels);
        noise.add_to(&mut pixels);
        let alone = network.classify(&pixels, 1).unwrap();
        assert_eq!(answer.class_id, alone.class_ids[0], "image {index}");
        assert_eq!(
            answer.probability, alone.probabilities[answer.class_id],
            "image {index}"
        );
        assert_eq!(answer.label, images.labels()[index]);
    }
    let every_third = answers(&network, &images, 3, Some((&Noise::new(7), 1.0))).unwrap();
    assert_eq!(
        every_third,
        together.every(3),
        "an image's noise must not depend on the others"
    );
}

#[test]
fn the_first_image_that_overflows_is_named() {
    let pixels = [vec![0_u8; 2 * 700], vec![255; 2 * 600]].concat();
    let images = Array3::from_shape_vec((1_300, 1, 2), pixels).unwrap();
    let images = Dataset::new(images, vec![0; 1_300], 2).unwrap();
    let layer = Layer {
        weights: vec![3e38, 0.0, 3e38, 0.0],
        bias: vec![0.0, 0.0],
    };
    let network = Network::new(vec![layer]).unwrap();
    assert_eq!(measure(&network, &images, 1).unwrap_err(), Overflow { image: 700 });
}

#[test]
fn noise_makes_it_harder_the_stronger_it_is() {
    let (images, network) = (images(5_000), network(3.0));
    let evaluation = measure(&network, &images, 7).unwrap();
    let (clean, noisy) = (evaluation.clean.accuracy, evaluation.noisy.accuracy);
    assert_eq!((clean.total, noisy.total), (5_000, 5_000));
    assert!(clean.fraction() > noisy.fraction() + 0.1, "{clean:?} {noisy:?}");

    let curve = &evaluation.by_noise;
    assert_eq!(curve.len(), AMPLITUDES.len());
    assert!(curve.iter().all(|point| point.accuracy.total == 1_667), "{curve:?}");
    assert!(
        curve.is_sorted_by(|one, other| one.accuracy.correct > other.accuracy.correct),
        "{curve:?}"
    );
}

#[test]
fn precision_and_recall_are_those_counted_by_hand() {
    // Two images of 0, both recognised; three of 1, of which one is taken for 0; none of 2 and no such answer.
    let answers: Answers = [(0, 0), (0, 0), (1, 1), (1, 1), (1, 0)]
        .map(|(label, id)| answer(label, id, 0.9))
        .into_iter()
        .collect();
    let measures = measures::measures(&answers, 3);
    assert_eq!(measures.confusion, [[2, 0, 0], [1, 2, 0], [0, 0, 0]]);
    let class = |class: usize| (measures.classes[class].precision, measures.classes[class].recall);
    assert_eq!(class(0), (Some(0.666667), Some(1.0)));
    assert_eq!(class(1), (Some(1.0), Some(0.666667)));
    assert_eq!(class(2), (None, None));
    assert_eq!(measures.accuracy, Accuracy { correct: 4, total: 5 });
}

#[test]
fn the_calibration_error_is_the_one_worked_out_by_hand() {
    // Four answers at 0.75, of which three are right, say what they are; two at 1.0, of which one is right, are off by
    // a half, and are a third of all.
    let answers = [(0, 0.75), (0, 0.75), (0, 0.75), (1, 0.75), (0, 1.0), (1, 1.0)];
    let answers: Answers = answers
        .map(|(id, probability)| answer(0, id, probability))
        .into_iter()
        .collect();
    let calibration = calibration::calibration(&answers);
    assert_eq!(calibration.error, 0.166667);
    assert_eq!(calibration.bins.len(), 15);
    let filled: Vec<_> = calibration.bins.iter().filter(|bin| bin.accuracy.total > 0).collect();
    assert_eq!(filled.len(), 2);
    assert_eq!((filled[0].probability_max, filled[0].probability_mean), (0.8, 0.75));
    assert_eq!((filled[1].probability_max, filled[1].accuracy.correct), (1.0, 1));
}

#[test]
fn a_probability_falls_into_its_bin_up_to_both_ends() {
    let at = |probability| {
        let answers: Answers = std::iter::once(answer(0, 0, probability)).collect();
        let bins = calibration::calibration(&answers).bins;
        bins.iter().position(|bin| bin.accuracy.total == 1).unwrap()
    };
    assert_eq!([0.0, 0.06, 0.07, 0.99, 1.0].map(at), [0, 0, 1, 14, 14]);
}

#[test]
fn the_worst_errors_are_the_most_certain_ones_first() {
    let mut certainties: Vec<f32> = (0..50).map(|index| 0.5 + (index * 7 % 50) as f32 / 128.0).collect();
    let answers: Answers = certainties
        .iter()
        .map(|&probability| answer(0, 1, probability))
        .chain([answer(0, 0, 1.0)])
        .collect();
    let worst = worst_errors(&answers);
    certainties.sort_by(|one, other| other.total_cmp(one));
    let found: Vec<f64> = worst.iter().map(|error| error.probability).collect();
    let expected: Vec<f64> = certainties[..WORST_ERRORS_MAX]
        .iter()
        .map(|&certainty| rounded(certainty.into()))
        .collect();
    assert_eq!(found, expected);
    assert!(worst.iter().all(|error| error.class_id == 1 && error.label == 0));
}
