//! Signatures of a mail's author checked by ourselves (RFC 6376), and the chain of those who forwarded it (RFC 8617):
//! for doors whose provider says nothing. Needs DNS, so each door has it switched off until it is asked for.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator,
    hickory_resolver::{
        config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
        system_conf::read_system_conf,
    },
};

use crate::{
    headers::Headers,
    inbound::{Verdict, Verdicts},
};

/// For all questions of one mail together. It waits that long at most before its octets are stored.
const BUDGET: Duration = Duration::from_secs(3);
/// One question; two tries fit into the budget.
const QUESTION: Duration = Duration::from_millis(1200);
/// Signatures and seals looked at: each may ask for a hash over the whole mail. Mail with more is not verified.
const SIGNATURES_MAX: usize = 12;
/// Who asserts what was found here.
const OURSELVES: &str = "postern";

/// Checks signatures. Clones share the resolver and its cache.
#[derive(Clone, Default)]
pub struct Dkim {
    server: Option<SocketAddr>,
    authenticator: Arc<OnceLock<Option<MessageAuthenticator>>>,
}

impl std::fmt::Debug for Dkim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dkim")
    }
}

impl Dkim {
    /// Asks the name servers that the system is set up with. Opens nothing yet.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Asks this name server.
    #[must_use]
    pub fn at(server: SocketAddr) -> Self {
        Self { server: Some(server), ..Self::default() }
    }

    /// Adds what the mail's signatures and seals come to. What cannot be found out in time is [`Verdict::Error`]: it
    /// proves nothing, and the mail goes on.
    pub async fn add_to(&self, verdicts: &mut Verdicts, headers: &Headers, raw: &Bytes) {
        let signed = |name: &str| headers.all(name).count();
        let (signatures, seals) = (signed("dkim-signature"), signed("arc-message-signature"));
        verdicts.asserted_by = Some(match verdicts.asserted_by.take() {
            Some(others) => format!("{others}, {OURSELVES}"),
            None => OURSELVES.to_owned(),
        });
        if signatures == 0 && seals == 0 {
            verdicts.dkim = Some(Verdict::Neutral);
            return;
        }
        let found = if signatures + seals > SIGNATURES_MAX { None } else { self.ask(raw.clone()).await };
        let Some(found) = found else {
            verdicts.dkim = Some(Verdict::Error);
            return;
        };
        verdicts.dkim = Some(found.dkim);
        verdicts.arc = Some(found.arc).filter(|_| seals > 0);
        found.domains.iter().for_each(|domain| verdicts.add_dkim_domain(domain));
    }

    /// In a task of its own: what a library does to hostile octets costs the verdict, not the mail.
    async fn ask(&self, raw: Bytes) -> Option<Found> {
        let dkim = self.clone();
        // On the heap before it is handed on: it is large.
        let work: Pin<Box<dyn Future<Output = Option<Found>> + Send>> =
            Box::pin(async move { verify(dkim.authenticator()?, &raw).await });
        let task = tokio::spawn(work);
        let ended = tokio::time::timeout(BUDGET, task).await;
        let found = ended.ok().and_then(Result::ok).flatten();
        if found.is_none() {
            tracing::warn!("signatures could not be verified in time; the mail goes on without");
        }
        found
    }

    fn authenticator(&self) -> Option<&MessageAuthenticator> {
        let made = self.authenticator.get_or_init(|| {
            let made = match self.server {
                Some(server) => MessageAuthenticator::new(only(server), bounded(ResolverOpts::default())),
                None => read_system_conf().and_then(|(config, opts)| MessageAuthenticator::new(config, bounded(opts))),
            };
            made.map_err(|error| tracing::error!(%error, "no resolver; signatures are not verified")).ok()
        });
        made.as_ref()
    }
}

fn bounded(mut options: ResolverOpts) -> ResolverOpts {
    (options.timeout, options.attempts) = (QUESTION, 2);
    options
}

fn only(server: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(server.ip(), true, connections.to_vec())])
}

struct Found {
    dkim: Verdict,
    domains: Vec<String>,
    arc: Verdict,
}

async fn verify(authenticator: &MessageAuthenticator, raw: &[u8]) -> Option<Found> {
    // Strict: a signature over a part of the body (`l=`) counts as none.
    let message = AuthenticatedMessage::parse_with_opts(raw, None, true)?;
    let outputs = authenticator.verify_dkim(&message).await;
    let passed = outputs.iter().filter(|output| *output.result() == DkimResult::Pass);
    let domains: Vec<String> = passed.filter_map(|output| output.signature()).map(|s| s.d.clone()).collect();
    let first = outputs.first().map_or(Verdict::Neutral, |output| word(output.result()));
    let arc = word(authenticator.verify_arc(&message).await.result());
    Some(Found { dkim: if domains.is_empty() { first } else { Verdict::Pass }, domains, arc })
}

/// mail-auth says neutral where a hash or a signature does not fit: for us that is a failed signature.
const fn word(result: &DkimResult) -> Verdict {
    match result {
        DkimResult::Pass => Verdict::Pass,
        DkimResult::Neutral(_) | DkimResult::Fail(_) => Verdict::Fail,
        DkimResult::PermError(_) | DkimResult::TempError(_) => Verdict::Error,
        DkimResult::None => Verdict::Neutral,
    }
}
