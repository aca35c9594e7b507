//! The environment, read once. Every fault is found and named before the function starts.
//!
//! | variable | meaning |
//! |---|---|
//! | `POSTERN_TABLE`, `POSTERN_BUCKET` | table and bucket |
//! | `POSTERN_ADDRESS` and its companions | the default mailbox and its doors: `config/environment.rs` |
//! | `POSTERN_MASTER_SECRET`, `POSTERN_OPERATOR_SECRET` | Secrets Manager ARN or name; `file:PATH` for the local run |
//! | `POSTERN_RETRY_QUEUE` | URL of the retry queue: `webhook` and `poll` send to it, `retry` works it off |
//! | `POSTERN_RECEIPT_QUEUE` | URL of the queue of SES receipts: `receipt` |
//! | `POSTERN_NET_QUEUE`, `POSTERN_DEAD_QUEUE` | URLs of the safety net's and the dead letters' queue: `retry` |
//! | `POSTERN_POLL_QUEUE` | URL of the queue of doors that are to be polled: `poll` sends to it and works it off |
//! | `POSTERN_EVENTS_TOPIC` | ARN of the topic of ticket events: `publish` |
//! | `POSTERN_STACK` | name of the stack, by which metrics are told apart |
//! | `AWS_ENDPOINT_URL_DYNAMODB`, `_S3`, `_SQS`, `_SNS`, `_SECRETS_MANAGER` | non-empty: this service at this endpoint, path style; wins over the next two |
//! | `POSTERN_AWS_ENDPOINT` | non-empty: all services at this endpoint; wins over the next one |
//! | `AWS_ENDPOINT_URL` | the same, as AWS's own tools spell it and emulators of AWS set it in their functions |
//! | `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | set by Lambda |

mod environment;

use std::fmt;

use thiserror::Error;

pub use self::environment::{DEFAULT_MAILBOX, environment_secrets, settings};
use crate::{secrets::OperatorSecrets, settings::Settings};

/// Which function asks. Each is given only what it needs, and asked only for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The HTTP door.
    Webhook,
    /// SES receipts.
    Receipt,
    /// What is safe and not decided yet.
    Retry,
    /// Ticket events.
    Publish,
    /// Mailboxes elsewhere.
    Poll,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Webhook, Self::Receipt, Self::Retry, Self::Publish, Self::Poll];

    /// The variables that it cannot start without; AWS's own stand beside them.
    #[must_use]
    pub const fn requires(self) -> &'static [&'static str] {
        match self {
            Self::Webhook => &[
                "POSTERN_TABLE",
                "POSTERN_BUCKET",
                "POSTERN_MASTER_SECRET",
                "POSTERN_OPERATOR_SECRET",
                "POSTERN_RETRY_QUEUE",
                "POSTERN_ADDRESS",
            ],
            Self::Receipt => &[
                "POSTERN_TABLE",
                "POSTERN_BUCKET",
                "POSTERN_MASTER_SECRET",
                "POSTERN_RECEIPT_QUEUE",
                "POSTERN_ADDRESS",
            ],
            Self::Retry => &[
                "POSTERN_TABLE",
                "POSTERN_BUCKET",
                "POSTERN_MASTER_SECRET",
                "POSTERN_OPERATOR_SECRET",
                "POSTERN_RETRY_QUEUE",
                "POSTERN_NET_QUEUE",
                "POSTERN_DEAD_QUEUE",
                "POSTERN_ADDRESS",
            ],
            Self::Publish => &["POSTERN_TABLE", "POSTERN_EVENTS_TOPIC"],
            Self::Poll => &[
                "POSTERN_TABLE",
                "POSTERN_BUCKET",
                "POSTERN_MASTER_SECRET",
                "POSTERN_OPERATOR_SECRET",
                "POSTERN_RETRY_QUEUE",
                "POSTERN_POLL_QUEUE",
                "POSTERN_ADDRESS",
            ],
        }
    }
}

/// URLs of the queues; empty where the function does not use one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueUrls {
    /// What is safe and not decided yet.
    pub retry: String,
    /// SES receipts.
    pub receipt: String,
    /// The safety net: every raw object, 15 minutes after it was written.
    pub net: String,
    /// Dead letters of the others.
    pub dead: String,
    /// Doors that are to be polled.
    pub poll: String,
}

/// Everything that is wrong, at once.
#[derive(Debug, Error)]
#[error("configuration: {}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

/// Static credentials out of the environment.
#[derive(Clone)]
pub struct AwsCredentials {
    /// Key id.
    pub access_key_id: String,
    /// Secret key.
    pub secret_access_key: String,
    /// Session token of a role.
    pub session_token: Option<String>,
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsCredentials(***)")
    }
}

/// Where AWS is.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    /// Region.
    pub region: String,
    /// Credentials.
    pub credentials: AwsCredentials,
    /// DynamoDB, when not at AWS.
    pub dynamodb: Option<String>,
    /// S3, when not at AWS; path style then.
    pub s3: Option<String>,
    /// SQS, when not at AWS.
    pub sqs: Option<String>,
    /// SNS, when not at AWS.
    pub sns: Option<String>,
    /// Secrets Manager, when not at AWS.
    pub secrets: Option<String>,
}

/// The configuration of a function.
#[derive(Clone, Debug)]
pub struct Config {
    /// AWS.
    pub aws: AwsConfig,
    /// Table.
    pub table: String,
    /// Bucket.
    pub bucket: String,
    /// Mailboxes and doors that the environment describes; stored ones win.
    pub settings: Settings,
    /// Master secret: ARN, name or `file:PATH`.
    pub master_secret: String,
    /// Operator's secret: ARN, name or `file:PATH`.
    pub operator_secret: String,
    /// Credentials that the environment holds.
    pub environment_secrets: OperatorSecrets,
    /// Queues.
    pub queues: QueueUrls,
    /// Topic of ticket events, an ARN.
    pub events_topic: String,
}

/// Name of the stack that the function belongs to: metrics are told apart by it. Read before all else, so that a fault of
/// the configuration is told in the right form.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one file where the environment is read")]
pub fn stack() -> Option<String> {
    std::env::var("POSTERN_STACK").ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// All faults found.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn from_env(function: Function) -> Result<Self, ConfigError> {
        Self::read(function, |name| std::env::var(name).ok())
    }

    /// Reads any environment.
    ///
    /// # Errors
    /// All faults found.
    pub fn read(function: Function, environment: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let lookup = |name: &str| environment(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let mut faults = Vec::new();
        let mut required = |name: &str| {
            lookup(name).unwrap_or_else(|| {
                faults.push(format!("{name} is not set"));
                String::new()
            })
        };
        let everywhere = lookup("POSTERN_AWS_ENDPOINT").or_else(|| lookup("AWS_ENDPOINT_URL"));
        let at = |service: &str| lookup(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| everywhere.clone());
        let aws = AwsConfig {
            region: required("AWS_REGION"),
            credentials: AwsCredentials {
                access_key_id: required("AWS_ACCESS_KEY_ID"),
                secret_access_key: required("AWS_SECRET_ACCESS_KEY"),
                session_token: lookup("AWS_SESSION_TOKEN"),
            },
            dynamodb: at("DYNAMODB"),
            s3: at("S3"),
            sqs: at("SQS"),
            sns: at("SNS"),
            secrets: at("SECRETS_MANAGER"),
        };
        // The address is told with what stands in it, below.
        let mut of_ours = |name: &str| {
            let wanted = function.requires().contains(&name);
            if wanted { required(name) } else { String::new() }
        };
        let table = of_ours("POSTERN_TABLE");
        let bucket = of_ours("POSTERN_BUCKET");
        let master_secret = of_ours("POSTERN_MASTER_SECRET");
        let operator_secret = of_ours("POSTERN_OPERATOR_SECRET");
        let events_topic = of_ours("POSTERN_EVENTS_TOPIC");
        let queues = QueueUrls {
            retry: of_ours("POSTERN_RETRY_QUEUE"),
            receipt: of_ours("POSTERN_RECEIPT_QUEUE"),
            net: of_ours("POSTERN_NET_QUEUE"),
            dead: of_ours("POSTERN_DEAD_QUEUE"),
            poll: of_ours("POSTERN_POLL_QUEUE"),
        };
        let settings = match function {
            Function::Publish => Settings::default(),
            Function::Webhook | Function::Receipt | Function::Retry | Function::Poll => settings(&lookup, &mut faults),
        };
        let environment_secrets = environment_secrets(&lookup);
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        Ok(Self {
            aws,
            table,
            bucket,
            settings,
            master_secret,
            operator_secret,
            environment_secrets,
            queues,
            events_topic,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn full() -> HashMap<&'static str, &'static str> {
        HashMap::from([
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("POSTERN_TABLE", "table"),
            ("POSTERN_BUCKET", "bucket"),
            ("POSTERN_MASTER_SECRET", "file:a"),
            ("POSTERN_OPERATOR_SECRET", "file:b"),
            ("POSTERN_ADDRESS", "support@example.com"),
            ("POSTERN_RETRY_QUEUE", "https://sqs/1/retry"),
        ])
    }

    fn read(environment: &HashMap<&'static str, &'static str>) -> Result<Config, ConfigError> {
        read_for(Function::Webhook, environment)
    }

    fn read_for(function: Function, environment: &HashMap<&'static str, &'static str>) -> Result<Config, ConfigError> {
        Config::read(function, |name| environment.get(name).map(|v| (*v).to_owned()))
    }

    #[test]
    fn every_missing_variable_is_named_at_once() {
        for function in Function::ALL {
            let ConfigError(faults) = read_for(function, &HashMap::new()).unwrap_err();
            let named = |name: &&str| faults.iter().any(|fault| fault.contains(*name));
            let ours = faults.iter().filter(|fault| fault.starts_with("POSTERN_")).count();
            assert!(function.requires().iter().all(named), "{function:?}: {faults:?}");
            assert_eq!(ours, function.requires().len(), "{function:?} asks for nothing else: {faults:?}");
        }
        for name in full().keys() {
            let mut environment = full();
            environment.insert(name, "  ");
            let ConfigError(faults) = read(&environment).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains(name), "blank {name}: {faults:?}");
        }
    }

    #[test]
    fn one_endpoint_for_all_or_one_each() {
        let mut environment = full();
        environment.insert("POSTERN_AWS_ENDPOINT", "http://all");
        environment.insert("AWS_ENDPOINT_URL_S3", "http://s3");
        let config = read(&environment).unwrap();
        assert_eq!(config.aws.dynamodb.as_deref(), Some("http://all"));
        assert_eq!(config.aws.s3.as_deref(), Some("http://s3"));
        environment.insert("POSTERN_AWS_ENDPOINT", "");
        assert_eq!(read(&environment).unwrap().aws.dynamodb, None, "declared and empty is AWS itself");
        environment.insert("AWS_ENDPOINT_URL", "http://standard");
        let aws = read(&environment).unwrap().aws;
        assert_eq!(aws.dynamodb.as_deref(), Some("http://standard"), "the SDKs' own variable, where ours is empty");
        assert_eq!(aws.s3.as_deref(), Some("http://s3"), "one service's own wins");
        environment.insert("POSTERN_AWS_ENDPOINT", "http://all");
        assert_eq!(read(&environment).unwrap().aws.dynamodb.as_deref(), Some("http://all"), "ours wins");
    }

    #[test]
    fn bad_values_are_told() {
        for (name, value, expected) in [
            ("POSTERN_ADDRESS", "nobody", "not an e-mail address"),
            ("POSTERN_PREFIX", "inc", "2 to 8 letters"),
            ("POSTERN_HELD_DAYS", "a week", "number of days"),
            ("POSTERN_REPLY_MODE", "minus", "`plus`, `subdomain` or `off`"),
        ] {
            let mut environment = full();
            environment.insert(name, value);
            let error = read(&environment).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_credentials() {
        assert!(!format!("{:?}", read(&full()).unwrap()).contains("\"secret\""));
    }
}
