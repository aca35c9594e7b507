//! A deployed stack, found by CloudFormation: what it consists of, and clients that speak to it.
//!
//! Credentials, profile and region are found as the AWS CLI finds them (crate `aws-config`).

mod session;
pub mod trouble;

use std::collections::BTreeMap;

use anyhow::bail;
use aws_sdk_cloudformation::{error::ProvideErrorMetadata, types::StackStatus};
use postern::{config, secrets::SecretSource, settings::Settings};

pub use session::{Clients, Session};
use trouble::AwsTrouble;

use crate::args::Aws;

/// Why a stack cannot be used, in words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StackError {
    /// None of that name.
    #[error("there is no stack {name} in region {region}; --region names another region, --profile another account")]
    Missing {
        /// Name.
        name: String,
        /// Region.
        region: String,
    },
    /// Its resources are not there yet.
    #[error("stack {name} is still being created ({status}); try again when it is CREATE_COMPLETE")]
    Creating {
        /// Name.
        name: String,
        /// CloudFormation's word.
        status: String,
    },
    /// Its resources are not there, or not for long.
    #[error(
        "stack {name} is {status}: it holds no running Postern; `aws cloudformation describe-stack-events --stack-name \
         {name}` says why, `sam deploy` makes it anew once it is deleted"
    )]
    Broken {
        /// Name.
        name: String,
        /// CloudFormation's word.
        status: String,
    },
    /// An output that this program needs.
    #[error(
        "stack {name} has no output {output}: it is not Postern's, or of another version; deploy the template of this one"
    )]
    NoOutput {
        /// Name.
        name: String,
        /// Output.
        output: String,
    },
    /// Parameters that describe no mailbox.
    #[error("the parameters of stack {name} describe no mailbox: {why}; deploy it again with others")]
    Parameters {
        /// Name.
        name: String,
        /// What is wrong with them.
        why: String,
    },
}

/// Outputs that the template of this version has, whatever its parameters.
pub const OUTPUTS: [&str; 10] = [
    "TableName",
    "BucketName",
    "RetryQueueUrl",
    "ReceiptQueueUrl",
    "NetQueueUrl",
    "DeadQueueUrl",
    "EventsTopicArn",
    "MasterSecretArn",
    "OperatorSecretArn",
    "ApiUrl",
];

/// Variables of the functions (`config.rs`) and the parameters that the template fills them from.
const MAILBOX_PARAMETERS: [(&str, &str); 13] = [
    ("POSTERN_ADDRESS", "Address"),
    ("POSTERN_PREFIX", "TicketPrefix"),
    ("POSTERN_NUMBER_YEAR", "NumberYear"),
    ("POSTERN_REPLY_MODE", "ReplyMode"),
    ("POSTERN_MAILGUN_SPAM_FIELDS", "MailgunSpamFields"),
    ("POSTERN_POSTMARK_SPAM_FIELDS", "PostmarkSpamFields"),
    ("POSTERN_SENDGRID_SPAM_FIELDS", "SendgridSpamFields"),
    ("POSTERN_MAILGUN_DOMAINS", "MailgunDomains"),
    ("POSTERN_MAILGUN_REGION", "MailgunRegion"),
    ("POSTERN_SNS_TOPICS", "SnsTopics"),
    ("POSTERN_RAW_DAYS", "RawDays"),
    ("POSTERN_HELD_DAYS", "HeldDays"),
    ("POSTERN_LEDGER_DAYS", "LedgerDays"),
];

/// A deployed stack.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// CloudFormation's word for its state, e.g. `UPDATE_COMPLETE`.
    pub status: String,
    /// Clients in its region.
    pub clients: Clients,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// Finds the stack that `--stack`, `--region` and `--profile` name.
    ///
    /// # Errors
    /// In words: no credentials, no region, no such stack, one that is not usable, no permission.
    pub async fn find(name: &str, aws: &Aws) -> anyhow::Result<Self> {
        Self::find_with(name, Session::open(aws).await?).await
    }

    /// The same with credentials found already.
    ///
    /// # Errors
    /// As [`Stack::find`], but for credentials and region.
    pub async fn find_with(name: &str, session: Session) -> anyhow::Result<Self> {
        let Session { region, clients } = session;
        let missing = || StackError::Missing { name: name.to_owned(), region: region.clone() };
        let answer = clients.cloudformation.describe_stacks().stack_name(name).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ValidationError") => bail!(missing()),
            Err(error) => {
                let thing = format!("stack {name} in {region}");
                bail!(AwsTrouble::of("cloudformation:DescribeStacks", &thing, &error))
            }
        };
        let Some(found) = answer.stacks().first() else { bail!(missing()) };
        let status = found.stack_status().map(|status| status.as_str().to_owned()).unwrap_or_default();
        usable(name, found.stack_status(), &status)?;
        let outputs = found.outputs().iter().filter_map(|o| Some((o.output_key()?.into(), o.output_value()?.into())));
        let parameters = found.parameters().iter();
        let parameters = parameters.filter_map(|p| Some((p.parameter_key()?.into(), p.parameter_value()?.into())));
        Ok(Self {
            name: name.to_owned(),
            status,
            outputs: outputs.collect(),
            parameters: parameters.collect(),
            region,
            clients,
        })
    }

    /// An output.
    ///
    /// # Errors
    /// [`StackError::NoOutput`].
    pub fn output(&self, name: &str) -> Result<&str, StackError> {
        let missing = || StackError::NoOutput { name: self.name.clone(), output: name.to_owned() };
        self.outputs.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(missing)
    }

    /// A parameter, where it is there and not blank.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The mailbox and the doors that the stack's parameters describe, as its functions read them; stored ones win.
    ///
    /// # Errors
    /// [`StackError::Parameters`].
    pub fn defaults(&self) -> Result<Settings, StackError> {
        let named = |variable: &str| MAILBOX_PARAMETERS.iter().find(|(name, _)| *name == variable);
        let lookup = |variable: &str| Some(self.parameter(named(variable)?.1)?.to_owned());
        let mut faults = Vec::new();
        let settings = config::settings(&lookup, &mut faults);
        if faults.is_empty() {
            return Ok(settings);
        }
        // The functions know them as variables, people as parameters.
        let why =
            MAILBOX_PARAMETERS.iter().fold(faults.join("; "), |why, (variable, name)| why.replace(variable, name));
        Err(StackError::Parameters { name: self.name.clone(), why })
    }

    /// The stack's own secret.
    ///
    /// # Errors
    /// [`StackError::NoOutput`].
    pub fn master_secret(&self) -> Result<SecretSource, StackError> {
        let arn = self.output("MasterSecretArn")?;
        Ok(SecretSource::Manager(self.clients.secrets.clone(), arn.to_owned()))
    }

    /// True where mailboxes elsewhere are polled. A stack of before there was a choice does.
    #[must_use]
    pub fn polls(&self) -> bool {
        self.parameter("EnableImap").is_none_or(|value| !value.eq_ignore_ascii_case("false"))
    }

    /// True where mail comes by SES.
    #[must_use]
    pub fn receives_by_ses(&self) -> bool {
        self.parameter("EnableSes").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// A stack whose resources are there. After a failed update they still are, as they were before.
fn usable(name: &str, status: Option<&StackStatus>, word: &str) -> Result<(), StackError> {
    use StackStatus as S;
    let (name, word) = (name.to_owned(), word.to_owned());
    match status {
        Some(S::CreateInProgress | S::ReviewInProgress | S::ImportInProgress) => {
            Err(StackError::Creating { name, status: word })
        }
        Some(
            S::CreateFailed
            | S::RollbackInProgress
            | S::RollbackFailed
            | S::RollbackComplete
            | S::DeleteInProgress
            | S::DeleteFailed
            | S::DeleteComplete,
        ) => Err(StackError::Broken { name, status: word }),
        _ => Ok(()),
    }
}
