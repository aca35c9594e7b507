//! Mails of any size, each of a shape that has made some reader slow.

use data_encoding::BASE64;

type Shape = fn(usize) -> Vec<u8>;

/// Name and builder; the builder takes the octets wanted, roughly.
pub(crate) const SHAPES: [(&str, Shape); 46] = [
    ("text", |n| body("text/plain", &fill("The quick brown fox jumps over the lazy dog, twice.\n", n))),
    ("text-one-line", |n| body("text/plain", &fill("word ", n))),
    ("text-blank-lines", |n| body("text/plain", &fill("\n", n))),
    ("text-flowed", |n| body("text/plain; format=flowed", &fill("> some words that flow \n> and end.\n", n))),
    ("text-quoted-printable", |n| encoded("quoted-printable", &fill("Gr=C3=BC=C3=9Fe aus=20K=C3=B6ln =\n", n))),
    ("text-base64", |n| encoded("base64", &lines(&BASE64.encode(fill("Some words. ", n / 4 * 3).as_bytes())))),
    ("text-undeclared-8bit", |n| octets("text/plain", &b"Gr\xFC\xDFe aus K\xF6ln\n".repeat(n / 17))),
    ("text-iso-2022-jp", |n| body("text/plain", &fill("\u{1b}$BF|K\\\u{1b}(B abc\n", n))),
    ("text-utf-16", |n| octets("text/plain; charset=utf-16le", &b"a\0b\0 \0\n\0".repeat(n / 8))),
    ("quotes", |n| body("text/plain", &fill("> On Mon, 2 Mar 2026 at 09:15, a@b.example wrote:\n", n))),
    ("quotes-deep", |n| body("text/plain", &fill(&format!("{} x\n", ">".repeat(70)), n))),
    ("attributions", |n| body("text/plain", &fill("On Mon, 2 Mar 2026 at 09:15, Jane <a@b.example> wrote:\n\n", n))),
    ("header-blocks", |n| body("text/plain", &fill("From: a@b.example\nSent: Monday\nTo: c\nSubject: d\n\nx\n", n))),
    ("signatures", |n| body("text/plain", &fill("-- \nJane\n", n))),
    ("rules", |n| body("text/plain", &fill("________________________________\n", n))),
    ("uuencode-begins", |n| body("text/plain", &fill("begin 644 a.txt\n", n))),
    ("uuencode", |n| {
        let line = "M2&5L;&\\L('=O<FQD(2!(96QL;RP@=V]R;&0A($AE;&QO+\"!W;W)L9\"$@2&5L\n";
        body("text/plain", &format!("begin 644 a.bin\n{}`\nend\n", fill(line, n)))
    }),
    ("html", |n| {
        body("text/html", &fill("<p>Some <b>words</b> and a <a href=\"https://x.example\">link</a>.</p>\n", n))
    }),
    ("html-deep", |n| body("text/html", &fill("<div><span>", n))),
    ("html-formatting", |n| body("text/html", &fill("<b><i><a href=x><p>", n))),
    ("html-attributes", |n| body("text/html", &format!("<p {}>x</p>", numbered(" a=1 a", n)))),
    ("html-tables", |n| body("text/html", &fill("<table><tr><td>a<td>b<tr><td>c<td>d</table>", n))),
    ("html-nested-tables", |n| body("text/html", &fill("<table><tr><td>a", n))),
    ("html-foster-parents", |n| body("text/html", &format!("<table>{}", fill("a<b>", n)))),
    ("html-lists", |n| body("text/html", &fill("<ul><li>a<ol><li>b</ol></ul>", n))),
    ("html-entities", |n| body("text/html", &fill("&amp;lt;&nbsp;&#8364;&notit;", n))),
    ("html-comments", |n| body("text/html", &fill("<!-- a --><!--[if mso]>x<![endif]-->", n))),
    ("html-open-comment", |n| body("text/html", &fill("<!--", n))),
    ("html-open-tags", |n| body("text/html", &fill("<a <a ", n))),
    ("html-styles", |n| body("text/html", &fill("<p style=\"color:red;background:url(//x.example/a)\">x</p>", n))),
    ("html-images", |n| body("text/html", &fill("<img src=\"cid:a@b\"><img src=\"https://x.example/a.gif\">", n))),
    ("html-blockquotes", |n| body("text/html", &fill("<blockquote>a</blockquote>b", n))),
    ("parts", |n| multipart(&fill("--b\nContent-Type: image/gif\n\nGIF89a\n", n))),
    ("parts-inline-images", |n| {
        let html = "--b\nContent-Type: text/html\n\n<img src=\"cid:1@x\">\n";
        multipart(&format!("{html}{}", numbered("--b\nContent-Type: image/gif\nContent-ID: <1@x>\n\nGIF89a\n", n)))
    }),
    ("parts-nested", |n| message(&numbered("Content-Type: multipart/mixed; boundary=b\n\n--b\n", n))),
    ("messages-nested", |n| message(&fill("Content-Type: message/rfc822\n\n", n))),
    ("boundaries-look-alike", |n| multipart(&fill("--bb\n--b-\n", n))),
    ("header-fields", |n| message(&format!("{}\nx", fill("X-Field: some value\n", n)))),
    ("header-long-field", |n| message(&format!("X-Field: {}\n\nx", fill("some value\n ", n)))),
    ("header-addresses", |n| message(&format!("To: {}z@x.example\n\nx", fill("\"Doe, J\" <j@x.example>,\n ", n)))),
    ("header-references", |n| message(&format!("References: {}\n\nx", numbered("<a@b.example>\n ", n)))),
    ("header-encoded-words", |n| {
        message(&format!("Subject: {}\n\nx", fill("=?utf-8?Q?=C3=BC?= =?utf-8?B?w7w=?=\n ", n)))
    }),
    ("header-parameters", |n| message(&format!("Content-Type: text/plain{}\n\nx", numbered(";\n name*0*=a", n)))),
    ("attachment-base64", |n| {
        let file = lines(&BASE64.encode(&vec![7; n / 4 * 3]));
        multipart(&format!(
            "--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n{file}--b--\n"
        ))
    }),
    ("delivery-report", |n| {
        let groups = numbered("\nFinal-Recipient: rfc822; a@x.example\nAction: failed\nStatus: 5.1.1\n", n);
        message(&format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b\n\
             Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n{groups}\n--b--\n"
        ))
    }),
    ("bounce-in-prose", |n| {
        let lines = numbered("<a@x.example>:\n550 5.1.1 no such user\n", n);
        message(&format!("From: MAILER-DAEMON@x.example\nReturn-Path: <>\nSubject: failure notice\n\nHi.\n{lines}"))
    }),
];

/// `piece` as often as it fits.
fn fill(piece: &str, octets: usize) -> String {
    piece.repeat((octets / piece.len()).max(1))
}

/// `piece` as often as it fits, a number put after its first `a` or `b`, so that no two are equal.
fn numbered(piece: &str, octets: usize) -> String {
    let at = piece.find(['a', 'b']).map_or(piece.len(), |at| at + 1);
    let (before, after) = piece.split_at(at);
    (0..(octets / (piece.len() + 5)).max(1)).map(|n| format!("{before}{n}{after}")).collect()
}

/// In lines of 76 characters, as encoders write them.
fn lines(text: &str) -> String {
    let mut broken = String::with_capacity(text.len() + text.len() / 76 + 1);
    for (n, c) in text.chars().enumerate() {
        if n > 0 && n % 76 == 0 {
            broken.push('\n');
        }
        broken.push(c);
    }
    broken.push('\n');
    broken
}

fn message(rest: &str) -> Vec<u8> {
    let mut raw =
        b"From: Jane <jane@x.example>\nDate: Mon, 2 Mar 2026 09:15:00 +0100\nMessage-ID: <a@x.example>\n".to_vec();
    raw.extend_from_slice(rest.as_bytes());
    raw
}

fn body(content_type: &str, text: &str) -> Vec<u8> {
    message(&format!("Content-Type: {content_type}\n\n{text}"))
}

fn octets(content_type: &str, content: &[u8]) -> Vec<u8> {
    let mut raw = body(content_type, "");
    raw.extend_from_slice(content);
    raw
}

fn encoded(encoding: &str, text: &str) -> Vec<u8> {
    message(&format!("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{text}"))
}

fn multipart(rest: &str) -> Vec<u8> {
    message(&format!("Content-Type: multipart/mixed; boundary=b\n\n{rest}"))
}
