//! What an image or a link of a mail's HTML points to, in whatever spelling.

use std::collections::{HashMap, HashSet};

use crate::parse::{Attachment, transfer::hex_octet};

/// Octets of an image written into its address; larger ones are left out.
const DATA_IMAGE_OCTETS_MAX: usize = 512 * 1024;
/// Longest other address.
const ADDRESS_OCTETS_MAX: usize = 4_096;
/// Types of images written into their address that run nothing (SVG does).
const DATA_IMAGES: [&str; 5] = [
    "data:image/png;base64,",
    "data:image/jpeg;base64,",
    "data:image/jpg;base64,",
    "data:image/gif;base64,",
    "data:image/webp;base64,",
];

/// The attachments that a mail's HTML can show, by what it calls them.
pub(super) struct Attached<'a> {
    by_id: HashMap<String, &'a Attachment>,
    by_name: HashMap<&'a str, &'a Attachment>,
    /// SHA-256 of each.
    pub(super) digests: HashSet<String>,
}

impl<'a> Attached<'a> {
    /// Those not held back; of several with one id the first is meant.
    pub(super) fn new(all: &'a [Attachment]) -> Self {
        let mut attached = Self { by_id: HashMap::new(), by_name: HashMap::new(), digests: HashSet::new() };
        for one in all.iter().filter(|one| one.refused.is_none()) {
            if let Some(id) = &one.content_id {
                attached.by_id.entry(id.trim_matches(['<', '>', ' ']).to_lowercase()).or_insert(one);
            }
            if let Some(name) = &one.filename {
                attached.by_name.entry(name).or_insert(one);
            }
            attached.digests.insert(one.sha256.clone());
        }
        attached
    }
}

/// What is loaded for an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// SHA-256 of the attachment.
    Attachment(String),
    /// Written into the address itself.
    Data(String),
    /// Somebody's server, which would learn who reads.
    Remote(String),
    /// Nothing that can be shown.
    Nothing,
}

/// Reads the address of an image.
pub(super) fn image(written: &str, attached: &Attached<'_>) -> Source {
    let address = plain(written);
    let lower = address.get(..32.min(address.len())).unwrap_or_default().to_ascii_lowercase();
    if lower.starts_with("cid:") {
        let id = unescaped(address.get(4..).unwrap_or_default()).trim_matches(['<', '>', ' ']).to_lowercase();
        let found = attached.by_id.get(&id);
        return found.map_or(Source::Nothing, |one| Source::Attachment(one.sha256.clone()));
    }
    if lower.starts_with("data:") {
        return data_image(&address).map_or(Source::Nothing, Source::Data);
    }
    if let Some(remote) = remote(&address) {
        return Source::Remote(remote);
    }
    // RFC 2557: a part may be called by its name; without a scheme nothing else can be meant.
    let name = unescaped(address.rsplit('/').next().unwrap_or_default());
    match attached.by_name.get(name.as_str()) {
        Some(one) if !address.contains([':', '\\']) => Source::Attachment(one.sha256.clone()),
        _ => Source::Nothing,
    }
}

/// An image written into its address: of a type that runs nothing, of bounded size, in base64.
pub(super) fn data_image(written: &str) -> Option<String> {
    if written.len() > DATA_IMAGE_OCTETS_MAX {
        return None;
    }
    let (start, base64) = written.split_once(',')?;
    let start = format!("{},", start.to_ascii_lowercase());
    let alphabet = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
    let kept = DATA_IMAGES.contains(&start.as_str()) && !base64.is_empty() && base64.bytes().all(alphabet);
    kept.then(|| format!("{start}{base64}"))
}

/// The address of a link that may be followed: the web, mail, telephone.
pub(super) fn link(written: &str) -> Option<String> {
    let address = plain(written);
    let lower = address.get(..8.min(address.len())).unwrap_or_default().to_ascii_lowercase();
    if lower.starts_with("mailto:") || lower.starts_with("tel:") {
        return (address.len() <= ADDRESS_OCTETS_MAX).then_some(address);
    }
    // What is no address by the standard leads nowhere, and ammonia would take it off the tag that stays.
    remote(&address).filter(|address| url::Url::parse(address).is_ok())
}

/// An address on somebody's server. Without a scheme of its own (`//host`) it means https.
pub(super) fn remote(written: &str) -> Option<String> {
    let address = plain(written);
    let lower = address.get(..8.min(address.len())).unwrap_or_default().to_ascii_lowercase();
    let whole = if lower.starts_with("http://") || lower.starts_with("https://") {
        address
    } else if address.replace('\\', "/").starts_with("//") {
        format!("https://{}", address.get(2..).unwrap_or_default())
    } else {
        return None;
    };
    (whole.len() <= ADDRESS_OCTETS_MAX).then_some(whole)
}

/// Without what browsers pass over in an address (tabs, line breaks, controls) and what nobody sees; other blanks are
/// written as they mean.
fn plain(written: &str) -> String {
    let shown = written.trim().chars().filter(|c| {
        !c.is_control()
            && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}')
    });
    shown.collect::<String>().trim().replace(' ', "%20")
}

/// `%40` and the like, read.
fn unescaped(written: &str) -> String {
    let mut octets = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, beyond @ ..]) if hex_octet(*high, *low).is_some() => {
                octets.extend(hex_octet(*high, *low));
                rest = beyond;
            }
            (octet, _) => octets.push(*octet),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
