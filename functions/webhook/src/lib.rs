//! The HTTP door. One `$default` route: 404 and 405 are ours, in words.
//!
//! `main.rs` (Lambda) and `postern dev` (loopback) call the same [`App::handle`].

mod answer;
mod knock;
mod route;

use std::sync::Arc;

use aws_sdk_sns::config::Region;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::Config,
    inbound::Origin,
    ingest::Ingest,
    outbound::Outbound,
    outcome::{Answer, IngestError},
    providers::{Accepted, Rejected, sns::Certificates},
    queue::Queue,
    secrets::{SecretError, SecretSource, Secrets},
    settings::{Settings, SettingsSource},
    store::Store,
    telemetry,
};
use tracing::Instrument;

pub use answer::not_ready;
use answer::{answered, told, with_hint};
use knock::Knock;

/// Everything one instance keeps between requests.
#[derive(Debug)]
pub struct App {
    /// The pipeline.
    pub ingest: Ingest,
    /// Credentials of providers.
    pub secrets: Secrets,
    /// Mailboxes and doors.
    pub settings: SettingsSource,
    /// What SNS signs with.
    pub certificates: Certificates,
    /// Confirms subscriptions.
    pub sns: aws_sdk_sns::Client,
}

/// Why the door does not open. A function with such a fault answers 503 naming it.
pub type NotReady = Arc<String>;

impl App {
    /// Builds the door from its configuration.
    ///
    /// # Errors
    /// The signing keys cannot be had.
    pub async fn new(config: Config, clients: &Clients, ambient: Ambient) -> Result<Self, SecretError> {
        let retry = Some(Queue::new(clients.sqs.clone(), config.queues.retry.as_str()));
        let ingest = Ingest { retry, ..Ingest::new(&config, clients, ambient.clone()).await? };
        let store: Store = ingest.store.clone();
        Ok(Self {
            secrets: Secrets::new(clients.secret(&config.operator_secret), ambient.clone())
                .with_environment(config.environment_secrets),
            settings: SettingsSource::new(config.settings, store, ambient),
            certificates: Certificates::new(Outbound::new()),
            sns: clients.sns.clone(),
            ingest,
        })
    }

    /// A door over a pipeline that stands already, for the mailboxes that the pipeline has.
    #[must_use]
    pub fn over(ingest: Ingest, operator: SecretSource, sns: aws_sdk_sns::Client) -> Self {
        let defaults = Settings { mailboxes: ingest.mailboxes.clone(), ..Settings::default() };
        Self {
            secrets: Secrets::new(operator, ingest.ambient.clone()),
            settings: SettingsSource::new(defaults, ingest.store.clone(), ingest.ambient.clone()),
            certificates: Certificates::new(Outbound::new()),
            sns,
            ingest,
        }
    }

    /// Answers one request. Never fails: what goes wrong is an answer.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<String> {
        // On the heap: a large future.
        Box::pin(self.answer(request)).instrument(telemetry::span("request")).await
    }

    async fn answer(&self, request: Request<Bytes>) -> Response<String> {
        let (parts, body) = request.into_parts();
        let route = match route::of(parts.uri.path(), parts.uri.query(), &parts.headers) {
            Ok(route) => route,
            Err(why) => return told(StatusCode::NOT_FOUND, "unknown-route", &why),
        };
        if parts.method != Method::POST {
            let mut response = told(StatusCode::METHOD_NOT_ALLOWED, "method", "mail is handed over by POST");
            response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
            return response;
        }
        let mut settings = match self.settings.current().await {
            Ok(settings) => settings,
            Err(error) => {
                let why = error.public();
                tracing::error!(why, "no mailboxes, no doors");
                return told(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &why);
            }
        };
        // What was set up a moment ago is not refused: a 4xx ends the retries of some.
        if knock::needs_a_fresh_look(&knock::of(&route, &parts.headers, &body, &settings))
            && let Ok(fresh) = self.settings.current_now().await
        {
            settings = fresh;
        }
        match knock::of(&route, &parts.headers, &body, &settings) {
            Ok(knock) => self.deliver(knock, &settings).await,
            Err(none) => told(none.status, none.code, &none.why),
        }
    }

    async fn deliver(&self, mut knock: Knock<'_>, settings: &Settings) -> Response<String> {
        let ingest = self.ingest.with(settings);
        let door = knock.door;
        let rejected = match self.prove(&mut knock).await {
            Ok(Ok(accepted)) => {
                let kept = self.take(&ingest, accepted, &knock).await;
                return answered(kept, knock.style, knock.request.body.len());
            }
            Ok(Err(rejected)) => rejected,
            Err(error) => {
                tracing::error!(%error, door = door.id.as_str(), "the operator secret cannot be read");
                let why = format!("{error}; nothing is accepted until it can");
                return told(StatusCode::SERVICE_UNAVAILABLE, "secret-unreadable", &why);
            }
        };
        let status = StatusCode::from_u16(rejected.status(door.provider)).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        if let Rejected::Unreadable { ingress, .. } = &rejected {
            telemetry::note_trace(ingress, "");
        }
        tracing::warn!(door = door.id.as_str(), status = status.as_u16(), why = %rejected, "request not taken");
        let code = match rejected {
            Rejected::Unreadable { why, slug, ingress, guard } => {
                let body = knock.request.body.clone();
                let kept = ingest.unreadable(*ingress, body, slug, guard.as_ref()).await;
                let answers = kept.map(|answer| vec![answer]);
                return answered(answers, knock.style, knock.request.body.len()).map(|body| with_hint(&body, &why));
            }
            Rejected::NotConfigured(_) => "not-configured",
            Rejected::Unauthorized(_) => "unauthorized",
            Rejected::Malformed(_) => "malformed",
            Rejected::OtherWebhook(_) => "other-webhook",
            Rejected::Unavailable(_) => "unavailable",
        };
        let mut response = told(status, code, &rejected.to_string());
        if status == StatusCode::UNAUTHORIZED {
            let realm = header::HeaderValue::from_static("Basic realm=\"postern\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        }
        response
    }

    /// With the cached secrets; before anybody is refused, with freshly read ones.
    async fn prove(&self, knock: &mut Knock<'_>) -> Result<Result<Accepted, Rejected>, SecretError> {
        let cached = self.secrets.operator().await?;
        let first = self.try_with(knock, &cached).await;
        match first {
            Err(Rejected::Unauthorized(_) | Rejected::NotConfigured(_)) => {
                let fresh = self.secrets.operator_now().await?;
                if Arc::ptr_eq(&cached, &fresh) {
                    return Ok(first);
                }
                Ok(self.try_with(knock, &fresh).await)
            }
            other => Ok(other),
        }
    }

    /// Works on what was accepted.
    async fn take(&self, ingest: &Ingest, accepted: Accepted, knock: &Knock<'_>) -> Result<Vec<Answer>, IngestError> {
        match accepted {
            Accepted::Message(message) if matches!(message.origin, Origin::Stored { .. }) => {
                ingest.told_of(*message).await
            }
            Accepted::Message(message) => ingest.run(*message).await,
            Accepted::Fetch(message) => ingest.announced(*message).await,
            Accepted::Confirm { topic, token } => self.confirm(&topic, &token).await,
            Accepted::Noted { slug, ingress } => {
                ingest.noted(*ingress, knock.request.body.clone(), slug).await.map(|answer| vec![answer])
            }
        }
    }

    /// Confirms a subscription with SNS itself, in the topic's region: no URL out of a request is ever asked.
    async fn confirm(&self, topic: &str, token: &str) -> Result<Vec<Answer>, IngestError> {
        let region = topic.split(':').nth(3).unwrap_or_default().to_owned();
        let elsewhere = aws_sdk_sns::config::Builder::new().region(Region::new(region));
        let asked = self.sns.confirm_subscription().topic_arn(topic).token(token);
        let confirmed = asked.customize().config_override(elsewhere).send().await;
        confirmed.map_err(|error| {
            use aws_sdk_sns::error::ProvideErrorMetadata;
            IngestError::Unconfirmed(error.code().unwrap_or("no answer").to_owned())
        })?;
        tracing::info!(topic, "the topic delivers here from now on");
        Ok(Vec::new())
    }
}
