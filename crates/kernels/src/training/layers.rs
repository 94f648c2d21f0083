//! All layers of a network and the team that works on them, one phase at a time.

use super::{
    NetworkSettings,
    batch::Batch,
    draw::Draw,
    handover::Handover,
    levels::{Levels, Rows},
    phases::{Evaluate, Forward, Gather, Rise, RowShare, Turn},
    pieces::{first_unit, pieces},
    samples::Samples,
    slab::{Lesson, Slab},
    softmax::Target,
    state::{Kind, LayerParameters, OptimizerState, Places},
    top::Top,
};
use crate::{
    lanes::{UNITS, number},
    team::{MEMBERS_MAX, Team},
};

/// The trained numbers and what is computed from them in a step.
pub(crate) struct Layers {
    settings: NetworkSettings,
    /// Inputs, then outputs of each layer.
    widths: Vec<usize>,
    /// Where each input lies.
    slots: Vec<usize>,
    team: Team,
    handover: Handover,
    slabs: Vec<Slab>,
    levels: Levels,
    rows: Rows,
    /// The quads of inputs that were ever not all zero.
    seen: Vec<bool>,
    n_steps: u64,
}

impl Layers {
    /// Layers whose parameters are all zero.
    pub(crate) fn new(settings: NetworkSettings) -> Self {
        let NetworkSettings {
            pixel_order,
            layer_outputs,
            batch_size_max,
            n_threads,
            ..
        } = &settings;
        assert!(
            layer_outputs.len() >= 2,
            "a network has two layers at least, not {}",
            layer_outputs.len()
        );
        assert!(
            layer_outputs.iter().all(|n_outputs| *n_outputs > 0),
            "a layer has at least one output"
        );
        assert!(
            layer_outputs[layer_outputs.len() - 1] <= 256,
            "labels are bytes: 256 classes at most"
        );
        assert!(*n_threads > 0, "work needs at least one thread");
        assert!(
            (0.0..1.0).contains(&settings.label_smoothing),
            "label smoothing is from 0 up to, not including, 1"
        );
        settings.adam.check();
        let n_units = layer_outputs[0];
        let slabs = (0..n_units.div_ceil(UNITS)).map(|index| {
            let n_units = UNITS.min(n_units - index * UNITS);
            Slab::new(pixel_order.n_slots(), n_units, layer_outputs[1], *batch_size_max)
        });
        let slabs: Vec<Slab> = slabs.collect();
        let levels = Levels::new(&layer_outputs[1..], *batch_size_max);
        let team = Team::new((*n_threads).min(slabs.len()).min(MEMBERS_MAX));
        Self {
            widths: [pixel_order.n_inputs()]
                .into_iter()
                .chain(layer_outputs.iter().copied())
                .collect(),
            rows: Rows::new(&levels, *batch_size_max, team.n_members()),
            handover: Handover::among(team.n_members()),
            team,
            slots: pixel_order.slots(),
            seen: vec![false; pixel_order.n_quads()],
            n_steps: 0,
            slabs,
            levels,
            settings,
        }
    }

    pub(crate) fn settings(&self) -> &NetworkSettings {
        &self.settings
    }

    pub(crate) fn n_classes(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// How many share the work.
    pub(crate) fn n_members(&self) -> usize {
        self.team.n_members()
    }

    /// Prepares other rows of bytes in place of those that are there.
    pub(crate) fn prepare(&mut self, samples: &mut Samples, pixels: &[u8], labels: &[u8]) {
        let instruction_set = self.settings.instruction_set;
        let n_members = self.team.n_members();
        self.team.run(samples.replace(pixels, labels, n_members), |part| {
            instruction_set.run(part)
        });
    }

    /// Fills the batch of each member. Each has one of its own: to make it costs a member about as much as to make its
    /// share and to fetch the others' from their caches, and nobody has to wait for it.
    pub(crate) fn gather(&mut self, batches: &mut [Batch], draw: Draw<'_>) {
        let instruction_set = self.settings.instruction_set;
        self.team
            .run(batches.iter_mut().map(|batch| Gather { batch, draw }), |part| {
                instruction_set.run(part)
            });
    }

    /// The first layer, and each slab's share in the second.
    pub(crate) fn forward(&mut self, batches: &[Batch]) {
        let instruction_set = self.settings.instruction_set;
        let (n_members, handover) = (self.team.n_members(), self.handover);
        let parts = pieces(&mut self.slabs, 1, n_members)
            .zip(batches)
            .map(|(slabs, batch)| Forward { slabs, batch, handover });
        self.team.run(parts, |part| instruction_set.run(part));
    }

    /// The layers above and the way back to the second layer, and filling the next batch; returns the loss.
    pub(crate) fn rise(&mut self, batch: &Batch, next: Option<(&mut [Batch], Draw<'_>)>) -> f32 {
        let n_classes = self.n_classes();
        let label_max = batch.labels().iter().max().copied().map_or(0, usize::from);
        assert!(label_max < n_classes, "label {label_max} of {n_classes} classes");
        #[expect(clippy::cast_precision_loss, reason = "a batch has far fewer than 2^24 rows")]
        let weight = 1.0 / batch.n_rows() as f32;
        let target = Target {
            label: 0,
            n_classes,
            smoothing: self.settings.label_smoothing,
            weight,
        };
        let instruction_set = self.settings.instruction_set;
        let n_members = self.team.n_members();
        let top = Top {
            slabs: &self.slabs,
            levels: &self.levels,
        };
        let (next_batches, draw) = next.unzip();
        let mut next_batches = next_batches.into_iter().flatten();
        let parts = row_shares(&mut self.rows, batch.n_rows(), n_members, self.handover).map(|share| {
            let next = next_batches
                .next()
                .zip(draw)
                .map(|(batch, draw)| Gather { batch, draw });
            Rise {
                top,
                labels: batch.labels(),
                target,
                share,
                next,
            }
        });
        self.team.run(parts, |part| instruction_set.run(part));
        self.rows.mean_loss(batch.n_rows())
    }

    /// Gradients and a step of all weights, and [`Layers::forward`] of the next batch; `after_next` is fetched.
    pub(crate) fn turn(
        &mut self,
        learning_rate: f32,
        batches: &[Batch],
        next: Option<&[Batch]>,
        after_next: Option<Draw<'_>>,
    ) {
        let batch = &batches[0];
        for (quad, seen) in self.seen.iter_mut().enumerate() {
            *seen |= batch.rows_of_quad(quad).iter().any(|word| *word != 0);
        }
        self.n_steps += 1;
        let step = self.settings.adam.at(self.n_steps, learning_rate);
        let instruction_set = self.settings.instruction_set;
        let n_members = self.team.n_members();
        let slabs = pieces(&mut self.slabs, 1, n_members);
        let groups = pieces(&mut self.levels.groups, 1, n_members);
        let biases = pieces(&mut self.levels.biases, 1, n_members);
        let parts = slabs.zip(groups).zip(biases).enumerate();
        let parts = parts.map(|(member, ((slabs, groups), biases))| Turn {
            lesson: Lesson {
                step,
                batch: &batches[member],
                seen: &self.seen,
                rows: &self.rows,
            },
            next: next.map(|next| &next[member]),
            slabs,
            from_last: self.n_steps.is_multiple_of(2),
            groups,
            biases,
            after_next,
            handover: self.handover,
        });
        self.team.run(parts, |part| instruction_set.run(part));
    }

    /// Adds the logits of a batch that went [`Layers::forward`].
    pub(crate) fn evaluate(&mut self, batch: &Batch, logits: &mut Vec<f32>) {
        let instruction_set = self.settings.instruction_set;
        let n_members = self.team.n_members();
        let top = Top {
            slabs: &self.slabs,
            levels: &self.levels,
        };
        let parts =
            row_shares(&mut self.rows, batch.n_rows(), n_members, self.handover).map(|share| Evaluate { top, share });
        self.team.run(parts, |part| instruction_set.run(part));
        let n_classes = self.n_classes();
        let first = self.levels.shapes[self.levels.shapes.len() - 1].first_lane;
        for row in self.rows.values.chunks_exact(self.rows.row_lanes).take(batch.n_rows()) {
            logits.extend((0..n_classes).map(|class| number(&row[first..], class)));
        }
    }

    pub(crate) fn parameters(&mut self) -> Vec<LayerParameters> {
        self.places().read(Kind::Value)
    }

    pub(crate) fn set_parameters(&mut self, parameters: &[LayerParameters]) {
        let instruction_set = self.settings.instruction_set;
        let mut places = self.places();
        places.write(Kind::Value, parameters);
        instruction_set.run(places);
    }

    pub(crate) fn optimizer_state(&mut self) -> OptimizerState {
        let n_steps = self.n_steps;
        let mut places = self.places();
        OptimizerState {
            n_steps,
            mean: places.read(Kind::Mean),
            mean_square: places.read(Kind::MeanSquare),
        }
    }

    pub(crate) fn set_optimizer_state(&mut self, state: &OptimizerState) {
        self.n_steps = state.n_steps;
        let n_quads = self.seen.len();
        let mut places = self.places();
        places.write(Kind::Mean, &state.mean);
        places.write(Kind::MeanSquare, &state.mean_square);
        let seen = places.find_seen(n_quads);
        self.seen = seen;
    }

    fn places(&mut self) -> Places<'_> {
        Places {
            widths: &self.widths,
            slots: &self.slots,
            slabs: &mut self.slabs,
            levels: &mut self.levels,
        }
    }
}

/// Deals out the first `n_rows` rows to `n_members` members.
fn row_shares(
    rows: &mut Rows,
    n_rows: usize,
    n_members: usize,
    handover: Handover,
) -> impl Iterator<Item = RowShare<'_>> {
    let (row_lanes, row_words) = (rows.row_lanes, rows.row_words);
    let values = pieces(&mut rows.values[..n_rows * row_lanes], row_lanes, n_members);
    let gradients = pieces(&mut rows.gradients[..n_rows * row_lanes], row_lanes, n_members);
    let active = pieces(&mut rows.active[..n_rows * row_words], row_words, n_members);
    let losses = pieces(&mut rows.losses[..n_rows], 1, n_members);
    let scratch = pieces(&mut rows.scratch, 2 * row_lanes, n_members);
    let parts = values.zip(gradients).zip(active.zip(losses)).zip(scratch).enumerate();
    parts.map(
        move |(member, (((values, gradients), (active, losses)), scratch))| RowShare {
            first_row: first_unit(member, n_rows, n_members),
            row_lanes,
            row_words,
            values,
            gradients,
            active,
            losses,
            scratch,
            handover,
        },
    )
}
