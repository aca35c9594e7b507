//! `mailbox` and `door` on a stack, and several people at once.

use serde_json::json;

use super::Rig;

#[tokio::test]
async fn a_stack_is_set_up_as_a_data_directory_is() {
    let rig = Rig::new().await;
    let listed = rig.json(&["mailbox", "list"]).await;
    assert_eq!(
        (&listed["mailboxes"][0]["id"], &listed["mailboxes"][0]["source"]),
        (&json!("support"), &json!("environment"))
    );
    let told = rig.text(&["mailbox", "set", "support", "--queue", "desk"]).await;
    assert!(told.contains("it came from the environment") && told.contains("within a minute"), "{told}");
    let shown = rig.json(&["mailbox", "show", "support"]).await;
    assert_eq!((&shown["source"], &shown["queue"]), (&json!("stored"), &json!("desk")));
    assert_eq!(rig.desk.json(&["mailbox", "show", "support"]).await, shown, "the same table");
    assert_eq!(rig.cloud.state().calls.iter().filter(|call| *call != "DescribeStacks").count(), 0, "no secret is read");
    let tested = rig.text(&["mailbox", "test", "support"]).await;
    assert!(tested.contains("signed reply address"), "{tested}");
    rig.text(&["mailbox", "remove", "support"]).await;
    let told = rig.trouble(&["mailbox", "remove", "support"], 1).await;
    assert!(told.contains("parameter Address") && told.contains("--stack postern-test"), "{told}");
    rig.end().await;
}

#[tokio::test]
async fn where_nothing_goes_together_it_can_be_set_right() {
    let rig = Rig::new().await;
    rig.text(&["mailbox", "add", "sales", "--address", "help@postern.test"]).await;
    rig.cloud.state().parameters.insert("Address".to_owned(), "help@postern.test".to_owned());
    assert!(rig.trouble(&["tickets"], 70).await.contains("claim the same address"));
    assert!(rig.text(&["mailbox", "list"]).await.contains("WRONG: mailboxes sales and support claim"));
    assert_eq!(rig.json(&["door", "list"]).await["doors"].as_array().unwrap().len(), 5);
    let told = rig.trouble(&["mailbox", "set", "sales", "--queue", "x"], 64).await;
    assert!(told.contains("nothing was changed"), "{told}");
    rig.text(&["mailbox", "set", "sales", "--address", "sales@postern.test"]).await;
    rig.text(&["tickets"]).await;
    // Two faults at once: what is stored can always be taken away.
    let pattern = "sales+*@postern.test";
    rig.text(&["mailbox", "set", "sales", "--reply-mode", "off"]).await;
    rig.text(&["mailbox", "add", "more", "--address", "more@postern.test", "--pattern", pattern]).await;
    rig.cloud.state().parameters.insert("Address".to_owned(), "sales@postern.test".to_owned());
    rig.text(&["mailbox", "remove", "sales"]).await;
    assert!(rig.trouble(&["tickets"], 70).await.contains("reply addresses of mailbox support"));
    rig.text(&["mailbox", "remove", "more"]).await;
    rig.text(&["tickets"]).await;
    rig.end().await;
}

#[tokio::test]
async fn a_door_is_asked_whether_it_is_ours() {
    let rig = Rig::new().await;
    let url = rig.cloud.url();
    rig.cloud.state().outputs.insert("ApiUrl".to_owned(), url.clone());
    rig.cloud.state().door = (405, json!({ "error": "method", "message": "mail is handed over by POST" }));
    let text = rig.text(&["door", "test", "mailgun"]).await;
    for words in
        ["ok    enabled", "mailgun.signing_keys: 1 live", &format!("{url}/inbound/mailgun/mime answers"), "forward(\""]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    for (answer, words) in [
        ((404, json!({ "message": "Not Found" })), "it is not our door"),
        ((403, json!({ "message": "Forbidden" })), "answers 403"),
        ((503, json!({ "error": "not-ready", "message": "POSTERN_TABLE is not set" })), "POSTERN_TABLE is not set"),
        ((405, json!({ "message": "Method Not Allowed" })), "it is not our door"),
    ] {
        rig.cloud.state().door = answer;
        let ran = rig.run(&["door", "test", "postmark"]).await;
        assert!(ran.code == 1 && ran.out.contains("WRONG url") && ran.out.contains(words), "{words}: {ran:?}");
    }
    rig.cloud.state().door = (405, json!({ "error": "method" }));
    let ran = rig.run(&["door", "test", "ses"]).await;
    assert!(ran.code == 1 && ran.out.contains("no topic may deliver"), "{ran:?}");
    rig.cloud.state().denied.insert("GetSecretValue");
    let text = rig.text(&["door", "test", "raw"]).await;
    assert!(text.contains("?     secret") && text.contains("secretsmanager:GetSecretValue"), "{text}");
    rig.end().await;
}

#[tokio::test]
async fn several_people_at_once_lose_nothing() {
    let rig = Rig::new().await;
    let data = rig.desk.data().to_str().unwrap().to_owned();
    let ids = ["one", "two", "three"];
    let addresses = ids.map(|id| format!("{id}@postern.test"));
    let words: Vec<_> = ids
        .iter()
        .zip(&addresses)
        .map(|(id, address)| ["mailbox", "add", id, "--address", address, "--data", &data])
        .collect();
    let all = futures_util::future::join_all(words.iter().map(|words| rig.run_plain(words, ""))).await;
    assert!(all.iter().all(|ran| ran.code == 0), "{all:?}");
    let stored = rig.local.ingest.store.settings().await.unwrap();
    assert_eq!((stored.mailboxes.len(), stored.revision), (3, 3));

    // Each alone would do; together they would not.
    let words = ["x", "y"].map(|id| ["mailbox", "add", id, "--address", "same@postern.test", "--data", &data]);
    let all = futures_util::future::join_all(words.iter().map(|words| rig.run_plain(words, ""))).await;
    let mut codes: Vec<i32> = all.iter().map(|ran| ran.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 64], "{all:?}");
    assert!(
        all.iter().any(|ran| ran.err.contains("mailboxes x and y claim the same address, same@postern.test")),
        "{all:?}"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_stack_that_polls_nothing_says_so_of_every_door_that_waits() {
    let rig = Rig::new().await;
    rig.cloud.state().parameters.insert("EnableImap".to_owned(), "false".to_owned());
    let where_to = ["--provider", "imap", "--host", "127.0.0.1", "--imap-port", "9", "--security", "plain"];
    let add = [&["door", "add", "gmail"][..], &where_to, &["--user", "support@postern.test"]].concat();
    let told = rig.text(&add).await;
    for words in ["polls no mailbox", "EnableImap=true", "postern poll --once --door gmail --stack postern-test"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let set = ["door", "set", "gmail", "--folder", "Support"];
    assert!(rig.json(&set).await["unpolled"].as_str().unwrap().contains("EnableImap"));
    let listed = rig.text(&["doors"]).await;
    assert!(listed.contains("polls no mailbox") && !listed.contains("polled every minute"), "{listed}");
    let tested = rig.run(&["door", "test", "gmail"]).await;
    assert!(
        tested.code == 1 && tested.out.contains("WRONG stack    stack postern-test polls no mailbox"),
        "{tested:?}"
    );
    // Of the others, and of one that is switched off, there is nothing to say.
    let told = rig.text(&["door", "set", "mailgun", "--domain", "postern.test"]).await;
    assert!(!told.contains("EnableImap"), "{told}");
    let told = rig.text(&["door", "set", "gmail", "--enabled", "false"]).await;
    assert!(!told.contains("EnableImap"), "{told}");
    // A stack of before there was a choice polls.
    for parameter in [Some("true"), None] {
        rig.cloud.state().parameters.remove("EnableImap");
        let parameter = parameter.map(|value| ("EnableImap".to_owned(), value.to_owned()));
        rig.cloud.state().parameters.extend(parameter);
        let told = rig.text(&["door", "set", "gmail", "--enabled", "true", "--folder", "INBOX"]).await;
        assert!(!told.contains("EnableImap"), "{told}");
        assert!(rig.text(&["doors"]).await.contains("polled every minute"));
    }
    rig.end().await;
}
