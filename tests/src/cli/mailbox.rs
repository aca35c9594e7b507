//! `mailbox`: what people write to.

use postern::{
    envelope::Envelope,
    inbound::{InboundMessage, Ingress},
};
use postern_cli::{engines::write_endpoints, local::Local};
use serde_json::{Value, json};

use super::Desk;
use crate::world::mail;

/// A data directory that is there.
async fn made() -> Desk {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    desk
}

/// Every option of a mailbox.
const ALL: &str = "mailbox add change --address Change@postern.test --address rfc@postern.test --pattern *@fair.example \
    --pattern info+*@postern.test --prefix CHG --prefix-for problem=PRB --year true --queue cab --type change \
    --reply-mode off --strangers hold --subject-number-unauthenticated true --reopen-window always --scope itsm \
    --authentication hold --agent ann@postern.test --agent *@desk.example --cc pending --reply-to always \
    --form-sender form@web.example --uncapped *@monitoring.example --cap-author-tickets 5 --cap-author-entries 6 \
    --keep-held 30 --keep-ledger 400 --cap-ticket-entries 7 --cap-alike 3 --attachment-each 10MB --attachment-total 20mb \
    --attachment-count 5 --enabled false";

fn typed(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The mailbox of [`ALL`].
fn expected() -> Value {
    json!({
        "id": "change", "source": "stored", "enabled": false, "addresses": ["change@postern.test", "rfc@postern.test"],
        "patterns": ["*@fair.example", "info+*@postern.test"], "scope": "itsm", "prefix": "CHG",
        "prefixes": { "problem": "PRB" }, "year_in_number": true, "queue": "cab", "ticket_type": "change",
        "reply_mode": "off", "strangers": "hold", "subject_number_unauthenticated": true, "reopen_window_days": null,
        "reopens_per_day": 3, "courtesy": "reopens", "auto_close_days": null,
        "attachments": { "each": 10 * 1024 * 1024, "total": 20 * 1024 * 1024, "count": 5 },
        "authentication": "hold", "agents": ["ann@postern.test", "*@desk.example"], "cc": "pending", "reply_to": "always",
        "form_senders": ["form@web.example"], "uncapped": ["*@monitoring.example"],
        "retention": { "held": 30, "ledger": 400 },
        "caps": { "author_tickets": 5, "author_entries": 6, "ticket_entries": 7, "alike": 3 },
    })
}

#[tokio::test]
async fn a_mailbox_is_set_up_changed_and_taken_away() {
    let desk = made().await;
    let added = desk.json(&typed(ALL)).await;
    assert_eq!((&added["changed"], &added["follow_seconds"]), (&json!(true), &json!(60)));
    assert_eq!(added["mailbox"], expected());
    assert_eq!(desk.json(&["mailbox", "show", "change"]).await, expected(), "as stored");
    let shown = desk.text(&["mailbox", "show", "change"]).await;
    for words in
        ["*@fair.example, info+*@postern.test", "problem=PRB", "10 MB each, 20 MB together, 5 of a mail", "always"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let there = desk.refusal(&["mailbox", "add", "change", "--address", "x@postern.test"]).await;
    assert!(there.contains("is there already (stored)") && there.contains("mailbox set change --data"), "{there}");
    let listed = desk.text(&["mailbox", "list"]).await;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[1].starts_with("change") && lines[1].contains("stored"), "{listed}");
    assert!(lines[1].contains("rfc@postern.test, *@fair.example") && lines[1].contains("disabled"), "{listed}");
    assert!(lines[2].starts_with("support") && lines[2].contains("environment"), "{listed}");
    assert!(desk.text(&["mailbox", "remove", "change"]).await.contains("its tickets stay"));
    for verb in ["show", "remove", "test", "set"] {
        let told = desk.refusal(&["mailbox", verb, "change"]).await;
        assert!(told.contains("there is no mailbox change") && told.contains("postern mailbox list"), "{verb}: {told}");
    }
}

#[tokio::test]
async fn only_what_is_named_is_changed() {
    let desk = made().await;
    desk.json(&typed(ALL)).await;
    let line = "mailbox set change --enabled true --pattern - --prefix-for problem= --prefix-for incident=INC \
                --reopen-window 0";
    let changed = desk.json(&typed(line)).await;
    let mut after = expected();
    for (name, value) in [
        ("enabled", json!(true)),
        ("patterns", json!([])),
        ("prefixes", json!({ "incident": "INC" })),
        ("reopen_window_days", json!(0)),
    ] {
        after[name] = value;
    }
    assert_eq!(changed["mailbox"], after);
    let same = desk.json(&["mailbox", "set", "change", "--queue", "cab"]).await;
    assert_eq!((&same["changed"], &same["mailbox"]), (&json!(false), &after));
}

#[tokio::test]
async fn what_would_not_go_together_is_not_written() {
    let desk = made().await;
    let long = format!("{}@postern.test", "l".repeat(38));
    for (words, told) in [
        (
            &["--address", "support@postern.test"][..],
            "mailboxes new and support claim the same address, support@postern.test",
        ),
        (&["--address", "n@postern.test", "--pattern", "support+*@postern.test"], "reply addresses of mailbox support"),
        (
            &["--address", "n@postern.test", "--prefix", "inc"],
            "mailbox new: prefix \"inc\" must be 2 to 8 letters A to Z",
        ),
        (&["--address", "n@postern.test", "--prefix-for", "change=C"], "prefix \"C\""),
        (&["--address", "n@postern.test", "--prefix-for", "change"], "--prefix-for \"change\" is not TYPE=PREFIX"),
        (&["--address", "n@postern.test", "--prefix-for", "Change=CHG"], "ticket type \"Change\""),
        (&["--address", &long], "a reply tag needs 27 octets and a local part holds 64"),
        (&["--address", "nobody"], "mailbox new: --address \"nobody\" is no e-mail address"),
        (&["--address", "*@postern.test"], "use --pattern"),
        (&[], "mailbox new: --address is missing"),
        (&["--address", "n@postern.test", "--pattern", "n@postern.test"], "*@example.com (every address"),
        (&["--address", "n@postern.test", "--pattern", "help*@postern.test"], "help+*@example.com"),
        (&["--address", "n@postern.test", "--queue", "a#b"], "mailbox new: queue \"a#b\""),
        (&["--address", "n@postern.test", "--scope", "A"], "mailbox new: scope \"A\""),
        (
            &["--address", "n@postern.test", "--reply-mode", "minus"],
            "--reply-mode \"minus\" can be plus, subdomain or off",
        ),
        (&["--address", "n@postern.test", "--strangers", "let"], "unverified, append, new, hold"),
        (&["--address", "n@postern.test", "--reopen-window", "never"], "no number of days"),
        (&["--address", "n@postern.test", "--attachment-each", "much"], "--attachment-each \"much\" is no size"),
        (&["--address", "n@postern.test", "--attachment-each", "50MB"], "mailbox new: attachment limits"),
        (&["--address", "n@postern.test", "--attachment-count", "0"], "mailbox new: attachment limits"),
    ] {
        let trouble = desk.misuse(&[&["mailbox", "add", "new"], words].concat()).await;
        assert!(trouble.contains(told), "{words:?}: {trouble}");
    }
    for id in ["mime", "New", "a b", "-x", ""] {
        let (code, told) = desk.trouble(&["mailbox", "add", id, "--address", "n@postern.test"]).await;
        assert!(code != 0 && !told.is_empty(), "{id:?}: {told}");
    }
    let listed = desk.json(&["mailbox", "list"]).await;
    assert_eq!((listed["mailboxes"].as_array().unwrap().len(), &listed["fault"]), (1, &Value::Null));
    // A tag that does not fit is no matter where none is written.
    desk.text(&["mailbox", "add", "new", "--address", &long, "--reply-mode", "off"]).await;
}

#[tokio::test]
async fn the_environments_mailbox_becomes_a_stored_one() {
    let desk = made().await;
    let told = desk.refusal(&["mailbox", "remove", "support"]).await;
    assert!(told.contains("comes from the environment") && told.contains("--enabled false"), "{told}");
    let told = desk.text(&["mailbox", "set", "support", "--prefix", "HELP"]).await;
    assert!(told.contains("it is stored from now on") && told.contains("functions follow within a minute"), "{told}");
    let shown = desk.json(&["mailbox", "show", "support"]).await;
    assert_eq!((&shown["source"], &shown["addresses"][0]), (&json!("stored"), &json!("support@postern.test")));
    let next = desk.receive(&mail("b", "other")).await;
    assert_eq!(next["ticket_number"], "HELP-00002", "every verb goes by it");
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 2);
    let told = desk.text(&["mailbox", "remove", "support"]).await;
    assert!(told.contains("what the environment says of it is in force again"), "{told}");
    assert_eq!(desk.json(&["mailbox", "show", "support"]).await["source"], "environment");
}

#[tokio::test]
async fn a_mailbox_with_held_mail_or_a_door_goes_only_by_force() {
    let desk = made().await;
    desk.text(&["mailbox", "add", "sales", "--address", "sales@postern.test"]).await;
    let octets = mail("h", "robot").field("Auto-Submitted: auto-replied").octets("h");
    let file = desk.file("h.eml", &octets);
    let held = desk.json(&["ingest", &file, "--to", "sales@postern.test"]).await;
    assert_eq!(held["status"], "held", "{held}");
    desk.text(&["door", "add", "shop", "--provider", "raw", "--mailbox", "sales"]).await;
    let told = desk.refusal(&["mailbox", "remove", "sales", "--force"]).await;
    assert!(
        told.contains("all mail of door shop is for mailbox sales") && told.contains("door set shop --mailbox -"),
        "{told}"
    );
    desk.text(&["door", "set", "shop", "--mailbox", "-"]).await;
    let told = desk.refusal(&["mailbox", "remove", "sales"]).await;
    assert!(told.contains("mail is held for mailbox sales (1)") && told.contains("--force"), "{told}");
    assert_eq!(desk.json(&["mailbox", "show", "sales"]).await["id"], "sales", "nothing is removed");
    let told = desk.text(&["mailbox", "remove", "sales", "--force"]).await;
    assert!(told.contains("held mail (1)") && told.contains("--mailbox OTHER"), "{told}");
    let id = held["inbound_id"].as_str().unwrap();
    let released = desk.json(&["hold", "release", id, "--mailbox", "support"]).await;
    assert_eq!(released["status"], "created", "{released}");
}

#[tokio::test]
async fn what_leads_to_a_mailbox_is_told() {
    let desk = made().await;
    desk.text(&["mailbox", "add", "fair", "--address", "fair@postern.test", "--pattern", "*@fair.example"]).await;
    let tested = desk.json(&["mailbox", "test", "fair"]).await;
    assert_eq!(tested["good"], true, "{tested}");
    let rows = tested["addresses"].as_array().unwrap();
    let forms: Vec<&str> = rows.iter().filter_map(|row| row["form"].as_str()).collect();
    assert_eq!(forms, ["address", "with a tag", "pattern, whole domain", "signed reply address"]);
    assert!(rows.iter().all(|row| row["leads_to"] == "fair"), "{rows:?}");
    let signed = rows[3]["address"].as_str().unwrap();
    assert!(signed.starts_with("fair+") && signed.ends_with("@postern.test") && signed.len() > 30, "{signed}");
    assert!(tested["notes"].to_string().contains("not proven"), "{tested}");
    let modes: Vec<_> =
        tested["modes"].as_array().unwrap().iter().map(|m| (m["mode"].as_str(), m["proven"].as_bool())).collect();
    assert_eq!(modes, [(Some("plus"), Some(true)), (Some("subdomain"), Some(true))], "through the pipeline: {tested}");
    let listed = desk.text(&["mail", "--days", "60"]).await;
    assert!(listed.contains("discarded") && !listed.contains("held for"), "the mails are accounted for: {listed}");
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 1, "and open no ticket");
    assert_eq!(tested["doors"].as_array().unwrap().len(), 5);

    // Another mailbox takes an address out of the domain; one door is for others, the rest are shut.
    desk.text(&["mailbox", "add", "any", "--address", "anybody@fair.example", "--reply-mode", "off"]).await;
    desk.text(&["mailbox", "set", "fair", "--enabled", "false"]).await;
    for door in ["mailgun", "postmark", "sendgrid", "ses"] {
        desk.text(&["door", "set", door, "--enabled", "false"]).await;
    }
    desk.text(&["door", "set", "raw", "--mailbox", "support"]).await;
    let output = desk.run(&["mailbox", "test", "fair"]).await.unwrap();
    assert_eq!(output.code, 1, "{output:?}");
    for words in [
        "CONFLICT: anybody@fair.example (pattern, whole domain) leads to mailbox any",
        "mailbox-disabled",
        "no open door leads to it",
        "none: all is for mailbox support",
    ] {
        assert!(output.text.contains(words), "{words}: {}", output.text);
    }
    let off = desk.text(&["mailbox", "test", "any"]).await;
    assert!(!off.contains("signed reply address") && off.contains("carry no tag"), "{off}");
}

/// A mail server that takes mail for one form of address only, and hands what it takes to `door`.
async fn mail_server(listener: tokio::net::TcpListener, takes: &str, mut door: impl AsyncFnMut(Vec<u8>)) {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut client = BufReader::new(stream);
        client.write_all(b"220-mx.example\r\n220 ready\r\n").await.unwrap();
        let mut line = String::new();
        while client.read_line(&mut line).await.unwrap_or_default() > 0 {
            let refused = line.starts_with("RCPT") && !line.contains(takes);
            if line.starts_with("DATA") {
                client.write_all(b"354 go on\r\n").await.unwrap();
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") {
                    client.read_line(&mut mail).await.unwrap();
                }
                door(mail.trim_end_matches(".\r\n").as_bytes().to_vec()).await;
            }
            let answer: &[u8] = if refused { b"550 no such user\r\n" } else { b"250 ok\r\n" };
            if client.write_all(answer).await.is_err() {
                break;
            }
            line.clear();
        }
    }
}

#[tokio::test]
async fn which_form_of_reply_address_is_delivered_is_proven_by_a_mail_server() {
    let desk = made().await;
    // As under a running `dev`: one process has the directory, the commands go through it.
    let local = Local::open(&desk.data()).await.unwrap();
    write_endpoints(&desk.data(), local.endpoints()).unwrap();
    for (takes, delivers, proven, told) in [
        ("support+", true, [true, false], "reply mode plus: it is proven"),
        ("@support.postern.test", true, [false, true], "reply mode plus: it is NOT proven"),
        ("support+", false, [false, false], "reply mode plus: it is NOT proven"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let door = async |mail: Vec<u8>| {
            let ingress = Ingress {
                door: "raw".to_owned(),
                provider: "raw".to_owned(),
                event_id: None,
                transport_time: local.ingest.ambient.now(),
            };
            let inbound = InboundMessage { raw: mail.into(), ingress, ..mail_of_nobody() };
            if delivers {
                local.ingest.run(inbound).await.unwrap();
            }
        };
        let words = ["mailbox", "test", "support", "--smtp", &host, "--wait", "0", "--json"];
        let tested: Value = tokio::select! {
            output = desk.text(&words) => serde_json::from_str(&output).unwrap(),
            () = mail_server(listener, takes, door) => unreachable!("it serves without end"),
        };
        let modes: Vec<bool> = tested["modes"].as_array().unwrap().iter().map(|m| m["proven"] == true).collect();
        assert_eq!(modes, proven, "{tested}");
        assert!(tested["notes"].to_string().contains(told), "{tested}");
        let words = if delivers { "its tag verified, by door raw" } else { "has not arrived here" };
        assert!(tested["modes"].to_string().contains(words), "{tested}");
        assert!(tested["modes"].to_string().contains("did not take it: RCPT TO: 550 no such user"), "{tested}");
    }
    assert_eq!(desk.json(&["tickets"]).await["attention"]["held"], 0, "what arrived is discarded");
    local.close().await;
}

fn mail_of_nobody() -> InboundMessage {
    let mut inbound = mail("x", "cust").copy("x").inbound();
    inbound.envelope = Envelope::default();
    inbound
}
