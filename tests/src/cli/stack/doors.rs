//! `doors`: what to paste where, and whether it is open.

use postern_cli::engines::{read_endpoints, write_endpoints};
use serde_json::json;

use super::{
    Rig,
    cloud::{API_URL, OPERATOR_ARN},
};

#[tokio::test]
async fn each_door_of_a_stack_says_what_to_paste_where() {
    let rig = Rig::new().await;
    let text = rig.text(&["doors"]).await;
    for words in [
        format!("forward(\"{API_URL}/inbound/mailgun/mime\")").as_str(),
        "match_recipient(\"support(\\+.*)?@postern\\.test\")",
        &format!("{}/inbound/postmark", API_URL.replace("://", "://USER:PASSWORD@")),
        "mailgun.signing_keys: 1 live",
        "postmark.credentials: 1 live",
        "4.4 MB",
        &format!("store(notify=\"{API_URL}/inbound/mailgun\")"),
        &format!("{}/inbound/sendgrid", API_URL.replace("://", "://USER:PASSWORD@")),
        "POST the raw, full MIME message",
        "postern.test. MX 10 mx.sendgrid.net.",
        &format!("--protocol https --notification-endpoint {API_URL}/inbound/ses"),
        "door set ses --topic ARN --stack postern-test",
        "X-Postern-Rcpt-To",
        "raw.bearer_keys: 1 live",
        "2.8 MB",
        "40 MB",
        "MX 10 inbound-smtp.eu-central-1.amazonaws.com for postern.test",
        "describe-active-receipt-rule-set",
        "set-active-receipt-rule-set --rule-set-name postern-rules --region eu-central-1",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let doors = rig.json(&["doors"]).await;
    let doors = doors["doors"].as_array().unwrap();
    assert_eq!(
        doors.iter().map(|door| door["provider"].clone()).collect::<Vec<_>>(),
        ["Mailgun", "Postmark", "SendGrid", "Amazon SNS", "Raw relay", "Amazon SES"]
    );
    assert_eq!(doors[0]["at"], format!("{API_URL}/inbound/mailgun/mime"));
    assert_eq!((&doors[0]["secrets"][0]["live"], &doors[5]["secrets"]), (&json!(1), &json!([])));

    // As an address that signs nothing, in another domain, with a slash behind the URL.
    for (name, value) in
        [("ReplyMode", "off"), ("Address", "it.help@a.example"), ("MailDomain", "b.example, c.example")]
    {
        rig.cloud.state().parameters.insert(name.to_owned(), value.to_owned());
    }
    rig.cloud.state().outputs.insert("ApiUrl".to_owned(), format!("{API_URL}/"));
    let text = rig.text(&["doors"]).await;
    assert!(text.contains("match_recipient(\"it\\.help@a\\.example\")"), "{text}");
    assert!(text.contains(&format!("forward(\"{API_URL}/inbound/mailgun/mime\")")), "{text}");
    assert!(text.contains("for b.example, c.example"), "{text}");
    rig.cloud.state().parameters.insert("EnableSes".to_owned(), "false".to_owned());
    let text = rig.text(&["doors"]).await;
    assert!(text.contains("EnableSes=true") && !text.contains("inbound-smtp"), "{text}");
    rig.end().await;
}

#[tokio::test]
async fn a_door_without_a_secret_says_so_and_one_that_cannot_be_looked_at_too() {
    let rig = Rig::new().await;
    rig.cloud.state().keep_secret(OPERATOR_ARN, "{\"mailgun\":{\"signing_keys\":[\" \"]}}");
    let text = rig.text(&["doors"]).await;
    for name in ["mailgun.signing_keys", "postmark.credentials"] {
        let how = format!(
            "{name} is not set: every mail is refused (503) until `postern secret set {name} - --stack postern-test`"
        );
        assert!(text.contains(&how), "{text}");
    }
    rig.cloud.state().denied.insert("GetSecretValue");
    let text = rig.text(&["doors"]).await;
    assert!(text.contains("unknown") && text.contains("secretsmanager:GetSecretValue"), "{text}");
    assert!(text.contains("/inbound/postmark"), "the rest is told all the same: {text}");
    rig.end().await;
}

#[tokio::test]
async fn doors_and_mailboxes_that_are_stored_are_told_of() {
    let rig = Rig::new().await;
    for words in [
        &["mailbox", "add", "sales", "--address", "sales@shop.example", "--pattern", "*@fair.example"][..],
        &["door", "add", "shop", "--provider", "mailgun", "--mailbox", "sales", "--domain", "mg.shop.example"],
        &["door", "set", "raw", "--enabled", "false"],
        &["door", "set", "ses", "--topic", "arn:aws:sns:eu-central-1:111122223333:inbound"],
    ] {
        rig.text(words).await;
    }
    let text = rig.text(&["doors"]).await;
    for words in [
        &format!("Mailgun, door shop {API_URL}/inbound/shop/mime"),
        "all its mail is for sales",
        "shop.signing_keys is not set",
        "stored mail of mg.shop.example",
        "match_recipient(\"sales(\\+.*)?@shop\\.example\") or match_recipient(\".*@fair\\.example\")\n",
        "match_recipient(\"support(\\+.*)?@postern\\.test\")",
        "MX 10 inbound-smtp.eu-central-1.amazonaws.com for fair.example, postern.test, shop.example",
        "switched off: 503 until `postern door set raw --enabled true --stack postern-test`",
        "--topic-arn arn:aws:sns:eu-central-1:111122223333:inbound",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let doors = rig.json(&["doors"]).await;
    let of = |id: &str| doors["doors"].as_array().unwrap().iter().find(|door| door["door"] == id).unwrap().clone();
    assert_eq!((&of("shop")["source"], &of("shop")["mailbox"]), (&json!("stored"), &json!("sales")));
    assert_eq!((&of("postmark")["source"], &of("raw")["enabled"]), (&json!("built-in"), &json!(false)));
    rig.end().await;
}

#[tokio::test]
async fn a_data_directory_names_its_running_dev() {
    let rig = Rig::new().await;
    let text = rig.desk.text(&["doors"]).await;
    assert!(
        text.contains("no `postern dev` runs") && text.contains("http://127.0.0.1:8080/inbound/postmark"),
        "{text}"
    );
    assert!(text.contains("postmark.credentials: 1 live") && !text.contains("Amazon SES"), "{text}");
    let mut endpoints = read_endpoints(&rig.desk.data()).unwrap().unwrap();
    endpoints.http = Some("http://127.0.0.1:18080".to_owned());
    write_endpoints(&rig.desk.data(), &endpoints).unwrap();
    let text = rig.desk.text(&["doors"]).await;
    assert!(text.contains("runs at http://127.0.0.1:18080"), "{text}");
    assert!(text.contains("http://USER:PASSWORD@127.0.0.1:18080/inbound/postmark"), "{text}");
    rig.end().await;
}
