//! Rows that no samples hold, given as bytes or as floats.

use super::{
    super::{Network, draw::Extra, pixel_order::PixelOrder, samples::Samples},
    bits, images, parameters, scaled, settings,
};

#[test]
fn samples_and_extra_rows_of_the_same_images_train_alike() {
    let order = PixelOrder::Image { height: 28, width: 28 };
    let settings = settings(order, &[64, 10], 33);
    let start = parameters(&settings, 3);
    let (pixels, labels) = images(33, 784, 10, 4);
    let (samples, none) = (Samples::new(order, &pixels, &labels), Samples::empty(order));
    let floats = scaled(&pixels);
    let bytes = Extra {
        bytes: &pixels,
        bytes_labels: &labels,
        ..Extra::NONE
    };
    let floats = Extra {
        floats: &floats,
        floats_labels: &labels,
        ..Extra::NONE
    };
    let rows: Vec<u32> = (0..33).collect();
    let ends = [(&samples, Extra::NONE), (&none, bytes), (&none, floats)].map(|(samples, extra)| {
        let mut network = Network::new(settings.clone(), &start);
        let mut losses = [0.0; 2];
        network.train(samples, &extra, &rows, &[0.01], &mut losses[..1]);
        network.train(samples, &extra, &rows, &[0.01], &mut losses[1..]);
        (losses, bits(&network.parameters()))
    });
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0], ends[2]);
}

#[test]
fn extra_rows_of_one_call_are_gone_in_the_next() {
    let order = PixelOrder::Image { height: 9, width: 9 };
    let settings = settings(order, &[20, 5], 8);
    let start = parameters(&settings, 3);
    let samples = Samples::empty(order);
    let train = |n_rows: &[usize]| {
        let mut network = Network::new(settings.clone(), &start);
        for &n_rows in n_rows {
            network.restore(&start, &Network::new(settings.clone(), &start).optimizer_state());
            let (bytes, bytes_labels) = images(n_rows, 81, 5, n_rows as u64);
            let extra = Extra {
                bytes: &bytes,
                bytes_labels: &bytes_labels,
                ..Extra::NONE
            };
            let rows: Vec<u32> = (0..n_rows as u32).collect();
            network.train(&samples, &extra, &rows, &[0.01], &mut [0.0]);
        }
        bits(&network.parameters())
    };
    assert_eq!(train(&[5]), train(&[8, 3, 5]));
}
