//! A tiny service that speaks S3 on the loopback address, for tests of registries in buckets. It can misbehave.

mod exchange;
mod objects;
mod signature;

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::acceptor::Acceptor;

use exchange::{Call, Reply};
use objects::Objects;

/// Keeps one bucket in memory until it is dropped.
///
/// It knows `GET`, conditional `PUT` and `ListObjectsV2` in the way of Amazon's documentation, with the bucket in the path,
/// and believes nobody whose signature, digest of the body, region or key is wrong.
#[derive(Debug)]
pub struct BucketServer {
    state: Arc<Mutex<State>>,
    acceptor: Acceptor,
}

/// What the service does wrong for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketFault {
    /// Answers with this status and this code of S3, and does nothing.
    Refuse(u16, &'static str),
    /// Answers with this status and a page that is none of S3's.
    Page(u16),
    /// Closes the connection and does nothing.
    CutBefore,
    /// Does what it is asked for, and closes the connection before it says so.
    CutAfter,
    /// Promises its whole answer, and closes the connection after so many bytes of the body.
    CutBody(usize),
    /// Does nothing and stays silent until the client goes away.
    Silence,
}

#[derive(Debug)]
struct State {
    bucket: String,
    objects: Objects,
    /// How the requests of these numbers go wrong, counted from 0.
    faults: BTreeMap<usize, BucketFault>,
    /// How all others do.
    fault: Option<BucketFault>,
    calls: Vec<String>,
}

impl BucketServer {
    /// The name of the key that is believed.
    pub const KEY_ID: &str = "AKIATESTTESTTESTTEST";
    /// The key.
    pub const SECRET_KEY: &str = "a-key/that+opens-nothing-but-the-buckets";
    /// Where the bucket is said to be.
    pub const REGION: &str = "eu-test-1";

    /// A service with one empty bucket of this name.
    pub fn start(bucket: &str) -> Self {
        let state = Arc::new(Mutex::new(State {
            bucket: bucket.to_owned(),
            objects: Objects::default(),
            faults: BTreeMap::new(),
            fault: None,
            calls: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let acceptor = Acceptor::start(move |connection, is_closed| talk(connection, is_closed, &shared));
        Self { state, acceptor }
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.acceptor.address())
    }

    /// The variables that let a program of ours reach the bucket.
    pub fn environment(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL_S3", self.endpoint()),
            ("AWS_REGION", Self::REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", Self::KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", Self::SECRET_KEY.to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The request with this number, counted from 0 and from now on, goes wrong.
    pub fn fault_at(&self, number: usize, fault: BucketFault) {
        let mut state = lock(&self.state);
        let number = state.calls.len() + number;
        state.faults.insert(number, fault);
    }

    /// Every request goes wrong, until told otherwise; nothing is left of what was asked for before.
    pub fn fault(&self, fault: Option<BucketFault>) {
        let mut state = lock(&self.state);
        state.faults.clear();
        state.fault = fault;
    }

    /// Forgets what a conditional request is, as services did in former times.
    pub fn overwrite(&self) {
        lock(&self.state).objects.overwrites = true;
    }

    /// A listing ends after so many entries and goes on with the next request; 1000 where nobody says so.
    pub fn pages_of(&self, n_entries: usize) {
        lock(&self.state).objects.page = n_entries;
    }

    /// All objects by key.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.state).objects.by_key.clone()
    }

    /// Puts an object there, or takes it away, past all rules.
    pub fn set(&self, key: &str, bytes: Option<&[u8]>) {
        let mut state = lock(&self.state);
        match bytes {
            Some(bytes) => state.objects.by_key.insert(key.to_owned(), bytes.to_vec()),
            None => state.objects.by_key.remove(key),
        };
    }

    /// Takes everything away, and gives it back for [`BucketServer::fill`].
    pub fn empty(&self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut lock(&self.state).objects.by_key)
    }

    /// Puts all of these there.
    pub fn fill(&self, objects: BTreeMap<String, Vec<u8>>) {
        lock(&self.state).objects.by_key = objects;
    }

    /// The requests so far, the oldest first: `GET key`, `LIST prefix`, `PUT key`, or `PUT key if none` for a creation.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.state).calls.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one request after the other, as long as the client stays.
fn talk(connection: &TcpStream, is_closed: &AtomicBool, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(call) = Call::read(&mut reader)? {
        let fault = {
            let mut state = lock(state);
            if is_closed.load(Ordering::SeqCst) {
                return Ok(());
            }
            let number = state.calls.len();
            state.calls.push(call.to_string());
            state.faults.remove(&number).or(state.fault)
        };
        let reply = match fault {
            Some(BucketFault::Refuse(status, code)) => Reply::error(status, code),
            Some(BucketFault::Page(status)) => Reply::page(status),
            Some(BucketFault::CutBefore) => return Ok(()),
            Some(BucketFault::Silence) => {
                reader.read_to_end(&mut Vec::new())?;
                return Ok(());
            }
            Some(BucketFault::CutAfter | BucketFault::CutBody(_)) | None => answer(&call, &mut lock(state)),
        };
        match fault {
            Some(BucketFault::CutAfter) => return Ok(()),
            Some(BucketFault::CutBody(n_bytes)) => {
                let whole = reply.bytes();
                let head = whole.len() - reply.body.len();
                let mut connection = connection;
                connection.write_all(&whole[..whole.len().min(head + n_bytes)])?;
                return connection.flush();
            }
            _ => {
                let mut connection = connection;
                connection.write_all(&reply.bytes())?;
                connection.flush()?;
            }
        }
    }
    Ok(())
}

fn answer(call: &Call, state: &mut State) -> Reply {
    if let Err(refusal) = signature::check(call) {
        return refusal;
    }
    if call.bucket() != state.bucket {
        return Reply::error(404, "NoSuchBucket");
    }
    match (call.method.as_str(), call.parameter("list-type")) {
        ("GET", Some("2")) => state.objects.list(call),
        ("GET", None) => state.objects.get(call),
        ("PUT", None) => state.objects.put(call),
        _ => Reply::error(501, "NotImplemented"),
    }
}

#[cfg(test)]
mod tests;
