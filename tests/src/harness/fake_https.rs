//! Another company's HTTPS server: answers by URL, remembers what it was asked, and can be away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use postern::outbound::Outbound;

/// What stands at a URL.
#[derive(Clone, Debug)]
pub(crate) enum Page {
    /// Status, Content-Type, body.
    Answer(u16, String, Vec<u8>),
    /// Nobody answers.
    Away,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// A field of the header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The server; whatever it has no page for is 404. Clones share pages and memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeHttps(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    pages: HashMap<String, Page>,
    asked: Vec<Asked>,
}

impl FakeHttps {
    /// From now on this stands at a URL.
    pub(crate) fn put(&self, url: &str, page: Page) {
        self.state().pages.insert(url.to_owned(), page);
    }

    /// The same, 200 with this body.
    pub(crate) fn put_body(&self, url: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        self.put(url, Page::Answer(200, content_type.to_owned(), body.into()));
    }

    /// All that was asked so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// The way out that ends here.
    pub(crate) fn outbound(&self) -> Outbound {
        Outbound::over(SharedHttpConnector::new(self.clone()))
    }

    /// The same server for an SDK client.
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl HttpConnector for FakeHttps {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let url = request.uri().to_owned();
        let mut state = self.state();
        let page = state.pages.get(&url).cloned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        state.asked.push(Asked { method: request.method().to_owned(), url, headers, body });
        HttpConnectorFuture::ready(match page.unwrap_or(Page::Answer(404, String::new(), Vec::new())) {
            Page::Away => Err(ConnectorError::io("connection refused".into())),
            Page::Answer(status, content_type, body) => {
                let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                if !content_type.is_empty() {
                    response.headers_mut().insert("content-type", content_type);
                }
                Ok(response)
            }
        })
    }
}
