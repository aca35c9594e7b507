//! `winmail.dat`: the Transport Neutral Encapsulation Format (MS-OXTNEF) that Outlook and Exchange wrap mail in.
//!
//! A stream of attributes, each with its length and a checksum; two of them hold MAPI properties, where names, types and
//! text stand. Read as far as it goes: lengths lie, streams are cut, checksums are wrong in mail that Outlook shows all
//! the same. What can't be read is a defect, and the file itself is then listed beside what could.

mod props;
mod rtf;

use bytes::Bytes;

use self::props::{Props, Value};
use super::charset;

/// MS-OXTNEF section 2.1.3.1.
const SIGNATURE: &[u8] = b"\x78\x9f\x3e\x22";
/// Attributes of one stream; Outlook writes some tens and a few for each attachment.
const ATTRIBUTES_MAX: usize = 20_000;
/// Files taken out of one stream, embedded messages' included.
const FILES_MAX: usize = 1_000;
/// Messages embedded within one another that are opened.
const DEPTH_MAX: usize = 4;

/// Attributes, by level and id (MS-OXTNEF section 2.1.3.2).
const OEM_CODE_PAGE: u32 = 0x0006_9007;
const BODY: u32 = 0x0002_800C;
const MESSAGE_PROPS: u32 = 0x0006_9003;
const ATTACH_REND_DATA: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800F;
const ATTACH_PROPS: u32 = 0x0006_9005;

/// A file out of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackedFile {
    /// Name as written.
    pub(crate) name: Option<String>,
    /// MIME type as written.
    pub(crate) content_type: Option<String>,
    pub(crate) content_id: Option<String>,
    pub(crate) octets: Bytes,
}

/// What one stream holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unpacked {
    pub(crate) files: Vec<PackedFile>,
    /// The message's text.
    pub(crate) text: Option<String>,
    /// The message as HTML: hostile, like any.
    pub(crate) html: Option<String>,
    pub(crate) defects: Vec<&'static str>,
}

impl Unpacked {
    fn defect(&mut self, slug: &'static str) {
        if !self.defects.contains(&slug) {
            self.defects.push(slug);
        }
    }
}

/// True where a part is such a file: by its type, by its name, or by how it begins.
pub(crate) fn is_tnef(content_type: &str, filename: Option<&str>, octets: &[u8]) -> bool {
    let named = filename.is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
    matches!(content_type, "application/ms-tnef" | "application/vnd.ms-tnef")
        || octets.starts_with(SIGNATURE) && (named || content_type == "application/octet-stream")
        || named && octets.starts_with(SIGNATURE)
}

/// Reads a stream. `None` where it is none.
pub(crate) fn unpack(octets: &[u8]) -> Option<Unpacked> {
    let mut unpacked = Unpacked::default();
    (unpacked.text, unpacked.html) = read(octets, DEPTH_MAX, &mut unpacked)?;
    Some(unpacked)
}

/// One attribute.
struct Attribute<'a> {
    id: u32,
    data: &'a [u8],
    sound: bool,
    /// The octets ended before the data did.
    cut: bool,
    rest: &'a [u8],
}

/// Level, id, length, data, checksum (MS-OXTNEF section 2.1.3.1); what is cut ends with the octets.
fn attribute(octets: &[u8]) -> Option<Attribute<'_>> {
    let (level, rest) = octets.split_first()?;
    if !matches!(level, 1 | 2) {
        return None;
    }
    let (id, rest) = props::u32_le(rest)?;
    let (length, rest) = props::u32_le(rest)?;
    let length = usize::try_from(length).ok()?;
    let data = rest.get(..length).unwrap_or(rest);
    let after = rest.get(length..).unwrap_or_default();
    let sum = data.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
    let sound = after.get(..2) == Some(&sum.to_le_bytes());
    Some(Attribute { id, data, sound, cut: data.len() < length, rest: after.get(2..).unwrap_or_default() })
}

/// The file that is being read.
#[derive(Default)]
struct Open {
    file: PackedFile,
    /// An embedded message: its own stream, and the name it goes by.
    message: Option<Bytes>,
}

/// Text and HTML of a message.
type Bodies = (Option<String>, Option<String>);

/// Adds the files of a stream and gives the bodies of its message. Recursion is bounded by `depth`, not by the stream.
fn read(octets: &[u8], depth: usize, unpacked: &mut Unpacked) -> Option<Bodies> {
    // The signature is followed by a key of two octets that nothing here needs.
    let mut rest = octets.strip_prefix(SIGNATURE)?.get(2..).unwrap_or_default();
    let (mut code_page, mut plain, mut message) = (None, None, Props::default());
    let mut open: Option<Open> = None;
    let mut count = 0_usize;
    while !rest.is_empty() {
        let Some(found) = attribute(rest).filter(|_| count < ATTRIBUTES_MAX) else {
            unpacked.defect("tnef-cut");
            break;
        };
        count += 1;
        rest = found.rest;
        if found.cut {
            unpacked.defect("tnef-cut");
        } else if !found.sound {
            unpacked.defect("tnef-damaged");
        }
        match found.id {
            OEM_CODE_PAGE => code_page = props::u32_le(found.data).map(|(page, _)| page),
            BODY => plain = Some(found.data),
            MESSAGE_PROPS => message = props::read(found.data),
            ATTACH_REND_DATA => {
                close(open.replace(Open::default()), depth, unpacked);
            }
            ATTACH_TITLE => open.get_or_insert_default().file.name = Some(text(found.data, code_page)),
            ATTACH_DATA => open.get_or_insert_default().file.octets = Bytes::copy_from_slice(found.data),
            ATTACH_PROPS => described(open.get_or_insert_default(), props::read(found.data), code_page),
            _ => {}
        }
    }
    close(open, depth, unpacked);
    Some(bodies(&message, plain, code_page, unpacked))
}

/// What the properties of an attachment say of it; they win over the older attributes, whose names are cut to 8.3.
fn described(open: &mut Open, mut props: Props, code_page: Option<u32>) {
    let mut string = |id: u16| props.take(id).map(|value| string(&value, code_page)).filter(|text| !text.is_empty());
    let name = string(props::ATTACH_LONG_FILENAME)
        .or_else(|| string(props::DISPLAY_NAME).filter(|name| name.contains('.')))
        .or_else(|| string(props::ATTACH_FILENAME));
    open.file.content_type = string(props::ATTACH_MIME_TAG);
    open.file.content_id = string(props::ATTACH_CONTENT_ID);
    open.file.name = name.or_else(|| open.file.name.take());
    match props.take(props::ATTACH_DATA) {
        // An object begins with the id of its interface (MS-OXTNEF section 2.1.3.5.1).
        Some(Value::Object(octets)) => {
            let object = octets.slice(octets.len().min(16)..);
            if object.starts_with(SIGNATURE) { open.message = Some(object) } else { open.file.octets = object }
        }
        Some(Value::Binary(octets)) => open.file.octets = octets,
        _ => {}
    }
}

/// Ends a file: an embedded message gives its own files, and its text as one more.
fn close(open: Option<Open>, depth: usize, unpacked: &mut Unpacked) {
    let Some(open) = open else { return };
    if unpacked.files.len() >= FILES_MAX {
        return unpacked.defect("tnef-file-limit");
    }
    let Some(message) = open.message else {
        if open.file != PackedFile::default() {
            unpacked.files.push(open.file);
        }
        return;
    };
    if depth == 0 {
        return unpacked.defect("nesting-limit");
    }
    let mut inner = Unpacked::default();
    let (text, html) = read(&message, depth - 1, &mut inner).unwrap_or_default();
    let stem = open.file.name.unwrap_or_else(|| "message".to_owned());
    let body = html.map(|html| (html, "html", "text/html")).or(text.map(|text| (text, "txt", "text/plain")));
    if let Some((body, extension, kind)) = body {
        unpacked.files.push(PackedFile {
            name: Some(format!("{stem}.{extension}")),
            content_type: Some(kind.to_owned()),
            content_id: None,
            octets: Bytes::from(body),
        });
    }
    let room = FILES_MAX.saturating_sub(unpacked.files.len());
    unpacked.files.extend(inner.files.into_iter().take(room));
    inner.defects.into_iter().for_each(|slug| unpacked.defect(slug));
}

/// The message as text and as HTML, from the best that stands there: text, HTML, or RTF that wraps one of them.
fn bodies(message: &Props, plain: Option<&[u8]>, code_page: Option<u32>, unpacked: &mut Unpacked) -> Bodies {
    let internet = message.get(props::INTERNET_CODE_PAGE).and_then(Value::number).or(code_page);
    let filled = |text: String| Some(text).filter(|text| !text.trim().is_empty());
    let body = message.get(props::BODY).and_then(|value| filled(string(value, code_page)));
    let text = body.or_else(|| plain.and_then(|plain| filled(text(plain, code_page))));
    let html = message.get(props::BODY_HTML).and_then(|value| filled(string(value, internet)));
    let compressed = message.get(props::RTF_COMPRESSED).and_then(Value::octets);
    match compressed.filter(|_| text.is_none() || html.is_none()).map(rtf::read) {
        Some(Some(rtf::Read::Html(wrapped))) => (text, html.or_else(|| filled(wrapped))),
        Some(Some(rtf::Read::Text(wrapped))) => (text.or_else(|| filled(wrapped)), html),
        Some(None) => {
            unpacked.defect("tnef-rtf-unreadable");
            (text, html)
        }
        None => (text, html),
    }
}

/// A property as text: UTF-16 where it says so, else in the code page.
fn string(value: &Value, code_page: Option<u32>) -> String {
    match value {
        Value::Unicode(octets) => without_end(&charset::decode(octets, Some("utf-16le")).text),
        Value::Binary(octets) | Value::String(octets) | Value::Object(octets) => text(octets, code_page),
        Value::Number(_) => String::new(),
    }
}

fn text(octets: &[u8], code_page: Option<u32>) -> String {
    let label = code_page.map(|page| format!("cp{page}"));
    without_end(&charset::decode(octets, label.as_deref()).text)
}

/// Strings end at their NUL.
fn without_end(text: &str) -> String {
    text.split('\0').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
