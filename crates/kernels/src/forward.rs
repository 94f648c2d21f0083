//! Classification: images through dense layers with ReLU between them.
//!
//! Of MNIST's pixels 81 of 100 are zero, of the outputs of hidden units 80 to 94. So what is not zero is listed first,
//! and only its weights are read. One image goes through all inputs with its sums in registers; the weights come from
//! the second-level cache, as fast as that gives them. Where several images together have more than that, a block of
//! inputs passes all of them before the next one: its weights stay in the first-level cache.
//!
//! Every sum begins with the bias and takes its inputs in their order, so **the logits depend neither on the
//! instruction set nor on the other images**: the same bits.

use crate::{
    lanes::{LANES, Lanes, lanes_for},
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
    active: ActiveInputs,
    sums: Vec<Lanes>, // [n_images, width]
}

#[derive(Clone)]
struct Layer {
    n_outputs: usize,
    /// Grains in a row of outputs.
    width: usize,
    weights: Vec<Lanes>, // [n_inputs, width]
    bias: Vec<Lanes>,    // [width]
}

/// The inputs of some images that are not zero, image by image and in each block by block.
#[derive(Default)]
struct ActiveInputs {
    /// At least as long as the list, which ends where the last block does.
    list: Vec<Active>,
    /// For each block of each image, where its part of the list ends.
    ends: Vec<usize>,
}

#[derive(Clone, Copy, Default)]
struct Active {
    value: f32,
    input: u32,
}

/// One call of [`Forward::logits`].
struct Pass<'a> {
    layers: &'a [Layer],
    images: &'a [f32], // [n_images, n_inputs]
    scratch: &'a mut Scratch,
    logits: &'a mut [f32], // [n_images, n_classes]
}

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

    /// The outputs of an image without what fills up the last grain.
    #[inline(always)]
    fn grains<'a>(&self, outputs: &'a [Lanes]) -> impl Iterator<Item = &'a [f32]> {
        let n_outputs = self.n_outputs;
        outputs
            .iter()
            .enumerate()
            .map(move |(grain, lanes)| &lanes.0[..LANES.min(n_outputs - grain * LANES)])
    }

    /// Sets `sums` to bias plus inputs times weights, for every image in `active`.
    #[inline(always)]
    fn sums<S: Simd>(&self, simd: S, active: &ActiveInputs, n_images: usize, sums: &mut Vec<Lanes>) {
        sums.clear();
        for _ in 0..n_images {
            sums.extend_from_slice(&self.bias);
        }
        let mut grain = 0;
        while grain < self.width {
            let rest = self.width - grain;
            // Sixteen sums at a time only where there are registers for them.
            grain += if S::MANY_REGISTERS && rest >= 16 {
                self.add_blocks::<S, 16>(simd, active, grain, sums)
            } else if rest >= 4 {
                self.add_blocks::<S, 4>(simd, active, grain, sums)
            } else {
                self.add_blocks::<S, 1>(simd, active, grain, sums)
            };
        }
    }

    /// The sums of `N` grains, from `grain` on; returns `N`.
    #[inline(always)]
    fn add_blocks<S: Simd, const N: usize>(
        &self,
        simd: S,
        active: &ActiveInputs,
        grain: usize,
        sums: &mut [Lanes],
    ) -> usize {
        let n_images = sums.len() / self.width;
        let n_blocks = active.ends.len() / n_images;
        for block in 0..n_blocks {
            for (image, sums) in sums.chunks_exact_mut(self.width).enumerate() {
                let inputs = active.of(image * n_blocks + block);
                if !inputs.is_empty() {
                    self.add::<S, N>(simd, inputs, grain, &mut sums[grain..grain + N]);
                }
            }
        }
        N
    }

    #[inline(always)]
    fn add<S: Simd, const N: usize>(&self, simd: S, inputs: &[Active], grain: usize, places: &mut [Lanes]) {
        let mut sums = [simd.splat(0.0); N];
        for j in 0..N {
            sums[j] = simd.load(&places[j]);
        }
        for active in inputs {
            let weights = &self.weights[active.input as usize * self.width + grain..][..N];
            let value = simd.splat(active.value);
            for j in 0..N {
                sums[j] = simd.mul_add(value, simd.load(&weights[j]), sums[j]);
            }
        }
        for j in 0..N {
            simd.store(sums[j], &mut places[j]);
        }
    }
}

impl ActiveInputs {
    /// Forgets all, and makes room for `n_images`.
    fn clear(&mut self, n_images: usize, n_inputs: usize) {
        self.ends.clear();
        let length = n_images * n_inputs + LANES;
        if self.list.len() < length {
            self.list.resize(length, Active::default());
        }
    }

    /// Adds an image: those of its inputs for which `is_active` holds, as one block or a block for each grain.
    #[inline(always)]
    fn push<'a>(
        &mut self,
        grains: impl Iterator<Item = &'a [f32]>,
        in_one_block: bool,
        is_active: impl Fn(f32) -> bool,
    ) {
        let mut end = self.end();
        for (grain, numbers) in grains.enumerate() {
            let places: &mut [Active; LANES] = self.list[end..].first_chunk_mut().expect("there is room for a grain");
            // Written first and counted afterwards: whether a pixel is zero cannot be predicted.
            let mut n_active = 0;
            for (index, &value) in numbers.iter().enumerate().take(LANES) {
                places[n_active % LANES] = Active {
                    value,
                    input: (grain * LANES + index) as u32,
                };
                n_active += usize::from(is_active(value));
            }
            end += n_active;
            if !in_one_block {
                self.ends.push(end);
            }
        }
        if in_one_block {
            self.ends.push(end);
        }
    }

    /// The inputs of a block, counted over all images.
    #[inline(always)]
    fn of(&self, block: usize) -> &[Active] {
        let start = if block == 0 { 0 } else { self.ends[block - 1] };
        &self.list[start..self.ends[block]]
    }

    fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
}

impl Kernel for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (first, last) = (&self.layers[0], &self.layers[self.layers.len() - 1]);
        let n_inputs = first.n_inputs();
        let Scratch { active, sums } = self.scratch;
        let images = self.images.chunks(IMAGES_MAX * n_inputs);
        for (images, logits) in images.zip(self.logits.chunks_mut(IMAGES_MAX * last.n_outputs)) {
            let n_images = images.len() / n_inputs;
            let in_one_block = n_images == 1;
            active.clear(n_images, n_inputs);
            for image in images.chunks_exact(n_inputs) {
                active.push(image.chunks(LANES), in_one_block, |pixel| pixel != 0.0);
            }
            first.sums(simd, active, n_images, sums);
            for (before, layer) in self.layers.iter().zip(&self.layers[1..]) {
                active.clear(n_images, layer.n_inputs());
                for outputs in sums.chunks_exact(before.width) {
                    // ReLU; what is no number stays, so that a broken network is seen.
                    active.push(before.grains(outputs), in_one_block, |sum| sum > 0.0 || sum.is_nan());
                }
                layer.sums(simd, active, n_images, sums);
            }
            for (sums, logits) in sums
                .chunks_exact(last.width)
                .zip(logits.chunks_exact_mut(last.n_outputs))
            {
                for (grain, logits) in last.grains(sums).zip(logits.chunks_mut(LANES)) {
                    logits.copy_from_slice(grain);
                }
            }
        }
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
