//! Tar (POSIX ustar, GNU long names): a header of 512 octets before each file.

use super::{ENTRIES_MAX, Listing};

const BLOCK: usize = 512;

/// `None` where the octets are no tar.
pub(super) fn list(octets: &[u8]) -> Option<Listing> {
    if octets.get(257..262)? != b"ustar" {
        return None;
    }
    let mut listing = Listing::default();
    let mut rest = octets;
    let mut long: Option<&[u8]> = None;
    for _ in 0..ENTRIES_MAX {
        let Some(header) = rest.get(..BLOCK).filter(|header| header.iter().any(|octet| *octet != 0)) else { break };
        let Some(size) = octal(header.get(124..136).unwrap_or_default()) else {
            listing.unreadable = true;
            break;
        };
        let body = rest.get(BLOCK..).unwrap_or_default();
        let content = body.get(..size).unwrap_or(body);
        match header.get(156) {
            // GNU: the name of the next file is this one's content. `x` and `g` hold attributes.
            Some(b'L') => long = Some(content),
            Some(b'x' | b'g' | b'K') => {}
            _ => {
                let short = name(header.get(345..500).unwrap_or_default(), header.get(..100).unwrap_or_default());
                let whole = long.take().map_or(short, |long| until_nul(long).to_vec());
                listing.add(&whole, false);
            }
        }
        let Some(next) = size.checked_next_multiple_of(BLOCK).and_then(|size| body.get(size..)) else { break };
        rest = next;
    }
    Some(listing)
}

fn until_nul(octets: &[u8]) -> &[u8] {
    octets.split(|octet| *octet == 0).next().unwrap_or_default()
}

fn name(prefix: &[u8], name: &[u8]) -> Vec<u8> {
    match until_nul(prefix) {
        [] => until_nul(name).to_vec(),
        prefix => [prefix, until_nul(name)].join(&b'/'),
    }
}

fn octal(field: &[u8]) -> Option<usize> {
    let digits = until_nul(field).trim_ascii();
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}
