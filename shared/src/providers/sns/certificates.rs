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

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        sync::{Arc, Mutex as StdMutex},
    };

    use aws_smithy_runtime_api::client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    };
    use aws_smithy_types::body::SdkBody;

    use super::*;

    const GOOD: &[u8] = include_bytes!("../../../../tests/fixtures/signatures/certificate.pem");
    const OTHER: &[u8] = include_bytes!("../../../../tests/fixtures/signatures/other.pem");
    const URL: &str = "https://sns.eu-central-1.amazonaws.com/a.pem";

    /// What lies at which URL, and how often anything was asked.
    #[derive(Clone, Debug, Default)]
    struct Host(Arc<StdMutex<Pages>>);

    #[derive(Debug, Default)]
    struct Pages {
        at: HashMap<String, &'static [u8]>,
        asked: usize,
    }

    impl Host {
        fn put(&self, url: &str, body: &'static [u8]) {
            self.0.lock().unwrap().at.insert(url.to_owned(), body);
        }

        fn asked(&self) -> usize {
            self.0.lock().unwrap().asked
        }

        fn certificates(&self) -> Certificates {
            Certificates::new(Outbound::over(SharedHttpConnector::new(self.clone())))
        }
    }

    impl HttpConnector for Host {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let mut state = self.0.lock().unwrap();
            state.asked += 1;
            let body = state.at.get(request.uri()).copied();
            let body = body.ok_or_else(|| ConnectorError::io("away".into()));
            let answer = body.map(|body| HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body)));
            HttpConnectorFuture::ready(answer)
        }
    }

    fn at(minutes: i64) -> Timestamp {
        let start: Timestamp = "2026-11-02T09:00:00Z".parse().unwrap();
        start + SignedDuration::from_mins(minutes)
    }

    /// True under the good certificate only.
    fn ours(certificate: &Certificate) -> bool {
        Some(certificate) == Certificate::parse(GOOD).as_ref()
    }

    #[tokio::test]
    async fn a_certificate_is_fetched_once() {
        let host = Host::default();
        host.put(URL, GOOD);
        let certificates = host.certificates();
        for minutes in [0, 1, 60 * 24 * 30] {
            assert_eq!(certificates.prove(URL, at(minutes), ours).await, Ok(true));
        }
        assert_eq!(host.asked(), 1);
    }

    #[tokio::test]
    async fn what_fails_under_an_old_copy_is_tried_under_a_fresh_one() {
        let host = Host::default();
        host.put(URL, OTHER);
        let certificates = host.certificates();
        assert_eq!(certificates.prove(URL, at(0), ours).await, Ok(false));
        host.put(URL, GOOD);
        assert_eq!(certificates.prove(URL, at(60), ours).await, Ok(false), "an hour is not old");
        assert_eq!(host.asked(), 1, "forgeries make us ask once an hour at most");
        assert_eq!(certificates.prove(URL, at(61), ours).await, Ok(true));
        assert_eq!(certificates.prove(URL, at(62), |_| false).await, Ok(false));
        assert_eq!(host.asked(), 2);
    }

    #[tokio::test]
    async fn an_old_copy_holds_on_while_the_host_is_away() {
        let host = Host::default();
        host.put(URL, GOOD);
        let certificates = host.certificates();
        assert_eq!(certificates.prove(URL, at(0), ours).await, Ok(true));
        host.0.lock().unwrap().at.clear();
        assert_eq!(certificates.prove(URL, at(120), ours).await, Ok(true));
        assert!(certificates.prove(URL, at(120), |_| false).await.is_err(), "not proven bad");
    }

    #[tokio::test]
    async fn outside_its_period_a_certificate_proves_nothing() {
        let host = Host::default();
        host.put(URL, GOOD);
        let early: Timestamp = "2025-12-31T23:59:59Z".parse().unwrap();
        let certificates = host.certificates();
        assert_eq!(certificates.prove(URL, early, ours).await, Ok(false));
        assert_eq!(certificates.prove(URL, at(0), ours).await, Ok(true));
        assert_eq!(certificates.prove(URL, "2046-01-01T00:00:01Z".parse().unwrap(), ours).await, Ok(false));
    }

    #[tokio::test]
    async fn the_oldest_makes_room() {
        let host = Host::default();
        let certificates = host.certificates();
        let url = |n: usize| format!("{URL}{n}");
        for n in 0..=REMEMBERED_MAX {
            host.put(&url(n), GOOD);
            assert_eq!(certificates.prove(&url(n), at(0), ours).await, Ok(true));
        }
        assert_eq!(host.asked(), REMEMBERED_MAX + 1);
        assert_eq!(certificates.prove(&url(1), at(0), ours).await, Ok(true));
        assert_eq!(host.asked(), REMEMBERED_MAX + 1, "still remembered");
        assert_eq!(certificates.prove(&url(0), at(0), ours).await, Ok(true));
        assert_eq!(host.asked(), REMEMBERED_MAX + 2, "forgotten");
        assert_eq!(certificates.remembered.lock().await.len(), REMEMBERED_MAX);
    }
}
