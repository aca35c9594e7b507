//! The requests of each way.

use bytes::Bytes;
use http::{Request, header};
use jiff::SignedDuration;
use postern::door::Provider;
use serde_json::json;

use crate::{
    doors::{Encoding, Form, MAILGUN_KEY, Postmark, Proof, SendGrid, post, raw::Raw, sns::Sns},
    world::now,
};

/// Where Mailgun keeps what it tells of.
const STORED: &str = "https://storage-us-east4.api.mailgun.net/v3/domains/us.example/messages/";

/// How mail is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers) enum Way {
    MailgunRaw,
    MailgunParsed,
    MailgunStore,
    PostmarkRaw,
    PostmarkParsed,
    SendgridRaw,
    SendgridParsed,
    Sns,
    RawSigned,
    RawBearer,
}

pub(in crate::providers) const WAYS: [Way; 10] = [
    Way::MailgunRaw,
    Way::MailgunParsed,
    Way::MailgunStore,
    Way::PostmarkRaw,
    Way::PostmarkParsed,
    Way::SendgridRaw,
    Way::SendgridParsed,
    Way::Sns,
    Way::RawSigned,
    Way::RawBearer,
];

impl Way {
    pub(in crate::providers) fn name(self) -> &'static str {
        match self {
            Self::MailgunRaw => "Mailgun raw",
            Self::MailgunParsed => "Mailgun parsed",
            Self::MailgunStore => "Mailgun store",
            Self::PostmarkRaw => "Postmark RawEmail",
            Self::PostmarkParsed => "Postmark parsed",
            Self::SendgridRaw => "SendGrid raw",
            Self::SendgridParsed => "SendGrid parsed",
            Self::Sns => "SNS",
            Self::RawSigned => "raw, signed",
            Self::RawBearer => "raw, bearer key",
        }
    }

    pub(in crate::providers) fn provider(self) -> Provider {
        match self {
            Self::MailgunRaw | Self::MailgunParsed | Self::MailgunStore => Provider::Mailgun,
            Self::PostmarkRaw | Self::PostmarkParsed => Provider::Postmark,
            Self::SendgridRaw | Self::SendgridParsed => Provider::Sendgrid,
            Self::Sns => Provider::Ses,
            Self::RawSigned | Self::RawBearer => Provider::Raw,
        }
    }

    /// SNS proves itself by a certificate.
    pub(in crate::providers) fn has_keys(self) -> bool {
        self != Self::Sns
    }

    pub(in crate::providers) fn has_token(self) -> bool {
        self.provider() == Provider::Mailgun
    }

    /// JSON holds text only; what is stored comes later.
    pub(in crate::providers) fn holds_octets(self) -> bool {
        !matches!(self, Self::PostmarkRaw | Self::PostmarkParsed | Self::MailgunStore)
    }

    /// Octets of a mail whose request Lambda still takes: 6 MB, Base64 but for JSON, some of it twice.
    pub(in crate::providers) fn largest(self) -> usize {
        const MB: usize = 1024 * 1024;
        match self {
            // Without the mail itself.
            Self::MailgunStore => MB,
            Self::Sns => 150 * 1024 / 4 * 3,
            Self::PostmarkRaw => 5 * MB / 2,
            _ => 4 * MB,
        }
    }

    fn mailgun(self, delivery: &str, mime: &[u8]) -> Form {
        let encoding = Encoding::Multipart;
        match self {
            Self::MailgunRaw => Form::mailgun(encoding, delivery, mime),
            Self::MailgunParsed => Form::mailgun_parsed(encoding, delivery, mime),
            _ => {
                // Each mail has a place of its own.
                let url = format!("{STORED}{}", postern::digest::sha256_hex(mime));
                Form::mailgun_stored(encoding, delivery, mime, &url)
            }
        }
    }

    fn postmark(self, delivery: &str, mime: &[u8]) -> Postmark {
        match self {
            Self::PostmarkRaw => Postmark::new(delivery, &String::from_utf8_lossy(mime)),
            _ => Postmark::parsed(delivery, mime),
        }
    }

    fn sendgrid(self, mime: &[u8]) -> SendGrid {
        if self == Self::SendgridRaw { SendGrid::raw(mime) } else { SendGrid::parsed(mime) }
    }

    fn raw(self, delivery: &str, mime: &[u8]) -> Raw {
        match self {
            Self::RawBearer => Raw::unsigned(delivery, mime).bearer(crate::doors::raw::RAW_BEARER),
            _ => Raw::mail(delivery, mime),
        }
    }

    /// A good request of one delivery.
    pub(in crate::providers) fn good(self, delivery: &str, mime: &[u8]) -> Request<Bytes> {
        match self.provider() {
            Provider::Mailgun => self.mailgun(delivery, mime).request(),
            Provider::Postmark => self.postmark(delivery, mime).request(),
            Provider::Sendgrid => self.sendgrid(mime).request(),
            Provider::Ses => Sns::mail(delivery, mime).request(),
            Provider::Raw => self.raw(delivery, mime).request(),
            Provider::Imap => unreachable!("no request comes through a polled door"),
        }
    }

    /// By somebody who has no key.
    pub(in crate::providers) fn forged(self, mime: &[u8]) -> Request<Bytes> {
        match self.provider() {
            Provider::Mailgun => self.mailgun("f", mime).signed("another key", now(), "f").request(),
            Provider::Postmark => self.postmark("f", mime).login(Some("postern:wrong")).request(),
            Provider::Sendgrid => {
                let mut request = self.sendgrid(mime).request();
                *request.body_mut() = self.sendgrid(&[mime, b"more"].concat()).request().into_body();
                request
            }
            Provider::Ses => Sns::mail("f", mime).set("MessageId", json!("another")).request(),
            Provider::Raw if self == Self::RawBearer => Raw::unsigned("f", mime).bearer("another key").request(),
            Provider::Raw => Raw::mail("f", mime).signed("another key", now()).request(),
            Provider::Imap => unreachable!("no request comes through a polled door"),
        }
    }

    pub(in crate::providers) fn unproven(self, mime: &[u8]) -> Request<Bytes> {
        match self.provider() {
            Provider::Mailgun => self.mailgun("f", mime).without("signature").request(),
            Provider::Postmark => self.postmark("f", mime).login(None).request(),
            Provider::Sendgrid => self.sendgrid(mime).proof(Proof::Nothing).request(),
            Provider::Ses => Sns::mail("f", mime).without("Signature").request(),
            Provider::Raw => Raw::unsigned("f", mime).request(),
            Provider::Imap => unreachable!("no request comes through a polled door"),
        }
    }

    /// Proven so many hours from now, where the proof has a time.
    pub(in crate::providers) fn proven_at(self, mime: &[u8], hours: i64) -> Option<Request<Bytes>> {
        let at = now() + SignedDuration::from_hours(hours);
        match self.provider() {
            Provider::Mailgun => Some(self.mailgun("f", mime).signed(MAILGUN_KEY, at, "f").request()),
            Provider::Sendgrid => Some(self.sendgrid(mime).proof(Proof::Signed(at)).request()),
            Provider::Ses => Some(Sns::mail("f", mime).at(at).request()),
            Provider::Raw if self == Self::RawSigned => {
                Some(Raw::unsigned("f", mime).signed(crate::doors::raw::RAW_KEY, at).request())
            }
            Provider::Postmark | Provider::Raw | Provider::Imap => None,
        }
    }

    /// Well proven, and nothing in it that a mail could be made of.
    pub(in crate::providers) fn without_mail(self) -> Request<Bytes> {
        match self.provider() {
            Provider::Mailgun => {
                let form = Form::mailgun(Encoding::Multipart, "u", b"").without("body-mime");
                form.without("recipient").without("sender").request()
            }
            Provider::Postmark => Postmark::new("u", "").with_body("{}"),
            Provider::Sendgrid => {
                let mut empty = self.sendgrid(b"From: x@people.example\r\n\r\nx");
                for name in ["email", "headers", "text", "html", "to", "from", "subject", "cc"] {
                    empty = empty.without(name);
                }
                empty.request()
            }
            Provider::Ses => Sns::notification("u", "{}").request(),
            Provider::Raw => self.raw("u", b"").request(),
            Provider::Imap => unreachable!("no request comes through a polled door"),
        }
    }

    pub(in crate::providers) fn of_wrong_type(self, mime: &[u8]) -> Option<Request<Bytes>> {
        match self.provider() {
            Provider::Mailgun => Some(self.mailgun("t", mime).add("token", b"twice").request()),
            Provider::Postmark => {
                Some(self.postmark("t", mime).set("Headers", json!(7)).set("To", json!([])).request())
            }
            Provider::Sendgrid => Some(self.sendgrid(mime).set("envelope", b"[]").set("charsets", b"7").request()),
            Provider::Ses => Some(Sns::mail("t", mime).set("TopicArn", json!(7)).request()),
            Provider::Raw => None,
            Provider::Imap => unreachable!("no request comes through a polled door"),
        }
    }

    pub(in crate::providers) fn garbage(self) -> Request<Bytes> {
        const GARBAGE: &str = "\u{1}garbage\u{fffd}";
        match self.provider() {
            Provider::Mailgun => post("/inbound/mailgun/mime", "multipart/form-data; boundary=x", GARBAGE),
            Provider::Postmark => Postmark::new("g", "").with_body(GARBAGE),
            Provider::Sendgrid => {
                self.sendgrid(b"x").proven(post("/inbound/sendgrid", "multipart/form-data; boundary=x", GARBAGE))
            }
            Provider::Ses => post("/inbound/ses", "text/plain", GARBAGE),
            // Any octets are a mail.
            Provider::Raw => self.raw("g", GARBAGE.as_bytes()).request(),
            Provider::Imap => unreachable!("no request comes through a polled door"),
        }
    }

    pub(in crate::providers) fn other_webhook(self) -> Option<Request<Bytes>> {
        match self.provider() {
            Provider::Mailgun => Some(super::super::mailgun::tracking_event(MAILGUN_KEY)),
            Provider::Postmark => Some(Postmark::new("d", "").set("RecordType", json!("Delivery")).request()),
            Provider::Sendgrid => {
                let events = json!([{ "event": "delivered", "sg_event_id": "x" }]).to_string();
                Some(self.sendgrid(b"x").proven(post("/inbound/sendgrid", "application/json", events)))
            }
            Provider::Ses => Some(Sns::notification("d", r#"{"notificationType":"Bounce"}"#).request()),
            Provider::Raw => {
                let mut form = self.raw("d", b"a=b&c=d").request();
                let urlencoded = "application/x-www-form-urlencoded".parse().unwrap();
                form.headers_mut().insert(header::CONTENT_TYPE, urlencoded);
                Some(form)
            }
            Provider::Imap => unreachable!("no request comes through a polled door"),
        }
    }
}
