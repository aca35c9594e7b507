//! HTTPS to others than AWS: a provider's storage and API, the certificates of SNS. The connector is the SDK's own (one
//! TLS stack, and the tests put a fake provider in its place). It follows no redirect: credentials go to the host that
//! was asked and to no other.

use std::time::Duration;

use aws_smithy_http_client::{
    Connector,
    tls::{self, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use bytes::{Bytes, BytesMut};
use thiserror::Error;

use crate::door::may_have_tokens;

/// One question with its whole answer: 40 MB at 2 MB/s fit, and so does the rest of the work in a function's minute.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(25);

/// A token endpoint answers at once or not at all.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum OutboundError {
    /// No URL that may be asked: `https` with a host, without user information.
    #[error("that is no https URL")]
    Url,
    /// No answer.
    #[error("no answer ({0})")]
    Unreachable(&'static str),
    /// A longer answer than was to be expected.
    #[error("the answer has more than {0} octets")]
    TooLarge(usize),
    /// It is somewhere else: not followed.
    #[error("the answer is a redirect ({0}), which is not followed")]
    Redirect(u16),
}

/// A question.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// `GET` or `PUT`.
    pub method: &'static str,
    /// Where. `https` only.
    pub url: &'a str,
    /// Fields of the header.
    pub headers: &'a [(&'static str, String)],
    /// The longest answer that is read, octets.
    pub octets_max: usize,
}

/// An answer: any status but a redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Status.
    pub status: u16,
    /// Content-Type; empty where there is none.
    pub content_type: String,
    /// Body.
    pub body: Bytes,
}

/// The way out.
#[derive(Clone, Debug)]
pub struct Outbound {
    connector: SharedHttpConnector,
}

impl Outbound {
    /// Over HTTPS, with the system's root certificates.
    #[must_use]
    pub fn new() -> Self {
        let connector = Connector::builder().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build();
        Self::over(SharedHttpConnector::new(connector))
    }

    /// Over a given connector: the tests put theirs here.
    #[must_use]
    pub fn over(connector: SharedHttpConnector) -> Self {
        Self { connector }
    }

    /// Asks once.
    ///
    /// # Errors
    /// See [`OutboundError`]; never quotes the URL or a header.
    pub async fn ask(&self, ask: Ask<'_>) -> Result<Told, OutboundError> {
        let request = request(&ask)?;
        let answered = tokio::time::timeout(ANSWER_TIMEOUT, self.answer(request, ask.octets_max)).await;
        answered.unwrap_or(Err(OutboundError::Unreachable("timeout")))
    }

    /// Posts a form to where access tokens are had: `https`, or `http` that does not leave this machine.
    ///
    /// # Errors
    /// See [`OutboundError`]; never quotes the URL or the form.
    pub async fn post_form(&self, url: &str, form: String, octets_max: usize) -> Result<Told, OutboundError> {
        if !may_have_tokens(url) {
            return Err(OutboundError::Url);
        }
        let request = http::Request::post(url).header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("accept", "application/json").header("content-length", form.len());
        let request = request.body(SdkBody::from(form)).map_err(|_| OutboundError::Url)?;
        let request = HttpRequest::try_from(request).map_err(|_| OutboundError::Url)?;
        let answered = tokio::time::timeout(TOKEN_TIMEOUT, self.answer(request, octets_max)).await;
        answered.unwrap_or(Err(OutboundError::Unreachable("timeout")))
    }

    async fn answer(&self, request: HttpRequest, octets_max: usize) -> Result<Told, OutboundError> {
        let response = self.connector.call(request).await.map_err(|error| {
            OutboundError::Unreachable(if error.is_timeout() { "timeout" } else { "no connection" })
        })?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(OutboundError::Redirect(status));
        }
        let content_type = response.headers().get("content-type").unwrap_or_default().to_owned();
        let mut parts = ByteStream::new(response.into_body());
        let mut body = BytesMut::new();
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| OutboundError::Unreachable("the answer broke off"))?;
            if body.len().saturating_add(part.len()) > octets_max {
                return Err(OutboundError::TooLarge(octets_max));
            }
            body.extend_from_slice(&part);
        }
        Ok(Told { status, content_type, body: body.freeze() })
    }
}

impl Default for Outbound {
    fn default() -> Self {
        Self::new()
    }
}

/// The host of an `https` URL at its usual port and without user information; `None` where that is not what it is.
#[must_use]
pub fn https_host(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let usual = authority.as_str().strip_suffix(":443").unwrap_or(authority.as_str());
    let plain = usual == authority.host();
    let https = uri.scheme_str() == Some("https");
    (https && plain && !authority.host().is_empty()).then(|| authority.host().to_ascii_lowercase())
}

fn request(ask: &Ask<'_>) -> Result<HttpRequest, OutboundError> {
    https_host(ask.url).ok_or(OutboundError::Url)?;
    let mut request = http::Request::builder().method(ask.method).uri(ask.url);
    for (name, value) in ask.headers {
        request = request.header(*name, value.as_str());
    }
    let request = request.body(SdkBody::empty()).map_err(|_| OutboundError::Url)?;
    HttpRequest::try_from(request).map_err(|_| OutboundError::Url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_has_a_host() {
        for (url, host) in [
            ("https://API.mailgun.net/v3/x?y", Some("api.mailgun.net")),
            ("http://api.mailgun.net/", None),
            ("https://api.mailgun.net:443/x", Some("api.mailgun.net")),
            ("https://api.mailgun.net:8443/", None),
            ("https://user@api.mailgun.net/", None),
            ("https://api.mailgun.net@evil.example/", None),
            ("https://", None),
            ("//api.mailgun.net/", None),
            ("api.mailgun.net", None),
            ("https://api.mailgun.net\\@evil.example/", None),
        ] {
            assert_eq!(https_host(url).as_deref(), host, "{url}");
        }
    }
}
