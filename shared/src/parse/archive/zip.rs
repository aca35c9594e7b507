//! ZIP (PKWARE APPNOTE 6.3): names from the central directory and from the headers before each file. Both, because
//! readers differ in which one they believe, and a file can be hidden from either.

use memchr::memmem;

use super::{ENTRIES_MAX, Listing, u16_at, u32_at};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// The end record stands before a comment of at most 65,535 octets.
const END_OCTETS_MAX: usize = 66_000;

/// `None` where there is no ZIP in the octets; one may stand behind other octets (self-extracting, polyglots).
pub(super) fn list(octets: &[u8]) -> Option<Listing> {
    let tail = octets.len().saturating_sub(END_OCTETS_MAX);
    let begins = octets.starts_with(LOCAL) || octets.starts_with(END);
    if !begins && memmem::rfind(octets.get(tail..)?, END).is_none() {
        return None;
    }
    let mut listing = Listing::default();
    let mut seen = std::collections::HashSet::new();
    // Name length, flags and name stand at other places in the two headers (APPNOTE 4.3.7, 4.3.12).
    for (signature, flags, length, name) in [(CENTRAL, 8, 28, 46), (LOCAL, 6, 26, 30)] {
        for at in memmem::find_iter(octets, signature).take(ENTRIES_MAX) {
            let Some(header) = octets.get(at..) else { break };
            let Some((flags, length)) = u16_at(header, flags).zip(u16_at(header, length)) else { break };
            let Some(name) = header.get(name..name + length) else { continue };
            listing.encrypted |= flags & 1 != 0;
            if seen.insert(name) && !listing.add(name, flags & 0x800 != 0) {
                break;
            }
        }
    }
    let end = memmem::rfind(octets.get(tail..).unwrap_or_default(), END);
    let told = end.and_then(|end| u32_at(octets, tail + end + 12));
    listing.unreadable = listing.names.is_empty() && told != Some(0);
    Some(listing)
}
