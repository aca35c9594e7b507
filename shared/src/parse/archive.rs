//! What an archive holds, by the names in its directory. Nothing is unpacked to disk; only the first megabyte of a
//! gzipped file is inflated, in memory, to see whether a tar begins there: so a bomb costs nothing.

mod rar;
mod tar;
mod zip;

use std::io::Read;

use flate2::read::GzDecoder;

use super::charset;

/// Names that are told; all of those looked at are judged.
pub(crate) const NAMES_MAX: usize = 200;
/// Entries looked at.
const ENTRIES_MAX: usize = 10_000;
/// Octets inflated of a gzipped file.
const INFLATED_OCTETS_MAX: u64 = 1024 * 1024;
/// Longest name looked at, in octets.
const NAME_OCTETS_MAX: usize = 1_024;

/// What a directory says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Every name looked at, as written.
    pub(crate) names: Vec<String>,
    /// Content, or the directory itself, is encrypted.
    pub(crate) encrypted: bool,
    /// The directory can't be read (7z packs it) or is damaged.
    pub(crate) unreadable: bool,
    /// The first octets of a file that is packed alone (gzip), so that its content can be judged.
    pub(crate) head: Option<Vec<u8>>,
}

impl Listing {
    fn add(&mut self, name: &[u8], utf8: bool) -> bool {
        let name = name.get(..NAME_OCTETS_MAX).unwrap_or(name);
        // Names without the UTF-8 mark are in the code page of whoever packed them.
        let text = charset::decode(name, utf8.then_some("utf-8")).text;
        if !text.is_empty() {
            self.names.push(text);
        }
        self.names.len() < ENTRIES_MAX
    }
}

/// Reads the directory. `None` where the octets are no archive that is known here.
pub(crate) fn list(octets: &[u8], filename: Option<&str>) -> Option<Listing> {
    if octets.starts_with(b"7z\xBC\xAF\x27\x1C") {
        return Some(Listing { unreadable: true, ..Listing::default() });
    }
    if octets.starts_with(b"\x1F\x8B\x08") {
        return Some(gzip(octets, filename));
    }
    rar::list(octets).or_else(|| tar::list(octets)).or_else(|| zip::list(octets))
}

/// RFC 1952: one file, whose name may stand in the header; often a tar.
fn gzip(octets: &[u8], filename: Option<&str>) -> Listing {
    let mut inflated = Vec::new();
    let mut decoder = GzDecoder::new(octets);
    // As far as it goes: a cut or a damaged end changes nothing about its beginning.
    let sound = decoder.by_ref().take(INFLATED_OCTETS_MAX).read_to_end(&mut inflated).is_ok() || !inflated.is_empty();
    if let Some(listing) = tar::list(&inflated) {
        return listing;
    }
    let mut listing = Listing { unreadable: !sound, ..Listing::default() };
    let stored = decoder.header().and_then(|header| header.filename()).map(<[u8]>::to_vec);
    let shortened = filename.and_then(|name| name.strip_suffix(".gz")).map(|name| name.as_bytes().to_vec());
    if let Some(name) = stored.or(shortened) {
        listing.add(&name, false);
    }
    inflated.truncate(64 * 1024);
    listing.head = Some(inflated);
    listing
}

fn le<const N: usize>(octets: &[u8], at: usize) -> Option<[u8; N]> {
    octets.get(at..at.checked_add(N)?)?.first_chunk::<N>().copied()
}

fn u16_at(octets: &[u8], at: usize) -> Option<usize> {
    le(octets, at).map(|two| usize::from(u16::from_le_bytes(two)))
}

fn u32_at(octets: &[u8], at: usize) -> Option<usize> {
    le(octets, at).and_then(|four| usize::try_from(u32::from_le_bytes(four)).ok())
}

#[cfg(test)]
pub(crate) mod tests;
