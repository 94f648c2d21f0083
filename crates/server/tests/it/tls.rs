//! TLS, with certificates made for the test.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use server::{ConnectionLimits, Settings, TlsFiles};
use tempfile::TempDir;
use test_support::patience;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring, pki_types::CertificateDer,
};

use crate::{
    life::{PATIENCE, Running, read_all, settings, store},
    support::connection_limits,
};

const SHORT: Duration = Duration::from_millis(60);

/// Puts a new certificate where the server looks, and says which.
fn write_certificate(folder: &TempDir) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = files(folder);
    fs::write(files.key, signing_key.serialize_pem()).unwrap();
    fs::write(files.certificate, cert.pem()).unwrap();
    cert.der().clone()
}

fn files(folder: &TempDir) -> TlsFiles {
    TlsFiles {
        certificate: folder.path().join("certificate.pem"),
        key: folder.path().join("key.pem"),
    }
}

/// A client that trusts this certificate alone.
fn connect(
    server: &Running,
    trusted: &CertificateDer<'static>,
    protocols: &[&str],
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    StreamOwned::new(client, server.connect())
}

fn ask(stream: &mut StreamOwned<ClientConnection, TcpStream>) -> std::io::Result<String> {
    write!(
        stream,
        "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_connection_is_encrypted_and_bounded_like_any_other() {
    let folder = store();
    let trusted = write_certificate(&folder);
    let server = Running::start_unready(Settings {
        tls: Some(files(&folder)),
        connections: ConnectionLimits {
            header_timeout: SHORT,
            ..connection_limits()
        },
        ..settings(&folder)
    });
    let answer = ask(&mut connect(&server, &trusted, &[])).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let mut http2 = connect(&server, &trusted, &["http/1.1", "h2"]);
    http2
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .unwrap();
    let mut head = [0; 9];
    http2.read_exact(&mut head).unwrap();
    assert_eq!((head[3], http2.conn.alpn_protocol()), (4, Some(&b"h2"[..])));
    // Who says nothing, and who speaks without encryption.
    assert_eq!(read_all(&mut server.connect()), "");
    let mut plain = server.connect();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    drop(http2);
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_new_certificate_is_shown_and_a_broken_one_is_not() {
    let folder = store();
    let first = write_certificate(&folder);
    let server = Running::start_unready(Settings {
        tls: Some(files(&folder)),
        ..settings(&folder)
    });
    ask(&mut connect(&server, &first, &[])).unwrap();
    let second = write_certificate(&folder);
    patience("the new certificate", PATIENCE, || {
        ask(&mut connect(&server, &second, &[])).ok()
    });
    assert!(ask(&mut connect(&server, &first, &[])).is_err());
    fs::write(files(&folder).key, "no key").unwrap();
    ask(&mut connect(&server, &second, &[])).unwrap();
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_server_that_cannot_prove_who_it_is_does_not_start() {
    let folder = store();
    write_certificate(&folder);
    let TlsFiles { certificate, key } = files(&folder);
    fs::write(&key, "no key").unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--registry"].map(Into::into);
    let arguments = [
        &["server".into()][..],
        &arguments,
        &[
            folder.path().into(),
            "--tls-certificate".into(),
            certificate.into(),
            "--tls-key".into(),
            key.clone().into_os_string(),
        ],
    ]
    .concat();
    let args = <server::cli::Args as clap::Parser>::try_parse_from(arguments).unwrap();
    let error = server::start(args.settings().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`{}` is no private key in PEM form", key.display())
    );
}
