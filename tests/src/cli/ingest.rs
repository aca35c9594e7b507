//! Mail from files, and the listings of what came of it.

use std::os::unix::fs::PermissionsExt as _;

use postern_cli::{
    commands::{exit, exit_code},
    engines::BUCKET,
    local::{Local, door_keys},
    samples::{self, SAMPLES, to},
};

use super::{Desk, run};
use crate::{doors::hear, world::mail};

/// The default mailbox of a local run.
const ADDRESS: &str = "support@postern.test";
/// How the last line of a listing begins where mail waits.
const ATTENTION: &str = "mail that needs attention: ";

fn sample_files(desk: &Desk) -> Vec<String> {
    let file = |(n, sample): (usize, &&str)| desk.file(&format!("{n}.eml"), to(sample, ADDRESS).as_bytes());
    SAMPLES.iter().enumerate().map(file).collect()
}

#[tokio::test]
async fn the_samples_become_two_tickets() {
    let desk = Desk::new();
    let files = sample_files(&desk);
    let words: Vec<&str> = ["ingest"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let text = desk.text(&words).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    for (line, (ticket, outcome)) in lines.iter().zip([
        ("INC-00001", "created_new"),
        ("INC-00001", "replied_to_existing"),
        ("INC-00002", "created_new"),
    ]) {
        assert!(line.starts_with(ticket) && line.contains(outcome) && line.contains(".eml"), "{line}");
    }

    let tickets = desk.json(&["tickets"]).await;
    assert_eq!(tickets["tickets"].as_array().unwrap().len(), 2);
    let table = desk.text(&["tickets"]).await;
    for word in ["INC-00001", "The export button does nothing", "jane.doe@customer.example", "INC-00002", "omar@shop"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    assert!(!table.contains(ATTENTION), "nothing waits: {table}");
    assert_eq!(desk.text(&["tickets", "--status", "closed"]).await, "no tickets\n");

    for name in ["1", "INC-00001", "inc-00001"] {
        let conversation = desk.text(&["ticket", name]).await;
        for word in ["Jane Doe <jane.doe@customer.example>", "console.log", "Same here, in two browsers", "status new"]
        {
            assert!(conversation.contains(word), "{word}: {conversation}");
        }
        assert!(!conversation.contains("[unverified"), "who was in Cc may answer: {conversation}");
        assert!(conversation.find("No error, no file").unwrap() < conversation.find("Same here").unwrap());
    }
    let mail = desk.json(&["mail"]).await;
    let rows = mail["mail"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let id = rows[0]["id"].as_str().unwrap();
    for beginning in [id, id.get(..12).unwrap(), id.get(..4).unwrap()] {
        let one = desk.json(&["mail", beginning]).await;
        assert_eq!((one["id"].as_str(), &one["outcome"]), (Some(id), &serde_json::json!("committed")));
    }
    assert!(desk.refusal(&["mail", "ffff"]).await.contains("no mail"));
    assert!(desk.misuse(&["mail", "fff"]).await.contains("too short"));
    assert!(desk.refusal(&["ticket", "9"]).await.contains("there is no ticket"));
    assert!(desk.refusal(&["ticket", "XYZ-00001"]).await.contains("is INC-00001"));
    assert!(desk.misuse(&["ticket", "one"]).await.contains("no ticket number"));
}

#[tokio::test]
async fn the_same_file_again_is_one_ticket() {
    let desk = Desk::new();
    let file = desk.file("a.eml", &mail("a", "cust").octets("one"));
    let first = desk.json(&["ingest", &file]).await;
    assert_eq!(first["status"], "created");
    let again = desk.json(&["ingest", &file]).await;
    assert_eq!((&again["inbound_id"], &again["ticket_id"]), (&first["inbound_id"], &first["ticket_id"]));
    assert!(again["reasons"].as_array().unwrap().contains(&"seen-before".into()), "{again}");
    let copy = desk.file("b.eml", &mail("a", "cust").octets("two"));
    assert_eq!(desk.json(&["ingest", &copy]).await["status"], "duplicate", "another Received line");
    let tickets = desk.json(&["tickets"]).await;
    assert_eq!(tickets["tickets"].as_array().unwrap().len(), 1);
    assert_eq!(tickets["tickets"][0]["entry_count"], 1);
    assert_eq!(desk.json(&["mail"]).await["mail"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn exit_codes_are_those_of_sysexits() {
    let desk = Desk::new();
    let good = desk.file("good.eml", &mail("g", "cust").octets("g"));
    for (what, words, code) in [
        ("good", vec!["ingest", &good], exit::OK),
        ("a recipient that is none", vec!["ingest", &good, "--to", "nobody"], exit::USAGE),
        ("a sender that is none", vec!["ingest", &good, "--from", "nobody"], exit::USAGE),
        ("a sender of a kind that is not read", vec!["ingest", &good, "--from", "\"a b\"@[192.0.2.1]"], exit::OK),
        ("a recipient of that kind", vec!["ingest", &good, "--to", "\"a b\"@[192.0.2.1]"], exit::OK),
        ("the null sender", vec!["ingest", &good, "--from", "<>"], exit::OK),
        ("a mailbox that is none", vec!["ingest", &good, "--mailbox", "elsewhere"], exit::USAGE),
        ("a mailbox of no form", vec!["ingest", &good, "--mailbox", "NO/FORM"], exit::USAGE),
        ("the mailbox", vec!["ingest", &good, "--mailbox", "support"], exit::OK),
        ("a file that is not there", vec!["ingest", "/nonexistent.eml"], exit::NO_INPUT),
        ("a folder", vec!["ingest", "/"], exit::NO_INPUT),
        ("one of two", vec!["ingest", "/nonexistent.eml", &good], exit::NO_INPUT),
    ] {
        let output = desk.run(&words).await.unwrap();
        assert_eq!(output.code, code, "{what}: {output:?}");
        assert_eq!(output.trouble.is_empty(), code == exit::OK, "{what}: {output:?}");
    }
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 1, "the good one came in each time");
    let no_directory = run(good.as_ref(), &["ingest", &good]).await.unwrap();
    assert_eq!(no_directory.code, exit::TEMP_FAIL, "{no_directory:?}");
    assert!(no_directory.trouble.contains("good.eml"), "it names the directory: {no_directory:?}");
    let error = run(good.as_ref(), &["tickets"]).await.unwrap_err();
    assert_eq!(exit_code(&error), exit::SOFTWARE, "{error:#}");
    let nowhere = Desk::new();
    for words in
        [&["tickets"][..], &["mail"], &["ticket", "1"], &["hold", "list"], &["token", "1"], &["approve", "1/x"]]
    {
        let (code, told) = nowhere.trouble(words).await;
        assert!(code == exit::SOFTWARE && told.contains("there is no data"), "{words:?}: {code} {told}");
    }
    assert!(!nowhere.data().exists(), "looking makes nothing");
    for words in [&["ingest"][..], &["ingest", "--nonsense", "x"], &["nonsense"], &["tickets", "--limit", "many"]] {
        assert!(desk.run(words).await.is_err(), "{words:?}");
    }
}

#[tokio::test]
async fn a_storage_that_refuses_the_mail_is_75_and_names_the_file() {
    let desk = Desk::new();
    let file = desk.file("a.eml", &mail("a", "cust").octets("a"));
    desk.receive(&mail("before", "cust")).await;
    // Where the raw objects were is a file: none can be put.
    let raw = desk.data().join("objects").join(BUCKET).join("raw");
    std::fs::remove_dir_all(&raw).unwrap();
    std::fs::write(&raw, "in the way").unwrap();
    let output = desk.run(&["ingest", &file]).await.unwrap();
    assert_eq!(output.code, exit::TEMP_FAIL, "{output:?}");
    assert!(output.trouble.contains("a.eml"), "{output:?}");
    std::fs::remove_file(&raw).unwrap();
    assert!(desk.text(&["ingest", &file]).await.contains("created_new"), "the sender's retry");
}

#[tokio::test]
async fn every_listing_ends_with_what_waits_where_anything_waits() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    let listings: [&[&str]; 3] = [&["tickets"], &["ticket", "1"], &["mail"]];
    for words in listings {
        assert!(!desk.text(words).await.contains(ATTENTION), "{words:?}");
        assert_eq!(desk.json(words).await["attention"]["held"], 0);
    }
    assert_eq!(desk.text(&["hold", "list"]).await, "no mail is held\n");
    for name in ["h1", "h2"] {
        let held = desk.receive(&mail(name, "robot").field("Auto-Submitted: auto-replied")).await;
        assert_eq!((&held["status"], &held["reasons"][0]), (&"held".into(), &"auto-reply".into()), "{held}");
    }
    for words in listings.iter().chain([&["hold", "list"][..]].iter()) {
        let text = desk.text(words).await;
        let last = text.lines().last().unwrap();
        assert_eq!(last, format!("{ATTENTION}2 held (postern hold list)"), "{words:?}");
        assert_eq!(desk.json(words).await["attention"], serde_json::json!({ "held": 2, "failed": 0, "queued": 0 }));
    }
    let local = Local::open(&desk.data()).await.unwrap();
    let keys = door_keys(&desk.data()).unwrap();
    let unreadable = samples::postmark_request(&keys, "no JSON".to_owned()).unwrap();
    assert_eq!(hear(&local.door(), unreadable).await.text("status"), "failed");
    local.close().await;
    let text = desk.text(&["tickets"]).await;
    let both = format!("{ATTENTION}2 held (postern hold list), 1 failed (postern mail)");
    assert_eq!(text.lines().last(), Some(both.as_str()));
    let ledger = desk.text(&["mail"]).await;
    for word in ["auto-reply", "robot@people.example", "held", "committed", "INC-00001", "unreadable-payload"] {
        assert!(ledger.contains(word), "{word}: {ledger}");
    }
}

#[tokio::test]
async fn data_and_secrets_survive_and_are_the_owners() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    let secrets = desk.data().join("secrets");
    let read = || ["master.json", "operator.json"].map(|name| std::fs::read_to_string(secrets.join(name)).unwrap());
    let before = read();
    for name in ["master.json", "operator.json"] {
        let mode = std::fs::metadata(secrets.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(std::fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o700);
    let token = desk.text(&["token", "1"]).await;
    assert_eq!(desk.text(&["token", "1"]).await, token, "each command is a start of its own: the same key signs");
    assert_eq!(read(), before);
    assert!(desk.text(&["ticket", "1"]).await.contains("mail a"));
    assert!(before[0] != before[1] && before.iter().all(|secret| secret.len() > 60));
    let other = Desk::new();
    other.receive(&mail("a", "cust")).await;
    assert_ne!(other.text(&["token", "1"]).await, token, "every directory has keys of its own");
}

#[tokio::test]
async fn commands_at_the_same_time_wait_for_one_another() {
    let desk = Desk::new();
    let files: Vec<String> =
        (0..4).map(|n| desk.file(&format!("{n}.eml"), &mail(&format!("m{n}"), "cust").octets("x"))).collect();
    let each = files.iter().map(|file| desk.json_of_ingest(file));
    let answers = futures_util::future::join_all(each).await;
    let mut numbers: Vec<u64> = answers.iter().map(|answer| answer["ticket_id"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 4);
}

impl Desk {
    async fn json_of_ingest(&self, file: &str) -> serde_json::Value {
        self.json(&["ingest", file]).await
    }
}

#[tokio::test]
async fn html_is_made_safe_when_it_is_read() {
    let desk = Desk::new();
    let mail = |name: &str, rest: &str| {
        let head = format!("From: jane@customer.example\nTo: {ADDRESS}\nMessage-ID: <{name}@customer.example>\n");
        desk.file(&format!("{name}.eml"), format!("{head}{rest}").as_bytes())
    };
    let html = mail("html", "Content-Type: text/html\n\n<p onclick=x>Hello</p><script>run()</script>\n");
    let plain = mail("plain", "\nHello\n");
    let ids: Vec<String> = {
        let (first, second) = (desk.json(&["ingest", &html]).await, desk.json(&["ingest", &plain]).await);
        [first, second].map(|answer| answer["inbound_id"].as_str().unwrap().to_owned()).into()
    };
    assert_eq!(desk.text(&["mail", &ids[0], "--html"]).await.trim(), "<p>Hello</p>");
    assert!(desk.refusal(&["mail", &ids[1], "--html"]).await.contains("has no HTML"));
    for id in &ids {
        let read: serde_json::Value = serde_json::from_str(&desk.text(&["mail", id, "--inspect"]).await).unwrap();
        assert_eq!((&read["kind"], &read["text"]), (&"human".into(), &"Hello".into()));
    }
    assert!(desk.run(&["mail", "--html"]).await.is_err(), "of which mail?");
    // Neither the row nor the entry holds any of it.
    for words in [["mail", ids[0].as_str()], ["ticket", "1"]] {
        assert!(!desk.json(&words).await.to_string().contains("<p"), "{words:?}");
    }
}

#[tokio::test]
async fn what_files_and_invitations_are_stands_on_the_ticket() {
    let desk = Desk::new();
    for (name, told) in [
        (
            "zip-with-script",
            "+ invoice.zip (application/zip, 234 octets)  held back: dangerous-archive  holds readme.txt, invoice.pdf.js",
        ),
        ("zip-encrypted", "+ figures.zip (application/zip, 125 octets)  [archive-encrypted]  holds figures.xlsx"),
        ("winmail-two-files", "+ Angebot für Zoë.pdf (application/pdf, 14 octets)"),
        ("images-screenshot-logo-pixel", "+ company-logo.gif (image/gif, 14 octets, logo)"),
        ("images-screenshot-logo-pixel", "+ image003.gif (image/gif, 14 octets, tracking pixel)"),
        ("images-screenshot-logo-pixel", "+ image001.gif (image/gif, 14 octets, inline)"),
        (
            "calendar-invitation",
            "@ request: Visit of the technician, 2026-03-05T10:00:00 to 2026-03-05T11:30:00 (Europe/Berlin), at Room 4, first \
             floor, organizer mara@customer.example, 2 attendees",
        ),
    ] {
        let mail = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
        let answer = desk.json(&["ingest", &format!("{mail}/{name}.eml")]).await;
        let shown = desk.text(&["ticket", answer["ticket_number"].as_str().unwrap()]).await;
        assert!(shown.lines().any(|line| line.trim() == told), "{name}: {shown}");
    }
}

#[tokio::test]
async fn agents_see_what_could_not_be_read() {
    let desk = Desk::new();
    for (name, rest, flag) in [
        ("dated", "Date: Mon, 2 Mar 2026 09:15:00 +0100\n\nHello\n", None),
        ("undated", "\nHello\n", Some("date-missing")),
        ("odd", "Date: soon\n\nHello\n", Some("date-unreadable")),
        (
            "secret",
            "Date: Mon, 2 Mar 2026 09:16:00 +0100\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIA\n",
            Some("encrypted"),
        ),
    ] {
        let head = format!("From: jane@customer.example\nTo: {ADDRESS}\nMessage-ID: <{name}@customer.example>\n");
        let file = desk.file(&format!("{name}.eml"), format!("{head}{rest}").as_bytes());
        let answer = desk.json(&["ingest", &file]).await;
        let ticket = desk.json(&["ticket", answer["ticket_number"].as_str().unwrap()]).await;
        let flags = ticket["entries"][0]["flags"].as_array().unwrap();
        let noted: Vec<&str> = flags.iter().filter_map(|f| f.as_str()).filter(|f| *f != "auth-unknown").collect();
        assert_eq!(noted, flag.into_iter().collect::<Vec<_>>(), "{name}");
    }
}
