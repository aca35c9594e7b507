//! Credentials and region as the AWS CLI finds them, and the clients made with them.

use std::time::Duration;

use anyhow::{anyhow, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_smithy_http_client::{
    Builder,
    tls::{self, rustls_provider::CryptoMode},
};

use crate::args::Aws;

/// To connect, from anywhere.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// One attempt, the body included: a mail of 40 MB over a slow line.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Clients of everything that a stack consists of.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudFormation.
    pub cloudformation: aws_sdk_cloudformation::Client,
    /// DynamoDB, without retries of its own: `Store` counts its tries.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// S3, without retries of its own.
    pub s3: aws_sdk_s3::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// SES, the API that knows receipt rules.
    pub ses: aws_sdk_ses::Client,
    /// SQS, without retries of its own.
    pub sqs: aws_sdk_sqs::Client,
}

/// Somebody's credentials in a region.
#[derive(Clone, Debug)]
pub struct Session {
    /// The region.
    pub region: String,
    /// Clients.
    pub clients: Clients,
}

impl Session {
    /// Finds region and credentials.
    ///
    /// # Errors
    /// In words: what was looked for and what to set.
    pub async fn open(aws: &Aws) -> anyhow::Result<Self> {
        let https = Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https).timeout_config(timeouts);
        if let Some(region) = &aws.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &aws.profile {
            loader = loader.profile_name(profile);
        }
        let sdk = loader.load().await;
        let Some(region) = sdk.region().map(ToString::to_string).filter(|region| !region.is_empty()) else {
            bail!("no AWS region is set; use --region, AWS_REGION, or `region` in the profile of ~/.aws/config");
        };
        let provider = sdk.credentials_provider().ok_or_else(|| anyhow!(no_credentials(aws)))?;
        match provider.provide_credentials().await {
            Ok(_) => Ok(Self { region, clients: clients(&sdk) }),
            Err(CredentialsError::CredentialsNotLoaded(_)) => bail!(no_credentials(aws)),
            Err(error) => {
                let mut why = error.to_string();
                let mut source = std::error::Error::source(&error);
                while let Some(inner) = source {
                    why = format!("{why}: {inner}");
                    source = inner.source();
                }
                bail!("the AWS credentials cannot be used: {why}; renew them (e.g. `aws sso login`) and try again")
            }
        }
    }
}

fn no_credentials(aws: &Aws) -> String {
    let profile = aws.profile.as_ref().map_or_else(|| "the profile".to_owned(), |name| format!("profile {name}"));
    format!(
        "no AWS credentials were found: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not in {profile} of \
         ~/.aws/config and ~/.aws/credentials (keys, SSO, assumed role, credential_process), no web identity, no role of \
         a container or an instance; set one of them, or name a profile by --profile or AWS_PROFILE"
    )
}

fn clients(sdk: &SdkConfig) -> Clients {
    // The builders share no trait.
    macro_rules! without_retries {
        ($service:ident) => {
            $service::config::Builder::from(sdk).retry_config(RetryConfig::disabled())
        };
    }
    // An emulator at one address for all has no host name for each bucket.
    let path_style = sdk.endpoint_url().is_some();
    let s3 = without_retries!(aws_sdk_s3).force_path_style(path_style).build();
    Clients {
        cloudformation: aws_sdk_cloudformation::Client::new(sdk),
        dynamodb: aws_sdk_dynamodb::Client::from_conf(without_retries!(aws_sdk_dynamodb).build()),
        lambda: aws_sdk_lambda::Client::new(sdk),
        s3: aws_sdk_s3::Client::from_conf(s3),
        secrets: aws_sdk_secretsmanager::Client::new(sdk),
        ses: aws_sdk_ses::Client::new(sdk),
        sqs: aws_sdk_sqs::Client::from_conf(without_retries!(aws_sdk_sqs).build()),
    }
}
