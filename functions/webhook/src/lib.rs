//! The HTTP door. One `$default` route: 404 and 405 are ours, in words.
//!
//! `main.rs` (Lambda) and `postern dev` (loopback) call the same [`App::handle`].

mod route;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::{Config, TrustedFields},
    ingest::Ingest,
    outcome::{Answer, IngestError},
    providers::{self, Provider, Rejected},
    queue::Queue,
    secrets::{SecretError, SecretSource, Secrets},
};
use route::Route;
use serde_json::json;

/// Everything one instance keeps between requests.
#[derive(Debug)]
pub struct App {
    /// The pipeline.
    pub ingest: Ingest,
    /// Credentials of providers.
    pub secrets: Secrets,
    /// Which provider's fields count.
    pub trusted: TrustedFields,
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
        let ingest = Ingest { retry, ..Ingest::new(&config, clients, ambient).await? };
        let operator = clients.secret(&config.operator_secret);
        Ok(Self::over(ingest, operator, config.trusted_fields))
    }

    /// A door over a pipeline that stands already.
    #[must_use]
    pub fn over(ingest: Ingest, operator: SecretSource, trusted: TrustedFields) -> Self {
        let secrets = Secrets::new(operator, ingest.ambient.clone());
        Self { ingest, secrets, trusted }
    }

    /// Answers one request. Never fails: what goes wrong is an answer.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<String> {
        let (parts, body) = request.into_parts();
        let route = match route::of(parts.uri.path(), parts.uri.query()) {
            Ok(route) => route,
            Err(why) => return told(StatusCode::NOT_FOUND, "unknown-route", &why),
        };
        if parts.method != Method::POST {
            let mut response = told(StatusCode::METHOD_NOT_ALLOWED, "method", "mail is handed over by POST");
            response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
            return response;
        }
        if let Some(mailbox) = route.mailbox.as_ref().filter(|id| self.ingest.mailboxes.by_id(id).is_none()) {
            let why = format!("mailbox {:?} is not configured", mailbox.as_str());
            return told(StatusCode::NOT_FOUND, "unknown-mailbox", &why);
        }
        let text =
            |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let request = providers::Request {
            content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
            authorization: text(header::AUTHORIZATION),
            body,
            mailbox: route.mailbox.clone(),
        };
        self.deliver(&route, &request).await
    }

    async fn deliver(&self, route: &Route, request: &providers::Request) -> Response<String> {
        let rejected = match self.normalise(route.provider, request).await {
            Ok(Ok(message)) => return answered(self.ingest.run(message).await, &request.body),
            Ok(Err(rejected)) => rejected,
            Err(error) => {
                tracing::error!(%error, provider = route.provider.name(), "the operator secret cannot be read");
                let why = format!("{error}; nothing is accepted until it can");
                return told(StatusCode::SERVICE_UNAVAILABLE, "secret-unreadable", &why);
            }
        };
        let status = StatusCode::from_u16(rejected.status(route.provider)).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        tracing::warn!(provider = route.provider.name(), status = status.as_u16(), why = %rejected, "request not taken");
        let code = match rejected {
            Rejected::Unreadable { why, slug, ingress, guard } => {
                let kept = self.ingest.unreadable(*ingress, request.body.clone(), slug, guard.as_ref()).await;
                return answered(kept.map(|answer| vec![answer]), &request.body).map(|body| with_hint(&body, &why));
            }
            Rejected::NotConfigured(_) => "not-configured",
            Rejected::Unauthorized(_) => "unauthorized",
            Rejected::Malformed(_) => "malformed",
            Rejected::OtherWebhook(_) => "other-webhook",
        };
        let mut response = told(status, code, &rejected.to_string());
        if status == StatusCode::UNAUTHORIZED {
            let realm = header::HeaderValue::from_static("Basic realm=\"postern\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        }
        response
    }

    /// Verifies with the cached secrets; before anybody is refused, with freshly read ones.
    async fn normalise(
        &self,
        provider: Provider,
        request: &providers::Request,
    ) -> Result<Result<postern::inbound::InboundMessage, Rejected>, SecretError> {
        let now = self.ingest.ambient.now();
        let cached = self.secrets.operator().await?;
        let first = providers::normalise(provider, request, &cached, self.trusted, now).await;
        match first {
            Err(Rejected::Unauthorized(_) | Rejected::NotConfigured(_)) => {
                let fresh = self.secrets.operator_now().await?;
                if Arc::ptr_eq(&cached, &fresh) {
                    return Ok(first);
                }
                Ok(providers::normalise(provider, request, &fresh, self.trusted, now).await)
            }
            other => Ok(other),
        }
    }
}

/// The answer of a door that could not be built: the provider tries again, the operator reads why.
#[must_use]
pub fn not_ready(why: &str) -> Response<String> {
    told(StatusCode::SERVICE_UNAVAILABLE, "not-ready", why)
}

fn answered(result: Result<Vec<Answer>, IngestError>, body: &Bytes) -> Response<String> {
    match result {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            let Some(first) = answers.next() else { return not_ready("no answer") };
            let mut json = json!(first);
            // Several configured recipients: the first copy answers, the others are listed.
            let others: Vec<Answer> = answers.collect();
            if let (false, Some(object)) = (others.is_empty(), json.as_object_mut()) {
                object.insert("copies".to_owned(), json!(others));
            }
            respond(StatusCode::OK, &json)
        }
        Err(error) => {
            let retryable = error.retryable();
            tracing::error!(%error, retryable, octets = body.len(), "mail not taken; the provider tries again");
            told(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &error.to_string())
        }
    }
}

fn with_hint(body: &str, hint: &str) -> String {
    let mut json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(object) = json.as_object_mut() {
        object.insert("hint".to_owned(), json!(hint));
    }
    json.to_string()
}

fn told(status: StatusCode, code: &str, message: &str) -> Response<String> {
    respond(status, &json!({ "error": code, "message": message }))
}

fn respond(status: StatusCode, json: &serde_json::Value) -> Response<String> {
    let mut response = Response::new(json.to_string());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
