//! Classification: images through dense layers with ReLU between them.
//!
//! Of MNIST's pixels 81 of 100 are zero, of the outputs of hidden units 80 to 94. So what is not zero is found first, as
//! bits of words, and only its weights are read. One image goes through all inputs with its sums in registers; the
//! weights come from the second-level cache, as fast as that gives them. Where several images together have more than
//! that, a block of inputs passes all of them before the next one: its weights stay in the first-level cache.
//!
//! Every sum begins with the bias and takes its inputs in their order, so **the logits depend neither on the
//! instruction set nor on the other images**: the same bits.

use std::{iter, mem};

use crate::{
    bits::members,
    lanes::{LANES, Lanes, lanes_for, number},
    simd::{InstructionSet, Kernel, Simd},
};

/// A network that answers: weights that never change, in the layout of the instructions.
///
/// Invariant: at least one layer; each takes as many inputs as the one before gives, at least one.
#[derive(Clone)]
pub struct Forward {
    instruction_set: InstructionSet,
    layers: Vec<Layer>,
}

/// Room for what one layer gives and the next takes, reused from call to call.
#[derive(Default)]
pub struct Scratch {
    inputs: Vec<Lanes>, // [n_images, grains of inputs]
    /// Which inputs are not zero.
    active: Vec<u64>, // [n_images, words of inputs]
    sums: Vec<Lanes>,   // [n_images, width]
}

#[derive(Clone)]
struct Layer {
    n_outputs: usize,
    /// Grains in a row of outputs.
    width: usize,
    weights: Vec<Lanes>, // [n_inputs, width]
    bias: Vec<Lanes>,    // [width]
}

/// What a layer takes: the inputs of some images, and which of them are not zero.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    n_inputs: usize,
    values: &'a [Lanes], // [n_images, grains of inputs]
    active: &'a [u64],   // [n_images, words of inputs]
}

/// One call of [`Forward::logits`].
struct Pass<'a> {
    layers: &'a [Layer],
    images: &'a [f32], // [n_images, n_inputs]
    scratch: &'a mut Scratch,
    logits: &'a mut [f32], // [n_images, n_classes]
}

/// Inputs that a word speaks of.
const WORD: usize = u64::BITS as usize;

/// Images that pass a block together: as many as have their sums in the first-level cache, beside the block's weights.
/// A block is one grain of inputs; the weights to 256 units then fill half of that cache.
const IMAGES_MAX: usize = 16;

impl Forward {
    /// Lays out weights, `[n_inputs, n_outputs]`, and bias of each layer, from input to output.
    ///
    /// # Panics
    ///
    /// If there is no layer, or one does not take what the one before gives.
    pub fn new<'a>(instruction_set: InstructionSet, layers: impl IntoIterator<Item = (&'a [f32], &'a [f32])>) -> Self {
        let layers: Vec<Layer> = layers
            .into_iter()
            .map(|(weights, bias)| Layer::new(weights, bias))
            .collect();
        assert!(!layers.is_empty(), "a network has at least one layer");
        for (before, after) in layers.iter().zip(&layers[1..]) {
            assert_eq!(
                before.n_outputs,
                after.n_inputs(),
                "a layer takes what the one before gives"
            );
        }
        Self {
            instruction_set,
            layers,
        }
    }

    /// Numbers in an image.
    pub fn n_inputs(&self) -> usize {
        self.layers[0].n_inputs()
    }

    /// Logits of an image.
    pub fn n_classes(&self) -> usize {
        self.layers[self.layers.len() - 1].n_outputs
    }

    /// Sets `logits`, `[n_images, n_classes]`, to what the last layer gives for `images`, `[n_images, n_inputs]`.
    ///
    /// # Panics
    ///
    /// If the lengths do not belong together.
    pub fn logits(&self, images: &[f32], scratch: &mut Scratch, logits: &mut [f32]) {
        let (n_inputs, n_classes) = (self.n_inputs(), self.n_classes());
        let n_images = images.len() / n_inputs;
        assert_eq!(images.len(), n_images * n_inputs, "images are [n_images, n_inputs]");
        assert_eq!(logits.len(), n_images * n_classes, "logits are [n_images, n_classes]");
        self.instruction_set.run(Pass {
            layers: &self.layers,
            images,
            scratch,
            logits,
        });
    }
}

impl Layer {
    fn new(weights: &[f32], bias: &[f32]) -> Self {
        let n_outputs = bias.len();
        assert!(
            n_outputs > 0 && !weights.is_empty() && weights.len().is_multiple_of(n_outputs),
            "weights are [n_inputs, n_outputs]"
        );
        Self {
            n_outputs,
            width: lanes_for(n_outputs),
            weights: weights.chunks_exact(n_outputs).flat_map(padded).collect(),
            bias: padded(bias).collect(),
        }
    }

    fn n_inputs(&self) -> usize {
        self.weights.len() / self.width
    }

    /// Sets `sums` to bias plus inputs times weights.
    #[inline(always)]
    fn sums<S: Simd>(&self, simd: S, inputs: Inputs<'_>, sums: &mut Vec<Lanes>) {
        sums.clear();
        for _ in 0..inputs.n_images() {
            sums.extend_from_slice(&self.bias);
        }
        let mut grain = 0;
        while grain < self.width {
            let rest = self.width - grain;
            // Sixteen sums at a time only where there are registers for them.
            grain += if S::MANY_REGISTERS && rest >= 16 {
                self.add_all::<S, 16>(simd, inputs, grain, sums)
            } else if rest >= 4 {
                self.add_all::<S, 4>(simd, inputs, grain, sums)
            } else {
                self.add_all::<S, 1>(simd, inputs, grain, sums)
            };
        }
    }

    /// The sums of `N` grains, from `grain` on; returns `N`.
    #[inline(always)]
    fn add_all<S: Simd, const N: usize>(&self, simd: S, inputs: Inputs<'_>, grain: usize, sums: &mut [Lanes]) -> usize {
        if inputs.n_images() == 1 {
            let words = inputs.active.iter().copied().enumerate();
            let words = words.map(|(index, word)| (index * WORD, word));
            self.add::<S, N>(simd, inputs.values, words, (grain, sums));
            return N;
        }
        for block in 0..self.n_inputs().div_ceil(LANES) {
            let first = block * LANES;
            for (image, sums) in sums.chunks_exact_mut(self.width).enumerate() {
                let (values, active) = inputs.of(image);
                let block = active[first / WORD] >> (first % WORD) & 0xffff;
                if block != 0 {
                    self.add::<S, N>(simd, values, iter::once((first, block)), (grain, sums));
                }
            }
        }
        N
    }

    /// Adds some inputs of an image to `N` grains of its sums: those inputs that the words name, each counted from an input
    /// on.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(
        &self,
        simd: S,
        values: &[Lanes],
        words: impl Iterator<Item = (usize, u64)>,
        (grain, places): (usize, &mut [Lanes]),
    ) {
        let places = &mut places[grain..][..N];
        let mut sums = [simd.splat(0.0); N];
        for j in 0..N {
            sums[j] = simd.load(&places[j]);
        }
        for (first, word) in words {
            for index in members(word) {
                let input = first + index;
                let weights = &self.weights[input * self.width + grain..][..N];
                let value = simd.splat(number(values, input));
                for j in 0..N {
                    sums[j] = simd.mul_add(value, simd.load(&weights[j]), sums[j]);
                }
            }
        }
        for j in 0..N {
            simd.store(sums[j], &mut places[j]);
        }
    }
}

impl<'a> Inputs<'a> {
    /// Finds what is not zero. What fills up the last grain is no input, whatever a broken network put there.
    #[inline(always)]
    fn find<S: Simd>(simd: S, n_inputs: usize, values: &'a [Lanes], active: &'a mut Vec<u64>) -> Self {
        let fills_up = n_inputs.next_multiple_of(WORD) - n_inputs;
        active.clear();
        for values in values.chunks_exact(lanes_for(n_inputs)) {
            let words = values.chunks(WORD / LANES).map(|grains| {
                let grains = grains.iter().enumerate();
                let bits = grains.map(|(index, grain)| u64::from(simd.non_zero(simd.load(grain))) << (index * LANES));
                bits.fold(0, |word, bits| word | bits)
            });
            active.extend(words);
            let last = active.last_mut().expect("a layer has inputs");
            *last &= u64::MAX >> fills_up;
        }
        Self {
            n_inputs,
            values,
            active,
        }
    }

    fn n_images(self) -> usize {
        self.values.len() / lanes_for(self.n_inputs)
    }

    /// Values and words of one image.
    #[inline(always)]
    fn of(self, image: usize) -> (&'a [Lanes], &'a [u64]) {
        let (n_grains, n_words) = (lanes_for(self.n_inputs), self.n_inputs.div_ceil(WORD));
        (
            &self.values[image * n_grains..][..n_grains],
            &self.active[image * n_words..][..n_words],
        )
    }
}

impl Kernel for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (first, last) = (&self.layers[0], &self.layers[self.layers.len() - 1]);
        let n_inputs = first.n_inputs();
        let Scratch { inputs, active, sums } = self.scratch;
        let images = self.images.chunks(IMAGES_MAX * n_inputs);
        for (images, logits) in images.zip(self.logits.chunks_mut(IMAGES_MAX * last.n_outputs)) {
            inputs.clear();
            for image in images.chunks_exact(n_inputs) {
                inputs.extend(padded(image));
            }
            first.sums(simd, Inputs::find(simd, n_inputs, inputs, active), sums);
            for layer in &self.layers[1..] {
                mem::swap(inputs, sums);
                rectify(simd, inputs);
                let inputs = Inputs::find(simd, layer.n_inputs(), inputs, active);
                layer.sums(simd, inputs, sums);
            }
            for (sums, logits) in sums
                .chunks_exact(last.width)
                .zip(logits.chunks_exact_mut(last.n_outputs))
            {
                for (grain, logits) in sums.iter().zip(logits.chunks_mut(LANES)) {
                    logits.copy_from_slice(&grain.0[..logits.len()]);
                }
            }
        }
    }
}

/// ReLU; what is no number stays, so that a broken network is seen.
#[inline(always)]
fn rectify<S: Simd>(simd: S, sums: &mut [Lanes]) {
    let zero = simd.splat(0.0);
    for sum in sums {
        simd.store(simd.max(zero, simd.load(sum)), sum);
    }
}

/// A row in whole grains, filled up with zeros.
fn padded(row: &[f32]) -> impl Iterator<Item = Lanes> {
    row.chunks(LANES).map(|numbers| {
        let mut lanes = Lanes::ZERO;
        lanes.0[..numbers.len()].copy_from_slice(numbers);
        lanes
    })
}

#[cfg(test)]
mod tests;
