//! What others found out about a mail: SPF, DKIM, DMARC, ARC, spam, viruses.

use serde::{Deserialize, Serialize};

/// Domains kept of one mail's passing signatures.
pub const DKIM_DOMAINS_MAX: usize = 10;

/// A domain as it is compared: lower case, A-labels, no last dot.
pub(crate) fn comparable(domain: &str) -> String {
    let domain = domain.trim().trim_end_matches('.');
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase())
}

/// One result word of RFC 8601, or of a spam or virus scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The check passed.
    Pass,
    /// The check failed.
    Fail,
    /// SPF softfail.
    Softfail,
    /// No policy, neutral, or not conclusive.
    Neutral,
    /// The check itself did not work.
    Error,
}

impl Verdict {
    /// Reads a provider's word in any case; unknown words are `None`, never a pass.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "pass" => Self::Pass,
            "fail" | "hardfail" => Self::Fail,
            "softfail" => Self::Softfail,
            "neutral" | "none" | "gray" => Self::Neutral,
            "temperror" | "permerror" | "processing_failed" => Self::Error,
            _ => return None,
        })
    }
}

/// What the provider asserts about a message. `None` = it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    /// RFC 7208.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf: Option<Verdict>,
    /// Domain that SPF was asked about: MAIL FROM's, else HELO's. `None` = the envelope's, where the door knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf_domain: Option<String>,
    /// RFC 6376: `Pass` where any signature passed. Which domains' stands beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim: Option<Verdict>,
    /// Domains (`d=`) whose signature passed, at most [`DKIM_DOMAINS_MAX`]; empty where nobody names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dkim_domains: Vec<String>,
    /// RFC 7489.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Verdict>,
    /// Domain that DMARC was asked about. `None` = the one in From.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc_domain: Option<String>,
    /// RFC 8617: recorded, decides nothing. Whoever sealed the chain is not known to be honest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arc: Option<Verdict>,
    /// `Fail` = the provider calls it spam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spam: Option<Verdict>,
    /// `Fail` = the provider found a virus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virus: Option<Verdict>,
    /// Who asserted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asserted_by: Option<String>,
    /// The provider scans for viruses: attachments without its `Pass` are withheld.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scans_for_viruses: bool,
}

impl Verdicts {
    /// True where nobody says anything of the author: neither DKIM nor DMARC.
    #[must_use]
    pub const fn leaves_author_open(&self) -> bool {
        self.dkim.is_none() && self.dmarc.is_none()
    }

    /// Adds a domain whose signature passed.
    pub fn add_dkim_domain(&mut self, domain: &str) {
        let domain = comparable(domain);
        if !domain.is_empty() && self.dkim_domains.len() < DKIM_DOMAINS_MAX && !self.dkim_domains.contains(&domain) {
            self.dkim_domains.push(domain);
        }
    }

    /// True where attachments must not be taken out of the raw: a scanner stands there and did not pass them.
    #[must_use]
    pub fn withhold_attachments(&self) -> bool {
        self.scans_for_viruses && self.virus != Some(Verdict::Pass)
    }

    /// Scanners that came to no verdict, as flags.
    #[must_use]
    pub fn doubts(&self) -> Vec<&'static str> {
        let unsure = |verdict| matches!(verdict, Some(Verdict::Neutral | Verdict::Error));
        let mut doubts = Vec::new();
        if unsure(self.spam) {
            doubts.push("spam-unsure");
        }
        if unsure(self.virus) {
            doubts.push("virus-unsure");
        }
        doubts
    }
}
