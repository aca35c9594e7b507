//! SDK clients. One crypto provider (ring), the SDK's own retries off: `store/commit.rs` counts its tries itself.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{self, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};

use crate::{config::AwsConfig, secrets::SecretSource};

/// To connect. DynamoDB and S3 answer from the same region within milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// One attempt at a small request. What takes longer hangs, and the function has other things to do in its time.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// One attempt at S3, the body of a request included: 30 MB at 2 MB/s fit.
const OBJECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The clients that the functions use.
#[derive(Clone, Debug)]
pub struct Clients {
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
}

impl Clients {
    /// Clients over HTTPS, or plain HTTP where the endpoint says so.
    #[must_use]
    pub fn new(config: &AwsConfig) -> Self {
        let https = Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
        Self::over(&https, config)
    }

    /// Clients over a given HTTP client: the tests put theirs here.
    #[must_use]
    pub fn over(http: &SharedHttpClient, config: &AwsConfig) -> Self {
        let keys = &config.credentials;
        let credentials = SharedCredentialsProvider::new(Credentials::new(
            &keys.access_key_id,
            &keys.secret_access_key,
            keys.session_token.clone(),
            None,
            "environment",
        ));
        let within = |attempt| {
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(attempt).build()
        };
        // The builders share no trait.
        macro_rules! settings {
            ($service:ident, $endpoint:expr, $retries:expr, $attempt:expr) => {{
                let mut settings = $service::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .http_client(http.clone())
                    .credentials_provider(credentials.clone())
                    .region(Region::new(config.region.clone()))
                    .retry_config($retries)
                    .timeout_config(within($attempt));
                settings.set_endpoint_url($endpoint.clone());
                settings
            }};
        }
        let dynamodb = settings!(aws_sdk_dynamodb, config.dynamodb, RetryConfig::disabled(), ATTEMPT_TIMEOUT);
        let s3 = settings!(aws_sdk_s3, config.s3, RetryConfig::disabled(), OBJECT_TIMEOUT)
            .force_path_style(config.s3.is_some());
        let secrets = settings!(aws_sdk_secretsmanager, config.secrets, RetryConfig::standard(), ATTEMPT_TIMEOUT);
        // A message sent twice does nothing twice: the ledger row and the event's id see to that.
        let sqs = settings!(aws_sdk_sqs, config.sqs, RetryConfig::disabled(), ATTEMPT_TIMEOUT);
        let sns = settings!(aws_sdk_sns, config.sns, RetryConfig::disabled(), ATTEMPT_TIMEOUT);
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            secrets: aws_sdk_secretsmanager::Client::from_conf(secrets.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            sns: aws_sdk_sns::Client::from_conf(sns.build()),
        }
    }

    /// A secret as configured: `file:PATH`, else an ARN or a name.
    #[must_use]
    pub fn secret(&self, configured: &str) -> SecretSource {
        match configured.strip_prefix("file:") {
            Some(path) => SecretSource::File(path.into()),
            None => SecretSource::Manager(self.secrets.clone(), configured.to_owned()),
        }
    }
}
