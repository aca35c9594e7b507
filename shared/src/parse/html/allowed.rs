//! What may stand in safe HTML, and `ammonia` told so: the second of the two steps, see [`super::safe`].

use std::{borrow::Cow, collections::HashSet};

use ammonia::{Builder, UrlRelative};

use super::{
    sources::{self, Attached},
    style,
};

/// Longest attribute that is words, in characters: html5ever writes text at a cost that grows with its square.
const WORDS_CHARS_MAX: usize = 1_024;

/// Elements without content.
pub(super) const VOID: [&str; 4] = ["br", "hr", "img", "wbr"];
/// Elements within a line.
pub(super) const INLINE: [&str; 34] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var", "label",
];
/// Elements that make blocks: they end an open paragraph.
pub(super) const BLOCKS: [&str; 29] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "ul",
];
/// Elements of tables.
pub(super) const TABLES: [&str; 7] = ["table", "thead", "tbody", "tfoot", "tr", "td", "th"];
/// What stands in these is not text of the mail, or belongs to what can't be shown.
pub(super) const DROPPED: [&str; 13] = [
    "svg", "math", "object", "template", "noscript", "select", "datalist", "audio", "video", "canvas", "applet",
    "textarea", "frameset",
];
pub(super) const PLAIN_ATTRIBUTES: [&str; 19] = [
    "align",
    "alt",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "colspan",
    "dir",
    "face",
    "height",
    "lang",
    "nowrap",
    "rowspan",
    "size",
    "start",
    "title",
    "valign",
    "width",
];

/// The second step: parsed, and let through by an allow-list.
pub(super) fn cleaned(rewritten: &str, attached: &Attached<'_>) -> String {
    let tags: HashSet<&str> = [&INLINE[..], &BLOCKS, &TABLES, &VOID].concat().into_iter().collect();
    let mut generic: HashSet<&str> = PLAIN_ATTRIBUTES.into_iter().collect();
    generic.extend(["style", "data-background"]);
    let mut builder = Builder::default();
    let digests = attached.digests.clone();
    builder
        .tags(tags)
        .clean_content_tags(HashSet::from(["script", "style", "title", "iframe", "noembed", "noframes", "xmp"]))
        .tag_attributes(
            [
                ("a", HashSet::from(["href"])),
                ("img", HashSet::from(["src", "data-src", "data-srcset", "data-postern-attachment"])),
                ("li", HashSet::from(["value"])),
                ("ol", HashSet::from(["type"])),
            ]
            .into(),
        )
        .generic_attributes(generic)
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "data"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            // Written by `ammonia` itself.
            ("a", "rel") => Some(value.into()),
            _ => checked(element, attribute, value, &digests).map(Cow::Owned),
        });
    builder.clean(rewritten).to_string()
}

/// An attribute's value as it may stand; the same for what the mail says and for what stands after the first step.
pub(super) fn checked(element: &str, attribute: &str, value: &str, digests: &HashSet<String>) -> Option<String> {
    match (element, attribute) {
        ("a", "href") => sources::link(value),
        ("img", "src") => sources::data_image(value),
        ("img", "data-src" | "data-srcset") | (_, "data-background") => sources::remote(value),
        ("img", "data-postern-attachment") => digests.contains(value).then(|| value.to_owned()),
        ("li", "value") | ("ol", "type") => Some(value.chars().take(10).collect()),
        (_, "style") => Some(style::safe(value)).filter(|style| !style.is_empty()),
        _ if PLAIN_ATTRIBUTES.contains(&attribute) => {
            Some(value.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect())
        }
        _ => None,
    }
}
