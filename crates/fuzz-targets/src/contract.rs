//! Contracts: what is honoured says of a classifier only what the classifier has.

use formats::signature::Signature;
use model::contract::Contract;

use crate::Outcome;

/// A `ModelContract` that comes with a classifier of images with 28 × 28 pixels.
pub fn contract(bytes: &[u8]) -> Outcome {
    let contract = match Contract::decode(bytes) {
        Ok(contract) => contract,
        Err(error) => return Outcome::of(&error),
    };
    // Whatever it says, it can be shown.
    contract.flat();
    assert!(
        contract
            .clone()
            .named("mnist")
            .text()
            .starts_with("model_name: \"mnist\"\n")
    );
    let name = "predict".parse().expect("it is made of letters");
    let classifier = Signature::classifier(name, 28, 28, 10);
    match contract.honour(&classifier) {
        Ok(honoured) => {
            let has = |field: &str| classifier.outputs.iter().any(|output| output.name == field);
            assert!(honoured.outputs.iter().all(|output| has(&output.name)));
            assert_eq!(honoured.inputs.len(), 1);
            Outcome::Accepted
        }
        Err(error) => Outcome::of(&error),
    }
}
