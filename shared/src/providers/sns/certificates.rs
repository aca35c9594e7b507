//! The certificates that SNS signs with: fetched once, remembered by URL.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::{
    outbound::{Ask, Outbound, OutboundError},
    signature::Certificate,
};

/// A certificate has about two kilobytes.
const OCTETS_MAX: usize = 64 * 1024;
/// Remembered at most: each region signs with one at a time.
const REMEMBERED_MAX: usize = 8;
/// A signature that fails under a younger copy is forged: SNS does not put another certificate under the same URL.
const REFETCH_AFTER: SignedDuration = SignedDuration::from_hours(1);

struct Remembered {
    url: String,
    fetched_at: Timestamp,
    certificate: Certificate,
}

/// The certificates of SNS that one instance has fetched; at most eight.
pub struct Certificates {
    outbound: Outbound,
    /// The one fetched longest ago stands first.
    remembered: Mutex<Vec<Remembered>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    /// Fetches nothing yet.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound, remembered: Mutex::default() }
    }

    /// True where the certificate at a URL is valid now and the signature holds under it. The URL must have been judged
    /// already. What fails under a copy older than an hour is tried once more under a fresh one.
    ///
    /// # Errors
    /// The certificate cannot be had; in words.
    pub(super) async fn prove(
        &self,
        url: &str,
        now: Timestamp,
        holds: impl Fn(&Certificate) -> bool,
    ) -> Result<bool, String> {
        let good = |certificate: &Certificate| certificate.valid_at(now) && holds(certificate);
        let Some((certificate, fetched_at)) = self.remembered(url).await else {
            return Ok(good(&self.fetch(url, now).await?));
        };
        if good(&certificate) {
            return Ok(true);
        }
        if now.duration_since(fetched_at) <= REFETCH_AFTER {
            return Ok(false);
        }
        Ok(good(&self.fetch(url, now).await?))
    }

    async fn remembered(&self, url: &str) -> Option<(Certificate, Timestamp)> {
        let remembered = self.remembered.lock().await;
        let found = remembered.iter().find(|one| one.url == url)?;
        Some((found.certificate.clone(), found.fetched_at))
    }

    async fn fetch(&self, url: &str, now: Timestamp) -> Result<Certificate, String> {
        let told = self.outbound.ask(Ask { method: "GET", url, headers: &[], octets_max: OCTETS_MAX }).await;
        let told = told.map_err(|error: OutboundError| error.to_string())?;
        if told.status != 200 {
            return Err(format!("status {}", told.status));
        }
        let certificate = Certificate::parse(&told.body).ok_or("the answer is no RSA certificate")?;
        let mut remembered = self.remembered.lock().await;
        remembered.retain(|one| one.url != url);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.remove(0);
        }
        remembered.push(Remembered { url: url.to_owned(), fetched_at: now, certificate: certificate.clone() });
        Ok(certificate)
    }
}
