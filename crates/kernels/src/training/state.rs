//! Trained numbers in and out of the layout that training wants.

use super::{adam::Trained, levels::Levels, pixel_order::QUAD, slab::Slab};
use crate::{
    lanes::{Lanes, UNITS, UnitRow, number_mut},
    simd::{Kernel, Simd},
};

/// The numbers of one dense layer, laid out plainly.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerParameters {
    /// `[n_inputs, n_outputs]`, row by row.
    pub weight: Vec<f32>,
    /// `[n_outputs]`
    pub bias: Vec<f32>,
}

/// What Adam remembers: with the weights it is all that a training needs to go on as if it had never stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState {
    /// Steps taken.
    pub n_steps: u64,
    /// Running means of the gradients, in the shape of the layers.
    pub mean: Vec<LayerParameters>,
    /// Running means of the squared gradients, in the shape of the layers.
    pub mean_square: Vec<LayerParameters>,
}

/// Which of the three numbers that training keeps for each parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Value,
    Mean,
    MeanSquare,
}

/// Where all the numbers are.
pub(crate) struct Places<'a> {
    pub(crate) widths: &'a [usize],
    /// Where each input of the first layer lies.
    pub(crate) slots: &'a [usize],
    pub(crate) slabs: &'a mut [Slab],
    pub(crate) levels: &'a mut Levels,
}

impl Places<'_> {
    /// Calls `visit` with every number of layer `layer`, the weights row by row and then the biases.
    fn visit(&mut self, layer: usize, kind: Kind, mut visit: impl FnMut(&mut f32)) {
        let (n_inputs, n_outputs) = (self.widths[layer], self.widths[layer + 1]);
        for input in 0..n_inputs {
            if layer == 0 {
                let slot = self.slots[input];
                for unit in 0..n_outputs {
                    let weights = kind.of(&mut self.slabs[unit / UNITS].input_weights);
                    visit(number_mut(&mut weights[slot], unit % UNITS));
                }
                continue;
            }
            let group = match layer {
                1 => &mut self.slabs[input / UNITS].group,
                _ => {
                    let groups = self.levels.shapes[layer - 1].groups.clone();
                    &mut self.levels.groups[groups][input / UNITS].group
                }
            };
            let row = &mut kind.of(&mut group.weights)[input % UNITS * group.width..][..group.width];
            (0..n_outputs).for_each(|output| visit(number_mut(row, output)));
        }
        for output in 0..n_outputs {
            visit(match layer {
                0 => number_mut(&mut kind.of(&mut self.slabs[output / UNITS].bias)[0], output % UNITS),
                _ => number_mut(kind.of(&mut self.levels.biases[layer - 1].trained), output),
            });
        }
    }

    /// Copies numbers out.
    pub(crate) fn read(&mut self, kind: Kind) -> Vec<LayerParameters> {
        let shapes = self
            .widths
            .windows(2)
            .enumerate()
            .map(|(layer, shape)| (layer, shape[0] * shape[1]));
        let shapes: Vec<_> = shapes.collect();
        let mut layers = Vec::with_capacity(shapes.len());
        for (layer, n_weights) in shapes {
            let mut weight = Vec::with_capacity(n_weights + self.widths[layer + 1]);
            self.visit(layer, kind, |number| weight.push(*number));
            let bias = weight.split_off(n_weights);
            layers.push(LayerParameters { weight, bias });
        }
        layers
    }

    /// Copies numbers in.
    ///
    /// # Panics
    /// If a shape differs.
    pub(crate) fn write(&mut self, kind: Kind, layers: &[LayerParameters]) {
        assert_eq!(layers.len() + 1, self.widths.len(), "one set of numbers for each layer");
        for (layer, LayerParameters { weight, bias }) in layers.iter().enumerate() {
            let (n_inputs, n_outputs) = (self.widths[layer], self.widths[layer + 1]);
            assert_eq!(
                weight.len(),
                n_inputs * n_outputs,
                "weights of layer {layer}: {n_inputs} by {n_outputs}"
            );
            assert_eq!(bias.len(), n_outputs, "biases of layer {layer}");
            let mut numbers = weight.iter().chain(bias);
            self.visit(layer, kind, |number| {
                *number = *numbers.next().expect("as many as counted")
            });
        }
    }

    /// The quads of inputs whose weights have moments that are not zero.
    pub(crate) fn find_seen(&self, n_quads: usize) -> Vec<bool> {
        let is_zero = |rows: &[UnitRow]| rows.as_flattened().iter().all(|lanes| *lanes == Lanes::ZERO);
        let is_seen = |quad: usize| {
            let slots = quad * QUAD..(quad + 1) * QUAD;
            self.slabs
                .iter()
                .map(|slab| &slab.input_weights)
                .any(|Trained { mean, mean_square, .. }| {
                    !(is_zero(&mean[slots.clone()]) && is_zero(&mean_square[slots.clone()]))
                })
        };
        (0..n_quads).map(is_seen).collect()
    }
}

/// Makes the turned copies of all weights equal to the weights.
impl Kernel for Places<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for slab in self.slabs {
            slab.group.turn(simd);
        }
        for group in &mut self.levels.groups {
            group.group.turn(simd);
        }
    }
}

impl Kind {
    fn of<T>(self, trained: &mut Trained<T>) -> &mut [T] {
        match self {
            Self::Value => &mut trained.value,
            Self::Mean => &mut trained.mean,
            Self::MeanSquare => &mut trained.mean_square,
        }
    }
}
