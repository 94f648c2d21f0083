//! One prediction, on the thread that asks for it.

use std::sync::Arc;

use formats::{tensor::Tensor, version::ModelVersion};
use model::Classified;

use crate::{InferenceError, Route, engine::Engine};

/// What a model says about the images of one request.
pub struct Prediction {
    engine: Arc<Engine>,
    classified: Classified,
}

impl Route {
    /// Classifies `images` by the version that owns `ticket`, any number drawn for this request.
    ///
    /// The caller has read `images` by this route's signature, so their shape fits.
    ///
    /// Errors: values too large for the network.
    pub fn predict(&self, images: &Tensor, ticket: u64) -> Result<Prediction, InferenceError> {
        let engine = self.split.pick(ticket).clone();
        let classified = engine
            .classifier()
            .classify(&images.values, images.shape[0])
            .map_err(|overflow| InferenceError::Overflow {
                path: format!("{}[{}]", self.signature.inputs[0].name, overflow.image),
            })?;
        Ok(Prediction { engine, classified })
    }
}

impl Prediction {
    /// Which version answered: one for the whole request.
    pub fn version(&self) -> &ModelVersion {
        self.engine.version()
    }

    /// The class of each image.
    pub fn class_ids(&self) -> &[usize] {
        &self.classified.class_ids // [n_images]
    }

    /// What the last layer gave, image by image.
    pub fn logits(&self) -> impl Iterator<Item = &[f32]> {
        self.classified.logits.chunks_exact(self.n_classes()) // [n_images, n_classes]
    }

    /// How sure the model is of each class, image by image.
    pub fn probabilities(&self) -> impl Iterator<Item = &[f32]> {
        self.classified.probabilities.chunks_exact(self.n_classes()) // [n_images, n_classes]
    }

    fn n_classes(&self) -> usize {
        // A prediction of no images has no logits either; any length above zero then gives the empty answer.
        (self.classified.logits.len() / self.classified.class_ids.len().max(1)).max(1)
    }
}
