//! TLS to a mail server: rustls with ring, as everywhere; the system's authorities, and one of the operator's own.

use std::sync::{Arc, OnceLock};

use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::{ImapError, wire::Socket};

/// The system's authorities, read once.
static SYSTEM: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();

/// Speaks TLS on a connection. The name of the server must be in its certificate.
///
/// # Errors
/// [`ImapError::Tls`], with what rustls says of the certificate; [`ImapError::Settings`].
pub(super) async fn over(
    socket: Box<dyn Socket>,
    host: &str,
    authority: Option<&str>,
) -> Result<Box<dyn Socket>, ImapError> {
    let settings = |why: &str| ImapError::Settings(why.to_owned());
    let name = ServerName::try_from(host.to_owned()).map_err(|_| settings("the host is no name of a server"))?;
    let mut roots = RootCertStore::empty();
    let system = SYSTEM.get_or_init(|| rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(system.iter().cloned());
    if let Some(pem) = authority {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| settings("the authority's certificate is no PEM"))?;
            roots.add(certificate).map_err(|_| settings("the authority's certificate cannot be used"))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ImapError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await;
    // Of an I/O error only rustls's part is told: it names the fault of a certificate, never a person.
    let stream =
        stream.map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => ImapError::Tls(error.to_string()),
            None => ImapError::Closed("within the TLS handshake"),
        })?;
    Ok(Box::new(stream))
}
