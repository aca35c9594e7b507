use super::*;
use crate::headers::scan;

fn found(head: &str, servers: &[&str]) -> Option<Verdicts> {
    let servers: Vec<String> = servers.iter().map(|s| (*s).to_owned()).collect();
    trusted_results(&scan(format!("{head}\r\n\r\n").as_bytes()), &servers)
}

const GENUINE: &str = "Received: from x by mx.us.example\r\nAuthentication-Results: mx.us.example; dmarc=pass";

#[test]
fn the_topmost_field_of_a_trusted_server_counts_and_no_other() {
    let author = "From: a@b.example\r\nSubject: hi";
    for (head, servers, counts) in [
        (format!("{GENUINE}\r\n{author}"), &["mx.us.example"][..], true),
        (format!("{GENUINE}\r\n{author}"), &["MX.US.EXAMPLE"], true),
        (format!("{GENUINE}\r\n{author}"), &[], false),
        (format!("{GENUINE}\r\n{author}"), &["us.example"], false),
        (format!("{GENUINE}\r\n{author}"), &["x", "mx.us.example"], true),
        // Another server's field above it: what stands below may be the author's.
        (
            format!("Authentication-Results: other.example; spf=fail\r\n{GENUINE}\r\n{author}"),
            &["mx.us.example"],
            false,
        ),
        // Among what the author wrote.
        (format!("{author}\r\n{GENUINE}"), &["mx.us.example"], false),
        (format!("Date: Mon, 1 Jan 2026 00:00:00 +0000\r\n{GENUINE}"), &["mx.us.example"], false),
        // A name that only begins or ends like it, or stands in a comment.
        ("Authentication-Results: mx.us.example.evil; dmarc=pass".into(), &["mx.us.example"], false),
        ("Authentication-Results: (mx.us.example) evil; dmarc=pass".into(), &["mx.us.example"], false),
        // Without a name only where the operator says so.
        ("Authentication-Results: dmarc=pass action=none".into(), &["mx.us.example"], false),
        ("Authentication-Results: dmarc=pass action=none".into(), &[UNNAMED], true),
        ("Authentication-Results: unnamed; dmarc=pass".into(), &["mx.us.example"], false),
    ] {
        let verdicts = found(&head, servers);
        assert_eq!(verdicts.is_some(), counts, "{head} {servers:?}");
        assert!(verdicts.is_none_or(|verdicts| verdicts.dmarc == Some(Verdict::Pass)), "{head}");
    }
    // A forged one directly below the genuine one adds nothing to it.
    let forged = "Authentication-Results: mx.us.example; spf=fail\r\nAuthentication-Results: mx.us.example; dmarc=pass";
    let verdicts = found(forged, &["mx.us.example"]).unwrap();
    assert_eq!((verdicts.spf, verdicts.dmarc), (Some(Verdict::Fail), None));
}

/// (field, spf, its domain, dkim, its domains, dmarc, its domain)
type Row = (&'static str, Option<Verdict>, &'static str, Option<Verdict>, &'static str, Option<Verdict>, &'static str);

#[test]
fn fields_as_servers_write_them() {
    use Verdict::{Error, Fail, Neutral, Pass, Softfail};
    let rows: [Row; 11] = [
        (
            "mx.google.com;\r\n dkim=pass header.i=@b.example header.s=s1 header.b=abc;\r\n spf=pass (google.com: domain \
             of x@m.b.example designates 1.2.3.4 as permitted; really) smtp.mailfrom=x@m.b.example;\r\n dmarc=pass \
             (p=REJECT sp=REJECT dis=NONE) header.from=b.example",
            Some(Pass),
            "m.b.example",
            Some(Pass),
            "b.example",
            Some(Pass),
            "b.example",
        ),
        (
            "spf=softfail (sender IP is 1.2.3.4) smtp.mailfrom=b.example; dkim=none (message not signed)\r\n \
             header.d=none;dmarc=fail action=quarantine header.from=b.example;compauth=fail reason=000",
            Some(Softfail),
            "b.example",
            Some(Neutral),
            "",
            Some(Fail),
            "b.example",
        ),
        ("mx 1; none", None, "", None, "", None, ""),
        ("mx; dkim=fail header.d=a.example; dkim=pass header.d=B.example", None, "", Some(Pass), "b.example", None, ""),
        (
            "mx; dkim=pass header.d=a.example; dkim=pass header.d=b.example",
            None,
            "",
            Some(Pass),
            "a.example b.example",
            None,
            "",
        ),
        ("mx; DKIM = Pass header.d = \"a.example\"", None, "", Some(Pass), "a.example", None, ""),
        ("mx; dkim/1=pass reason=\"good; dmarc=pass\" header.d=a.example", None, "", Some(Pass), "a.example", None, ""),
        // Twice, and so of no use: one of them may have come in by what the server copied.
        (
            "mx; spf=fail smtp.mailfrom=x; spf=pass smtp.mailfrom=y; dmarc=pass; dmarc=fail",
            None,
            "",
            None,
            "",
            None,
            "",
        ),
        ("mx; spf=pass smtp.mailfrom=\"x; dmarc=pass y\"@b.example", Some(Pass), "b.example", None, "", None, ""),
        ("mx; spf=temperror smtp.helo=h.example; dmarc=bestguesspass", Some(Error), "h.example", None, "", None, ""),
        ("mx (unfinished; dmarc=pass", None, "", None, "", None, ""),
    ];
    for (field, spf, spf_domain, dkim, dkim_domains, dmarc, dmarc_domain) in rows {
        let verdicts = found(&format!("Authentication-Results: {field}"), &["mx.google.com", "mx", UNNAMED]).unwrap();
        let none = |text: &'static str| Some(text.to_owned()).filter(|text| !text.is_empty());
        assert_eq!((verdicts.spf, verdicts.spf_domain), (spf, none(spf_domain)), "{field}");
        assert_eq!((verdicts.dkim, verdicts.dkim_domains.join(" ").as_str()), (dkim, dkim_domains), "{field}");
        assert_eq!((verdicts.dmarc, verdicts.dmarc_domain), (dmarc, none(dmarc_domain)), "{field}");
    }
}

#[test]
fn arc_is_recorded() {
    let verdicts = found("Authentication-Results: mx; arc=pass smtp.remote-ip=1.2.3.4", &["mx"]).unwrap();
    assert_eq!((verdicts.arc, verdicts.dmarc), (Some(Verdict::Pass), None));
}

#[test]
fn hostile_fields_end() {
    for value in
        ["(".repeat(50_000), ";".repeat(50_000), "\"".repeat(50_001), "a=b ".repeat(20_000), "=".repeat(50_000)]
    {
        let _ = found(&format!("Authentication-Results: mx; {value}"), &["mx"]);
    }
}
