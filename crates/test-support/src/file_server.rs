//! A tiny HTTP file server on the loopback address, for tests of downloads. It can misbehave.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::acceptor::Acceptor;

/// Serves files from memory until it is dropped; understands `Range: bytes=N-` and closes after each answer.
#[derive(Debug)]
pub struct FileServer {
    state: Arc<Mutex<State>>,
    acceptor: Acceptor,
}

/// What the server does wrong for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Promises the whole file and closes the connection after so many bytes of the body.
    DropAfter(usize),
    /// Promises the whole file and falls silent after so many bytes of the body, keeping the connection open.
    StallAfter(usize),
    /// Answers with this status and no file.
    Status(u16),
    /// Answers 200 with these bytes instead of the file.
    WrongBytes(Vec<u8>),
    /// Answers 200 with the whole file, whatever range was asked for.
    IgnoreRange,
}

/// A request as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Path without the leading slash.
    pub path: String,
    /// First byte asked for by a `Range` header.
    pub range_start: Option<usize>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// Faults still to come, by path, the next one first.
    faults: BTreeMap<String, VecDeque<Fault>>,
    requests: Vec<Request>,
}

impl FileServer {
    /// Serves the files of `folder` (not of folders below it) as they are now.
    pub fn start(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("no folder `{}`: {error}", folder.display()));
        let mut files = BTreeMap::new();
        for path in entries.map(|entry| entry.expect("an entry of a folder can be read").path()) {
            if let (Some(name), Ok(bytes)) = (path.file_name(), fs::read(&path)) {
                files.insert(name.to_string_lossy().into_owned(), bytes);
            }
        }
        let state = Arc::new(Mutex::new(State {
            files,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let acceptor = Acceptor::start(move |connection, _| answer(connection, &shared));
        Self { state, acceptor }
    }

    /// Address of the folder, with a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}/", self.acceptor.address())
    }

    /// The next `times` requests for `path` that have no fault yet meet this one.
    pub fn fault(&self, path: &str, fault: &Fault, times: usize) {
        let mut state = lock(&self.state);
        let faults = state.faults.entry(path.to_owned()).or_default();
        faults.extend(std::iter::repeat_n(fault.clone(), times));
    }

    /// All requests so far, the oldest first.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.state).requests.clone()
    }

    /// The requests for `path` so far, the oldest first.
    pub fn requests_for(&self, path: &str) -> Vec<Request> {
        self.requests()
            .into_iter()
            .filter(|request| request.path == path)
            .collect()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut connection: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let request = read_request(connection)?;
    let (file, fault) = {
        let mut state = lock(state);
        state.requests.push(request.clone());
        let fault = state.faults.get_mut(&request.path).and_then(VecDeque::pop_front);
        (state.files.get(&request.path).cloned(), fault)
    };
    let (Some(mut file), start) = (file, request.range_start) else {
        return respond(connection, 404, "", b"no such file", 12);
    };
    let mut start = start.filter(|_| fault != Some(Fault::IgnoreRange)).unwrap_or(0);
    let mut n_sent_max = usize::MAX;
    match &fault {
        Some(Fault::Status(status)) => return respond(connection, *status, "", b"on purpose", 10),
        Some(Fault::WrongBytes(bytes)) => (file, start) = (bytes.clone(), 0),
        Some(Fault::DropAfter(n_bytes) | Fault::StallAfter(n_bytes)) => n_sent_max = *n_bytes,
        Some(Fault::IgnoreRange) | None => {}
    }
    if start > 0 && start >= file.len() {
        let range = format!("Content-Range: bytes */{}\r\n", file.len());
        return respond(connection, 416, &range, b"", 0);
    }
    let body = &file[start..];
    let sent = &body[..body.len().min(n_sent_max)];
    let range = format!(
        "Content-Range: bytes {start}-{}/{}\r\n",
        file.len().saturating_sub(1),
        file.len()
    );
    match start {
        0 => respond(connection, 200, "", sent, body.len())?,
        _ => respond(connection, 206, &range, sent, body.len())?,
    }
    if matches!(fault, Some(Fault::StallAfter(_))) {
        // Silent until the client gives up and closes its side.
        connection.read_to_end(&mut Vec::new())?;
    }
    Ok(())
}

/// Writes status, headers and body; `length` is what the header promises.
fn respond(mut connection: &TcpStream, status: u16, headers: &str, body: &[u8], length: usize) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status} .\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    connection.write_all(head.as_bytes())?;
    connection.write_all(body)?;
    connection.flush()
}

fn read_request(connection: &TcpStream) -> io::Result<Request> {
    let mut lines = BufReader::new(connection).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first
        .split(' ')
        .nth(1)
        .unwrap_or("/")
        .trim_start_matches('/')
        .to_owned();
    let mut range_start = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            range_start = range.trim_end_matches('-').parse().ok();
        }
    }
    Ok(Request { path, range_start })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workspace;

    fn get(server: &FileServer, path: &str, header: &str) -> String {
        let mut connection = TcpStream::connect(server.acceptor.address()).unwrap();
        write!(connection, "GET /{path} HTTP/1.1\r\n{header}\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    fn serve_letters() -> FileServer {
        let workspace = Workspace::new();
        workspace.write("letters", b"abcdefgh");
        FileServer::start(workspace.path())
    }

    #[test]
    fn files_are_served_whole_and_from_a_byte_on() {
        let server = serve_letters();
        assert!(get(&server, "letters", "").ends_with("\r\n\r\nabcdefgh"));
        let rest = get(&server, "letters", "Range: bytes=5-\r\n");
        assert!(
            rest.starts_with("HTTP/1.1 206") && rest.contains("Content-Range: bytes 5-7/8\r\n"),
            "{rest}"
        );
        assert!(rest.ends_with("\r\n\r\nfgh"), "{rest}");
        assert!(get(&server, "letters", "Range: bytes=8-\r\n").contains("Content-Range: bytes */8"));
        assert!(get(&server, "numbers", "").starts_with("HTTP/1.1 404"));
        assert_eq!(server.requests_for("letters")[1].range_start, Some(5));
    }

    #[test]
    fn faults_come_in_their_order_and_end() {
        let server = serve_letters();
        server.fault("letters", &Fault::Status(503), 2);
        server.fault("letters", &Fault::DropAfter(3), 1);
        assert!(get(&server, "letters", "").starts_with("HTTP/1.1 503"));
        assert!(get(&server, "letters", "").starts_with("HTTP/1.1 503"));
        let cut = get(&server, "letters", "");
        assert!(
            cut.contains("Content-Length: 8\r\n") && cut.ends_with("\r\n\r\nabc"),
            "{cut}"
        );
        assert!(get(&server, "letters", "").ends_with("abcdefgh"));
    }
}
