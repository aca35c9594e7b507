//! MAPI properties as they stand in a TNEF attribute (MS-OXTNEF section 2.1.3.4; types in MS-OXCDATA section 2.11.1).

use std::collections::HashMap;

use bytes::Bytes;

pub(super) const DISPLAY_NAME: u16 = 0x3001;
pub(super) const ATTACH_DATA: u16 = 0x3701;
pub(super) const ATTACH_FILENAME: u16 = 0x3704;
pub(super) const ATTACH_LONG_FILENAME: u16 = 0x3707;
pub(super) const ATTACH_MIME_TAG: u16 = 0x370E;
pub(super) const ATTACH_CONTENT_ID: u16 = 0x3712;
pub(super) const INTERNET_CODE_PAGE: u16 = 0x3FDE;
pub(super) const BODY: u16 = 0x1000;
pub(super) const RTF_COMPRESSED: u16 = 0x1009;
pub(super) const BODY_HTML: u16 = 0x1013;

/// Properties of one attribute; Outlook writes about a hundred.
const PROPS_MAX: u32 = 4_096;
/// Values of one property.
const VALUES_MAX: u32 = 4_096;

/// A value, by what it is read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u32),
    String(Bytes),
    Unicode(Bytes),
    Binary(Bytes),
    Object(Bytes),
}

impl Value {
    pub(super) fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::String(_) | Self::Unicode(_) | Self::Binary(_) | Self::Object(_) => None,
        }
    }

    pub(super) fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Binary(octets) | Self::Object(octets) => Some(octets),
            Self::Number(_) | Self::String(_) | Self::Unicode(_) => None,
        }
    }
}

/// The properties by id; of several values, the first.
#[derive(Debug, Default)]
pub(super) struct Props(HashMap<u16, Value>);

impl Props {
    pub(super) fn get(&self, id: u16) -> Option<&Value> {
        self.0.get(&id)
    }

    pub(super) fn take(&mut self, id: u16) -> Option<Value> {
        self.0.remove(&id)
    }
}

pub(super) fn u32_le(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (four, rest) = octets.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*four), rest))
}

fn u16_le(octets: &[u8]) -> Option<(u16, &[u8])> {
    let (two, rest) = octets.split_first_chunk::<2>()?;
    Some((u16::from_le_bytes(*two), rest))
}

/// Reads them as far as they go.
pub(super) fn read(octets: &[u8]) -> Props {
    let mut props = Props::default();
    let Some((count, mut rest)) = u32_le(octets) else { return props };
    for _ in 0..count.min(PROPS_MAX) {
        let Some((id, value, after)) = property(rest) else { break };
        rest = after;
        if let Some(value) = value {
            props.0.entry(id).or_insert(value);
        }
    }
    props
}

/// Id, first value, and what follows.
fn property(octets: &[u8]) -> Option<(u16, Option<Value>, &[u8])> {
    let (kind, rest) = u16_le(octets)?;
    let (id, mut rest) = u16_le(rest)?;
    if id >= 0x8000 {
        rest = after_name(rest)?;
    }
    let (single, many) = (kind & 0x0FFF, kind & 0x1000 != 0);
    let variable = matches!(single, 0x0D | 0x1E | 0x1F | 0x0102);
    let (count, mut rest) = if many || variable { u32_le(rest)? } else { (1, rest) };
    let mut first = None;
    for _ in 0..count.min(VALUES_MAX) {
        let (value, after) = if variable { sized(rest, single)? } else { fixed(rest, single)? };
        rest = after;
        first = first.or(value);
    }
    Some((id, first, rest))
}

/// Named properties carry a GUID and a number or a name of their own; neither is needed.
fn after_name(octets: &[u8]) -> Option<&[u8]> {
    let (kind, rest) = u32_le(octets.get(16..)?)?;
    let (number, rest) = u32_le(rest)?;
    if kind == 0 { Some(rest) } else { rest.get(padded(number)?..) }
}

fn padded(length: u32) -> Option<usize> {
    usize::try_from(length).ok()?.checked_next_multiple_of(4)
}

/// A value with its length before it, filled up to four octets.
fn sized(octets: &[u8], kind: u16) -> Option<(Option<Value>, &[u8])> {
    let (length, rest) = u32_le(octets)?;
    let end = padded(length)?;
    // The last value of a cut stream is kept as far as it goes.
    let value = Bytes::copy_from_slice(rest.get(..usize::try_from(length).ok()?).unwrap_or(rest));
    let value = match kind {
        0x1E => Value::String(value),
        0x1F => Value::Unicode(value),
        0x0D => Value::Object(value),
        _ => Value::Binary(value),
    };
    Some((Some(value), rest.get(end..).unwrap_or_default()))
}

/// Fixed sizes, none below four octets.
fn fixed(octets: &[u8], kind: u16) -> Option<(Option<Value>, &[u8])> {
    let size = match kind {
        0x05 | 0x06 | 0x07 | 0x14 | 0x40 => 8,
        0x48 => 16,
        _ => 4,
    };
    let value = u32_le(octets).filter(|_| size == 4).map(|(number, _)| Value::Number(number));
    Some((value, octets.get(size..)?))
}
