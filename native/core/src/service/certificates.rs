//! The CA bundle that users specify in addition to their system's certificates.

use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::environments::configured::ConfigFile;
use crate::error::{Code, Error};
use crate::text_encoding::decoded;
use crate::world::World;

/// CA certificates that are trusted in addition to those of the system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Certificates {
    pub(super) path: PathBuf,
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) named_by: NamedBy,
}

/// Which setting specifies the CA bundle.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum NamedBy {
    Variable,
    /// The key `ca_bundle` in this file.
    ConfigFile(PathBuf),
}

impl std::fmt::Display for NamedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable => f.write_str("AWS_CA_BUNDLE"),
            Self::ConfigFile(path) => write!(f, "ca_bundle in {}", path.display()),
        }
    }
}

/// Finds the CA bundle as the AWS CLI does: from the variable, else from the profile in use.
pub(super) fn ca_bundle(world: &World) -> Result<Option<Certificates>, Error> {
    if let Some(written) = world.variables.get("AWS_CA_BUNDLE") {
        return read_certificates(world.path("AWS_CA_BUNDLE", written)?, NamedBy::Variable).map(Some);
    }
    // An unreadable config file is reported where the file is needed.
    let config = ConfigFile::read(world).unwrap_or_default();
    let Some(written) = config.ca_bundle(&world.variables) else { return Ok(None) };
    if written.contains(char::REPLACEMENT_CHARACTER) {
        let sentence = format!("The key ca_bundle in {} has a path that is not UTF-8 text.", config.path.display());
        return Err(Error::new(Code::ConfigFileInvalid, sentence).with_target("ca_bundle").with_action("Save the file as UTF-8, then run the command again."));
    }
    let path = world.path_of_setting("ca_bundle", &format!("The key ca_bundle in {}", config.path.display()), written)?;
    read_certificates(path, NamedBy::ConfigFile(config.path.clone())).map(Some)
}

/// Reads and checks the CA bundle, so that an error can name it.
fn read_certificates(path: PathBuf, named_by: NamedBy) -> Result<Certificates, Error> {
    let invalid = |what: &str| {
        Error::new(Code::ReadFailed, format!("The CA bundle {} of {named_by} {what}.", path.display()))
            .with_target(path.display().to_string())
            .with_action(format!("Point {named_by} to a file of PEM certificates, or remove it."))
    };
    let bytes = std::fs::read(&path).map_err(|fault| invalid(&format!("could not be read: {fault}")))?;
    // Windows PowerShell joins certificates to UTF-16 text; behind a byte order mark, the first one would be overlooked.
    let bytes = decoded(&bytes).map_err(|what| invalid(&format!("is {what}, which cannot be read; save it as UTF-8")))?.into_owned();
    let roots: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|_| invalid("is not a file of PEM certificates"))?;
    let mut store = RootCertStore::empty();
    for root in &roots {
        store.add(root.clone()).map_err(|_| invalid("contains a certificate that cannot be used"))?;
    }
    if roots.is_empty() { Err(invalid("contains no certificate")) } else { Ok(Certificates { path, roots, named_by }) }
}
