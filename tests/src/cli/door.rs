//! `door`: how mail arrives.

use serde_json::json;

use super::Desk;
use crate::world::mail;

async fn made() -> Desk {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    desk
}

const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:inbound";

#[tokio::test]
async fn a_door_is_set_up_changed_and_taken_away() {
    let desk = made().await;
    let added = desk
        .json(&[
            "door",
            "add",
            "shop",
            "--provider",
            "mailgun",
            "--mailbox",
            "support",
            "--spam-fields",
            "true",
            "--domain",
            "MG.shop.example",
            "--domain",
            "shop.example",
            "--mailgun-region",
            "eu",
            "--enabled",
            "false",
        ])
        .await;
    let expected = json!({
        "id": "shop", "provider": "mailgun", "source": "stored", "enabled": false, "mailbox": "support",
        "spam_fields": true, "domains": ["mg.shop.example", "shop.example"], "region": "eu",
    });
    assert_eq!((&added["door"], &added["follow_seconds"]), (&expected, &json!(60)));
    assert_eq!(desk.json(&["door", "show", "shop"]).await, expected);
    let changed = desk.json(&["door", "set", "shop", "--mailbox", "-", "--domain", "-", "--enabled", "true"]).await;
    let expected = json!({
        "id": "shop", "provider": "mailgun", "source": "stored", "enabled": true, "spam_fields": true, "region": "eu",
    });
    assert_eq!(changed["door"], expected, "only what is named");
    assert_eq!(desk.json(&["door", "set", "shop", "--enabled", "true"]).await["changed"], false);
    let listed = desk.text(&["door", "list"]).await;
    let ids: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids, ["mailgun", "postmark", "sendgrid", "ses", "raw", "shop"]);
    assert!(listed.contains("built in") && listed.contains("stored"), "{listed}");
    assert!(desk.refusal(&["door", "add", "shop", "--provider", "raw"]).await.contains("is there already (stored)"));
    assert!(desk.refusal(&["door", "add", "raw", "--provider", "raw"]).await.contains("is there already (built in)"));
    assert!(desk.text(&["door", "remove", "shop"]).await.contains("hears 404"));
    for verb in ["show", "remove", "test", "set"] {
        let told = desk.refusal(&["door", verb, "shop"]).await;
        assert!(told.contains("there is no door shop"), "{verb}: {told}");
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_told() {
    let desk = made().await;
    for (words, told) in [
        (&["add", "shop", "--provider", "pigeon"][..], "mailgun, postmark, sendgrid, ses, raw"),
        (
            &["add", "shop", "--provider", "raw", "--mailbox", "nowhere"],
            "door shop: mailbox \"nowhere\" is not configured",
        ),
        (&["add", "shop", "--provider", "raw", "--mailbox", "No Where"], "is no mailbox id"),
        (&["add", "shop", "--provider", "raw", "--domain", "shop.example"], "door shop: domains are for mailgun only"),
        (&["add", "shop", "--provider", "mailgun", "--domain", "shop"], "door shop: \"shop\" is no domain"),
        (&["add", "shop", "--provider", "mailgun", "--topic", TOPIC], "door shop: topics are for ses only"),
        (&["add", "shop", "--provider", "ses", "--topic", "inbound"], "arn:aws:sns:REGION:ACCOUNT:NAME"),
        (&["add", "shop", "--provider", "mailgun", "--mailgun-region", "moon"], "can be us or eu"),
        (&["add", "Shop", "--provider", "mailgun"], "is no door id"),
        (&["set", "mailgun", "--topic", TOPIC], "door mailgun: topics are for ses only"),
    ] {
        let trouble = desk.misuse(&[&["door"], words].concat()).await;
        assert!(trouble.contains(told), "{words:?}: {trouble}");
    }
    assert_eq!(desk.json(&["door", "list"]).await["doors"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_providers_own_door_stays() {
    let desk = made().await;
    let told = desk.refusal(&["door", "remove", "postmark"]).await;
    assert!(told.contains("every provider has") && told.contains("door set postmark --enabled false"), "{told}");
    let told = desk.text(&["door", "set", "ses", "--topic", TOPIC]).await;
    assert!(told.contains("it was built in; it is stored from now on") && told.contains(TOPIC), "{told}");
    assert!(desk.text(&["door", "remove", "ses"]).await.contains("is in force again"));
    assert_eq!(desk.json(&["door", "show", "ses"]).await["source"], "built-in");
}

#[tokio::test]
async fn a_door_is_looked_at() {
    let desk = made().await;
    let text = desk.text(&["door", "test", "mailgun"]).await;
    for words in
        ["ok    enabled", "mailgun.signing_keys: 1 live", "?     url", "no `postern dev` runs", "match_recipient("]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    desk.text(&["door", "add", "shop", "--provider", "raw", "--enabled", "false"]).await;
    let output = desk.run(&["door", "test", "shop"]).await.unwrap();
    assert_eq!(output.code, 1, "{output:?}");
    for words in ["switched off: 503", "shop.bearer_keys is not set", "or shop.hmac_keys", "/inbound/shop"] {
        assert!(output.text.contains(words), "{words}: {}", output.text);
    }
    desk.text(&["secret", "set", "shop.hmac_keys", "long-enough-to-keep-others-out"]).await;
    desk.text(&["door", "set", "shop", "--enabled", "true"]).await;
    let looked = desk.json(&["door", "test", "shop"]).await;
    assert_eq!(looked["good"], true, "{looked}");
}

#[tokio::test]
async fn a_new_data_directory_opens_every_door() {
    let desk = made().await;
    let doors = desk.json(&["doors"]).await;
    for door in doors["doors"].as_array().unwrap() {
        let opens = door["secrets"].as_array().unwrap().iter().any(|secret| secret["live"] == 1);
        assert!(opens || door["door"] == "ses", "{door}");
    }
    let listed = desk.json(&["secret", "list"]).await;
    let live = |name: &str| {
        listed["secrets"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["live"].clone()
    };
    assert_eq!(live("escalated.inbound_secrets"), 1);
}

#[tokio::test]
async fn a_mailbox_elsewhere_is_set_up_tried_polled_and_let_go_on() {
    let desk = made().await;
    let fake = crate::imap::fake::FakeImap::start().await;
    let port = fake.port.to_string();
    let plain = ["--provider", "imap", "--host", "127.0.0.1", "--imap-port", &port, "--security", "plain"];
    let words = [&["door", "add", "elsewhere"][..], &plain, &["--user", "help@us.example"]].concat();
    let added = desk.text(&words).await;
    for line in
        ["host            127.0.0.1", "folder          INBOX", "after           nothing", "auth            password"]
    {
        assert!(added.contains(line), "{line}: {added}");
    }
    let untried = desk.run(&["door", "test", "elsewhere"]).await.unwrap();
    assert_eq!(untried.code, 1, "{untried:?}");
    assert!(untried.text.contains("elsewhere.passwords is not set: nobody can log in"), "{untried:?}");
    let polled = desk.run(&["poll", "--once"]).await.unwrap();
    assert_eq!(polled.code, 1, "{polled:?}");
    assert!(polled.text.contains("elsewhere.passwords is not set in the operator secret"), "{polled:?}");
    desk.text(&["secret", "set", "elsewhere.passwords", crate::imap::fake::PASSWORD]).await;
    let tried = desk.text(&["door", "test", "elsewhere"]).await;
    for found in
        ["no TLS: it does not leave this machine", "may log in", "INBOX: 0 messages, it is empty", "mail stays"]
    {
        assert!(tried.contains(found), "{found}: {tried}");
    }
    fake.arrives_in("INBOX", mail("b", "cust").octets("b"), "2026-11-02T09:00:00Z".parse().unwrap());
    let told = desk.text(&["poll", "--once", "--door", "elsewhere", "--since", "2026-11-01"]).await;
    assert_eq!(told, "elsewhere: 1 taken\n");
    assert!(desk.text(&["tickets"]).await.contains("INC-00002"));
    let again = desk.text(&["poll", "--once", "--since", "2026-11-01", "--backfill"]).await;
    assert_eq!(again, "elsewhere: 1 taken, 1 of them known before\n");
    assert!(desk.run(&["doctor"]).await.unwrap().text.contains("elsewhere, INBOX: polled"), "fresh");
    desk.text(&["secret", "set", "elsewhere.passwords", "wrong", "--replace"]).await;
    for _ in 0..3 {
        assert!(desk.run(&["poll", "--once"]).await.unwrap().text.contains("credentials are refused"));
    }
    let paused = desk.run(&["poll", "--once"]).await.unwrap().text;
    assert!(paused.contains("postern door resume elsewhere"), "{paused}");
    assert!(desk.run(&["doctor"]).await.unwrap().text.contains("door elsewhere is paused"));
    assert!(desk.text(&["door", "resume", "elsewhere"]).await.contains("goes on with the next poll"));
    assert!(desk.text(&["door", "resume", "elsewhere"]).await.contains("was not paused"));
}

#[tokio::test]
async fn what_cannot_be_polled_is_told() {
    let desk = made().await;
    let add = ["door", "add", "gmail", "--provider", "imap"];
    let at = ["--host", "imap.gmail.com", "--user", "help@us.example"];
    for (words, told) in [
        (&[][..], "names no host and no user"),
        (&["--host", "a b", "--user", "u"], "is no host name"),
        (&[&at[..], &["--security", "plain"]].concat(), "without TLS only to this machine"),
        (&[&at[..], &["--auth", "pigeon"]].concat(), "can be password, token, google, google-service or microsoft"),
        (&[&at[..], &["--auth", "microsoft", "--client", "c"]].concat(), "the tenant is a directory id"),
        (&[&at[..], &["--client", "c"]].concat(), "--client is of no use with --auth password"),
        (&[&at[..], &["--after", "move"]].concat(), "the folder is empty"),
        (&[&at[..], &["--after", "burn"]].concat(), "nothing, seen, delete or move=FOLDER"),
        (&[&at[..], &["--domain", "us.example"]].concat(), "domains are for mailgun only"),
        (&[&at[..], &["--token-endpoint", "http://tokens.example"]].concat(), "is no token endpoint"),
    ] {
        let trouble = desk.misuse(&[&add[..], words].concat()).await;
        assert!(trouble.contains(told), "{words:?}: {trouble}");
    }
    let other = desk.misuse(&["door", "set", "raw", "--host", "imap.gmail.com"]).await;
    assert!(other.contains("host, user and folders are for imap only"), "{other}");
    assert!(desk.misuse(&["poll", "--once", "--since", "tomorrow"]).await.contains("is no date"));
    assert!(desk.refusal(&["poll", "--once"]).await.contains("no door is polled"));
    assert!(desk.refusal(&["door", "resume", "raw"]).await.contains("no door raw that is polled"));
}
