//! What is known of a mail's author at the moment its octets are here, before they are accepted: it stands in the accept
//! record, so that the mail is judged by the same words whenever it is ingested again.

use super::Ingest;
use crate::{
    headers::{Headers, trusted_results},
    inbound::{InboundMessage, Origin, Verdict, Verdicts},
    providers::ses,
};

impl Ingest {
    /// The provider's own verdicts; where it has none, those of a mail server that the door names; where nobody speaks of
    /// the author and the door says so, what his signatures come to. A rebuilt mail is nobody's evidence.
    pub(super) async fn vouched(&self, inbound: &InboundMessage, headers: &Headers) -> Verdicts {
        let mut verdicts = inbound.verdicts.clone();
        if inbound.origin == Origin::Rebuilt {
            return verdicts;
        }
        if verdicts.asserted_by.as_deref() == Some(ses::AUTHSERV_ID) {
            add_domains(&mut verdicts, headers);
        }
        let Some(door) = self.doors.by_id(&inbound.ingress.door) else { return verdicts };
        if verdicts.asserted_by.is_none()
            && let Some(found) = trusted_results(headers, &door.authserv_ids)
        {
            verdicts = Verdicts { spam: verdicts.spam, virus: verdicts.virus, ..found };
        }
        if door.verify_dkim && verdicts.leaves_author_open() {
            self.dkim.add_to(&mut verdicts, headers, &inbound.raw).await;
        }
        verdicts
    }
}

/// SES tells that a signature passed; whose, it writes only into the mail, above everything that the author wrote.
fn add_domains(verdicts: &mut Verdicts, headers: &Headers) {
    let Some(found) = trusted_results(headers, &[ses::AUTHSERV_ID.to_owned()]) else { return };
    if verdicts.dkim == Some(Verdict::Pass) {
        found.dkim_domains.iter().for_each(|domain| verdicts.add_dkim_domain(domain));
    }
    verdicts.arc = found.arc;
}
