//! One prediction, on the thread that asks for it.

use formats::{
    tensor::{Tensor, outputs::Outputs},
    version::ModelVersion,
};
use model::{Classified, Scratch};

use crate::{Engine, InferenceError, Route};

/// What a model says about the images of one request.
pub struct Prediction<'a> {
    engine: &'a Engine,
    classified: &'a Classified,
}

impl Route {
    /// Classifies `images` by the version that owns `ticket`, any number drawn for this request; the numbers lie in
    /// `scratch`.
    ///
    /// The caller has read `images` by this route's signature, so their shape fits.
    ///
    /// Errors: values too large for the network.
    pub fn predict<'a>(
        &'a self,
        images: &Tensor,
        ticket: u64,
        scratch: &'a mut Scratch,
    ) -> Result<Prediction<'a>, InferenceError> {
        let engine = self.split.pick(ticket);
        let classified = engine
            .classifier()
            .classify(&images.values, images.shape[0], scratch)
            .map_err(|overflow| InferenceError::Overflow {
                path: format!("{}[{}]", self.signature.inputs[0].name, overflow.image),
            })?;
        Ok(Prediction { engine, classified })
    }
}

impl Prediction<'_> {
    /// Which version answered: one for the whole request.
    pub fn version(&self) -> &ModelVersion {
        self.engine.version()
    }

    /// The numbers of the answer.
    pub fn outputs(&self) -> Outputs<'_> {
        Outputs {
            class_ids: &self.classified.class_ids,
            logits: &self.classified.logits,
            probabilities: &self.classified.probabilities,
        }
    }
}
