//! The stand-in over https.

use std::fs;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use sso_stand_in::{Options, StandIn};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{read, request};

#[test]
fn the_stand_in_serves_https_and_offers_both_versions_of_http() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, pair.cert.pem()).unwrap();
    fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    let options = || Options { tls_cert: Some(certificate.clone()), tls_key: Some(key.clone()), ..Options::default() };
    let stand_in = StandIn::start(options()).unwrap();
    let address = stand_in.url().strip_prefix("https://").unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(pair.cert.der().clone()).unwrap();
    for protocol in ["h2", "http/1.1"] {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
        stream.write_all(request("GET", "/_stats", &[], "").as_bytes()).unwrap();
        if protocol == "http/1.1" {
            assert_eq!(read(&mut BufReader::new(&mut stream)).unwrap().status, 200);
        }
        assert_eq!(stream.conn.alpn_protocol(), Some(protocol.as_bytes()));
    }
}

#[test]
fn a_certificate_that_cannot_be_read_is_an_error_at_the_start() {
    let options = Options { tls_cert: Some("missing.pem".into()), tls_key: Some("missing.pem".into()), ..Options::default() };
    assert!(StandIn::start(options).err().unwrap().to_string().contains("missing.pem"));
}
