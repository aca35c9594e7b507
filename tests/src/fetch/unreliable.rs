//! The provider's side of a wire that breaks: its n-th call fails as it is told to.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::FakeHttps;

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    /// No connection.
    Refused,
    /// Asked and done; the answer is not heard.
    AnswerLost,
    /// This status, and nothing is done.
    Status(u16),
    /// An answer that ends in its middle: no JSON any more.
    Cut,
}

impl Trouble {
    pub(super) const ALL: [Self; 8] = [
        Self::Refused,
        Self::AnswerLost,
        Self::Status(500),
        Self::Status(429),
        Self::Status(401),
        Self::Status(404),
        Self::Status(400),
        Self::Cut,
    ];
}

#[derive(Clone, Debug)]
pub(super) struct Unreliable {
    inner: FakeHttps,
    /// Calls so far, which one fails and how, how many failed.
    state: Arc<Mutex<(usize, usize, Trouble, usize)>>,
}

impl Unreliable {
    pub(super) fn new(inner: &FakeHttps, n: usize, trouble: Trouble) -> Self {
        Self { inner: inner.clone(), state: Arc::new(Mutex::new((0, n, trouble, 0))) }
    }

    pub(super) fn struck(&self) -> usize {
        self.state.lock().unwrap().3
    }
}

impl HttpConnector for Unreliable {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        if state.0 != state.1 {
            return self.inner.call(request);
        }
        state.3 += 1;
        let lost = || ConnectorError::timeout("injected: no answer in time".into());
        match state.2 {
            Trouble::Refused => {
                HttpConnectorFuture::ready(Err(ConnectorError::io("injected".into()).never_connected()))
            }
            Trouble::AnswerLost => {
                let answer = self.inner.call(request);
                HttpConnectorFuture::new(async move { answer.await.and(Err(lost())) })
            }
            Trouble::Status(status) => {
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from("no"))))
            }
            Trouble::Cut => {
                let answer = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    let mut response = answer.await?;
                    let body = response.body().bytes().unwrap_or_default();
                    let cut = body.get(..body.len() / 2).unwrap_or_default().to_vec();
                    *response.body_mut() = SdkBody::from(cut);
                    Ok(response)
                })
            }
        }
    }
}
