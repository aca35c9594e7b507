//! What mail systems report about mail of ours: who was not reached, why, and by which mail.
//!
//! Reports with a delivery-status part (RFC 3464, RFC 6533) are read field by field; the many that are prose are read
//! from their wording. Prose is only *read* here: whether the mail is a bounce is said in `classify`, which knows the
//! sender and the envelope.

mod addresses;
mod notice;
mod original;
mod prose;
mod status;
mod status_part;
mod wordings;

use serde::Serialize;

use super::mime::Tree;
use crate::{headers::Headers, message_id::MessageId};

pub use notice::Notice;
pub(crate) use notice::{OPENING_MAX, in_first_person, says_undelivered};

/// Recipients kept. A list's bounce may name thousands.
pub(crate) const RECIPIENTS_MAX: usize = 1_000;
/// Octets of a diagnostic kept: a reply of several lines fits, a log does not.
const DIAGNOSTIC_OCTETS_MAX: usize = 1_024;

/// What a report says of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecipientReport {
    /// Original (else final) recipient.
    pub recipient: String,
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`; another word as it stands.
    pub action: Option<String>,
    /// RFC 3463 code: given, else derived from the SMTP reply or the wording.
    pub status: Option<String>,
    /// True: the address is wrong (nobody there, no such domain, moved). False: another mail or another day may get
    /// through. `None`: nothing was refused, or nothing is known.
    pub hard: Option<bool>,
    /// What the remote system said, on one line, at most 1 KiB.
    pub diagnostic: Option<String>,
}

/// What a delivery report says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryReport {
    /// Original (else final) recipients: whom our mail was addressed to. Where a report tells of failures and of
    /// successes, those who were not reached.
    pub recipients: Vec<String>,
    /// Each recipient with what befell him, those who were reached included.
    pub details: Vec<RecipientReport>,
    /// Action of the first recipient.
    pub action: Option<String>,
    /// Status of the first recipient.
    pub status: Option<String>,
    /// [`RecipientReport::hard`] of the first recipient.
    pub hard: Option<bool>,
    /// Diagnostic of the first recipient.
    pub diagnostic: Option<String>,
    /// Message-ID of the mail that is spoken of, from wherever the report quotes it.
    pub original_message_id: Option<MessageId>,
    /// Its subject.
    pub original_subject: Option<String>,
    /// Whom it was addressed to by its header.
    pub original_to: Vec<String>,
    /// True where a delivery-status part says so, false where it was read from prose.
    pub structured: bool,
}

impl DeliveryReport {
    /// True where nobody of those named was refused: every action is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        !self.details.is_empty() && self.details.iter().all(RecipientReport::reached)
    }

    /// True where the mail system is still trying for everybody.
    #[must_use]
    pub fn is_delay(&self) -> bool {
        !self.details.is_empty() && self.details.iter().all(|one| one.action.as_deref() == Some("delayed"))
    }

    /// Fills what is told of the first recipient and the list of those not reached.
    fn summarise(&mut self) {
        let all = self.is_success();
        let missed = self.details.iter().filter(|one| all || !one.reached());
        self.recipients = missed.clone().map(|one| one.recipient.clone()).collect();
        if let Some(first) = missed.clone().next() {
            self.action.clone_from(&first.action);
            self.status.clone_from(&first.status);
            self.hard = first.hard;
            self.diagnostic.clone_from(&first.diagnostic);
        }
    }
}

impl RecipientReport {
    /// True where there is no code, or one that tells only its class.
    fn says_no_code(&self) -> bool {
        self.status.as_ref().is_none_or(|status| status.ends_with(".0.0"))
    }

    fn is_vague(&self) -> bool {
        self.diagnostic.is_none() || self.says_no_code()
    }

    /// A refusal by a rule of the recipient's: his address is good.
    fn refuse(&mut self) {
        self.action = Some("failed".to_owned());
        if self.says_no_code() {
            self.status = Some("5.7.1".to_owned());
        }
        self.hard = Some(false);
    }

    fn reached(&self) -> bool {
        matches!(self.action.as_deref(), Some("delivered" | "relayed" | "expanded"))
    }
}

/// What was read of reports in a mail.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// What the text says, as signs for `classify`.
    pub(crate) notice: Notice,
    /// The report, by structure or from prose.
    pub(crate) delivery: Option<DeliveryReport>,
}

/// Reads the report of the mail itself. Prose is read wherever it has the form of a notice; see [`Notice`].
pub(crate) fn read(tree: &Tree<'_>, headers: &Headers, text: &str) -> Reports {
    let (section, mut notice) = notice::read(tree, text, headers);
    notice.returned |= original::attached(tree).is_some();
    notice.feedback = original::own_part(tree, "message/feedback-report").is_some();
    notice.disposition = original::disposition(tree).is_some();
    notice.rejection = notice.disposition && notice::is_rejection(&section);
    notice.delivery_status = status_part::parts(tree, &notice).next().is_some() && !notice.rejection;
    let mut report = status_part::read(tree, &notice);
    if report.is_none() && !notice.may_be_report() {
        return Reports { notice, delivery: None };
    }
    let original = original::read(tree, headers, text, &section);
    if report.as_ref().is_none_or(|report| report.details.iter().all(RecipientReport::is_vague)) {
        let told = prose::read(&section, headers, &original, &notice);
        merge(&mut report, told, notice.delivery_status);
    }
    let mut report = report.unwrap_or_default();
    if notice.rejection {
        report.details.iter_mut().for_each(RecipientReport::refuse);
    }
    report.original_message_id = original.message_id;
    report.original_subject = original.subject;
    report.original_to = original.to;
    report.summarise();
    Reports { notice, delivery: Some(report) }
}

/// What the prose adds: everything where the structure names nobody, else the reason it does not give.
fn merge(report: &mut Option<DeliveryReport>, told: Vec<RecipientReport>, structured: bool) {
    let report = report.get_or_insert_with(|| DeliveryReport { structured, ..DeliveryReport::default() });
    if report.details.is_empty() {
        report.details = told;
        return;
    }
    let [one] = report.details.as_mut_slice() else { return };
    let says = |other: &RecipientReport| other.diagnostic.as_deref().is_some_and(status::is_diagnostic);
    let mut same = told.into_iter().filter(|other| other.recipient.eq_ignore_ascii_case(&one.recipient));
    if let Some(same) = same.find(says) {
        if one.says_no_code() {
            let said = same.diagnostic.as_deref().unwrap_or_default();
            let judged = status::judge(one.action.as_deref(), one.status.as_deref(), said);
            (one.status, one.hard) = (judged.status, judged.hard);
        }
        one.diagnostic = one.diagnostic.take().or(same.diagnostic);
    }
}

/// One line, at most [`DIAGNOSTIC_OCTETS_MAX`]; `None` where nothing is left.
fn diagnostic(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = super::fold::prefix(&line, DIAGNOSTIC_OCTETS_MAX).trim();
    (!line.is_empty()).then(|| line.to_owned())
}
