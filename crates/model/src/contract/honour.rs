//! What a contract makes of a model's signature: it may leave outputs out and say more of shapes, and it may not contradict.

use formats::signature::{Dimension, Field, Signature};
use prost::DecodeError;
use thiserror::Error;

use super::{Contract, Kind, ModelField, data_type, data_type_name};

/// Why a contract is refused.
#[derive(Debug, Error)]
pub enum ContractError {
    /// Not a contract.
    #[error("the contract is no message `ModelContract`")]
    Bytes(#[source] DecodeError),
    /// It does not fit the model that it comes with.
    #[error("the contract does not fit the model: {path}: expected {expected}, found {found}")]
    Mismatch {
        /// Such as `signatures[0].inputs[0].dtype`.
        path: String,
        /// What the model has.
        expected: String,
        /// What the contract says.
        found: String,
    },
}

impl Contract {
    /// The signature of a model by this contract: with the fields that the contract names, in its order and shapes.
    ///
    /// # Errors
    ///
    /// [`ContractError::Mismatch`]: a signature or field that the model has not, an input that is left out, another type or
    /// a shape that contradicts.
    pub fn honour(&self, signature: &Signature) -> Result<Signature, ContractError> {
        let [agreed] = self.signatures.as_slice() else {
            let found = format!("{} signatures", self.signatures.len());
            return Err(mismatch("signatures", &format!("one, `{}`", signature.name), &found));
        };
        if agreed.signature_name != signature.name.as_str() {
            let [expected, found] = [signature.name.as_str(), &agreed.signature_name].map(|name| format!("`{name}`"));
            return Err(mismatch("signatures[0].signature_name", &expected, &found));
        }
        let inputs = fields("signatures[0].inputs", &agreed.inputs, &signature.inputs)?;
        if inputs.len() != signature.inputs.len() {
            let expected = format!("all of {}", names(&signature.inputs));
            return Err(mismatch("signatures[0].inputs", &expected, &names(&inputs)));
        }
        Ok(Signature {
            name: signature.name.clone(),
            inputs,
            outputs: fields("signatures[0].outputs", &agreed.outputs, &signature.outputs)?,
        })
    }
}

fn fields(path: &str, agreed: &[ModelField], of_model: &[Field]) -> Result<Vec<Field>, ContractError> {
    let expected = format!("some of {}", names(of_model));
    if agreed.is_empty() {
        return Err(mismatch(path, &expected, "none"));
    }
    let mut fields: Vec<Field> = Vec::new();
    for (index, agreed) in agreed.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let named = of_model.iter().find(|field| field.name == agreed.name);
        let is_new = fields.iter().all(|field| field.name != agreed.name);
        match named.filter(|_| is_new) {
            Some(named) => fields.push(field(&path, agreed, named)?),
            None => {
                return Err(mismatch(
                    &format!("{path}.name"),
                    &expected,
                    &format!("`{}`", agreed.name),
                ));
            }
        }
    }
    Ok(fields)
}

fn field(path: &str, agreed: &ModelField, of_model: &Field) -> Result<Field, ContractError> {
    let expected = data_type(of_model.element).into();
    let found = match &agreed.kind {
        Some(Kind::Dtype(number)) if *number == expected => None,
        Some(Kind::Dtype(number)) => Some(data_type_name(*number)),
        Some(Kind::Subfields(_)) => Some("fields of its own".to_owned()),
        None => Some("no type".to_owned()),
    };
    if let Some(found) = found {
        return Err(mismatch(&format!("{path}.dtype"), &data_type_name(expected), &found));
    }
    let Some(dimensions) = agreed.dimensions() else {
        return Ok(of_model.clone());
    };
    let shape = shape(&dimensions, &of_model.shape).ok_or_else(|| {
        let of_model: Vec<i64> = of_model.shape.iter().copied().map(Dimension::into).collect();
        mismatch(
            &format!("{path}.shape"),
            &format!("{of_model:?}"),
            &format!("{dimensions:?}"),
        )
    })?;
    Ok(Field {
        shape,
        ..of_model.clone()
    })
}

/// The shape that both sides agree on: -1 is filled in by the other side, and the model's batch stays free. One image may
/// be flat on one side and not on the other.
fn shape(agreed: &[i64], of_model: &[Dimension]) -> Option<Vec<Dimension>> {
    let agreed: Vec<Dimension> = agreed
        .iter()
        .map(|&dimension| Dimension::try_from(dimension).ok())
        .collect::<Option<_>>()?;
    if agreed.len() == of_model.len() {
        let merged = agreed.iter().zip(of_model).map(|pair| match pair {
            (Dimension::Any, of_model) => Some(*of_model),
            (agreed, of_model) => (agreed == of_model).then_some(*agreed),
        });
        return merged.collect();
    }
    let n_values = |shape: &[Dimension]| match shape {
        [Dimension::Any, inner @ ..] => inner.iter().try_fold(1_u32, |product, dimension| match dimension {
            Dimension::Fixed(length) => product.checked_mul(*length),
            Dimension::Any => None,
        }),
        _ => None,
    };
    let same = n_values(&agreed).is_some_and(|n_values_agreed| n_values(of_model) == Some(n_values_agreed));
    (same && agreed.len() > 1).then_some(agreed)
}

fn names(fields: &[Field]) -> String {
    let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
    names.join(", ")
}

fn mismatch(path: &str, expected: &str, found: &str) -> ContractError {
    ContractError::Mismatch {
        path: path.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
