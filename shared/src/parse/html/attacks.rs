//! What senders try, and what is left of it.

use bytes::Bytes;

use super::{
    sanitised,
    tokens::{Token, Tokens},
};
use crate::parse::Attachment;

fn logo() -> Attachment {
    Attachment {
        role: crate::parse::Role::File,
        flags: Vec::new(),
        contains: Vec::new(),
        filename: Some("logo.png".to_owned()),
        content_type: "image/png".to_owned(),
        detected_type: None,
        size: 1,
        sha256: "aa11".to_owned(),
        inline: true,
        content_id: Some("Logo.1@x.example".to_owned()),
        refused: None,
        content: Bytes::new(),
    }
}

const CID: &str = "<img data-postern-attachment=\"aa11\">";
const REL: &str = "rel=\"noopener noreferrer nofollow\"";

fn check(cases: &[(&str, &str)]) {
    let attachments = [logo()];
    let mut wrong = Vec::new();
    for (html, expected) in cases {
        let expected = expected.replace("REL", REL).replace("CID", CID);
        let once = sanitised(html, &attachments);
        let again = sanitised(&once, &attachments);
        if once != expected || again != once {
            wrong.push(format!("{html:?}\n  wanted {expected}\n  got    {once}\n  again  {again}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_runs() {
    check(&[
        ("<script>x()</script>a<ScRiPt src=//x>b</SCRIPT\n>c", "ac"),
        ("<script", ""),
        ("<scr<script>ipt>x()</scr</script>ipt>", "ipt&gt;x()ipt&gt;"),
        ("<<script>x()//<</script>a", "&lt;a"),
        ("<p onclick=\"x()\" ONMOUSEOVER=x() on\nload=x()>a</p>", "<p>a</p>"),
        ("<img src=x onerror=x()>", "<img>"),
        ("<img/src=x/onerror=x()>", "<img>"),
        ("<img \"\"\"><script>x()</script>\">", "<img>\"&gt;"),
        ("<a href=\"https://x.\u{FFFD}\u{FFFD}\">a</a>", "a"),
        ("<a href=\"javascript:x()\">a</a>", "a"),
        ("<a href=\"  JaVaScRiPt:x()\">a</a>", "a"),
        ("<a href=\"java\tscript:x()\">a</a>", "a"),
        ("<a href=\"java&#10;script&colon;x()\">a</a>", "a"),
        ("<a href=\"&#0000106&#97;&#x76;ascript:x()\">a</a>", "a"),
        ("<a href=\"java\0script:x()\">a</a>", "a"),
        ("<a href=\"\u{1}javascript:x()\">a</a>", "a"),
        ("<a href=\"vbscript:x()\">a</a>", "a"),
        ("<a href=\"data:text/html;base64,PHM\">a</a>", "a"),
        ("<a href=\"file:///etc/passwd\">a</a><a href=\"/local\">b</a>", "ab"),
        (
            "<a href=\"https://x.example/?a=1&amp;b\" target=_blank>a</a>",
            "<a href=\"https://x.example/?a=1&amp;b\" REL>a</a>",
        ),
        ("<a href=\"mailto:a@x.example\">a</a>", "<a href=\"mailto:a@x.example\" REL>a</a>"),
        ("<form action=\"http://x\"><input name=\"a\"><button formaction=x>b</button></form>", "b"),
        ("<iframe src=\"https://x\">a</iframe><object data=x>b</object><embed src=x><applet>c</applet>", ""),
        ("<iframe srcdoc=\"&lt;script>x()&lt;/script>\"></iframe>", ""),
        ("<meta http-equiv=refresh content=\"0;url=http://x\"><base href=http://x><link rel=stylesheet href=x>a", "a"),
        ("<isindex action=javascript:x()><marquee onstart=x()>a</marquee>", "a"),
        ("<b id=cookie class=admin name=forms>a</b>", "<b>a</b>"),
        ("<?xml version=\"1.0\"?><!ENTITY x><![CDATA[<b>]]>a", "]]&gt;a"),
    ]);
}

#[test]
fn nothing_mutates() {
    check(&[
        ("<noscript><p title=\"</noscript><img src=x onerror=x()>\"></noscript>a", "a"),
        ("<svg><style><a title=\"</style><img src=x onerror=x()>\"></svg>a", "a"),
        ("<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=x()&gt;\">", ""),
        ("<svg></p><style><a id=\"</style><img src=1 onerror=x()>\"></svg>a", "a"),
        ("<template><img src=x onerror=x()></template>a", "a"),
        ("<textarea><img title=\"</textarea><img src=x onerror=x()>\">a", ""),
        (
            "<xmp><p title=\"</xmp><img src=x onerror=x()>\">a",
            "<p title=\"&lt;/xmp&gt;&lt;img src=x onerror=x()&gt;\">a</p>",
        ),
        ("<!--<img src=\"--><img src=x onerror=x()//\">", "<img>"),
        ("<!-- --!><img src=x onerror=x()>-->a", "a"),
        ("<b><i>a</b>b</i>c", "<b><i>a</i></b>bc"),
        ("<p>a<div>b</p>c", "<p>a</p><div>bc</div>"),
        (
            "<table>a<b>b</b><tr>c<td>d</table>e",
            "<table><tbody><tr><td>a<b>b</b></td></tr><tr><td>c</td><td>d</td></tr></tbody></table>e",
        ),
        ("</td><tr><td>a", "a"),
        (
            "<a href=https://x.example>a<a href=https://y.example>b",
            "<a href=\"https://x.example\" REL>a</a><a href=\"https://y.example\" REL>b</a>",
        ),
        ("&lt;script&gt;x()&lt;/script&gt;", "&lt;script&gt;x()&lt;/script&gt;"),
    ]);
}

#[test]
fn nothing_loads() {
    check(&[
        (
            "<img src=\"https://x.example/p.gif?a=1&amp;b=2\" alt=a>",
            "<img data-src=\"https://x.example/p.gif?a=1&amp;b=2\" alt=\"a\">",
        ),
        ("<img src=//x.example/p.gif>", "<img data-src=\"https://x.example/p.gif\">"),
        ("<img src=\"\\\\x.example/p.gif\">", "<img data-src=\"https://x.example/p.gif\">"),
        ("<img src=\" ht\ntps://x.example/p\0.gif\">", "<img data-src=\"https://x.example/p.gif\">"),
        ("<IMG SRC=HTTP://X.example/P>", "<img data-src=\"HTTP://X.example/P\">"),
        (
            "<img srcset=\"https://x.example/1 1x, https://x.example/2 2x\">",
            "<img data-srcset=\"https://x.example/1\">",
        ),
        ("<img lowsrc=http://x dynsrc=http://x longdesc=http://x usemap=#x>", "<img>"),
        ("<img src=\"file:///etc/passwd\"><img src=\"ftp://x/y\"><img src=\"blob:x\">", "<img><img><img>"),
        (
            "<table background=http://x.example/b><tr><td background=\"javascript:x()\">a</table>",
            "<table data-background=\"http://x.example/b\"><tbody><tr><td>a</td></tr></tbody></table>",
        ),
        (
            "<p style=\"background:url('http://x.example/b');color:red\">a</p>",
            "<p style=\"color:red\" data-background=\"http://x.example/b\">a</p>",
        ),
        ("<p style=\"background:u\\72l(http://x)\">a</p>", "<p>a</p>"),
        ("<p style=\"position:fixed;top:0;left:0;z-index:9\">a</p>", "<p>a</p>"),
        ("<style>@import 'http://x';</style><link rel=prefetch href=http://x>a", "a"),
        ("<video poster=http://x><source src=http://x></video><audio src=http://x></audio>a", "a"),
        ("<input type=image src=http://x>a<bgsound src=http://x><body background=http://x>", "a"),
        ("<svg><image href=http://x /><use href=http://x /></svg>a<math href=http://x></math>", "a"),
        ("<q cite=http://x>a</q><blockquote cite=http://x>b</blockquote>", "<q>a</q><blockquote>b</blockquote>"),
    ]);
}

#[test]
fn images_of_the_mail_are_named() {
    check(&[
        ("<img src=\"cid:Logo.1@x.example\">", "CID"),
        ("<img src=\"CID:logo.1%40X.example\">", "CID"),
        ("<img src=cid:&lt;Logo.1@x.example&gt;>", "CID"),
        ("<img src=\" c\nid:Logo.1&#64;x.example\">", "CID"),
        ("<img src=\"logo.png\"><img src=\"./a/logo.png\">", "CIDCID"),
        ("<img src=\"cid:other@x.example\"><img src=other.png><img src=\"x:logo.png\">", "<img><img><img>"),
        ("<img data-postern-attachment=bb22 data-src=javascript:x()>", "<img>"),
        ("<img src=\"data:image/png;base64,iVBORw0=\">", "<img src=\"data:image/png;base64,iVBORw0=\">"),
        ("<img src=\"data:image/svg+xml;base64,PHN2Zz4=\"><img src=\"data:image/png,a\">", "<img><img>"),
        ("<img src=\"data:text/html;base64,PHN2Zz4=\">", "<img>"),
    ]);
    let large = format!("<img src=\"data:image/png;base64,{}\">", "A".repeat(600_000));
    assert_eq!(sanitised(&large, &[]), "<img>");
    let refused = Attachment { refused: Some("dangerous-type".to_owned()), ..logo() };
    assert_eq!(sanitised("<img src=\"cid:Logo.1@x.example\">", &[refused]), "<img>");
}

#[test]
fn looks_stay() {
    check(&[
        (
            "<div style=\"font-family:Arial;margin:0 0 10px\"><font color=red size=2>a</font><br><h2>b</h2></div>",
            "<div style=\"font-family:arial;margin:0 0 10px\"><font color=\"red\" size=\"2\">a</font><br><h2>b</h2></div>",
        ),
        (
            "<ol start=3 type=a><li value=4>a<li>b</ol>",
            "<ol start=\"3\" type=\"a\"><li value=\"4\">a</li><li>b</li></ol>",
        ),
        ("<html><head><title>t</title></head><body>a</body></html>", "a"),
        ("<o:p>a</o:p><custom>b</custom>", "ab"),
    ]);
}

#[test]
fn long_text_is_written_in_runs() {
    let once = sanitised(&"ü&amp;b".repeat(10_000), &[]);
    assert_eq!(once, "ü&amp;b".repeat(10_000));
    let rewritten = super::safe::rewritten(&once, &super::sources::Attached::new(&[]));
    assert_eq!(rewritten.matches("<!---->").count(), 4);
    assert_eq!(sanitised(&format!("<p title=\"{}\">", "&".repeat(5_000)), &[]).matches("&amp;").count(), 1_024);
}

#[test]
fn hostile_shapes_are_flattened() {
    for piece in [
        "<div>",
        "<b><i><a>",
        "<table>",
        "<table><b>",
        "<font size=1>",
        "</p>",
        "<td>x",
        "<svg>",
        "<!--",
        "<p><b>",
        "<a b='",
    ] {
        let html = format!("{}<p>end", piece.repeat(50_000));
        let once = sanitised(&html, &[]);
        assert!(once.len() < 50_000 * 40, "{piece}: {}", once.len());
        assert_eq!(sanitised(&once, &[]), once, "{piece}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_html_is_safe(html in "(<|>|</|/|!--|--|'|\"|=| |&|;|a|p|b|table|tr|td|svg|style|script|img src|onerror|title|li|x|:|//){0,60}") {
        let _ = super::to_text(&html);
        let once = sanitised(&html, &[]);
        for token in Tokens::new(&once) {
            let Token::Start(tag) = token else { continue };
            proptest::prop_assert!(!matches!(tag.name.as_ref(), "script" | "style" | "svg" | "title"));
            proptest::prop_assert!(tag.attributes().all(|(name, _)| !name.starts_with("on")));
        }
        proptest::prop_assert_eq!(sanitised(&once, &[]), once);
    }
}
