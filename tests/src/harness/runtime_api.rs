//! The Lambda Runtime API on loopback, for a real handler process: start it with [`RuntimeApi::environment`] and invoke.
//! (AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes", version 2018-06-01.)

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
const INIT_ERROR: &str = "/2018-06-01/runtime/init/error";
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:postern-test";
/// 2100-01-01: a handler's remaining time never ends a test.
const DEADLINE_MS: &str = "4102444800000";

/// What a handler made of an event: its response, or the error it reported.
pub(crate) type Invoked = Result<Value, Value>;

pub(crate) struct RuntimeApi {
    address: SocketAddr,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

/// Where invocations wait for the handler, and callers for their answers.
struct Desk {
    events: mpsc::UnboundedSender<(String, Bytes)>,
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<(String, Bytes)>>,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    invocations: usize,
    callers: HashMap<String, oneshot::Sender<Invoked>>,
    init_error: Option<Value>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, waiting) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk { events, waiting: waiting.into(), ledger: Mutex::default() });
        let server = tokio::spawn(serve(listener, Arc::clone(&desk)));
        Self { address, desk, server }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// What the runtime reads from the environment of a handler process.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_LAMBDA_RUNTIME_API", self.address()),
            ("AWS_LAMBDA_FUNCTION_NAME", "postern-test".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/postern-test".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "test".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "postern".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "postern".to_owned()),
        ]
    }

    /// Hands an event to the handler and waits for what it makes of it. It waits for ever where the handler process died:
    /// select against the child's end.
    pub(crate) async fn invoke(&self, event: &Value) -> Invoked {
        let (caller, answered) = oneshot::channel();
        {
            let mut ledger = self.desk.ledger();
            if let Some(error) = &ledger.init_error {
                return Err(error.clone());
            }
            ledger.invocations += 1;
            let id = format!("00000000-0000-4000-8000-{:012}", ledger.invocations);
            ledger.callers.insert(id.clone(), caller);
            self.desk.events.send((id, Bytes::from(event.to_string()))).unwrap();
        }
        answered.await.unwrap()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Desk {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let (id, event) = self.waiting.lock().await.recv().await.unwrap();
        Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", id)
            .header("lambda-runtime-deadline-ms", DEADLINE_MS)
            .header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
            .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0")
            .body(event.into())
            .unwrap()
    }

    fn answer(&self, id: &str, answer: Invoked) -> Response<Full<Bytes>> {
        match self.ledger().callers.remove(id) {
            Some(caller) => {
                let _ = caller.send(answer);
                status(StatusCode::ACCEPTED)
            }
            None => status(StatusCode::BAD_REQUEST),
        }
    }

    fn refuse_all(&self, error: &Value) -> Response<Full<Bytes>> {
        let mut ledger = self.ledger();
        ledger.init_error = Some(error.clone());
        for (_, caller) in ledger.callers.drain() {
            let _ = caller.send(Err(error.clone()));
        }
        status(StatusCode::ACCEPTED)
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    while let Ok((socket, _)) = listener.accept().await {
        socket.set_nodelay(true).unwrap();
        let desk = Arc::clone(&desk);
        let service = service_fn(move |request| {
            let desk = Arc::clone(&desk);
            async move { Ok::<_, Infallible>(respond(&desk, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        // A handler process that is killed breaks its connection off.
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn respond(desk: &Desk, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let invocation = path.strip_prefix(INVOCATION);
    if head.method == Method::GET && invocation == Some("next") {
        return desk.next().await;
    }
    let Ok(body) = body.collect().await else { return status(StatusCode::BAD_REQUEST) };
    let body = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    match (head.method, invocation.and_then(|rest| rest.split_once('/'))) {
        (Method::POST, Some((id, "response"))) => desk.answer(id, Ok(body)),
        (Method::POST, Some((id, "error"))) => desk.answer(id, Err(body)),
        (Method::POST, _) if path == INIT_ERROR => desk.refuse_all(&body),
        _ => status(StatusCode::NOT_FOUND),
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from("{\"status\":\"OK\"}"));
    *response.status_mut() = status;
    response
}

/// The most memory a process had resident, in KiB (`VmHWM`); `None` where the system does not say.
pub(crate) fn peak_resident_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The event an API Gateway HTTP API sends for a request to its `$default` route, payload format 2.0.
pub(crate) fn apigw_v2_event(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let (raw_path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = form_urlencoded::parse(query.as_bytes());
    let query_parameters = joined(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())));
    let headers = joined(headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())));
    let content_type = headers.get("content-type").and_then(Value::as_str).unwrap_or_default();
    let text = std::str::from_utf8(body).ok().filter(|_| text_like(content_type));
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "postern",
            "domainName": "postern.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "postern",
            "http": {
                "method": method,
                "path": raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_348_800_000_u64,
        },
        "isBase64Encoded": !body.is_empty() && text.is_none(),
    });
    if !query_parameters.is_empty() {
        event["queryStringParameters"] = query_parameters.into();
    }
    if !body.is_empty() {
        event["body"] = text.map_or_else(|| STANDARD.encode(body), str::to_owned).into();
    }
    event
}

/// As the gateway does it: what occurs twice is joined with a comma.
fn joined(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut joined: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let value = match joined.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value,
        };
        joined.insert(name, value.into());
    }
    joined
}

/// The types an HTTP API passes on as they are; all others, forms among them, it encodes.
fn text_like(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || matches!(essence.as_str(), "application/json" | "application/xml" | "application/javascript")
}
