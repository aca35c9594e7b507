//! The call budget of DESIGN section 3, counted on the wire.

use postern::secrets::SecretSource;

use crate::{
    doors::{Encoding, Form, MAILGUN_KEY, POSTMARK_LOGIN, door_with, hear, operator},
    harness::wire::Wire,
    world::{Copy, World, keyring, mail},
};

/// What one delivery costs: calls, depth, and their names.
async fn cost(world: &World, copy: &Copy) -> (usize, usize, Vec<String>) {
    let wire = Wire::new();
    world.over(&wire).run(copy.inbound()).await.unwrap();
    let names = wire.calls().iter().map(|call| call.operation.clone()).collect();
    (wire.count(), wire.depth(), names)
}

#[tokio::test]
async fn the_wire_call_table() {
    let world = World::new().await;
    let first = mail("o", "cust").to(&["bob"]);
    let reply = mail("r", "bob").to(&["cust"]).reply_to(&["o"]).date(2);
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1).unwrap();
    let tagged = mail("t", "cust").to(&[tag.as_str()]).date(3);
    let numbered = mail("n", "cust").subject("Re: [INC-00001] subject").date(4);
    let rows = [
        ("new ticket, raw webhook", first.copy("a"), 4, 3),
        ("retry: same octets, same door", first.copy("a"), 2, 1),
        ("duplicate by another door", first.copy("a").door("postmark"), 3, 2),
        ("reply by stored Message-ID", reply.copy("b"), 4, 3),
        ("reply, ticket named by tag", tagged.copy("c"), 3, 2),
        ("reply, ticket named by subject", numbered.copy("d"), 3, 2),
    ];
    println!("| case | calls | depth |\n|---|---|---|");
    for (case, copy, calls, depth) in rows {
        let (counted, deep, names) = cost(&world, &copy).await;
        println!("| {case} | {counted}: {} | {deep} |", names.join(", "));
        assert_eq!((counted, deep), (calls, depth), "{case}: {names:?}");
    }
    assert_eq!(world.end_state().await.partition, "n o r t");
}

#[tokio::test]
async fn each_attachment_adds_one_put_and_no_depth() {
    let world = World::new().await;
    let mut with_files =
        mail("o", "cust").field("MIME-Version: 1.0").field("Content-Type: multipart/mixed; boundary=b");
    with_files.name = "o\r\n--b\r\n\r\nmail o\r\n--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\none\r\n\
                       --b\r\nContent-Disposition: attachment; filename=b.txt\r\n\r\ntwo\r\n\
                       --b\r\nContent-Disposition: attachment; filename=c.txt\r\n\r\nthree\r\n--b--"
        .to_owned();
    let (calls, depth, names) = cost(&world, &with_files.copy("a")).await;
    assert_eq!(calls, 4 + 3, "{names:?}");
    // Two uploads at once beside the ordinal: the third waits for one of them.
    assert_eq!(depth, 3 + 1, "{names:?}");
    let stored = world.items("ENTRY#").await;
    assert_eq!(stored.values().next().unwrap()["attachments"].as_l().unwrap().len(), 3);
}

#[tokio::test]
async fn a_mail_without_message_id_costs_one_read_more() {
    let world = World::new().await;
    let mut anonymous = mail("o", "cust");
    anonymous.id.clear();
    let (calls, depth, names) = cost(&world, &anonymous.copy("a")).await;
    assert_eq!((calls, depth), (5, 4), "{names:?}");
    let (calls, ..) = cost(&world, &anonymous.copy("a")).await;
    assert_eq!(calls, 2, "a retry is known by its octets");
}

#[tokio::test]
async fn nothing_ever_scans() {
    let world = World::new().await;
    let wire = Wire::new();
    let ingest = world.over(&wire);
    for n in 0..5 {
        ingest.run(mail(&format!("m{n}"), "cust").reply_to(&["x", "y"]).copy("a").inbound()).await.unwrap();
    }
    let allowed = ["PutObject", "BatchGetItem", "UpdateItem", "TransactWriteItems"];
    for call in wire.calls() {
        assert!(allowed.contains(&call.operation.as_str()), "{}", call.operation);
    }
}

#[tokio::test]
async fn a_rebuilt_mail_costs_the_put_of_its_payload() {
    let world = World::new().await;
    let wire = Wire::new();
    let app = door_with(world.over(&wire), SecretSource::Text(operator(&[MAILGUN_KEY], &[POSTMARK_LOGIN])));
    app.settings.current().await.unwrap();
    wire.take();
    let parsed = Form::mailgun_parsed(Encoding::Multipart, "t", &mail("o", "cust").octets("a"));
    for (calls, depth, what) in [(5, 3, "a new ticket"), (3, 1, "a retry")] {
        assert_eq!(hear(&app, parsed.request()).await.status, 200);
        let deepest = wire.depth();
        let made = wire.take();
        let names: Vec<&str> = made.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!((made.len(), deepest), (calls, depth), "{what}: {names:?}");
    }
    let [payload] = &world.objects("payload/").await[..] else { panic!("one payload") };
    let kept = world.ingest.blobs.get(payload).await.unwrap();
    assert_eq!(kept, parsed.request().into_body(), "what the provider sent, to the octet");
}

#[tokio::test]
async fn settings_are_read_by_two_queries_once_a_minute() {
    let world = World::new().await;
    let wire = Wire::new();
    let app = door_with(world.over(&wire), SecretSource::Text(operator(&[MAILGUN_KEY], &[POSTMARK_LOGIN])));
    for (n, queries) in [2, 0, 0].into_iter().enumerate() {
        let name = format!("m{n}");
        let form = Form::mailgun(Encoding::Multipart, &name, &mail(&name, "cust").octets("a"));
        assert_eq!(hear(&app, form.request()).await.text("status"), "created");
        let made = wire.take();
        assert_eq!(made.iter().filter(|call| call.operation == "Query").count(), queries, "request {n}");
    }
}
