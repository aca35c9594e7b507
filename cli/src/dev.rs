//! `dev` and `demo`: the whole system in one process on 127.0.0.1, with the very handler that runs on Lambda.

use std::{io::Write, path::Path, sync::Arc};

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
};
use postern_webhook::App;
use tokio::{net::TcpListener, sync::broadcast};

use crate::{
    args, commands,
    engines::{Endpoints, Engines, Settings, queues::Queues, topic::Event, write_endpoints},
    local::{DoorKeys, Local, door_keys},
    metrics::{self, Metrics},
    pump::{self, Pump},
    samples::{self, MailgunSignature, SAMPLES},
    setup::in_order,
    sources,
};

/// Lambda takes 6 MB a request, base64 included (AWS Lambda quotas): what is not text may hold three quarters of it.
const EVENT_OCTETS_MAX: usize = 6 * 1024 * 1024;
/// Turns of the event sources before `demo` goes on without the rest.
const TURNS_MAX: usize = 1_000;
/// Ports tried from the wished one on.
const PORTS_TRIED: u16 = 50;

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // `postern demo | head` has seen enough; that is no fault.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Runs until interrupted.
///
/// # Errors
/// The data directory or a port cannot be had.
pub async fn dev(args: &args::Dev) -> anyhow::Result<()> {
    let settings = Settings { events_url: events_url(args)?, ..Settings::default() };
    let local = Local::hold_with(&args.data, settings).await?;
    let metrics = Metrics::listen();
    let pumps = sources::pumps(&local).await?;
    let (listener, port) = bind(args.port).await?;
    let url = format!("http://127.0.0.1:{port}");
    if port != args.port {
        say(&format!("port {} is taken; ", args.port))?;
    }
    say(&format!("the HTTP door is open at {url}; data in {}\n\n", args.data.display()))?;
    let endpoints = Endpoints { http: Some(url.clone()), ..local.endpoints().clone() };
    write_endpoints(&args.data, &endpoints)?;
    let app = Arc::new(local.door());
    let events = local.engines.as_ref().map(|engines| tokio::spawn(say_events(engines.topic().listen())));
    let running = pump::run(pumps, &local.ingest.ambient);
    if is_empty(&local).await? {
        say("an empty data directory: three sample mails come in\n")?;
        receive_samples(&app, &local).await?;
    }
    say(&listing(&args.data).await?)?;
    say(&curl_lines(&local, &url)?)?;
    let queues = local.engines.as_ref().map(|engines| Arc::clone(engines.queues()));
    serve(listener, Arc::new(Served { app, metrics, queues })).await?;
    running.stop().await;
    if let Some(events) = events {
        events.abort();
    }
    local.close().await;
    say("stopped; the data stays\n")
}

/// The URL of ticket events, if there is one.
#[expect(clippy::disallowed_methods, reason = "the command line's shell: the environment comes in here")]
fn events_url(args: &args::Dev) -> anyhow::Result<Option<String>> {
    let of_environment = || std::env::var("POSTERN_EVENTS_URL").ok();
    let url = args.events_url.clone().or_else(of_environment).map(|url| url.trim().to_owned());
    let Some(url) = url.filter(|url| !url.is_empty()) else { return Ok(None) };
    let parsed: Option<http::Uri> = url.parse().ok();
    let reachable =
        parsed.is_some_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some());
    if !reachable {
        return Err(commands::usage(format!("{url:?} is no URL that events can be posted to: http:// or https://")));
    }
    Ok(Some(url))
}

/// One line an event, until the process stops.
async fn say_events(mut events: broadcast::Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(event) => {
                let line = sources::event_line(&event.message);
                // A closed standard output stops nothing.
                let _ = line.map(|line| say(&line));
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Shows mail becoming tickets, then stops.
///
/// # Errors
/// No temporary directory can be had.
pub async fn demo() -> anyhow::Result<()> {
    let data = std::env::temp_dir().join(format!("postern-demo-{}", std::process::id()));
    let shown = demo_in(&data).await;
    let _ = std::fs::remove_dir_all(&data);
    shown
}

async fn demo_in(data: &Path) -> anyhow::Result<()> {
    let local = Local::hold(data).await?;
    write_endpoints(data, local.endpoints())?;
    say("three mails come in through the Mailgun door, signed as Mailgun signs:\n")?;
    receive_samples(&Arc::new(local.door()), &local).await?;
    let mut pumps: Vec<Pump> = sources::pumps(&local).await?;
    pump::drain(&mut pumps, TURNS_MAX).await?;
    say(&listing(data).await?)?;
    let common = args::Common::of(data);
    let ticket =
        args::Ticket { ticket: "1".to_owned(), status: None, actor: args::Actor::default(), common: common.clone() };
    say(&format!("\n{}", commands::ticket(&ticket).await?.text))?;
    let events = local.engines.as_ref().map(Engines::events).transpose()?.unwrap_or_default();
    let lines: String = events.iter().filter_map(|event| sources::event_line(&event.message)).collect();
    if !lines.is_empty() {
        say(&format!("\nwhat others are told of it:\n{lines}"))?;
    }
    let mail = args::Mail { id: None, html: false, inspect: false, days: 1, limit: 100, common };
    say(&format!("\nwhat came, what was decided and why:\n{}", commands::mail(&mail).await?.text))?;
    local.close().await;
    Ok(())
}

async fn listing(data: &Path) -> anyhow::Result<String> {
    let common = args::Common::of(data);
    let tickets = args::Tickets { status: None, limit: 20, next_number: None, common };
    Ok(format!("\n{}", commands::tickets(&tickets).await?.text))
}

async fn bind(wished: u16) -> anyhow::Result<(TcpListener, u16)> {
    let mut port = wished;
    loop {
        match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => {
                let port = listener.local_addr()?.port();
                return Ok((listener, port));
            }
            Err(error)
                if error.kind() == std::io::ErrorKind::AddrInUse && port < wished.saturating_add(PORTS_TRIED) =>
            {
                port = port.checked_add(1).context("no port is free above")?;
            }
            Err(error) => return Err(error).with_context(|| format!("127.0.0.1:{port}")),
        }
    }
}

async fn is_empty(local: &Local) -> anyhow::Result<bool> {
    Ok(local.ingest.store.ticket(1).await?.is_none()
        && local.ingest.store.attention(&postern::records::Outcome::ALL, 1).await?.is_empty())
}

fn own_address(local: &Local) -> String {
    let first = local.ingest.mailboxes.iter().next().and_then(|mailbox| mailbox.addresses.first());
    first.map(ToString::to_string).unwrap_or_default()
}

async fn receive_samples(app: &Arc<App>, local: &Local) -> anyhow::Result<()> {
    let keys = door_keys(&local.data)?;
    let address = own_address(local);
    for (n, sample) in SAMPLES.into_iter().enumerate() {
        let token = format!("{:050x}", local.ingest.ambient.entropy());
        // A minute apart, as they were written: Mailgun's timestamps have no fractions to keep them in order.
        let minutes_ago = i64::try_from(SAMPLES.len().saturating_sub(n))?;
        let sent = local.ingest.ambient.now() - jiff::SignedDuration::from_mins(minutes_ago);
        let signature = MailgunSignature::new(&keys.mailgun, sent, &token)?;
        let sender = sample.lines().next().unwrap_or_default().trim_start_matches("Return-Path: ");
        let mime = samples::to(sample, &address);
        let request = samples::mailgun_request(&signature, &address, sender, mime.as_bytes())?;
        let response = app.handle(request).await;
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(|v| v.as_str()).unwrap_or("-").to_owned();
        say(&format!(
            "  mail {} -> HTTP {}  {}  {}\n",
            n + 1,
            response.status().as_u16(),
            text("outcome"),
            text("ticket_number")
        ))?;
    }
    Ok(())
}

/// One working line for each door, with a real signature; the bodies lie in the data directory.
fn curl_lines(local: &Local, url: &str) -> anyhow::Result<String> {
    let keys = door_keys(&local.data)?;
    let address = own_address(local);
    let folder = local.data.join("samples");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mime = folder.join("mailgun.eml");
    std::fs::write(&mime, samples::to(samples::CURL_MAILGUN, &address))?;
    let json = folder.join("postmark.json");
    let payload = samples::postmark_payload(
        &address,
        "ben@studio.example",
        "5e0b7f0e-0000-4000-8000-000000000001",
        &samples::to(samples::CURL_POSTMARK, &address),
    );
    std::fs::write(&json, payload)?;
    let doors: Vec<&str> = in_order(&local.settings.doors)
        .into_iter()
        .filter(|door| door.imap.is_none())
        .map(|door| door.id.as_str())
        .collect();
    Ok(format!(
        "\ndoors: {} at {url}/inbound/DOOR; `postern doors` says what to paste where\n\n\
         hand over a mail as Mailgun does (the same line again is a retry: one ticket):\n  {}\n\
         as Postmark does:\n  {}\n{}\nthen, in another terminal (with the same --data):\n  \
         postern tickets    postern ticket 1    postern mail\n\nnumbers for Prometheus: {url}/metrics\n\nCtrl-C stops.\n",
        doors.join(", "),
        mailgun_curl(local, &keys, &address, url, &mime)?,
        format_args!(
            "curl -u '{}' -H 'Content-Type: application/json' --data-binary '@{}' {url}/inbound/postmark",
            keys.postmark,
            json.display()
        ),
        raw_curl(&keys, &address, url, &mime),
    ))
}

/// As a mail server hands over; nothing where an older version made the secret.
fn raw_curl(keys: &DoorKeys, address: &str, url: &str, mime: &Path) -> String {
    if keys.raw.is_empty() {
        return String::new();
    }
    format!(
        "as a mail server of one's own does:\n  curl --data-binary '@{}' -H 'Content-Type: message/rfc822' \
         -H 'Authorization: Bearer {}' -H 'X-Postern-Mail-From: ada@startup.example' -H 'X-Postern-Rcpt-To: {address}' \
         {url}/inbound/raw\n",
        mime.display(),
        keys.raw
    )
}

fn mailgun_curl(local: &Local, keys: &DoorKeys, address: &str, url: &str, mime: &Path) -> anyhow::Result<String> {
    let token = format!("{:050x}", local.ingest.ambient.entropy());
    let MailgunSignature { timestamp, token, signature } =
        MailgunSignature::new(&keys.mailgun, local.ingest.ambient.now(), &token)?;
    Ok(format!(
        "curl -F timestamp={timestamp} -F token={token} -F signature={signature} -F recipient={address} \
         -F sender=ada@startup.example -F 'body-mime=<{}' {url}/inbound/mailgun/mime",
        mime.display()
    ))
}

/// Serves until Ctrl-C or SIGTERM; requests under way are finished.
async fn serve(listener: TcpListener, served: Arc<Served>) -> anyhow::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stopped());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let served = Arc::clone(&served);
        let service = service_fn(move |request| {
            let served = Arc::clone(&served);
            async move { Ok::<_, std::convert::Infallible>(served.answer(request).await) }
        });
        let builder = auto::Builder::new(TokioExecutor::new());
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    graceful.shutdown().await;
    Ok(())
}

async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! { _ = interrupted => {}, _ = terminated.recv() => {} }
        }
        Err(_) => {
            let _ = interrupted.await;
        }
    }
}

/// What answers on the port.
struct Served {
    app: Arc<App>,
    metrics: Arc<Metrics>,
    queues: Option<Arc<Queues>>,
}

impl Served {
    /// The numbers, for whoever asks for them; everything else is the door's.
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() != "/metrics" || request.method() != Method::GET {
            return answer(&self.app, request).await;
        }
        let text = self.metrics.text(self.queues.as_deref()).unwrap_or_default();
        let mut response = Response::new(Full::new(Bytes::from(text)));
        let content_type = header::HeaderValue::from_static(metrics::CONTENT_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response
    }
}

/// Hands a request to the door as Lambda would, with Lambda's limit.
async fn answer(app: &App, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let text = content_type.starts_with("text/") || content_type.starts_with("application/json");
    let limit = if text { EVENT_OCTETS_MAX } else { EVENT_OCTETS_MAX / 4 * 3 };
    match Limited::new(body, limit).collect().await {
        Ok(body) => app.handle(Request::from_parts(parts, body.to_bytes())).await.map(|text| Full::new(text.into())),
        Err(_) => {
            let why = format!(
                "{{\"error\":\"too-large\",\"message\":\"more than {limit} octets: AWS Lambda takes 6 MB a request, \
                 base64 included; API Gateway answers 413 there as well\"}}"
            );
            let mut response = Response::new(Full::new(Bytes::from(why)));
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            response
        }
    }
}
