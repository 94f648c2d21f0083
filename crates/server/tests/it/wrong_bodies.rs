//! Bodies that are wrong in more than sixty ways, in every protocol, each on one connection at a real socket: all are
//! refused with the code that is theirs, and the connection goes on.

mod calls;
mod connections;
mod documents;

use std::net::SocketAddr;

use tokio::runtime::Runtime;

use connections::{Http1, Http2};

use crate::life::{Running, settings, store};

/// How many ways there are at least in each protocol.
const WAYS_MIN: usize = 60;

/// Types that no numbers of ours come in.
const TYPES: [&str; 12] = [
    "", "fp32", "FP16", "BF16", "BOOL", "BYTES", "UINT16", "UINT64", "INT8", "INT16", "FLOAT", "FP32 ",
];

/// Shapes that are none of one image.
const SHAPES: [&[i64]; 21] = [
    &[],
    &[0],
    &[1],
    &[-1],
    &[783],
    &[785],
    &[28, 27],
    &[27, 28],
    &[1, 28],
    &[784, 1],
    &[0, 784],
    &[-1, 784],
    &[2, 784],
    &[21, 784],
    &[1, 1, 784],
    &[28, 28, 28],
    &[1, 28, 28, 2],
    &[1, 28, 28, 1, 1],
    &[1, 2, 392],
    &[i64::MAX, 784],
    &[i64::MAX, i64::MAX, i64::MAX],
];

/// Names that no input has.
const NAMES: [&str; 4] = ["", "images", "IMGS", "imgs "];

/// How many numbers one image does not have.
const COUNTS: [usize; 6] = [0, 1, 28, 783, 785, 1568];

/// At how many places a body is cut.
const N_CUTS: usize = 12;

/// A body with a word on what is wrong with it.
struct Wrong {
    way: String,
    /// The length of the JSON before binary tensors, where the client says it.
    n_json_bytes: Option<String>,
    body: Vec<u8>,
}

impl Wrong {
    fn new(way: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            way: way.into(),
            n_json_bytes: None,
            body: body.into(),
        }
    }
}

/// The beginnings of a body.
fn cuts(body: &[u8]) -> impl Iterator<Item = Wrong> {
    let lengths = (0..N_CUTS).map(move |place| place * body.len() / N_CUTS);
    lengths.map(move |length| Wrong::new(format!("cut to {length} bytes"), &body[..length]))
}

#[test]
fn a_document_that_is_wrong_is_refused_and_the_connection_lives() {
    let folder = store();
    let server = Running::start_with(settings(&folder));
    for (path, right, wrong) in [
        ("/v2/models/mnist-app/infer", documents::right(), documents::wrong()),
        (
            "/v2/models/mnist-app/infer",
            documents::right_binary(),
            documents::wrong_binary(),
        ),
        (
            "/v1/models/mnist-app:predict",
            documents::right_v1(),
            documents::wrong_v1(),
        ),
    ] {
        assert!(wrong.len() >= WAYS_MIN, "{path}: {} ways", wrong.len());
        let mut connection = Http1::open(server.connect(), path);
        for wrong in wrong {
            let (status, answer) = connection.ask(&wrong);
            let way = &wrong.way;
            assert!(matches!(status, 400 | 413), "{path}, {way}: {status} {answer}");
            assert!(answer.starts_with("{\"error\":\""), "{path}, {way}: {answer}");
        }
        assert_eq!(connection.ask(&right).0, 200);
    }
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_call_that_is_wrong_is_refused_and_the_connection_lives() {
    let folder = store();
    let server = Running::start_with(settings(&folder));
    let runtime = Runtime::new().unwrap();
    runtime.block_on(call(server.address));
    server.stop().join().unwrap().unwrap();
}

async fn call(address: SocketAddr) {
    for (path, right, wrong) in [
        (calls::INFER, calls::right(), calls::wrong()),
        (calls::INFER, calls::right_raw(), calls::wrong_raw()),
        (calls::PREDICT, calls::right_tensorflow(), calls::wrong_tensorflow()),
    ] {
        assert!(wrong.len() >= WAYS_MIN, "{path}: {} ways", wrong.len());
        let mut connection = Http2::open(address, path).await;
        for wrong in wrong {
            let (code, message) = connection.ask(wrong.body).await;
            // Wrong, not there, or too much of it.
            assert!(
                matches!(code.as_str(), "3" | "5" | "8"),
                "{path}, {}: {code} {message}",
                wrong.way
            );
            assert!(!message.is_empty(), "{path}, {}", wrong.way);
        }
        assert_eq!(connection.ask(right.body).await.0, "0");
    }
}
