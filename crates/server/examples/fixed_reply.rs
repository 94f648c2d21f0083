//! What a gateway of axum is measured against: it reads each body, throws it away, and always gives the same answer.
//!
//! Nothing surrounds its one route, and it runs on one thread, which is the fastest where it has one core.

use std::net::SocketAddr;

use anyhow::Context;
use axum::{Router, body::Bytes, http::header, routing::post, serve::ListenerExt};
use clap::Parser;
use tokio::{net::TcpListener, runtime};

/// Answers every prediction alike.
#[derive(Parser)]
struct Args {
    /// Where to listen
    listen: SocketAddr,
}

/// An answer of the gateway to one image.
const ANSWER: &[u8] = br#"{"class_ids":[[7]],"classes":[["7"]],"logits":[[-5.2714233,-9.118345,-0.79150283,3.3815765,-10.405021,-4.6177197,-17.14817,9.823094,-4.8402476,-0.8811463]],"probabilities":[[2.7782e-7,5.9344e-9,0.000024526,0.0015926,1.6382e-9,5.3425e-7,1.9304e-12,0.99836,4.2762e-7,0.000022423]]}"#;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(args.listen).await.context("cannot listen")?;
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        let routes = Router::new().route(
            "/gateway/applications/{application}/{signature}",
            post(async |_: Bytes| ([(header::CONTENT_TYPE, "application/json")], ANSWER)),
        );
        axum::serve(listener, routes).await.context("cannot serve")
    })
}
