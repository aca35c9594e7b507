//! An SNS message as it stands in the body: its fields, what of them is signed, and where its certificate may lie.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Rejected;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Something that was published.
    Notification,
    /// The topic asks whether it may deliver here.
    Subscription,
    /// The subscription ended.
    Unsubscription,
}

/// A message. Nothing in it is proven yet.
pub(super) struct Message {
    pub(super) kind: Kind,
    fields: Map<String, Value>,
}

impl Message {
    /// Reads the body. Only text fields count; `null` is as good as missing.
    pub(super) fn read(body: &[u8]) -> Result<Self, Rejected> {
        let fields: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| Rejected::Malformed("the body is no JSON object: SNS posts one".to_owned()))?;
        let kind = match fields.get("Type").and_then(Value::as_str) {
            Some("Notification") => Kind::Notification,
            Some("SubscriptionConfirmation") => Kind::Subscription,
            Some("UnsubscribeConfirmation") => Kind::Unsubscription,
            Some(_) => return Err(unsigned("Type is none that SNS sends")),
            None => {
                return Err(unsigned(
                    "this is no signed SNS message: turn off raw message delivery on the subscription",
                ));
            }
        };
        Ok(Self { kind, fields })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// ARN of the topic.
    pub(super) fn topic(&self) -> Result<&str, Rejected> {
        self.text("TopicArn").ok_or_else(|| unsigned("TopicArn is missing"))
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        self.text("Timestamp").and_then(|text| text.parse().ok())
    }

    /// The text that the signature is over.
    pub(super) fn signed_text(&self) -> Result<String, Rejected> {
        let names: &[&str] = match self.kind {
            Kind::Notification => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
            Kind::Subscription | Kind::Unsubscription => {
                &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
            }
        };
        let mut signed = String::new();
        for name in names {
            match self.fields.get(*name) {
                Some(Value::String(value)) => signed.extend([name, "\n", value, "\n"]),
                None | Some(Value::Null) if *name == "Subject" => {}
                _ => return Err(unsigned(&format!("{name} is missing: the message is not signed"))),
            }
        }
        Ok(signed)
    }

    /// Where the certificate lies, if it lies where this topic's SNS keeps its certificates. Messages that went through
    /// a function spell the name otherwise.
    pub(super) fn certificate_url(&self) -> Result<&str, Rejected> {
        let url = ["SigningCertURL", "SigningCertUrl"].into_iter().find_map(|name| self.text(name));
        let url = url.ok_or_else(|| unsigned("SigningCertURL is missing: the message is not signed"))?;
        let host = host(self.topic()?).ok_or_else(|| unsigned("TopicArn is no ARN of a topic"))?;
        if lies_at(url, &host) {
            return Ok(url);
        }
        Err(unsigned(&format!("SigningCertURL is not a .pem file of https://{host}, the topic's SNS")))
    }
}

fn unsigned(why: &str) -> Rejected {
    Rejected::Unauthorized(why.to_owned())
}

/// The SNS endpoint of a topic's region: `arn:aws:sns:REGION:ACCOUNT:NAME`.
fn host(topic: &str) -> Option<String> {
    let parts: Vec<&str> = topic.split(':').collect();
    let ["arn", partition, "sns", region, _, _] = parts.as_slice() else { return None };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let china = if *partition == "aws-cn" { ".cn" } else { "" };
    (region.len() >= 3 && region.bytes().all(plain)).then(|| format!("sns.{region}.amazonaws.com{china}"))
}

/// `https://HOST/NAME.pem` and nothing else: no user, port, folder, query or fragment.
fn lies_at(url: &str, host: &str) -> bool {
    let file = url.strip_prefix("https://").and_then(|rest| rest.strip_prefix(host)?.strip_prefix('/'));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    file.is_some_and(|file| file.ends_with(".pem") && file.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:receipts";

    fn notification() -> Value {
        json!({ "Type": "Notification", "MessageId": "m", "TopicArn": TOPIC, "Message": "hello\n", "Timestamp": "t",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.pem" })
    }

    fn message(json: &Value) -> Message {
        Message::read(json.to_string().as_bytes()).unwrap()
    }

    fn refusal<T>(result: Result<T, Rejected>) -> String {
        result.err().unwrap().to_string()
    }

    #[test]
    fn what_is_signed_follows_the_type() {
        let mut json = notification();
        let without = format!("Message\nhello\n\nMessageId\nm\nTimestamp\nt\nTopicArn\n{TOPIC}\nType\nNotification\n");
        assert_eq!(message(&json).signed_text().unwrap(), without);
        json["Subject"] = Value::Null;
        assert_eq!(message(&json).signed_text().unwrap(), without, "null is not there");
        json["Subject"] = json!("");
        assert_eq!(
            message(&json).signed_text().unwrap(),
            without.replace("Timestamp", "Subject\n\nTimestamp"),
            "empty is there"
        );
        for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
            let mut json = notification();
            json["Type"] = json!(kind);
            assert!(refusal(message(&json).signed_text()).contains("SubscribeURL"));
            json["SubscribeURL"] = json!("u");
            json["Token"] = json!("k");
            json["Subject"] = json!("not signed here");
            let expected = format!(
                "Message\nhello\n\nMessageId\nm\nSubscribeURL\nu\nTimestamp\nt\nToken\nk\nTopicArn\n{TOPIC}\nType\n{kind}\n"
            );
            assert_eq!(message(&json).signed_text().unwrap(), expected);
        }
    }

    #[test]
    fn a_field_of_another_type_is_missing() {
        for name in ["Message", "MessageId", "Timestamp", "TopicArn"] {
            for value in [Value::Null, json!(1), json!({}), json!(["x"])] {
                let mut json = notification();
                json[name] = value;
                assert!(refusal(message(&json).signed_text()).contains(name), "{name}");
            }
        }
        let mut json = notification();
        json["Subject"] = json!(1);
        assert!(refusal(message(&json).signed_text()).contains("Subject"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (body, why) in [
            ("", "no JSON"),
            ("[]", "no JSON"),
            ("{", "no JSON"),
            ("{}", "raw message delivery"),
            (r#"{"notificationType":"Received"}"#, "raw message delivery"),
            (r#"{"Type":1}"#, "raw message delivery"),
            (r#"{"Type":"notification"}"#, "Type"),
        ] {
            assert!(refusal(Message::read(body.as_bytes())).contains(why), "{body}");
        }
    }

    #[test]
    fn certificates_lie_at_the_topics_own_endpoint() {
        let at = |topic: &str, url: &str| {
            let mut json = notification();
            json["TopicArn"] = json!(topic);
            json["SigningCertURL"] = json!(url);
            message(&json).certificate_url().is_ok()
        };
        let good = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem";
        assert!(at(TOPIC, good));
        assert!(at("arn:aws-us-gov:sns:us-gov-west-1:1:x", "https://sns.us-gov-west-1.amazonaws.com/a.pem"));
        assert!(at("arn:aws-cn:sns:cn-north-1:1:x", "https://sns.cn-north-1.amazonaws.com.cn/a.pem"));
        for url in [
            "http://sns.eu-west-1.amazonaws.com/a.pem",
            "HTTPS://sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com.cn/a.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
            "https://user@sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
            "https://sns.eu-west-1.amazonaws.com:443/a.pem",
            "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
            "https://evil.example/?https://sns.eu-west-1.amazonaws.com/a.pem",
            "https://xsns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.s3-eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com/a.pem?Action=x",
            "https://sns.eu-west-1.amazonaws.com/?Action=x&y=.pem",
            "https://sns.eu-west-1.amazonaws.com/a#.pem",
            "https://sns.eu-west-1.amazonaws.com/folder/a.pem",
            "https://sns.eu-west-1.amazonaws.com/%2e%2e/a.pem",
            "https://sns.eu-west-1.amazonaws.com\\@evil.example/a.pem",
            "https://sns.eu-west-1.amazonaws.com/a.pem\n",
            "https://sns.eu-west-1.amazonaws.com/a.pem/",
            "https://sns.eu-west-1.amazonaws.com/",
            "sns.eu-west-1.amazonaws.com/a.pem",
            "",
        ] {
            assert!(!at(TOPIC, url), "{url}");
        }
        for topic in ["", "arn", "arn:aws:sns:s3:1:x", "arn:aws:sqs:eu-west-1:1:x", "arn:aws:sns:evil.example/:1:x"] {
            assert!(!at(topic, good), "{topic}");
        }
        let mut json = notification();
        json["SigningCertUrl"] = json["SigningCertURL"].take();
        assert!(message(&json).certificate_url().is_ok(), "as functions are told");
        json["SigningCertUrl"] = Value::Null;
        assert!(refusal(message(&json).certificate_url()).contains("SigningCertURL is missing"));
    }
}
