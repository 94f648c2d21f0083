//! Classification of a batch of images.

use formats::artifact::ArtifactHeader;
use thiserror::Error;

use crate::{Artifact, Network};

/// A network that is ready to answer, with what its artifact says about it.
pub struct Classifier {
    header: ArtifactHeader,
    network: Network,
}

/// What a network says about a batch of images.
#[derive(Debug, Clone, PartialEq)]
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
            network: artifact.network().clone(),
        }
    }

    /// What the artifact says about itself.
    pub fn header(&self) -> &ArtifactHeader {
        &self.header
    }

    /// As [`Network::classify`].
    ///
    /// # Errors
    ///
    /// [`Overflow`] names the first image whose values are too large.
    pub fn classify(&self, images: &[f32], n_images: usize) -> Result<Classified, Overflow> {
        self.network.classify(images, n_images)
    }
}

impl Network {
    /// Classifies `images`, `[n_images, n_inputs]`.
    ///
    /// # Errors
    ///
    /// [`Overflow`] names the first image whose values are too large.
    ///
    /// # Panics
    ///
    /// Where `images` does not hold `n_images` images: the caller has checked the shape.
    pub fn classify(&self, images: &[f32], n_images: usize) -> Result<Classified, Overflow> {
        let (n_inputs, n_classes) = (self.n_inputs(), self.n_classes());
        assert_eq!(images.len(), n_images * n_inputs, "images are [n_images, n_inputs]");
        let mut logits = vec![0.0; n_images * n_classes];
        let mut hidden = Hidden::new(self);
        for (image, logits) in images.chunks_exact(n_inputs).zip(logits.chunks_exact_mut(n_classes)) {
            self.forward(image, &mut hidden, logits);
        }
        if let Some(place) = logits.iter().position(|logit| !logit.is_finite()) {
            return Err(Overflow {
                image: place / n_classes,
            });
        }
        let class_ids = logits.chunks_exact(n_classes).map(kernels::arg_max).collect();
        let mut probabilities = logits.clone();
        probabilities.chunks_exact_mut(n_classes).for_each(kernels::softmax);
        Ok(Classified {
            logits,
            probabilities,
            class_ids,
        })
    }

    /// Runs one image through all layers, one after the other.
    fn forward(&self, image: &[f32], hidden: &mut Hidden, logits: &mut [f32]) {
        let Hidden { from, to } = hidden;
        let (last, inner) = self.layers().split_last().expect("a network has at least one layer");
        let mut inputs = image;
        for layer in inner {
            let outputs = &mut to[..layer.n_outputs()];
            kernels::dense(inputs, &layer.weights, &layer.bias, outputs);
            kernels::relu(outputs);
            std::mem::swap(from, to);
            inputs = &from[..layer.n_outputs()];
        }
        kernels::dense(inputs, &last.weights, &last.bias, logits);
    }
}

/// Room for what one layer gives and the next takes, reused for every image.
struct Hidden {
    from: Vec<f32>,
    to: Vec<f32>,
}

impl Hidden {
    fn new(network: &Network) -> Self {
        let widest = network.widths().into_iter().skip(1).max().unwrap_or(0);
        Self {
            from: vec![0.0; widest],
            to: vec![0.0; widest],
        }
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
