//! SES receipts as SNS posts them, and a door that knows the topic and where certificates lie.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use postern::{
    door::{Door, Doors, Provider},
    providers::sns::Certificates,
    settings::{Settings, SettingsSource},
};
use postern_webhook::App;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use super::{RECIPIENT, SENDER, post};
use crate::{
    harness::fake_https::FakeHttps,
    world::{World, now},
};

/// The one topic on the door's list.
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:receipts";
/// Where its region's SNS keeps the certificate.
pub(crate) const CERTIFICATE_URL: &str =
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";
/// The certificate of the key that these requests are signed with.
pub(crate) const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/signatures/certificate.pem");

const KEY: &[u8] = include_bytes!("../../fixtures/signatures/test-only-key.pk8");

/// A host of certificates that has ours.
pub(crate) fn certificate_host() -> FakeHttps {
    let host = FakeHttps::default();
    host.put_body(CERTIFICATE_URL, "application/x-pem-file", CERTIFICATE);
    host
}

/// The same door, with the topic on the list of `ses`, and certificates from there.
pub(crate) fn listening(app: App, world: &World, host: &FakeHttps) -> App {
    let door = Door { topics: vec![TOPIC.to_owned()], ..Door::own(Provider::Ses) };
    let doors = Doors::new(vec![door], &world.mailboxes).unwrap();
    let settings = Settings { mailboxes: world.mailboxes.clone(), doors, ..Settings::default() };
    App {
        settings: SettingsSource::fixed(settings, app.ingest.ambient.clone()),
        certificates: Certificates::new(host.outbound()),
        ..app
    }
}

/// One message of SNS.
#[derive(Clone, Debug)]
pub(crate) struct Sns {
    pub(crate) path: String,
    pub(crate) json: Value,
}

impl Sns {
    fn new(kind: &str, id: &str, message: &str) -> Self {
        let json = json!({
            "Type": kind, "MessageId": id, "TopicArn": TOPIC, "Message": message, "Timestamp": now().to_string(),
            "SignatureVersion": "2", "SigningCertURL": CERTIFICATE_URL,
        });
        Self { path: "/inbound/ses".to_owned(), json }
    }

    /// A notification, well signed.
    pub(crate) fn notification(id: &str, message: &str) -> Self {
        let subject = json!("Amazon SES Email Receipt Notification");
        Self::new("Notification", id, message).set("Subject", subject).signed()
    }

    /// A receipt whose mail comes along: the SNS action.
    pub(crate) fn mail(delivery: &str, mime: &[u8]) -> Self {
        let at = now().to_string();
        let receipt = json!({
            "notificationType": "Received",
            "mail": { "timestamp": at, "source": SENDER, "messageId": delivery },
            "receipt": {
                "timestamp": at, "recipients": [RECIPIENT], "spamVerdict": { "status": "PASS" },
                "virusVerdict": { "status": "PASS" },
                "action": { "type": "SNS", "topicArn": TOPIC, "encoding": "BASE64" },
            },
            "content": BASE64_STANDARD.encode(mime),
        });
        Self::notification(delivery, &receipt.to_string())
    }

    /// The topic asks whether it may deliver.
    pub(crate) fn subscription(token: &str) -> Self {
        Self::new("SubscriptionConfirmation", "s", "You have chosen to subscribe").confirming(token)
    }

    /// It says that it does no longer.
    pub(crate) fn unsubscription(token: &str) -> Self {
        Self::new("UnsubscribeConfirmation", "u", "You have chosen to deactivate").confirming(token)
    }

    fn confirming(self, token: &str) -> Self {
        self.set("Token", json!(token)).set("SubscribeURL", json!("https://evil.example/?Action=Confirm")).signed()
    }

    /// Another field; the signature stays.
    pub(crate) fn set(mut self, name: &str, value: Value) -> Self {
        self.json[name] = value;
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.json.as_object_mut().unwrap().remove(name);
        self
    }

    /// Signed anew, version 2, as it stands.
    pub(crate) fn signed(self) -> Self {
        let mut names = vec!["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
        if self.json["Type"] == "Notification" {
            names = vec!["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
        }
        let pairs = names.into_iter().filter_map(|name| Some(format!("{name}\n{}\n", self.json[name].as_str()?)));
        let text: String = pairs.collect();
        let key = RsaKeyPair::from_pkcs8(KEY).unwrap();
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        self.set("Signature", json!(BASE64_STANDARD.encode(signature)))
    }

    pub(crate) fn at(self, time: Timestamp) -> Self {
        self.set("Timestamp", json!(time.to_string())).signed()
    }

    pub(crate) fn request(&self) -> Request<Bytes> {
        let mut request = post(&self.path, "text/plain; charset=UTF-8", self.json.to_string());
        for (name, field) in [("x-amz-sns-message-type", "Type"), ("x-amz-sns-topic-arn", "TopicArn")] {
            if let Some(value) = self.json[field].as_str() {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        request
    }

    /// The requests of somebody who is not the topic, each with what is wrong.
    pub(crate) fn forgeries(mime: &[u8]) -> Vec<(&'static str, Request<Bytes>)> {
        let good = Self::mail("forged", mime);
        let other = Self::mail("another", mime).json["Message"].clone();
        let set = |name: &str, value: Value| good.clone().set(name, value).request();
        let host = |url: &str| set("SigningCertURL", json!(url));
        vec![
            ("another message", set("Message", other)),
            ("another id", set("MessageId", json!("x"))),
            ("another subject", set("Subject", json!("x"))),
            ("no subject", good.clone().without("Subject").request()),
            (
                "another type",
                good.clone()
                    .set("SubscribeURL", json!("u"))
                    .set("Token", json!("k"))
                    .set("Type", json!("SubscriptionConfirmation"))
                    .request(),
            ),
            ("a type of nobody", set("Type", json!("Greeting"))),
            ("no type", good.clone().without("Type").request()),
            ("version 1 with a signature of version 2", set("SignatureVersion", json!("1"))),
            ("a version to come", set("SignatureVersion", json!("3"))),
            ("no version", good.clone().without("SignatureVersion").request()),
            ("no signature", good.clone().without("Signature").request()),
            ("an empty signature", set("Signature", json!(""))),
            ("no Base64", set("Signature", json!("%"))),
            ("a signature that is no text", set("Signature", json!(1))),
            ("no certificate", good.clone().without("SigningCertURL").request()),
            ("a certificate of another host", host("https://evil.example/SimpleNotificationService-0.pem")),
            ("a certificate of another region", host("https://sns.us-east-1.amazonaws.com/a.pem")),
            ("a certificate in a bucket", host("https://sns.s3-eu-central-1.amazonaws.com/a.pem")),
            ("a certificate without TLS", host(&CERTIFICATE_URL.replace("https", "http"))),
            ("another topic, well signed", good.clone().set("TopicArn", json!(format!("{TOPIC}2"))).signed().request()),
            (
                "a topic of the same name elsewhere",
                good.clone().set("TopicArn", json!(TOPIC.replace("123456789012", "210987654321"))).signed().request(),
            ),
            ("no topic", good.without("TopicArn").request()),
        ]
    }
}
