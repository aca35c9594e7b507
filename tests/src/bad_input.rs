//! Hostile and broken mail: an answer, a ledger row, the octets as they came; never a panic, never a 5xx.

mod identity;
mod limits;

use postern::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    inbound::{InboundMessage, Ingress, Origin, Verdicts},
    outcome::Answer,
};

use crate::{
    doors::{Encoding, Form, door, hear},
    world::{Item, SUPPORT, World, now, one, text},
};

/// A delivery straight to the pipeline, by the door of SES to come: no request limits its size.
fn delivery(event: &str, raw: Vec<u8>) -> InboundMessage {
    InboundMessage {
        raw: raw.into(),
        origin: Origin::Received,
        envelope: Envelope {
            reverse_path: ReversePath::Unknown,
            forward_paths: AddrSpec::parse(SUPPORT).into_iter().collect(),
            from_header: false,
        },
        ingress: Ingress {
            door: "pipe".to_owned(),
            provider: "pipe".to_owned(),
            event_id: Some(event.to_owned()),
            transport_time: now(),
        },
        verdicts: Verdicts::default(),
        mailbox: None,
        replay_guard: None,
        payload: None,
        fetch: None,
    }
}

fn with_headers(lines: &str, body: &str) -> Vec<u8> {
    format!("{lines}\r\n{body}").into_bytes()
}

/// A header that is all there; `name` makes it one mail of its own.
fn headers(name: &str) -> String {
    format!(
        "From: Cust <cust@people.example>\r\nTo: {SUPPORT}\r\nSubject: s {name}\r\n\
         Date: Mon, 02 Nov 2026 09:00:00 +0000\r\nMessage-ID: <{name}@ids.example>\r\n"
    )
}

fn repeated(part: &str, times: usize) -> String {
    part.repeat(times)
}

fn multipart(name: &str, parts: &str) -> Vec<u8> {
    let head = headers(name);
    format!("{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n").into_bytes()
}

fn nested(levels: usize) -> Vec<u8> {
    let mut mail = headers(&format!("nested{levels}")).into_bytes();
    for level in 0..levels {
        mail.extend_from_slice(
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").as_bytes(),
        );
    }
    mail.extend_from_slice(b"Content-Type: text/plain\r\n\r\nat the bottom\r\n");
    for level in (0..levels).rev() {
        mail.extend_from_slice(format!("--b{level}--\r\n").as_bytes());
    }
    mail
}

fn attachments(count: usize) -> Vec<u8> {
    let part = |n| format!("--b\r\nContent-Disposition: attachment; filename=f{n}.txt\r\n\r\nfile {n}\r\n");
    multipart("attachments", &(0..count).map(part).collect::<String>())
}

fn hostile_names() -> Vec<u8> {
    let names = [
        "../../etc/passwd",
        "..\\\\..\\\\boot.ini",
        "/etc/shadow",
        "C:\\\\x.exe",
        "a\\\"b",
        ".",
        "..",
        "",
        "con",
        "=?utf-8?q?=00=0A=2F..=2F?=",
        "=?utf-8?B?4oCu?=fdp.exe",
        "%2e%2e%2fx",
        "nul\0nul",
    ];
    let part = |name| format!("--b\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\nx\r\n");
    multipart("names", &names.map(part).concat())
}

fn recipients(count: usize, name_octets: usize) -> String {
    let one = |n| format!("\"{}\" <r{n}@people.example>", "n".repeat(name_octets));
    (0..count).map(one).collect::<Vec<_>>().join(",\r\n ")
}

fn references(count: usize) -> String {
    (0..count).map(|n| format!("<r{n}@ids.example>")).collect::<Vec<_>>().join("\r\n ")
}

fn without(field: &str) -> Vec<u8> {
    let lines: String = headers(field).split_inclusive("\r\n").filter(|line| !line.starts_with(field)).collect();
    with_headers(&lines, "text")
}

/// Every bad mail that a request of 4 MB can hold.
fn bad_mails() -> Vec<(&'static str, Vec<u8>)> {
    let extra = |name: &str, line: &str| with_headers(&(headers(name) + line), "text");
    vec![
        ("garbage", (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()),
        ("one octet", b"x".to_vec()),
        ("line ends only", b"\r\n\r\n\n\n\r\r".to_vec()),
        ("a header only", headers("header-only").into_bytes()),
        ("a body only", b"\r\nno header at all\r\n".to_vec()),
        ("NUL only", vec![0; 5_000]),
        ("NUL everywhere", headers("nul").replace(' ', " \0").into_bytes()),
        ("NUL between all", headers("nul2").bytes().flat_map(|octet| [octet, 0]).collect()),
        ("high octets", [headers("high").into_bytes(), vec![0xff; 5_000]].concat()),
        ("10,000 parts", multipart("parts", &repeated("--b\r\n\r\npart\r\n", 10_000))),
        ("10,000 empty parts", multipart("empty-parts", &repeated("--b\r\n", 10_000))),
        ("100 levels", nested(100)),
        ("1,000 levels", nested(1_000)),
        ("300 attachments", attachments(300)),
        ("hostile names", hostile_names()),
        ("subject of 100 kB", extra("long-subject", &format!("Subject: {}\r\n", "ü".repeat(50_000)))),
        ("two subjects", extra("two", "Subject: other\r\nFrom: b@x.example\r\nDate: x\r\nMessage-ID: <other@x>\r\n")),
        ("long Message-ID", with_headers(&headers(&"i".repeat(900)), "text")),
        ("Message-ID of 100 kB", with_headers(&headers(&"j".repeat(100_000)), "text")),
        ("long In-Reply-To", extra("irt", &format!("In-Reply-To: <{}@x.example>\r\n", "k".repeat(100_000)))),
        ("long address", extra("la", &format!("Cc: {}@{}.example\r\n", "l".repeat(50_000), "d".repeat(5_000)))),
        ("no From", without("From")),
        ("no To", without("To")),
        ("no Subject", without("Subject")),
        ("no Date", without("Date")),
        ("no Message-ID", without("Message-ID")),
        ("several authors", with_headers(&headers("authors").replace("From: ", "From: a@x.example, "), "text")),
        ("empty fields", b"From:\r\nTo:\r\nSubject:\r\nDate:\r\nMessage-ID:\r\nReferences:\r\n\r\n".to_vec()),
        ("dates that are none", with_headers(&headers("date").replace("2026", "99999999999"), "text")),
        ("the year 0", with_headers(&headers("year0").replace("2026", "0000"), "text")),
        ("the year 9999", with_headers(&headers("year9").replace("2026", "9999"), "text")),
        ("5,000 recipients", extra("many-to", &format!("Cc: {}\r\n", recipients(5_000, 0)))),
        ("long names of 500", extra("names500", &format!("Cc: {}\r\n", recipients(500, 200)))),
        ("3,000 references", extra("references", &format!("References: {}\r\n", references(3_000)))),
        ("5,000 fields", extra("fields", &repeated("X-Field: x\r\n", 5_000))),
        ("5,000 Received", extra("received", &repeated("Received: from a by b; x\r\n", 5_000))),
        ("800 kB of text", with_headers(&headers("text"), &repeated("words and words\r\n", 50_000))),
        ("one line of 1 MB", with_headers(&headers("line"), &"w".repeat(1_000_000))),
        ("100,000 quote marks", with_headers(&headers("quotes"), &repeated("> ", 100_000))),
        ("deep comments", extra("comments", &format!("Cc: {}a@x.example\r\n", "(".repeat(100_000)))),
        ("deep HTML", html(&repeated("<div><b>", 20_000))),
        ("unfinished HTML", html(&repeated("<a href=\"", 20_000))),
        ("an unknown charset", extra("charset", "Content-Type: text/plain; charset=\"\0nonsense\"\r\n")),
        ("encoded words", extra("words", &format!("Subject: {}\r\n", repeated("=?utf-8?q?=ff?= ", 5_000)))),
        ("a boundary that is empty", extra("eb", "Content-Type: multipart/mixed; boundary=\"\"\r\n")),
        ("many colons", ":".repeat(50_000).into_bytes()),
    ]
}

fn html(body: &str) -> Vec<u8> {
    let name = format!("html{}", body.len());
    with_headers(&(headers(&name) + "Content-Type: text/html\r\n"), body)
}

/// The rows that a world has; each with the octets it came from.
async fn rows(world: &World) -> Vec<Item> {
    world.items("MAIL#").await.into_values().collect()
}

/// What must hold for each answer, whatever came.
fn check(what: &str, status: &str, reasons: &[String], row: &Item) {
    let expected = match status {
        "created" | "matched" => "committed",
        other => other,
    };
    assert_eq!(text(row, "outcome"), expected, "{what}");
    assert_ne!(status, "failed", "{what}: {reasons:?}");
    if !matches!(status, "created" | "matched" | "duplicate") {
        assert!(!text(row, "cause").is_empty(), "{what} ended {status} without a cause");
    }
}

#[tokio::test]
async fn bad_mail_at_the_door_gets_a_row_an_answer_and_keeps_its_octets() {
    let world = World::new().await;
    let app = door(&world);
    let mails = bad_mails();
    for (n, (what, octets)) in mails.iter().enumerate() {
        let form = Form::mailgun(Encoding::Multipart, &format!("{n}"), octets);
        let heard = hear(&app, form.request()).await;
        assert_eq!(heard.status, 200, "{what}: {:?}", heard.body);
        let all = world.items("MAIL#").await;
        assert_eq!(all.len(), n + 1, "{what}: one row for each delivery");
        let (hash, mailbox) = heard.text("inbound_id").split_once('/').unwrap();
        let row = &all[&(format!("MAIL#{hash}"), mailbox.to_owned())];
        let reasons: Vec<String> = heard.reasons().into_iter().map(str::to_owned).collect();
        check(what, heard.text("status"), &reasons, row);
        assert_eq!(world.ingest.blobs.get(&text(row, "raw_key")).await.unwrap(), octets, "{what}: the octets");
        let again = hear(&app, form.request()).await;
        assert!(again.reasons().contains(&"seen-before"), "{what}: {:?}", again.body);
        println!("{what}: {} {:?}", heard.text("status"), heard.reasons());
    }
    assert_eq!(rows(&world).await.len(), mails.len());
    let empty = hear(&app, Form::mailgun(Encoding::Multipart, "empty", b"").request()).await;
    assert_eq!((empty.status, empty.text("status")), (200, "failed"), "a field that is there and empty holds no mail");
}

#[tokio::test]
async fn bad_mail_through_the_pipeline_alone() {
    let world = World::new().await;
    let mut mails = bad_mails();
    mails.push(("nothing at all", Vec::new()));
    mails.push((
        "10 MB of header",
        with_headers(&(headers("ten") + &repeated("X-Filler: 0123456789\r\n", 480_000)), "t"),
    ));
    mails.push(("a field of 10 MB", with_headers(&(headers("field") + "X: " + &"y".repeat(10_000_000) + "\r\n"), "t")));
    mails.push(("no end of header", vec![b'a'; 10_000_000]));
    for (n, (what, octets)) in mails.iter().enumerate() {
        let answer: Answer = one(world.ingest.run(delivery(what, octets.clone())).await);
        let all = world.items("MAIL#").await;
        assert_eq!(all.len(), n + 1, "{what}");
        let (hash, mailbox) = answer.inbound_id.split_once('/').unwrap();
        let row = &all[&(format!("MAIL#{hash}"), mailbox.to_owned())];
        check(what, answer.status, &answer.reasons, row);
        let (kept, accept) = world.ingest.blobs.get_accepted(&text(row, "raw_key")).await.unwrap();
        assert_eq!(kept, *octets, "{what}: the octets");
        assert_eq!(accept.raw_key, text(row, "raw_key"), "{what}");
    }
}
