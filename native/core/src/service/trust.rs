//! Which certificates are trusted: those that the system accepts, as in a browser, and those whose issuer is in the user's CA bundle.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::service::certificates::Certificates;

/// Accepts what the system or the CA bundle accepts. The system alone would have to be told about the bundle, for which not every system has a way.
#[derive(Debug)]
pub(super) struct Trust {
    /// `None` if the system has no certificates, and only the bundle counts.
    system: Option<Verifier>,
    bundle: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Trust {
    /// # Errors
    /// The system has no certificates, and there is no CA bundle either.
    pub(super) fn new(bundle: Option<&Certificates>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let bundle = bundle.map(|bundle| {
            let mut roots = RootCertStore::empty();
            // All of them were checked when the file was read.
            roots.add_parsable_certificates(bundle.roots.iter().cloned());
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()
        });
        let bundle = bundle.transpose().map_err(|_| Error::General("the CA bundle has no certificate that can be used".to_owned()))?;
        let system = match Verifier::new(Arc::clone(&provider)) {
            Err(_) if bundle.is_some() => None,
            system => Some(system?),
        };
        Ok(Self { system, bundle, provider })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by_system = self.system.as_ref().map(|system| system.verify_server_cert(certificate, intermediates, host, ocsp_response, now));
        let by_bundle = || self.bundle.as_ref().map(|bundle| bundle.verify_server_cert(certificate, intermediates, host, ocsp_response, now));
        match by_system {
            Some(Ok(verified)) => Ok(verified),
            // What is wrong with a certificate is known to the one who knows its issuer.
            Some(Err(fault)) => match by_bundle() {
                None | Some(Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))) => Err(fault),
                Some(verified) => verified,
            },
            None => by_bundle().unwrap_or(Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
