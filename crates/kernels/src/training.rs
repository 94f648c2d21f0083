//! The training step: dense layers with ReLU between them, softmax cross-entropy on top, Adam.
//!
//! All arithmetic is plain `f32`; sums are reordered and exact zeros skipped, nothing is approximated. What makes it
//! fast, in order of what it saves:
//!
//! 1. **Zeros.** Of MNIST's pixels 81 of 100 are zero, of the outputs of hidden units 80 to 94. Sets of rows and units
//!    that are *not* zero are kept as bits of words, and every loop walks over such a set ([`bits`](crate::bits)).
//! 2. **Owners.** A member of the team owns *slabs* of 64 hidden units ([`slab`]): their weights and moments never
//!    leave its cache. Only the slabs' shares in the second layer and one gradient change hands, so a step has two
//!    meetings ([`team`](crate::team)):
//!
//!    | phase | split by | does |
//!    |---|---|---|
//!    | rise ([`top`]) | rows of the batch | second layer to loss, and back; fills the next batch ([`batch`]) |
//!    | turn ([`slab`]) | slabs | gradients and Adam; then the next batch through the first layer |
//!
//! 3. **Visits.** A weight of the first layer is read once on the way up and once on the way back; its gradient is
//!    used the moment it is known and never stored ([`input_layer`]).
//! 4. **Distance.** What members hand to each other is streamed past the caches ([`handover`]), and what comes from
//!    afar, rows of later batches above all, is fetched ahead of time ([`lookahead`]).
//! 5. **Flush-to-zero** while a phase runs ([`denormals`](crate::denormals)).
//!
//! Every number is computed by one member in an order that depends on the data alone. So **the weights do not depend on
//! the number of threads, nor on the instruction set**: the same bits. (Flush-to-zero exists on x86-64 only, so another
//! architecture may round a number below 1e-38 differently.)

pub(crate) mod adam;
mod batch;
pub(crate) mod draw;
mod group;
mod handover;
mod input_layer;
mod layers;
mod levels;
mod lookahead;
mod phases;
mod pieces;
pub(crate) mod pixel_order;
pub(crate) mod samples;
mod slab;
mod softmax;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod top;

use std::mem;

use self::{
    adam::AdamSettings,
    batch::Batch,
    draw::{Draw, Extra, Sources},
    layers::Layers,
    pixel_order::PixelOrder,
    samples::Samples,
    state::{LayerParameters, OptimizerState},
};
use crate::simd::InstructionSet;

/// What a [`Network`] is and how it is trained.
#[derive(Clone, Debug)]
pub struct NetworkSettings {
    /// The shape of a row of input.
    pub pixel_order: PixelOrder,
    /// Outputs of each layer, the last one's being the classes; two layers at least.
    pub layer_outputs: Vec<usize>,
    /// The optimizer's constants.
    pub adam: AdamSettings,
    /// The share of certainty that is spread evenly over all classes; usually 0.
    pub label_smoothing: f32,
    /// The most rows in one step.
    pub batch_size_max: usize,
    /// Threads that share the work, the caller's included. More than one for each 64 units of the first layer cannot be
    /// used, nor more than 16.
    pub n_threads: usize,
    /// The instructions to use.
    pub instruction_set: InstructionSet,
}

/// A network in training.
///
/// Its threads wait for work while it lives, asleep when there has been none for a while, and end when it is dropped.
/// If a step panics, nothing hangs, but the weights are of no use.
pub struct Network {
    layers: Layers,
    /// The batch of a step, once for each thread.
    current: Vec<Batch>,
    next: Vec<Batch>,
    /// The bytes of [`Extra`], prepared.
    moved: Samples,
}

impl Network {
    /// A network that starts from these weights and biases, one entry for each layer.
    ///
    /// # Panics
    /// If a setting is out of its range, or a shape is not that of the settings.
    pub fn new(settings: NetworkSettings, parameters: &[LayerParameters]) -> Self {
        let pixel_order = settings.pixel_order;
        let batch = Batch::new(pixel_order, settings.batch_size_max);
        let mut layers = Layers::new(settings);
        layers.set_parameters(parameters);
        let batches = vec![batch; layers.n_members()];
        Self {
            layers,
            current: batches.clone(),
            next: batches,
            moved: Samples::empty(pixel_order),
        }
    }

    /// Takes one step for each learning rate and sets `losses` to the mean loss of each step's rows before the step.
    ///
    /// `rows` names the rows of all steps, the same number for each: rows of the samples, then rows of `extra`. The next
    /// batch is made ready during a step. How steps are dealt out to calls makes no difference to the result.
    ///
    /// # Panics
    /// If `rows` cannot be dealt out evenly, names a row that is not there, or gives a step more rows than the
    /// settings allow; if there is not one loss for each rate; if a label is not below the number of classes; if the
    /// samples are of another pixel order, or if rows and labels of `extra` do not belong together.
    #[expect(
        clippy::too_many_arguments,
        reason = "three say which rows, two what happens with them; a struct would move the names and add one"
    )]
    pub fn train(
        &mut self,
        samples: &Samples,
        extra: &Extra<'_>,
        rows: &[u32],
        learning_rates: &[f32],
        losses: &mut [f32],
    ) {
        assert_eq!(losses.len(), learning_rates.len(), "one loss for each step");
        if learning_rates.is_empty() {
            return;
        }
        let batch_size = rows.len() / learning_rates.len();
        assert_eq!(
            batch_size * learning_rates.len(),
            rows.len(),
            "every step has the same number of rows"
        );
        let batch_size_max = self.layers.settings().batch_size_max;
        assert!(
            (1..=batch_size_max).contains(&batch_size),
            "1 to {batch_size_max} rows in a step, not {batch_size}"
        );
        let Self {
            layers,
            current,
            next,
            moved,
        } = self;
        let sources = sources(layers, samples, extra, moved);
        let rows_of = |step: usize| rows.get(step * batch_size..(step + 1) * batch_size);
        let draw = |step: usize| rows_of(step).map(|rows| Draw { sources, rows });

        let first = draw(0).expect("there is a first step");
        layers.gather(current, first);
        layers.forward(current);
        for (step, (&learning_rate, loss)) in learning_rates.iter().zip(losses).enumerate() {
            let next_draw = draw(step + 1);
            *loss = layers.rise(&current[0], next_draw.map(|draw| (&mut **next, draw)));
            layers.turn(learning_rate, current, next_draw.map(|_| &**next), draw(step + 2));
            mem::swap(current, next);
        }
    }

    /// The logits (`[n_rows, n_classes]`) of any number of rows (`[n_rows, n_inputs]`, line by line).
    ///
    /// # Panics
    /// If `images` does not hold whole rows.
    pub fn logits(&mut self, images: &[f32]) -> Vec<f32> {
        let settings = self.layers.settings();
        let (n_inputs, n_rows_max) = (settings.pixel_order.n_inputs(), settings.batch_size_max);
        assert!(
            images.len().is_multiple_of(n_inputs),
            "rows of {n_inputs} inputs, not {} inputs",
            images.len()
        );
        let n_rows = images.len() / n_inputs;
        let none = Samples::empty(settings.pixel_order);
        let extra = Extra {
            floats: images,
            floats_labels: &vec![0; n_rows],
            ..Extra::NONE
        };
        let Self {
            layers, current, moved, ..
        } = self;
        let sources = sources(layers, &none, &extra, moved);
        let rows: Vec<u32> = (0..n_rows)
            .map(|row| u32::try_from(row).expect("fewer than 2^32 rows"))
            .collect();
        let mut logits = Vec::with_capacity(n_rows * layers.n_classes());
        for rows in rows.chunks(n_rows_max) {
            layers.gather(current, Draw { sources, rows });
            layers.forward(current);
            layers.evaluate(&current[0], &mut logits);
        }
        logits
    }

    /// Weights and biases of each layer.
    pub fn parameters(&mut self) -> Vec<LayerParameters> {
        self.layers.parameters()
    }

    /// What the optimizer remembers.
    pub fn optimizer_state(&mut self) -> OptimizerState {
        self.layers.optimizer_state()
    }

    /// Goes back to a point in a training: what follows is as if it had never been left, to the bit.
    ///
    /// # Panics
    /// If a shape is not that of the settings.
    pub fn restore(&mut self, parameters: &[LayerParameters], optimizer_state: &OptimizerState) {
        self.layers.set_parameters(parameters);
        self.layers.set_optimizer_state(optimizer_state);
    }
}

/// Checks that rows belong together, and prepares the bytes among `extra`.
fn sources<'a>(layers: &mut Layers, samples: &'a Samples, extra: &Extra<'a>, moved: &'a mut Samples) -> Sources<'a> {
    let pixel_order = layers.settings().pixel_order;
    assert_eq!(samples.order, pixel_order, "samples and network have one pixel order");
    let (n_inputs, n_floats) = (pixel_order.n_inputs(), extra.floats_labels.len());
    assert_eq!(
        extra.floats.len(),
        n_floats * n_inputs,
        "{n_inputs} inputs for each of {n_floats} labels"
    );
    layers.prepare(moved, extra.bytes, extra.bytes_labels);
    Sources {
        samples,
        moved,
        floats: extra.floats,
        floats_labels: extra.floats_labels,
    }
}
