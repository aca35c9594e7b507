//! HTML as the big mailers write it, and the text that is read from it.

use super::to_text;

fn check(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (html, expected) in cases {
        let text = to_text(html);
        if text != ((*expected).to_owned(), None) {
            wrong.push(format!("{html}\n  wanted {expected:?}\n  got    {text:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lines() {
    check(&[
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<div>a</div><div>b &amp; c</div>", "a\nb & c"),
        ("<div>a<br></div><div><br></div><div>b</div>", "a\n\nb"),
        ("<p>a<p>b<div>c</div>", "a\n\nb\n\nc"),
        ("a<br/><br/><br/><br/>b", "a\n\nb"),
        ("<h1>T</h1>\n text\n  over lines<hr>b", "T\n\ntext over lines\n________________________________\nb"),
        ("<pre>\n a\n   b\n</pre>c", " a\n   b\nc"),
        ("<div style=\"white-space: pre-wrap\">a\n  b</div>", "a\n  b"),
        ("a&nbsp;b&shy;c\u{200B}d &#147;e&#148; &amp;nbsp; &amp;amp;", "a bcd “e”   &"),
        ("<style>p{}</style><script>x()</script><title>t</title><p>shown</p>", "shown"),
        ("<!--[if mso]><p>no</p><![endif]--><!--[if !mso]><!--><p>yes</p><!--<![endif]-->", "yes"),
        ("one\n\ntwo\n", "one\n\ntwo"),
        ("<p\nclass=a\n>a</p\n><p align=center>b", "a\n\nb"),
        ("a\u{200D}b 👩\u{200D}👧 x \u{200C}\u{A0}\u{200C} y", "a\u{200D}b 👩\u{200D}👧 x   y"),
        ("no tags", "no tags"),
        ("", ""),
    ]);
}

#[test]
fn links_and_images() {
    check(&[
        ("<a href=\"https://x.example/y\">here</a>.", "here <https://x.example/y>."),
        ("<a href=\"https://x.example/\">x.example</a>", "x.example"),
        ("<a href=\"mailto:a@x.example\">a@x.example</a>", "a@x.example"),
        ("<a href=\"https://x.example\"><table><tr><td>Pay</td></tr></table></a>b", "Pay <https://x.example>\nb"),
        ("<a href=\"https://x.example\"><img src=a></a>", "<https://x.example>"),
        ("<a href=\"https://x.example\"><img src=a alt=Logo></a>", "Logo <https://x.example>"),
        ("<a name=top></a><a href=\"https://x.example\"></a><a href=\"#top\">up</a>", "up"),
        ("<a href=\"javascript:x()\">a</a><img src=a alt=\"cid:b\">", "a"),
        ("<a href=https://x.example>a <a href=https://y.example>b", "a <https://x.example> b <https://y.example>"),
    ]);
}

#[test]
fn lists_and_tables() {
    check(&[
        ("a<ul><li>b<li>c<ul><li>d</ul></ul>e", "a\n\n* b\n* c\n  * d\n\ne"),
        ("<ol start=3><li>a</li><li value=7>b<br>c</li><li>d</ol>", "3. a\n7. b\n   c\n8. d"),
        ("<ol type=a><li><p>a</p></li><li><p>b</p></li></ol>", "a. a\n\nb. b"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\tb"),
        ("<table><tr><th>Item<th>Price<tr><td>Pen<td>&nbsp;<td>3 €</table>", "Item\tPrice\nPen\t3 €"),
        // Columns of paragraphs are laid out, no data.
        ("<table><tr><td>a<br>b</td><td>c</td></tr></table>", "a\nb\nc"),
        (
            "<table><tr><td><table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table></td></tr></table>d",
            "a\tb\nc\nd",
        ),
    ]);
}

#[test]
fn what_is_hidden_is_left_out() {
    check(&[
        ("<div style=\"display:none\">pre</div>a<span hidden>b</span>", "a"),
        ("<div style=\"font-size:0\"><span style=\"font-size:14px\">a</span>b</div>", "a"),
        ("<span style=\"display:none\">a <div>b</div></span>c<span style=\"mso-hide:all\">d</span>", "cd"),
        ("<div style=\"max-height:0;overflow:hidden\">pre&zwnj;&nbsp;&zwnj;</div>a", "a"),
        // All of it hidden: some words are better than none.
        ("<div style=\"display:none\">a</div>", "a"),
        ("<svg><text>a</text></svg><select><option>b</select>c", "c"),
    ]);
}

#[test]
fn quotes_of_mailers() {
    check(&[
        // Gmail
        (
            "<div dir=\"ltr\">Hi</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, 2 Mar 2026 \
             at 10:00, Jane &lt;<a href=\"mailto:jane@shop.example\">jane@shop.example</a>&gt; wrote:<br></div>\
             <blockquote class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);\
             padding-left:1ex\"><div>Hello<br><br>Bye</div></blockquote></div>",
            "Hi\n\nOn Mon, 2 Mar 2026 at 10:00, Jane <jane@shop.example> wrote:\n> Hello\n>\n> Bye",
        ),
        // Gmail's indent is no quote.
        ("<blockquote style=\"margin:0 0 0 40px;border:none;padding:0px\">in</blockquote>a", "in\na"),
        // Outlook
        (
            "<p class=\"MsoNormal\">Hi,<o:p></o:p></p><p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p><p class=\"MsoNormal\">text\
             <o:p></o:p></p><div><div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p \
             class=\"MsoNormal\"><b>From:</b> Jane &lt;jane@shop.example&gt; <br><b>Sent:</b> Monday<br><b>Subject:</b> \
             a<o:p></o:p></p></div></div>",
            "Hi,\n\ntext\nFrom: Jane <jane@shop.example>\nSent: Monday\nSubject: a",
        ),
        // Outlook on the web
        (
            "<div>Hi</div><hr style=\"display:inline-block;width:98%\"><div id=\"divRplyFwdMsg\" dir=\"ltr\"><font><b>From:</b> \
             Jane<br><b>Sent:</b> Monday</font></div>",
            "Hi\n________________________________\nFrom: Jane\nSent: Monday",
        ),
        // Apple Mail
        (
            "Answer<div><br><blockquote type=\"cite\"><div>On 2 Mar 2026, at 10:00, Jane wrote:</div><br><div><div>q\
             </div></div></blockquote></div>",
            "Answer\n\n> On 2 Mar 2026, at 10:00, Jane wrote:\n>\n> q",
        ),
        // Thunderbird, and a quote in a quote
        (
            "<div class=\"moz-cite-prefix\">On 3/2/26, Jane wrote:<br></div><blockquote type=\"cite\" cite=\"mid:a\"><p>q</p>\
             <blockquote type=cite>qq</blockquote></blockquote><p>answer</p>",
            "On 3/2/26, Jane wrote:\n> q\n>\n> > qq\n\nanswer",
        ),
        // Yahoo
        (
            "<div>Hi</div><div id=\"yahoo_quoted_1\" class=\"yahoo_quoted\"><div>On Monday, Jane wrote:</div><div><br></div>\
             <div>q</div></div>",
            "Hi\nOn Monday, Jane wrote:\n\nq",
        ),
    ]);
}

#[test]
fn deep_html_keeps_its_words() {
    let deep = format!("{}text", "<div><b>".repeat(100_000));
    assert_eq!(to_text(&deep), ("text".to_owned(), Some("html-too-deep")));
    for piece in [
        "<b><i><a>",
        "</b>",
        "<table>",
        "<td>x",
        "<blockquote>x",
        "<ul><li>x",
        "<p>",
        "<a href=http://x>",
        "<tr><td>x<td>y",
    ] {
        let (text, _) = to_text(&format!("{}end", piece.repeat(20_000)));
        assert!(text.ends_with("end") || text.ends_with('>'), "{piece}");
        assert!(text.len() < 20_000 * 60, "{piece}: {}", text.len());
    }
}
