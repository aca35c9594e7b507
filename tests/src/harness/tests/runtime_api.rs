//! The Runtime API, spoken to as a handler process would.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::super::runtime_api::{RuntimeApi, apigw_v2_event, peak_resident_kib};

async fn connect(api: &RuntimeApi) -> SendRequest<Full<Bytes>> {
    let socket = TcpStream::connect(api.address()).await.unwrap();
    let (handler, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    handler
}

/// Takes the next event; gives the request id and the event.
async fn next(handler: &mut SendRequest<Full<Bytes>>) -> (String, Value) {
    let request = Request::get("/2018-06-01/runtime/invocation/next").body(Full::default()).unwrap();
    let response = handler.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers();
    for name in ["lambda-runtime-deadline-ms", "lambda-runtime-invoked-function-arn", "lambda-runtime-trace-id"] {
        assert!(headers.contains_key(name), "{name}");
    }
    let id = headers["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
    let event = response.into_body().collect().await.unwrap().to_bytes();
    (id, serde_json::from_slice(&event).unwrap())
}

async fn post(handler: &mut SendRequest<Full<Bytes>>, path: &str, body: &Value) -> StatusCode {
    let request = Request::post(format!("/2018-06-01/runtime/{path}"));
    let request = request.body(Full::from(body.to_string())).unwrap();
    let response = handler.send_request(request).await.unwrap();
    let status = response.status();
    response.into_body().collect().await.unwrap();
    status
}

#[tokio::test]
async fn a_handler_gets_events_in_turn_and_its_answers_reach_the_caller() {
    let api = RuntimeApi::start().await;
    assert!(api.environment().contains(&("AWS_LAMBDA_RUNTIME_API", api.address())));
    let mut handler = connect(&api).await;
    for n in 1..=3 {
        let event = json!({ "n": n });
        let (answer, ()) = tokio::join!(api.invoke(&event), async {
            let (id, event) = next(&mut handler).await;
            let path = format!("invocation/{id}/response");
            assert_eq!(post(&mut handler, &path, &json!({ "seen": event["n"] })).await, StatusCode::ACCEPTED);
            assert_eq!(post(&mut handler, &path, &json!({})).await, StatusCode::BAD_REQUEST, "answered already");
        });
        assert_eq!(answer, Ok(json!({ "seen": n })));
    }
}

#[tokio::test]
async fn a_handlers_errors_reach_the_caller() {
    let api = RuntimeApi::start().await;
    let mut handler = connect(&api).await;
    let failure = json!({"errorType": "Panic", "errorMessage": "it broke"});
    let event = json!({});
    let (answer, ()) = tokio::join!(api.invoke(&event), async {
        let (id, _) = next(&mut handler).await;
        post(&mut handler, &format!("invocation/{id}/error"), &failure).await;
    });
    assert_eq!(answer, Err(failure.clone()));

    let waiting = api.invoke(&event);
    let (answer, status) = tokio::join!(waiting, post(&mut handler, "init/error", &failure));
    assert_eq!((answer, status), (Err(failure.clone()), StatusCode::ACCEPTED));
    assert_eq!(api.invoke(&event).await, Err(failure), "a handler that did not start answers nothing");
    assert_eq!(post(&mut handler, "elsewhere", &json!({})).await, StatusCode::NOT_FOUND);
}

#[test]
fn the_gateways_event_encodes_what_is_not_text() {
    let headers = [("Content-Type", "application/json"), ("X-Twice", "a"), ("x-twice", "b")];
    let event = apigw_v2_event("POST", "/inbound/postmark?mailbox=desk&x=1&x=2", &headers, b"{}");
    assert_eq!(event["rawPath"], "/inbound/postmark");
    assert_eq!(event["rawQueryString"], "mailbox=desk&x=1&x=2");
    assert_eq!(event["queryStringParameters"], json!({"mailbox": "desk", "x": "1,2"}));
    assert_eq!(event["headers"]["x-twice"], "a,b");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));

    for (content_type, body) in [
        ("multipart/form-data; boundary=x", b"plain".as_slice()),
        ("application/x-www-form-urlencoded", b"a=b"),
        ("text/plain", b"\xff"),
    ] {
        let event = apigw_v2_event("POST", "/", &[("content-type", content_type)], body);
        assert_eq!(event["isBase64Encoded"], true, "{content_type}");
        assert!(event.get("queryStringParameters").is_none());
    }
    assert!(apigw_v2_event("GET", "/", &[], b"").get("body").is_none());
}

#[test]
fn this_process_has_a_peak_of_memory() {
    if cfg!(target_os = "linux") {
        assert!(peak_resident_kib(std::process::id()).unwrap() > 1_000);
    }
    assert_eq!(peak_resident_kib(u32::MAX), None);
}
