//! What the HTTP servers of the engines have in common: a loopback port, connections, and how they end.

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::directory::Directory;
use super::{EngineError, KEY};

/// Whatever a connection may break off with.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// A loopback port of the system's choice, and its URL.
pub(super) async fn listen() -> Result<(TcpListener, String), EngineError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(EngineError::Port)?;
    let address = listener.local_addr().map_err(EngineError::Port)?;
    Ok((listener, format!("http://{address}")))
}

/// Serves until `stop`, then finishes what is under way. Holds the directory for as long.
pub(super) async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    mut stop: oneshot::Receiver<()>,
    directory: Arc<Directory>,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Fault>,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Fault>,
{
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stop => break,
        };
        let Ok((socket, _)) = accepted else {
            // Out of file handles, most likely: let the connections that are open finish.
            tokio::task::yield_now().await;
            continue;
        };
        // Without it a small answer waits for the peer's delayed acknowledgement: 40 ms on each call.
        let _ = socket.set_nodelay(true);
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service.clone());
        let connection = connections.watch(connection);
        let directory = Arc::clone(&directory);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to an engine broke off");
            }
            drop(directory);
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// As [`serve`], for an engine of ours: a whole request of at most `limit` octets in, a whole answer out.
pub(super) async fn serve_whole<F, A>(
    listener: TcpListener,
    limit: usize,
    answer: F,
    stop: oneshot::Receiver<()>,
    directory: Arc<Directory>,
) where
    F: Fn(Parts, Bytes) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            let (parts, body) = request.into_parts();
            if !signed(&parts) {
                return Ok::<_, std::convert::Infallible>(refusal(StatusCode::FORBIDDEN, "unsigned"));
            }
            match Limited::new(body, limit).collect().await {
                Ok(body) => Ok(answer(parts, body.to_bytes()).await),
                Err(_) => Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, "too large")),
            }
        }
    });
    serve(listener, service, stop, directory).await;
}

/// True where an SDK speaks with the engines' key. A web page that posts to loopback cannot set this field without
/// asking first, so it cannot reach an engine whose form bodies browsers would send unasked.
fn signed(parts: &Parts) -> bool {
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.is_some_and(|value| value.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY}/")))
}

fn refusal(status: StatusCode, why: &'static str) -> Response<Full<Bytes>> {
    response(status, "text/plain", Bytes::from_static(why.as_bytes()))
}

/// An answer with a body.
pub(super) fn response(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
