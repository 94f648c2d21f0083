//! Each kernel by itself against plain loops, on all instruction sets, at odd sizes.

use proptest::prelude::{Strategy, proptest};

use super::{
    super::{
        adam::{Adam, AdamSettings, Trained},
        batch::Batch,
        draw::{Draw, Sources},
        group::{Group, Signals, View, add_rows},
        input_layer::{self, Backward, InputWeights, RowBlock},
        levels::RowLoss,
        phases::Gather,
        pixel_order::{PixelOrder, STRIP},
        samples::Samples,
        softmax::{self, Target},
    },
    Draws, images, scaled,
};
use crate::{
    bits::transpose_bits,
    lanes::{Lanes, UNITS, UnitRow, number, number_mut},
    simd::{InstructionSet, Kernel, Simd},
};

/// With these, the running mean is the gradient itself.
const NO_MEMORY: AdamSettings = AdamSettings {
    beta1: 0.0,
    beta2: 0.0,
    epsilon: 1.0,
    weight_decay: 0.0,
};

fn near(found: f32, expected: f64) -> bool {
    (f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0)
}

/// Rows of 64 numbers, of which about half are zero.
fn half_zero_rows(n_rows: usize, seed: u64) -> Vec<UnitRow> {
    let mut draws = Draws(seed);
    let row = |_| std::array::from_fn(|_| Lanes(std::array::from_fn(|_| draws.number().max(0.0))));
    (0..n_rows).map(row).collect()
}

/// For each 64 rows, in which of them unit `u` is not zero.
fn active_by_unit(rows: &[UnitRow], n_words: usize) -> Vec<[u64; UNITS]> {
    let mut active = vec![[0; UNITS]; n_words];
    for (index, row) in rows.iter().enumerate() {
        active[index / 64][index % 64] = (0..UNITS)
            .filter(|unit| number(row, *unit) > 0.0)
            .map(|unit| 1 << unit)
            .sum();
    }
    active.iter_mut().for_each(transpose_bits);
    active
}

fn pixel_order() -> impl Strategy<Value = PixelOrder> {
    let image = (1_usize..30, 1_usize..30).prop_map(|(height, width)| PixelOrder::Image { height, width });
    proptest::prop_oneof![image, (1_usize..99).prop_map(|n_inputs| PixelOrder::Flat { n_inputs })]
}

fn batch_of_floats(order: PixelOrder, n_rows_max: usize, floats: &[f32], labels: &[u8]) -> Batch {
    let none = Samples::empty(order);
    let sources = Sources {
        samples: &none,
        moved: &none,
        floats,
        floats_labels: labels,
    };
    let rows: Vec<u32> = (0..labels.len() as u32).collect();
    let mut batch = Batch::new(order, n_rows_max);
    let draw = Draw { sources, rows: &rows };
    InstructionSet::best().run(Gather {
        batch: &mut batch,
        draw,
    });
    batch
}

struct InputForward<'a>(&'a [UnitRow], &'a UnitRow, &'a Batch, &'a mut [RowBlock]);

impl Kernel for InputForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        input_layer::forward(simd, self.0, self.1, self.2, self.3);
    }
}

struct InputBackward<'a>(Backward<'a>, &'a mut InputWeights);

impl Kernel for InputBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut scratch = [[Lanes::ZERO; UNITS]; STRIP];
        self.0.update(simd, self.1, &mut scratch, || ());
    }
}

proptest! {
    #[test]
    fn the_input_layer_sums_and_differentiates(order in pixel_order(), n_rows in 1_usize..140, seed: u64) {
        let (pixels, labels) = images(n_rows, order.n_inputs(), 3, seed);
        let pixels = scaled(&pixels);
        let batch = batch_of_floats(order, n_rows, &pixels, &labels);
        let weights = half_zero_rows(order.n_slots(), seed ^ 1);
        let gradients = half_zero_rows(n_rows.next_multiple_of(64), seed ^ 2);
        let active = active_by_unit(&gradients, n_rows.div_ceil(64));
        let seen = vec![true; order.n_quads()];
        let slots = order.slots();
        for set in InstructionSet::available() {
            let mut sums = vec![[[Lanes::ZERO; 4]; 64]; n_rows.div_ceil(64)];
            set.run(InputForward(&weights, &weights[0], &batch, &mut sums));
            for (row, sums) in sums.as_flattened().iter().enumerate().take(n_rows) {
                let inputs = &pixels[row * order.n_inputs()..][..order.n_inputs()];
                for unit in [0, 17, 40, 63] {
                    let products =
                        inputs.iter().zip(&slots).map(|(x, slot)| f64::from(*x) * f64::from(number(&weights[*slot], unit)));
                    let expected = f64::from(number(&weights[0], unit)) + products.sum::<f64>();
                    assert!(near(number(sums, unit), expected), "{set}: row {row}, unit {unit}");
                }
            }
            let mut trained = Trained::zero([Lanes::ZERO; 4], order.n_slots());
            set.run(InputBackward(Backward { step: NO_MEMORY.at(1, 0.0), batch: &batch, active: &active, gradients: gradients.as_chunks().0, seen: &seen }, &mut trained));
            for (input, slot) in slots.iter().enumerate() {
                for unit in [1, 15, 32, 62] {
                    let inputs = pixels[input..].iter().step_by(order.n_inputs());
                    let products = inputs.zip(&gradients).map(|(x, row)| f64::from(*x) * f64::from(number(row, unit)));
                    assert!(near(number(&trained.mean[*slot], unit), products.sum()), "{set}: input {input}, unit {unit}");
                }
            }
        }
    }

    #[test]
    fn samples_and_plain_rows_make_the_same_batch(order in pixel_order(), n_rows in 1_usize..140, seed: u64) {
        let (pixels, labels) = images(n_rows, order.n_inputs(), 3, seed);
        let samples = Samples::new(order, &pixels, &labels);
        let rows: Vec<u32> = (0..n_rows as u32).rev().collect();
        let reversed: Vec<f32> = pixels.chunks(order.n_inputs()).rev().flat_map(scaled).collect();
        let labels: Vec<u8> = labels.into_iter().rev().collect();
        let expected = batch_of_floats(order, n_rows + 3, &reversed, &labels);
        let none = Samples::empty(order);
        let sources = Sources { samples: &samples, moved: &none, floats: &[], floats_labels: &[] };
        for set in InstructionSet::available() {
            let mut batch = Batch::new(order, n_rows + 3);
            set.run(Gather { batch: &mut batch, draw: Draw { sources, rows: &rows } });
            assert_eq!(batch.labels(), expected.labels());
            assert_eq!(batch.plan(), expected.plan());
            for quad in 0..order.n_quads() {
                assert_eq!(batch.rows_of_quad(quad), expected.rows_of_quad(quad), "{set}");
            }
            for strip in 0..order.n_strips() {
                assert_eq!(batch.rows_of_strip(strip), expected.rows_of_strip(strip), "{set}");
                for row in (0..n_rows).filter(|row| batch.rows_of_strip(strip)[row / 64] >> (row % 64) & 1 == 1) {
                    let inputs = |batch: &Batch| batch.strip(strip)[row / 64][row % 64];
                    assert_eq!(inputs(&batch), inputs(&expected), "{set}: strip {strip}, row {row}");
                }
            }
        }
    }
}

struct GroupUpdate<'a>(&'a mut Group, Signals<'a>);

impl Kernel for GroupUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.0.update(simd, Adam::new(simd, NO_MEMORY.at(1, 1.0)), self.1);
    }
}

struct AddRows<'a>(u64, &'a UnitRow, View<'a>);

impl Kernel for AddRows<'_> {
    type Output = UnitRow;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> UnitRow {
        let sums = add_rows(simd, [simd.splat(0.5); 4], self.0, self.1, self.2);
        let mut places = [Lanes::ZERO; 4];
        for (sum, place) in sums.into_iter().zip(&mut places) {
            simd.store(sum, place);
        }
        places
    }
}

proptest! {
    #[test]
    fn a_group_differentiates_and_turns(n_units in 1_usize..=64, n_outputs in 1_usize..200, n_rows in 1_usize..140, seed: u64) {
        let inputs = half_zero_rows(n_rows, seed);
        let active = active_by_unit(&inputs, n_rows.div_ceil(64));
        let mut draws = Draws(seed);
        let width = n_outputs.div_ceil(16);
        let gradients: Vec<Lanes> =
            (0..n_rows * (width + 1)).map(|_| Lanes(std::array::from_fn(|_| draws.number()))).collect();
        let signals = Signals {
            active: &active,
            inputs: View { lanes: inputs.as_flattened(), stride: 4, first: 0 },
            gradients: View { lanes: &gradients, stride: width + 1, first: 1 },
        };
        for set in InstructionSet::available() {
            let mut group = Group::new(n_units, n_outputs);
            set.run(GroupUpdate(&mut group, signals));
            for unit in [0, n_units / 2, n_units - 1] {
                for output in 0..n_outputs {
                    let products = inputs.iter().zip(gradients.chunks(width + 1)).map(|(inputs, gradients)| {
                        f64::from(number(inputs, unit)) * f64::from(number(&gradients[1..], output))
                    });
                    let mean = number(&group.weights.mean[unit * width..], output);
                    assert!(near(mean, products.sum()), "{set}: unit {unit}, output {output}");
                    let weight = number(&group.weights.value[unit * width..], output);
                    assert!(near(weight, -f64::from(mean) / (f64::from(mean.abs()) + 1.0)), "{set}: one step of Adam");
                    assert_eq!(number(&group.turned[output], unit).to_bits(), weight.to_bits(), "{set}");
                }
            }
        }
    }

    #[test]
    fn rows_are_added_for_members_only(word: u64, seed: u64) {
        let rows = half_zero_rows(64, seed);
        let factors = half_zero_rows(1, seed ^ 1)[0];
        let members = || (0..64).filter(|unit| word >> unit & 1 == 1);
        for set in InstructionSet::available() {
            let sums = set.run(AddRows(word, &factors, View { lanes: rows.as_flattened(), stride: 4, first: 0 }));
            for output in 0..64 {
                let products = members().map(|unit| f64::from(number(&factors, unit)) * f64::from(number(&rows[unit], output)));
                assert!(near(number(&sums, output), 0.5 + products.sum::<f64>()), "{set}: {output}");
            }
        }
    }
}

struct Softmax<'a>(&'a [Lanes], Target, &'a mut [Lanes]);

impl Kernel for Softmax<'_> {
    type Output = RowLoss;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> RowLoss {
        softmax::gradient(simd, self.0, self.1, self.2)
    }
}

proptest! {
    #[test]
    fn softmax_cross_entropy_is_exact(n_classes in 1_usize..=256, seed: u64, size in 0.1_f32..30.0, smoothing in 0.0_f32..0.5) {
        let mut draws = Draws(seed);
        let mut logits = vec![Lanes::ZERO; n_classes.div_ceil(16)];
        (0..n_classes).for_each(|class| *number_mut(&mut logits, class) = draws.number() * size);
        let exact: Vec<f64> = (0..n_classes).map(|class| f64::from(number(&logits, class))).collect();
        let sum: f64 = exact.iter().map(|logit| logit.exp()).sum();
        let label = draws.below(n_classes);
        let target = Target { label: label as u8, n_classes, smoothing, weight: 0.25 };
        for set in InstructionSet::available() {
            let mut gradients = vec![Lanes([7.0; 16]); logits.len()];
            let loss = set.run(Softmax(&logits, target, &mut gradients));
            let mut expected_loss = 0.0;
            for (class, logit) in exact.iter().enumerate() {
                let hit = if class == label { 1.0 - f64::from(smoothing) } else { 0.0 };
                let wanted = hit + f64::from(smoothing) / n_classes as f64;
                let expected = 0.25 * (logit.exp() / sum - wanted);
                assert!((f64::from(number(&gradients, class)) - expected).abs() < 1e-6, "{set}: class {class}");
                expected_loss -= wanted * (logit - sum.ln());
            }
            assert!(near(loss.sum.ln() + loss.gap, expected_loss), "{set}");
            for padding in n_classes..logits.len() * 16 {
                assert_eq!(number(&gradients, padding).to_bits(), 0, "{set}");
            }
        }
    }
}

struct Exponentials([f32; 16]);

impl Kernel for Exponentials {
    type Output = Lanes;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Lanes {
        let mut powers = Lanes::ZERO;
        simd.store(softmax::exp(simd, simd.load(&Lanes(self.0))), &mut powers);
        powers
    }
}

#[test]
fn exponentials_are_right_to_two_units_in_the_last_place() {
    for first in 0..if cfg!(miri) { 3 } else { 50_000 } {
        let numbers = std::array::from_fn(|j| -87.3 * ((first * 16 + j) as f32 / 800_000.0));
        for set in InstructionSet::available() {
            for (number, power) in numbers.into_iter().zip(set.run(Exponentials(numbers)).0) {
                let exact = f64::from(number).exp();
                let unit = f64::from((exact as f32).next_up() - exact as f32);
                assert!(
                    (f64::from(power) - exact).abs() <= 2.0 * unit,
                    "{set}: e to the power of {number}"
                );
            }
        }
    }
}

struct Scaled([u8; 16]);

impl Kernel for Scaled {
    type Output = Lanes;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Lanes {
        let mut scaled = Lanes::ZERO;
        simd.store(
            super::super::batch::ByteScale::new(simd).apply(simd.load_bytes(&self.0)),
            &mut scaled,
        );
        scaled
    }
}

#[test]
fn every_byte_is_scaled_as_by_division() {
    for first in 0..16 {
        let bytes: [u8; 16] = std::array::from_fn(|j| (first * 16 + j) as u8);
        for set in InstructionSet::available() {
            assert_eq!(
                set.run(Scaled(bytes)).0,
                bytes.map(|byte| f32::from(byte) / 255.0),
                "{set}"
            );
        }
    }
}
