//! Certificates for tests: a company's authority for inspected traffic, and server certificates.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sso_stand_in::Options;

use crate::approving;

pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A file with these texts, one after another.
    pub(crate) fn bundle(&self, texts: &[&str]) -> String {
        self.write("bundle.pem", &texts.concat()).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Options of a stand-in that serves https with a certificate for these names.
    pub(crate) fn serving(&self, names: &[&str]) -> Options {
        self.serving_with(names, |_| {})
    }

    pub(crate) fn serving_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Options {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let tls_cert = Some(self.write("server.pem", &certificate.pem()));
        let tls_key = Some(self.write("server.key", &key.serialize_pem()));
        Options { tls_cert, tls_key, ..approving() }
    }
}

/// The names that this machine has for itself.
pub(crate) const LOOPBACK: [&str; 2] = ["127.0.0.1", "localhost"];
