//! One prediction, on the thread that asks for it.

use std::sync::Arc;

use formats::{
    signature::Quantity,
    tensor::{Tensor, outputs::Outputs},
    version::ModelVersion,
};
use model::{Classified, Scratch};

use crate::{Engine, InferenceError, Route};

/// What the models of a route say about the images of one request.
pub struct Prediction<'a> {
    /// Those of the stages before the last.
    earlier: Vec<&'a Arc<Engine>>,
    engine: &'a Arc<Engine>,
    classified: &'a Classified,
}

impl Route {
    /// Classifies `images` by the versions that own `ticket`, any number drawn for this request; the numbers lie in
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
        let n_images = images.shape[0];
        let mut engine = self.stages.first.pick(ticket);
        let mut earlier: Vec<&Arc<Engine>> = Vec::new();
        let mut handed_on: Option<Vec<f32>> = None;
        for (index, stage) in self.stages.further.iter().enumerate() {
            let values = handed_on.as_deref().unwrap_or(&images.values);
            let classified = self.classify(engine, values, n_images, scratch)?;
            handed_on = Some(held(classified, stage.takes).to_vec());
            earlier.push(engine);
            engine = stage.split.pick(ticket_of_stage(ticket, index + 1));
        }
        let values = handed_on.as_deref().unwrap_or(&images.values);
        Ok(Prediction {
            earlier,
            engine,
            classified: self.classify(engine, values, n_images, scratch)?,
        })
    }

    fn classify<'s>(
        &self,
        engine: &Engine,
        values: &[f32],
        n_images: usize,
        scratch: &'s mut Scratch,
    ) -> Result<&'s Classified, InferenceError> {
        let classified = engine.classifier().classify(values, n_images, scratch);
        classified.map_err(|overflow| InferenceError::Overflow {
            path: format!("{}[{}]", self.signature.inputs[0].name, overflow.image),
        })
    }
}

impl Prediction<'_> {
    /// Which version gave the answer.
    pub fn version(&self) -> &ModelVersion {
        self.engine.version()
    }

    /// What gave the answer: one version for the whole request, that of the last stage.
    pub fn engine(&self) -> &Arc<Engine> {
        self.engine
    }

    /// What worked in each stage.
    pub fn engines(&self) -> impl Iterator<Item = &Arc<Engine>> {
        self.earlier.iter().copied().chain([self.engine])
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

/// What one stage hands on to the next; a deploy lets no other quantities pass.
fn held(classified: &Classified, quantity: Quantity) -> &[f32] {
    match quantity {
        Quantity::Probabilities => &classified.probabilities,
        _ => &classified.logits,
    }
}

/// The ticket of a later stage: drawn from that of the request, so that a replay takes the same way, and independent of it,
/// so that each stage has its own weights. The constants are those of SplitMix64.
fn ticket_of_stage(ticket: u64, stage: usize) -> u64 {
    let mut mixed = ticket.wrapping_add((stage as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_tickets_of_its_own_that_follow_the_weights() {
        for stage in [1, 2] {
            let tickets = (0..10_000_u64).map(|ticket| ticket_of_stage(ticket, stage) % 100);
            let first = tickets.clone().filter(|ticket| *ticket < 30).count();
            assert!((2_850..3_150).contains(&first), "{first} of 3,000");
            // Of the requests that go to the first in one stage, as many do in the other as of all.
            let both = (0..10_000_u64).filter(|ticket| ticket % 100 < 30);
            let both = both.filter(|&ticket| ticket_of_stage(ticket, stage) % 100 < 30).count();
            assert!((800..1_000).contains(&both), "{both} of 900");
        }
        assert_ne!(ticket_of_stage(1, 1), ticket_of_stage(1, 2));
    }
}
