//! What a mailbox says of the life of its tickets, as it is typed.

use serde_json::json;

use super::Desk;
use crate::world::mail;

#[tokio::test]
async fn a_mailbox_says_what_reopens_and_what_closes() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    let shown = desk.text(&["mailbox", "show", "support"]).await;
    for line in ["reopens-per-day 3", "courtesy        reopens", "auto-close      never"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let words =
        ["mailbox", "set", "support", "--reopens-per-day", "unlimited", "--courtesy", "stays", "--auto-close", "7"];
    let set = desk.json(&words).await["mailbox"].clone();
    let policies = ["reopens_per_day", "courtesy", "auto_close_days"].map(|name| set[name].clone());
    assert_eq!(policies, [json!(null), json!("stays"), json!(7)]);
    let shown = desk.text(&["mailbox", "show", "support"]).await;
    for line in ["reopens-per-day unlimited", "courtesy        stays", "auto-close      7 days"] {
        assert!(shown.contains(line), "as stored: {line}: {shown}");
    }
    let back = desk.json(&["mailbox", "set", "support", "--reopens-per-day", "0", "--auto-close", "never"]).await;
    assert_eq!((&back["mailbox"]["reopens_per_day"], &back["mailbox"]["auto_close_days"]), (&json!(0), &json!(null)));
    assert_eq!(back["mailbox"]["courtesy"], "stays", "only what is named");
    for (option, word, told) in [
        ("--reopens-per-day", "never", "a number from 0 to 65535, or `unlimited`"),
        ("--reopens-per-day", "70000", "a number from 0 to 65535, or `unlimited`"),
        ("--auto-close", "0", "a number from 1 to 65535, or `never`"),
        ("--courtesy", "no", "reopens, stays"),
    ] {
        let why = desk.misuse(&["mailbox", "set", "support", option, word]).await;
        assert!(why.contains(told), "{option} {word}: {why}");
    }
}
