//! The service itself: it must be right for tests against it to mean anything.

use std::io::Write;

use super::{signature::digest, *};

fn send(server: &BucketServer, request: &str) -> String {
    let mut connection = TcpStream::connect(server.acceptor.address()).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // The service closes nothing by itself, so the client says that it has nothing more.
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn nobody_is_believed_without_a_signature() {
    let server = BucketServer::start("models");
    server.set("a", Some(b"secret"));
    let sha = digest(b"");
    let scope = format!("20240101/{}/s3/aws4_request", BucketServer::REGION);
    for (authorization, code) in [
        (String::new(), "AccessDenied"),
        (
            format!("authorization: AWS4-HMAC-SHA256 Credential=stranger/{scope}, SignedHeaders=host, Signature=0\r\n"),
            "InvalidAccessKeyId",
        ),
        (
            format!(
                "authorization: AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host, Signature=0\r\n",
                BucketServer::KEY_ID
            ),
            "SignatureDoesNotMatch",
        ),
    ] {
        let request =
            format!("GET /models/a HTTP/1.1\r\nhost: x\r\nx-amz-content-sha256: {sha}\r\n{authorization}\r\n");
        let answer = send(&server, &request);
        assert!(answer.starts_with("HTTP/1.1 4") && answer.contains(code), "{answer}");
        assert!(!answer.contains("secret"), "{answer}");
    }
    assert_eq!(server.calls(), ["GET a"; 3]);
}

#[test]
fn faults_come_where_they_were_asked_for() {
    let server = BucketServer::start("models");
    server.fault_at(1, BucketFault::Refuse(503, "SlowDown"));
    server.fault_at(2, BucketFault::CutBefore);
    let request = "GET /models/a HTTP/1.1\r\n\r\n";
    assert!(send(&server, request).contains("AccessDenied"));
    assert!(send(&server, request).contains("SlowDown"));
    assert_eq!(send(&server, request), "");
    assert!(send(&server, request).contains("AccessDenied"));
    server.fault(Some(BucketFault::Page(200)));
    for _ in 0..2 {
        assert!(send(&server, request).contains("welcome"));
    }
    server.fault(None);
    assert!(send(&server, request).contains("AccessDenied"));
}
