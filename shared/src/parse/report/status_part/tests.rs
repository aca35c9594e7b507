use crate::{
    headers,
    parse::{self, DeliveryReport},
};

fn report_of(raw: &str) -> Option<DeliveryReport> {
    parse::parse(raw.as_bytes(), &headers::scan(raw.as_bytes())).delivery_report
}

fn read_status(status: &str) -> DeliveryReport {
    let raw = format!(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b\n\
         Content-Type: message/delivery-status\n\n{status}\n--b--\n"
    );
    report_of(&raw).unwrap()
}

#[test]
fn recipients_as_systems_write_them() {
    for (status, expected) in [
        ("Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@x.example\n", vec!["a@x.example"]),
        ("Reporting-MTA: dns; x\n\nFinal-Recipient: RFC822;<a@x.example>\n", vec!["a@x.example"]),
        ("\nFinal-Recipient: x400;/s=a/\nOriginal-Recipient: rfc822;a@x.example\n", vec!["a@x.example"]),
        (
            "Final-Recipient: rfc822;a@x.example\n\nFinal-Recipient: rfc822;b@x.example\n",
            vec!["a@x.example", "b@x.example"],
        ),
        ("Final-Recipient: a@x.example\n", vec!["a@x.example"]),
        ("Final-Recipient: rfc822;\n", vec![]),
        // The original recipient is none: Exchange's placeholder, an empty one.
        ("Original-Recipient: rfc822;\nFinal-Recipient: rfc822; a@x.example\n", vec!["a@x.example"]),
        ("Original-Recipient: unknown; jane\nFinal-Recipient: rfc822; a@x.example\n", vec!["a@x.example"]),
        ("Final-Recipient: LOCAL; jane\n", vec!["jane"]),
        ("Final-Recipient: x400; /RFC-822=jane(a)x.example/ADMD= /C=WW/\n", vec!["jane@x.example"]),
        ("Final-Recipient: x400; c=US;a= ;p=N;o=N;dda:SMTP=jane@x.example;\n", vec!["jane@x.example"]),
        ("Original-Recipient: rfc822;jane+2Bshop@x.example\n", vec!["jane+shop@x.example"]),
        ("Original-Recipient: rfc822;jane+40x.example\n", vec!["jane@x.example"]),
        ("Final-Recipient: utf-8; \\x{FC}nal@x.example\n", vec!["ünal@x.example"]),
        ("Final-Recipient: rfc822; a@x.example (Jane Doe)\n", vec!["a@x.example"]),
        ("FINAL-RECIPIENT: rfc822;\n a@x.example\n", vec!["a@x.example"]),
        // No blank line between the recipients.
        (
            "Final-Recipient: rfc822; a@x.example\nAction: failed\nFinal-Recipient: rfc822; b@x.example\nAction: failed\n",
            vec!["a@x.example", "b@x.example"],
        ),
        ("Final-Recipient: rfc822; a@x.example\n\nFinal-Recipient: rfc822; A@X.example\n", vec!["a@x.example"]),
        ("no fields at all\nnone\n", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(read_status(status).recipients, expected, "{status:?}");
    }
}

#[test]
fn what_befell_each_recipient() {
    let report = read_status(
        "Reporting-MTA: dns; mx\n\n\
         Final-Recipient: rfc822; a@x.example\nAction: failed (Bad destination mailbox address)\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550 5.1.1\n  User unknown\n\n\
         Final-Recipient: rfc822; b@x.example\nAction: delayed\nStatus: 4.4.1 (no answer from host)\n\n\
         Final-Recipient: rfc822; c@x.example\nAction: relayed\nStatus: 2.0.0\n\n\
         Final-Recipient: rfc822; d@x.example\nAction: failure\nStatus: 5.0.0\nDiagnostic-Code: smtp; 552 mailbox full\n\n\
         Final-Recipient: rfc822; e@x.example\n\nAction: failed\nStatus: 5.3.4\n",
    );
    let told: Vec<_> = report
        .details
        .iter()
        .map(|one| (one.recipient.as_str(), one.action.as_deref(), one.status.as_deref(), one.hard))
        .collect();
    let expected = [
        ("a@x.example", Some("failed"), Some("5.1.1"), Some(true)),
        ("b@x.example", Some("delayed"), Some("4.4.1"), Some(false)),
        ("c@x.example", Some("relayed"), Some("2.0.0"), None),
        ("d@x.example", Some("failed"), Some("5.2.2"), Some(false)),
        ("e@x.example", Some("failed"), Some("5.3.4"), Some(false)),
    ];
    assert_eq!(told, expected);
    // Who was reached is not among those to worry about.
    assert_eq!(report.recipients, ["a@x.example", "b@x.example", "d@x.example", "e@x.example"]);
    assert_eq!(
        (report.action.as_deref(), report.status.as_deref(), report.hard),
        (Some("failed"), Some("5.1.1"), Some(true))
    );
    assert_eq!(report.diagnostic.as_deref(), Some("smtp; 550 5.1.1 User unknown"));
    assert!(!report.is_success() && !report.is_delay());
    assert!(read_status("Final-Recipient: rfc822; a@x.example\nAction: delivered\n").is_success());
    assert!(read_status("Final-Recipient: rfc822; a@x.example\nAction: delayed\n").is_delay());
}

#[test]
fn prose_fills_what_the_part_lacks() {
    let raw = |status: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\n\nYour message was not delivered to the following recipients:\n\n  a@x.example\n    550 5.1.1 no such user\n\
             \n--b\nContent-Type: message/delivery-status\n\n{status}\n--b--\n"
        )
    };
    for status in ["Reporting-MTA: dns; mx.example\n", "", "Final-Recipient: rfc822; a@x.example\nAction: failed\n"] {
        let report = report_of(&raw(status)).unwrap();
        assert_eq!(report.recipients, ["a@x.example"], "{status:?}");
        assert_eq!((report.status.as_deref(), report.hard), (Some("5.1.1"), Some(true)), "{status:?}");
        assert!(report.diagnostic.unwrap().contains("no such user"), "{status:?}");
    }
}

#[test]
fn encoded_and_wrapped_parts() {
    let status = "Final-Recipient: rfc822; a@x.example\nAction: failed\nStatus: 5.1.1\n";
    let base64 = "RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFAeC5leGFtcGxlCkFjdGlvbjogZmFpbGVkClN0\nYXR1czogNS4xLjEK\n";
    let quoted = "Final-Recipient: rfc822=3B a=40x.example\nAction: failed\nStatus: 5.1.1\n";
    for (encoding, body) in [("7bit", status), ("base64", base64), ("quoted-printable", quoted)] {
        let inner = format!("Content-Type: message/delivery-status\nContent-Transfer-Encoding: {encoding}\n\n{body}");
        let plain =
            format!("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n{inner}\n--b--\n");
        // A scanner that put the whole report into an attached message.
        let wrapped = format!("From: MAILER-DAEMON@mx.example\nContent-Type: message/rfc822\n\n{plain}");
        for raw in [plain, wrapped] {
            let report = report_of(&raw).unwrap();
            assert_eq!((report.recipients, report.structured), (vec!["a@x.example".to_owned()], true), "{raw}");
        }
    }
}

#[test]
fn a_long_report_takes_linear_time() {
    let _ = read_status(&"no field\n".repeat(20_000));
    let _ = read_status(&"\n".repeat(20_000));
    let many: String =
        (0..5_000).map(|n| format!("Final-Recipient: rfc822; a{n}@x.example\nStatus: 5.1.1\n\n")).collect();
    assert_eq!(read_status(&many).recipients.len(), super::super::RECIPIENTS_MAX);
}
