//! SDK clients for the engines: no retries, no time-outs, any key. The type is the one that the functions get.

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig, retry::RetryConfig,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use postern::aws::Clients;

use super::{Endpoints, KEY, REGION};

/// Port 9 of loopback (discard): nobody listens there.
const NOBODY: &str = "http://127.0.0.1:9";

impl Endpoints {
    /// DynamoDB and S3 clients, by `http` or by a plain HTTP client of their own.
    pub fn clients(&self, http: Option<SharedHttpClient>) -> (aws_sdk_dynamodb::Client, aws_sdk_s3::Client) {
        let Clients { dynamodb, s3, .. } = self.all_clients(http);
        (dynamodb, s3)
    }

    /// All clients of the functions. There is no Secrets Manager: local secrets are files.
    pub fn all_clients(&self, http: Option<SharedHttpClient>) -> Clients {
        let http = http.unwrap_or_else(|| aws_smithy_http_client::Builder::new().build_http());
        let at = |url: &str| if url.is_empty() { NOBODY.to_owned() } else { url.to_owned() };
        // The builders share no trait.
        macro_rules! settings {
            ($service:ident, $endpoint:expr) => {
                $service::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(Region::new(REGION))
                    .credentials_provider(Credentials::new(KEY, KEY, None, None, "postern-local"))
                    .identity_cache(IdentityCache::no_cache())
                    .endpoint_url(at($endpoint))
                    .http_client(http.clone())
                    .retry_config(RetryConfig::disabled())
                    .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            };
        }
        Clients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(settings!(aws_sdk_dynamodb, &self.dynamodb).build()),
            s3: aws_sdk_s3::Client::from_conf(settings!(aws_sdk_s3, &self.s3).force_path_style(true).build()),
            secrets: aws_sdk_secretsmanager::Client::from_conf(settings!(aws_sdk_secretsmanager, "").build()),
            sqs: aws_sdk_sqs::Client::from_conf(settings!(aws_sdk_sqs, &self.sqs).build()),
            sns: aws_sdk_sns::Client::from_conf(settings!(aws_sdk_sns, &self.sns).build()),
        }
    }
}
