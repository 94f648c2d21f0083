//! Makes types of our protocol buffer files. It needs no `protoc`: protox reads them.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["inference.proto", "prediction_service.proto"], ["proto"])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names a folder for what is made")?);
    // What reflection tells, imports included.
    fs::write(out.join("descriptors.bin"), files.encode_to_vec())?;
    // Tensors are taken out of a message without a copy, and maps have one order.
    let mut config = prost_build::Config::new();
    config.bytes(["."]).btree_map(["."]).compile_fds(files)?;
    Ok(())
}
