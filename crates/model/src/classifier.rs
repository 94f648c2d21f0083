//! Classification of a batch of images.

use formats::artifact::ArtifactHeader;
use kernels::{Forward, InstructionSet};
use thiserror::Error;

use crate::{Artifact, Network};

/// A network that is ready to answer, with what its artifact says about it.
pub struct Classifier {
    header: ArtifactHeader,
    network: PreparedNetwork,
}

/// A network that is ready to answer: laid out for this machine.
pub struct PreparedNetwork {
    forward: Forward,
}

/// Room for one classification, reused from call to call: it grows to what the largest one needed.
#[derive(Default)]
pub struct Scratch {
    layers: kernels::Scratch,
    classified: Classified,
}

/// What a network says about a batch of images.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Classified {
    /// What the last layer gave; all finite.
    pub logits: Vec<f32>, // [n_images, n_classes]
    /// Softmax of the logits.
    pub probabilities: Vec<f32>, // [n_images, n_classes]
    /// The index of each image's largest logit, the first of equals.
    pub class_ids: Vec<usize>, // [n_images]
}

/// The pixels of an image are so large that its logits are no finite numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the values of image {image} are too large to be classified")]
pub struct Overflow {
    /// Counted from 0.
    pub image: usize,
}

impl Classifier {
    /// Makes the artifact's network ready.
    pub fn new(artifact: &Artifact) -> Self {
        Self {
            header: artifact.header().clone(),
            network: artifact.network().prepare(),
        }
    }

    /// What the artifact says about itself.
    pub fn header(&self) -> &ArtifactHeader {
        &self.header
    }

    /// As [`PreparedNetwork::classify`].
    ///
    /// # Errors
    ///
    /// [`Overflow`] names the first image whose values are too large.
    ///
    /// # Panics
    ///
    /// Where `images` does not hold `n_images` images: the caller has checked the shape.
    pub fn classify<'s>(
        &self,
        images: &[f32],
        n_images: usize,
        scratch: &'s mut Scratch,
    ) -> Result<&'s Classified, Overflow> {
        self.network.classify(images, n_images, scratch)
    }
}

impl Network {
    /// Makes the network ready.
    pub fn prepare(&self) -> PreparedNetwork {
        let layers = self.layers().iter();
        PreparedNetwork {
            forward: Forward::new(
                InstructionSet::best(),
                layers.map(|layer| (&*layer.weights, &*layer.bias)),
            ),
        }
    }

    /// As [`PreparedNetwork::classify`], for callers that ask once.
    ///
    /// # Errors
    ///
    /// [`Overflow`] names the first image whose values are too large.
    ///
    /// # Panics
    ///
    /// Where `images` does not hold `n_images` images: the caller has checked the shape.
    pub fn classify(&self, images: &[f32], n_images: usize) -> Result<Classified, Overflow> {
        let mut scratch = Scratch::default();
        self.prepare().classify(images, n_images, &mut scratch)?;
        Ok(scratch.classified)
    }
}

impl PreparedNetwork {
    /// Classifies `images`, `[n_images, n_inputs]`; the answer lies in `scratch`.
    ///
    /// # Errors
    ///
    /// [`Overflow`] names the first image whose values are too large.
    ///
    /// # Panics
    ///
    /// Where `images` does not hold `n_images` images: the caller has checked the shape.
    pub fn classify<'s>(
        &self,
        images: &[f32],
        n_images: usize,
        scratch: &'s mut Scratch,
    ) -> Result<&'s Classified, Overflow> {
        let (n_inputs, n_classes) = (self.forward.n_inputs(), self.forward.n_classes());
        assert_eq!(images.len(), n_images * n_inputs, "images are [n_images, n_inputs]");
        let Scratch { layers, classified } = scratch;
        let Classified {
            logits,
            probabilities,
            class_ids,
        } = classified;
        logits.resize(n_images * n_classes, 0.0);
        self.forward.logits(images, layers, logits);
        if let Some(place) = logits.iter().position(|logit| !logit.is_finite()) {
            return Err(Overflow {
                image: place / n_classes,
            });
        }
        probabilities.clear();
        probabilities.extend_from_slice(logits);
        probabilities.chunks_exact_mut(n_classes).for_each(kernels::softmax);
        class_ids.clear();
        class_ids.extend(logits.chunks_exact(n_classes).map(kernels::arg_max));
        Ok(classified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layer;

    /// Two inputs, three hidden units, two classes; the numbers are small enough to follow by hand.
    fn network() -> Network {
        let first = Layer {
            weights: vec![1.0, -1.0, 0.5, 2.0, 0.0, -0.5],
            bias: vec![0.0, 0.5, 1.0],
        };
        let second = Layer {
            weights: vec![1.0, 0.0, 0.0, 1.0, 2.0, -1.0],
            bias: vec![0.25, 0.0],
        };
        Network::new(vec![first, second]).unwrap()
    }

    #[test]
    fn logits_are_those_worked_out_by_hand() {
        // Image (1, 0): hidden (1, -0.5 -> 0, 1.5). Image (0, 2): hidden (4, 0.5, 0).
        let classified = network().classify(&[1.0, 0.0, 0.0, 2.0], 2).unwrap();
        assert_eq!(classified.logits, [4.25, -1.5, 4.25, 0.5]);
        assert_eq!(classified.class_ids, [0, 0]);
        let expected = 1.0 / (1.0 + (-5.75_f32).exp());
        assert!((classified.probabilities[0] - expected).abs() < 1e-6);
    }

    #[test]
    fn a_batch_is_answered_like_its_images_one_by_one() {
        let images = [0.3, 0.0, 1.0, 1.9, 0.0, 0.0];
        let together = network().classify(&images, 3).unwrap();
        for (index, image) in images.chunks(2).enumerate() {
            let alone = network().classify(image, 1).unwrap();
            assert_eq!(together.logits[2 * index..2 * index + 2], alone.logits);
            assert_eq!(together.class_ids[index], alone.class_ids[0]);
        }
    }

    #[test]
    fn no_image_is_no_mistake() {
        assert!(network().classify(&[], 0).unwrap().class_ids.is_empty());
    }

    #[test]
    fn values_that_overflow_are_refused_with_the_image() {
        let error = network().classify(&[1.0, 0.0, 3e38, 3e38], 2).unwrap_err();
        assert_eq!(error, Overflow { image: 1 });
    }
}
