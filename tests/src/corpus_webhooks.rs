//! Requests and events that others captured: what Postern makes of them, counted.
//!
//! `POSTERN_WEBHOOK_CORPUS=<folder>` names a folder with `expectations.jsonl`, one JSON object a line: `id`, `kind`,
//! `headers`, `body_file` or `event_file`, `signing_key`, `clock`, `s3_objects`, `expected`. Without it there is nothing
//! to measure. The project has no such folder: the requests are other people's.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;
use postern::{
    digest::sha256_hex,
    envelope::{Envelope, ReversePath},
    headers::{self, Headers},
    inbound::{Verdict, Verdicts},
    parse::{self, Attachment, ParsedMessage},
    providers::ses,
    secrets::SecretSource,
};
use postern_cli::engines::BUCKET;
use serde_json::Value;

use crate::{
    doors::{POSTMARK_LOGIN, door_with, hear, operator, post, trusting},
    harness::wire::Wire,
    queues::{event, record},
    world::{World, now, text},
};

#[expect(clippy::disallowed_methods, reason = "where captured requests lie is said outside")]
fn folder() -> Option<PathBuf> {
    std::env::var_os("POSTERN_WEBHOOK_CORPUS").map(PathBuf::from)
}

/// A row and where it lies.
struct Row {
    json: Value,
    folder: PathBuf,
}

/// What came of a row: mismatches, and remarks that are none.
#[derive(Default)]
struct Judged {
    wrong: Vec<String>,
    remarks: Vec<String>,
}

impl Judged {
    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: &T, expected: &T) {
        if found != expected {
            self.wrong.push(format!("{what}: {found:?}, expected {expected:?}"));
        }
    }
}

/// A message as Postern has it in the end.
struct Taken {
    headers: Headers,
    message: ParsedMessage,
    envelope: Envelope,
    verdicts: Verdicts,
    event_id: Option<String>,
}

impl Row {
    fn str(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer).and_then(Value::as_str)
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.folder.join(file)).expect("a file that a row names")
    }

    fn event(&self) -> Value {
        serde_json::from_slice(&self.read(self.str("/event_file").unwrap())).expect("an event is JSON")
    }

    fn clock(&self) -> Timestamp {
        self.str("/clock").map_or_else(now, |clock| clock.parse().unwrap())
    }

    fn messages(&self) -> &[Value] {
        self.json.pointer("/expected/messages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The request, with the credentials that its provider has here.
    fn request(&self) -> Request<Bytes> {
        let body = self.read(self.str("/body_file").unwrap());
        let path = format!("/inbound/{}", self.str("/provider").unwrap());
        let mut request = post(&path, self.str("/headers/Content-Type").unwrap_or_default(), body);
        let login = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, POSTMARK_LOGIN);
        request.headers_mut().insert(header::AUTHORIZATION, format!("Basic {login}").parse().unwrap());
        request
    }

    async fn by_webhook(&self, verdict: &mut Judged) {
        let world = World::new().await;
        let ingest = world.over_at(&Wire::new(), self.clock());
        let key = self.str("/signing_key").unwrap_or("unused");
        let secret = SecretSource::Text(operator(&[key], &[POSTMARK_LOGIN]));
        let app = trusting(&world, door_with(ingest, secret));
        let heard = hear(&app, self.request()).await;
        let accepted = self.json["expected"]["accept"] == true;
        if self.messages().is_empty() {
            verdict.equal("tickets", &world.tickets().await, &0);
            let proven = !matches!(heard.status, 400 | 401);
            if self.str("/kind") == Some("security-json") {
                verdict.equal("proven", &proven, &accepted);
                verdict.equal("rows", &world.items("MAIL#").await.len(), &0);
            }
            verdict.remarks.push(format!("{} {}{}", heard.status, heard.text("message"), heard.text("hint")));
            return;
        }
        verdict.equal("status", &heard.status, &200);
        verdict.equal("answer", &heard.text("status"), &"created");
        let rows = world.items("MAIL#").await;
        let Some(row) = rows.values().next() else { return verdict.wrong.push("no row".to_owned()) };
        let (raw, accept) = world.ingest.blobs.get_accepted(&text(row, "raw_key")).await.unwrap();
        let headers = headers::scan(&raw);
        let message = parse::parse(&raw, &headers);
        let (envelope, verdicts) = (accept.envelope, accept.verdicts);
        let taken = Taken { headers, message, envelope, verdicts, event_id: accept.ingress.event_id };
        compare(&taken, &self.messages()[0], verdict);
    }

    /// A receipt's event. Where it names a bucket and a prefix of its own, they stand for ours.
    async fn by_topic(&self, verdict: &mut Judged) {
        let world = World::new().await;
        let mut event = self.event();
        for (object, file) in self.json["s3_objects"].as_object().into_iter().flatten() {
            let (bucket, key) = object.split_once('/').unwrap();
            let name = key.rsplit('/').next().unwrap();
            let ours = format!("raw/ses/{name}");
            let message = event["Records"][0]["Sns"]["Message"].as_str().unwrap();
            let message = message.replace(bucket, BUCKET).replace(key, &ours).replace("\"inbound\"", "\"raw/ses/\"");
            event["Records"][0]["Sns"]["Message"] = Value::String(message);
            let (_, s3) = world.engines.clients(None);
            let octets = self.read(file.as_str().unwrap());
            s3.put_object().bucket(BUCKET).key(ours).body(octets.into()).send().await.unwrap();
        }
        let answered = world.receipt_function(&Wire::new()).handle(event.clone()).await;
        if self.messages().is_empty() {
            verdict.equal("tickets", &world.tickets().await, &0);
            verdict.remarks.push(format!("rows: {}", world.items("MAIL#").await.len()));
            return;
        }
        verdict.equal("handled", &answered.is_ok(), &true);
        let spam = self.messages()[0]["spam_detected"] == true;
        verdict.equal("tickets", &world.tickets().await, &usize::from(!spam));
        let message = event["Records"][0]["Sns"]["Message"].as_str().unwrap();
        let receipt = ses::read(message, now()).unwrap().into_inbound(BUCKET);
        let rows = world.items("MAIL#").await;
        let Some(row) = rows.values().next() else { return verdict.wrong.push("no row".to_owned()) };
        verdict.equal("cause", &text(row, "cause").as_str(), &if spam { "spam" } else { "" });
        let raw = world.ingest.blobs.get(&text(row, "raw_key")).await.unwrap();
        let headers = headers::scan(&raw);
        let parsed = parse::parse(&raw, &headers);
        let (envelope, verdicts) = (receipt.envelope, receipt.verdicts);
        let taken = Taken { headers, message: parsed, envelope, verdicts, event_id: receipt.ingress.event_id };
        compare(&taken, &self.messages()[0], verdict);
    }

    /// An event of AWS's own documentation: it is read, by whichever function it is for.
    async fn by_platform(&self, verdict: &mut Judged) {
        let json = self.event();
        if json.get("requestContext").is_some() {
            let text = String::from_utf8(self.read(self.str("/event_file").unwrap())).unwrap();
            verdict.equal("read", &lambda_http::request::from_str(&text).is_ok(), &true);
            return;
        }
        let world = World::new().await;
        if json.pointer("/Records/0/s3").is_some() {
            let net = event(&[record("postern-net", "m", &json.to_string(), 1)]);
            verdict.equal("read", &world.retry_function(&Wire::new()).handle(net).await.is_ok(), &true);
            return;
        }
        if let Some(id) = self.str("/expected/ses_message_id") {
            let inner = json.pointer("/Records/0/ses").map(ToString::to_string);
            let inner = inner.unwrap_or_else(|| json["Records"][0]["Sns"]["Message"].as_str().unwrap().to_owned());
            let receipt = ses::read(&inner, now()).expect("a receipt");
            verdict.equal("id", &receipt.ingress.event_id.as_deref(), &Some(id));
            let found: Vec<&str> =
                receipt.envelope.forward_paths.iter().map(postern::address::AddrSpec::as_str).collect();
            verdict.equal("recipients", &found, &texts(&self.json["expected"]["recipients"]));
            return;
        }
        let answered = world.receipt_function(&Wire::new()).handle(json).await;
        verdict.equal("handled", &answered.is_ok(), &true);
        verdict.equal("tickets", &world.tickets().await, &0);
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

fn compare(taken: &Taken, expected: &Value, verdict: &mut Judged) {
    let Taken { headers, message, envelope, verdicts, event_id } = taken;
    let str = |name: &str| expected[name].as_str();
    let filled = |name: &str| str(name).filter(|text| !text.trim().is_empty());
    let from = headers.from.first();
    verdict.equal("from", &from.and_then(|from| from.address.as_deref()), &str("from_email"));
    verdict.equal("from name", &from.and_then(|from| from.name.as_deref()), &filled("from_name"));
    for (name, list) in [("to", &headers.to), ("cc", &headers.cc)] {
        let found: Vec<&str> = list.iter().filter_map(|one| one.address.as_deref()).collect();
        verdict.equal(name, &found, &texts(&expected[name]));
    }
    verdict.equal("subject", &headers.subject.as_str(), &str("subject").unwrap_or_default());
    verdict.equal("date", &headers.date_rfc3339.as_deref(), &str("date"));
    let id = headers.message_id.as_ref().map(|id| format!("<{id}>"));
    verdict.equal("message id", &id.as_deref(), &str("message_id"));
    let reverse = match &envelope.reverse_path {
        ReversePath::Address(address) => Some(address.as_str()),
        _ => None,
    };
    verdict.equal("envelope sender", &reverse, &str("envelope_sender"));
    let forward = envelope.forward_paths.first().map(|path| path.as_str().to_lowercase());
    verdict.equal("envelope recipient", &forward, &str("envelope_recipient").map(str::to_lowercase));
    verdict.equal("spam", &(verdicts.spam == Some(Verdict::Fail)), &(expected["spam_detected"] == true));
    if let Some(token) = str("event_id") {
        let known = event_id.as_deref().is_some_and(|id| id == token || id == sha256_hex(token.as_bytes()));
        verdict.equal("event id", &known, &true);
    }
    bodies(message, expected, verdict);
    files(message, expected, verdict);
}

/// Some rows take the text of a mail that has none out of a mail attached to it.
fn bodies(message: &ParsedMessage, expected: &Value, verdict: &mut Judged) {
    let wanted = |name: &str| expected[name].as_str().map(squeezed).filter(|text| !text.is_empty());
    let of_attached = |wanted: &Option<String>| {
        let attached = message.attachments.iter().filter(|one| one.content_type == "message/rfc822");
        let mut read = attached.map(|one| parse::parse(&one.content, &headers::scan(&one.content)));
        read.any(|one| [one.text, one.html.unwrap_or_default()].iter().any(|text| Some(squeezed(text)) == *wanted))
    };
    for (name, found) in [("text", Some(&message.text)), ("html", message.html.as_ref())] {
        let found = found.map(|text| squeezed(text)).filter(|text| !text.is_empty());
        let wanted = wanted(name);
        // A mail with HTML alone has its text from there.
        let from_html = name == "text" && wanted.is_none() && message.html.is_some();
        if found == wanted || from_html {
            continue;
        }
        if found.is_none() && of_attached(&wanted) {
            verdict.remarks.push(format!("the {name} stands in an attached mail"));
        } else {
            verdict.equal(name, &found, &wanted);
        }
    }
}

/// Octets by which an attached mail may differ: a framework that writes it anew folds its fields in other places.
const FOLDS_OCTETS: u64 = 8;

fn has_content(found: &Attachment, expected: &Value) -> bool {
    let size = expected["size"].as_u64().unwrap_or_default();
    let equal = found.size == size && Some(found.sha256.as_str()) == expected["sha256"].as_str();
    equal || (found.content_type == "message/rfc822" && found.size.abs_diff(size) <= FOLDS_OCTETS)
}

/// Each file that is expected is there; more than those is no fault: frameworks drop files without a usable name.
fn files(message: &ParsedMessage, expected: &Value, verdict: &mut Judged) {
    let mut left: Vec<&Attachment> = message.attachments.iter().collect();
    for one in expected["attachments"].as_array().into_iter().flatten() {
        let same = |found: &&Attachment| {
            found.filename.as_deref() == one["filename"].as_str()
                && has_content(found, one)
                && Some(found.content_type.as_str()) == one["mime"].as_str()
        };
        match left.iter().position(same) {
            Some(at) => {
                if Some(left.remove(at).sha256.as_str()) != one["sha256"].as_str() {
                    verdict.remarks.push("an attached mail that the row's framework wrote anew".to_owned());
                }
            }
            None => {
                let found: Vec<_> =
                    message.attachments.iter().map(|a| (&a.filename, &a.content_type, a.size)).collect();
                verdict.wrong.push(format!("file {one} is not among {found:?}"));
            }
        }
    }
    if !left.is_empty() {
        verdict.remarks.push(format!("{} files that the row's framework dropped", left.len()));
    }
}

#[tokio::test]
async fn captured_requests_become_what_they_are() {
    let Some(folder) = folder() else { return };
    let rows = fs::read_to_string(folder.join("expectations.jsonl")).expect("expectations.jsonl");
    let rows = rows.lines().filter(|line| !line.trim().is_empty());
    let (mut total, mut wrong) = (0, Vec::new());
    for line in rows {
        let row = Row { json: serde_json::from_str(line).expect("a row is JSON"), folder: folder.clone() };
        let mut verdict = Judged::default();
        match row.str("/kind").unwrap_or_default() {
            "sns" => row.by_topic(&mut verdict).await,
            "event" => row.by_platform(&mut verdict).await,
            _ => row.by_webhook(&mut verdict).await,
        }
        total += 1;
        let mark = if verdict.wrong.is_empty() { "ok" } else { "WRONG" };
        println!("{mark:5} {} {}", row.str("/id").unwrap_or_default(), verdict.remarks.join("; "));
        for mismatch in &verdict.wrong {
            println!("      {mismatch}");
        }
        if !verdict.wrong.is_empty() {
            wrong.push(row.str("/id").unwrap_or_default().to_owned());
        }
    }
    println!("{} of {total}", total - wrong.len());
    assert!(wrong.is_empty(), "{wrong:?}");
}
