//! `secret set` and `secret list`: rotation without a moment in which mail is refused, and no value ever printed.

use std::os::unix::fs::PermissionsExt as _;

use postern::{
    ambient::Ambient,
    digest::sha256_hex,
    secrets::{SecretSource, Secrets},
};
use serde_json::{Value, json};

use super::{Rig, STACK, cloud::OPERATOR_ARN};
use crate::{
    cli::Desk,
    doors::{Encoding, Form, door_with, hear},
    world::{World, mail},
};

const MAILGUN: &str = "mailgun.signing_keys";
const POSTMARK: &str = "postmark.credentials";
/// The public key of a policy at SendGrid, of ours.
const P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQQFb7jb9JwRrCh2pOY8uM0UF5bYaTI3hzq8sWsmGvyrFQKAmBtvJEzz1yY3UVGyAC6xwlDVPdkgKJVHxeSlwcw==";
/// As long as a P-256 key, and of another algorithm.
const RSA_LIKE: &str = "MFkwDQYJKoZIhvcNAQEBBQADSAAwRQJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAQM=";

fn mark(value: &str) -> String {
    sha256_hex(value.as_bytes()).chars().take(8).collect()
}

fn keys(rig: &Rig) -> Value {
    rig.cloud.state().secret(OPERATOR_ARN)["mailgun"]["signing_keys"].clone()
}

/// A secret with one key and something that this version does not know.
async fn with_one_key() -> Rig {
    let rig = Rig::new().await;
    let text = json!({ "mailgun": { "signing_keys": ["key-of-old"], "region": "eu" }, "later": { "a": 1 } });
    rig.cloud.state().keep_secret(OPERATOR_ARN, &text.to_string());
    rig
}

#[tokio::test]
async fn a_new_credential_stands_in_front_and_the_old_ones_stay() {
    let rig = with_one_key().await;
    let told = rig.text(&["secret", "set", MAILGUN, "key-brand-new"]).await;
    assert!(told.contains(&format!("{}, {}", mark("key-brand-new"), mark("key-of-old"))), "{told}");
    assert!(told.contains("5 minutes") && !told.contains("refused") && !told.contains("key-brand-new"), "{told}");
    assert_eq!(keys(&rig), json!(["key-brand-new", "key-of-old"]));
    let kept = rig.cloud.state().secret(OPERATOR_ARN);
    assert_eq!((&kept["later"], &kept["mailgun"]["region"]), (&json!({ "a": 1 }), &json!("eu")), "others' are kept");

    let again = rig.json(&["secret", "set", MAILGUN, "key-brand-new"]).await;
    assert_eq!((&again["changed"], &again["live"]), (&json!(false), &json!(2)));
    rig.text(&["secret", "set", MAILGUN, "key-of-old"]).await;
    assert_eq!(keys(&rig), json!(["key-of-old", "key-brand-new"]), "to the front, not twice");

    // From standard input, with the line's end that people's shells add.
    let login = "postern:4f0ffddcb1ac41fc9b9e20cf";
    let ran = rig.run_plain(&["secret", "set", POSTMARK, "-", "--stack", STACK], &format!("{login}\n")).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let ran = rig.run_plain(&["secret", "set", POSTMARK, "--stack", STACK], &format!("{login}\r\n")).await;
    assert!(ran.code == 0 && ran.out.contains("nothing to change"), "without a value it is read too: {ran:?}");
    let text = rig.cloud.state().secret(OPERATOR_ARN).to_string();
    let secrets = Secrets::new(SecretSource::Text(text), Ambient::system()).operator().await.unwrap();
    assert_eq!(secrets.section("postmark").credentials, [login], "in the form that the functions read");
    assert_eq!(secrets.section("mailgun").signing_keys, ["key-of-old", "key-brand-new"]);

    let listed = rig.json(&["secret", "list"]).await;
    let marks =
        |name: &str| listed["secrets"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    assert_eq!(marks(MAILGUN)["fingerprints"], json!([mark("key-of-old"), mark("key-brand-new")]));
    assert_eq!((&marks(POSTMARK)["live"], &marks(POSTMARK)["fingerprints"][0]), (&json!(1), &json!(mark(login))));
    let table = rig.text(&["secret", "list"]).await;
    assert!(table.contains(MAILGUN) && table.contains(&mark(login)), "{table}");
    rig.end().await;
}

#[tokio::test]
async fn what_is_taken_away_is_said() {
    let rig = with_one_key().await;
    rig.text(&["secret", "set", MAILGUN, "key-brand-new"]).await;
    let told = rig.trouble(&["secret", "set", MAILGUN, "key-unheard-of", "--remove"], 1).await;
    assert!(told.contains("no such credential") && told.contains(&mark("key-of-old")), "{told}");
    let told = rig.text(&["secret", "set", MAILGUN, &mark("key-of-old"), "--remove"]).await;
    assert!(told.contains(&format!("by {} is refused", mark("key-of-old"))), "{told}");
    assert_eq!(keys(&rig), json!(["key-brand-new"]), "by its fingerprint");
    let told = rig.text(&["secret", "set", MAILGUN, "key-third", "--replace"]).await;
    assert!(told.contains(&format!("by {} is refused", mark("key-brand-new"))), "{told}");
    assert_eq!(keys(&rig), json!(["key-third"]));
    let told = rig.text(&["secret", "set", MAILGUN, "key-third", "--remove"]).await;
    assert!(told.contains("no credential is left") && told.contains("503"), "{told}");
    assert_eq!(keys(&rig), json!([]));
    assert!(rig.text(&["secret", "list"]).await.contains("refuses everything"));
    rig.end().await;
}

#[tokio::test]
async fn values_and_names_that_cannot_be_meant_are_refused() {
    let rig = with_one_key().await;
    for (words, told) in [
        (["mailgun.api_key", "x"], "mailgun.signing_keys, mailgun.api_keys, postmark.credentials"),
        (["mailgun.credentials", "x"], "mailgun.signing_keys"),
        (["postmark", "x"], "postmark.credentials"),
        (["escalated.credentials", "x"], "escalated.inbound_secrets"),
        (["mailgun-eu.keys", "x"], "raw.bearer_keys"),
        (["", "x"], "mailgun.signing_keys, mailgun.api_keys, postmark.credentials"),
        ([MAILGUN, ""], "one word"),
        ([MAILGUN, "two words"], "one word"),
        ([MAILGUN, &"k".repeat(1025)], "one word"),
        ([POSTMARK, "password-only"], "USER:PASSWORD"),
        ([POSTMARK, ":password"], "USER:PASSWORD"),
        ([POSTMARK, "user:"], "USER:PASSWORD"),
        (["sendgrid.credentials", "password-only"], "USER:PASSWORD"),
        (["sendgrid.verification_keys", "no-key"], "P-256"),
        (["sendgrid.verification_keys", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"], "P-256"),
        (["sendgrid.verification_keys", RSA_LIKE], "P-256"),
    ] {
        let trouble = rig.trouble(&["secret", "set", words[0], words[1]], 64).await;
        assert!(trouble.contains(told), "{words:?}: {trouble}");
    }
    assert!(rig.cloud.state().calls.is_empty(), "refused before anything is asked");
    assert!(rig.text(&["secret", "set", POSTMARK, "postern:short-one"]).await.contains("24 random characters"));
    for (name, value, warned) in [
        (MAILGUN, "key-0123456789abcdef0123456789abcdef", "HTTP webhook signing key"),
        ("raw.bearer_keys", "too-short-for-a-key", "24 random characters"),
        ("raw.hmac_keys", "too-short-for-a-key", "24 random characters"),
        ("escalated.inbound_secrets", "too-short-for-a-key", "24 random characters"),
        ("postmark.inbound_secrets", "too-short-for-a-key", "24 random characters"),
        ("mailgun.api_keys", "key-0123456789abcdef0123456789abcdef", ""),
        ("raw.hmac_keys", "long-enough-to-keep-others-out", ""),
        ("sendgrid.verification_keys", P256, ""),
    ] {
        let told = rig.text(&["secret", "set", name, value]).await;
        let (_, warning) = told.split_once("warning: ").unwrap_or_default();
        assert!(warning.contains(warned) && warning.is_empty() == warned.is_empty(), "{name}: {told}");
    }
    let long = format!("postern:{}", "x".repeat(24));
    assert!(!rig.text(&["secret", "set", POSTMARK, &long]).await.contains("random characters"));
    for broken in ["not-json Medlarwood", "[\"Medlarwood\"]", "{\"mailgun\":{\"signing_keys\":\"Medlarwood\"}}"] {
        rig.cloud.state().keep_secret(OPERATOR_ARN, broken);
        for words in [&["secret", "list"][..], &["secret", "set", MAILGUN, "key-brand-new"]] {
            let told = rig.trouble(words, 70).await;
            assert!(told.contains("form") || told.contains("not a list"), "{broken}: {told}");
            assert!(!told.contains("Medlarwood"), "{told}");
        }
    }
    rig.end().await;
}

#[tokio::test]
async fn doors_of_ones_own_have_secrets_of_their_own() {
    let rig = with_one_key().await;
    let name = "mailgun-eu.signing_keys";
    let told = rig.trouble(&["secret", "set", name, "key-of-europe"], 64).await;
    assert!(told.contains("postern door add"), "{told}");
    rig.text(&["door", "add", "mailgun-eu", "--provider", "mailgun"]).await;
    let told = rig.trouble(&["secret", "set", "mailgun-eu.credentials", "user:password"], 64).await;
    assert!(told.contains("mailgun-eu.api_keys"), "a list of another provider: {told}");
    rig.text(&["secret", "set", name, "key-of-europe"]).await;
    assert_eq!(rig.cloud.state().secret(OPERATOR_ARN)["mailgun-eu"]["signing_keys"], json!(["key-of-europe"]));
    assert_eq!(keys(&rig), json!(["key-of-old"]), "the first account's are its own");
    let listed = rig.json(&["secret", "list"]).await;
    let names: Vec<&str> =
        listed["secrets"].as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names.len(), 12, "{names:?}");
    assert!(names.contains(&name) && names.contains(&"mailgun-eu.api_keys"), "{names:?}");
    rig.end().await;
}

#[tokio::test]
async fn a_change_that_others_make_meanwhile_is_not_lost() {
    let rig = with_one_key().await;
    rig.cloud.state().meanwhile = Some(Box::new(|state| {
        state.keep_secret(
            OPERATOR_ARN,
            &json!({ "mailgun": { "signing_keys": ["key-of-them", "key-of-old"] } }).to_string(),
        );
    }));
    rig.text(&["secret", "set", MAILGUN, "key-brand-new"]).await;
    assert_eq!(keys(&rig), json!(["key-brand-new", "key-of-them", "key-of-old"]));

    rig.cloud.state().lose_answer = true;
    let told = rig.json(&["secret", "set", MAILGUN, "key-after-that"]).await;
    assert_eq!(told["changed"], true, "{told}");
    assert_eq!(keys(&rig)[0], "key-after-that", "made once, though its answer was lost");
    assert_eq!(keys(&rig).as_array().unwrap().len(), 4);

    rig.cloud.state().empty_secret(OPERATOR_ARN);
    assert_eq!(rig.json(&["secret", "list"]).await["secrets"][0]["live"], 0, "made, and never given a value");
    rig.text(&["secret", "set", MAILGUN, "key-the-first"]).await;
    assert_eq!(keys(&rig), json!(["key-the-first"]));
    rig.end().await;
}

#[tokio::test]
async fn a_local_rotation_refuses_no_mail() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    let path = desk.data().join("secrets").join("operator.json");
    let old = serde_json::from_str::<Value>(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let old = old["mailgun"]["signing_keys"][0].as_str().unwrap().to_owned();
    let told = desk.text(&["secret", "set", MAILGUN, "key-brand-new"]).await;
    assert!(!told.contains("key-brand-new") && !told.contains(&old), "{told}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(desk.json(&["secret", "list"]).await["secrets"][0]["live"], 2);

    let world = World::new().await;
    let take = async |key: &str, token: &str| {
        let door = door_with(world.ingest.clone(), SecretSource::File(path.clone()));
        let form = Form::mailgun(Encoding::Multipart, token, &mail(token, "cust").octets(token));
        hear(&door, form.signed(key, crate::world::now(), token).request()).await.status
    };
    assert_eq!(take(&old, "a1").await, 200, "signed before the change at Mailgun");
    assert_eq!(take("key-brand-new", "a2").await, 200, "and after");
    desk.text(&["secret", "set", MAILGUN, &mark(&old), "--remove"]).await;
    assert_eq!(take(&old, "a3").await, 401);
    assert_eq!(take("key-brand-new", "a4").await, 200);

    // Several people at once, each in a process of their own.
    let rig = Rig::new().await;
    let data = rig.desk.data().to_str().unwrap().to_owned();
    let names = ["key-one", "key-two", "key-three", "key-four"];
    let words = names.map(|key| ["secret", "set", MAILGUN, key, "--data", &data]);
    let all = futures_util::future::join_all(words.iter().map(|words| rig.run_plain(words, ""))).await;
    assert!(all.iter().all(|ran| ran.code == 0), "{all:?}");
    let kept = std::fs::read_to_string(rig.desk.data().join("secrets").join("operator.json")).unwrap();
    assert!(names.iter().all(|key| kept.contains(key)), "{kept}");
    rig.end().await;

    std::fs::remove_file(&path).unwrap();
    assert_eq!(desk.json(&["secret", "list"]).await["secrets"][0]["live"], 0);
    let nowhere = Desk::new();
    let (code, told) = nowhere.trouble(&["secret", "list"]).await;
    assert!(code == 70 && told.contains("there is no data"), "{told}");
}
