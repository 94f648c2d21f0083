//! Furnace with the model that our server has: `furnace-peer ARTIFACT HTTP_PORT GRPC_PORT`.
//!
//! It is used as its documentation says: the network is a module of burn, its forward pass is what is served. Logs go
//! nowhere, because nobody asks for them.

use std::{env, error::Error, fs};

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Device, Tensor, TensorData, activation},
};
use furnace::Server;
use furnace_burn::BackendKind;
use safetensors::SafeTensors;

/// The original's network: dense layers with ReLU between them, then a softmax.
#[derive(Module, Debug)]
struct Classifier {
    layers: Vec<Linear>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [artifact, http_port, grpc_port] = arguments.as_slice() else {
        return Err("usage: furnace-peer ARTIFACT HTTP_PORT GRPC_PORT".into());
    };
    let (http_port, grpc_port) = (http_port.parse()?, grpc_port.parse()?);
    let backend = BackendKind::Cpu;
    let classifier = Classifier::read(artifact, &backend.device())?;
    let forward = move |images: Tensor<2>| classifier.forward(images);
    let model = furnace_burn::from_fn("mnist", backend, &[784], &[10], forward)?;
    let server = Server::new().port(http_port).model(model);
    server
        .configure(|config| config.grpc_port = Some(grpc_port))
        .serve()
        .await?;
    Ok(())
}

impl Classifier {
    /// Reads the weights that our trainer wrote, which are in burn's order.
    fn read(artifact: &str, device: &Device) -> Result<Self, Box<dyn Error>> {
        let bytes = fs::read(artifact)?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let n_layers = tensors.len() / 2;
        let layers = (0..n_layers).map(|index| {
            Ok::<_, Box<dyn Error>>(Linear {
                weight: parameter(&tensors, &format!("layers.{index}.weight"), device)?,
                bias: Some(parameter(&tensors, &format!("layers.{index}.bias"), device)?),
            })
        });
        Ok(Self {
            layers: layers.collect::<Result<_, _>>()?,
        })
    }

    fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        let mut units = images;
        for (index, layer) in self.layers.iter().enumerate() {
            units = layer.forward(units);
            if index + 1 < self.layers.len() {
                units = activation::relu(units);
            }
        }
        activation::softmax(units, 1)
    }
}

fn parameter<const D: usize>(
    tensors: &SafeTensors<'_>,
    name: &str,
    device: &Device,
) -> Result<Param<Tensor<D>>, Box<dyn Error>> {
    let tensor = tensors.tensor(name)?;
    let (numbers, _) = tensor.data().as_chunks();
    let values: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
    let data = TensorData::new(values, tensor.shape().to_vec());
    Ok(Param::from_tensor(Tensor::from_data(data, device)))
}
