//! RAR, both formats: a chain of blocks whose headers name the files (RARLAB technotes for 4.x and 5.0).

use super::{ENTRIES_MAX, Listing, u16_at, u32_at};

/// `None` where the octets are no RAR.
pub(super) fn list(octets: &[u8]) -> Option<Listing> {
    if let Some(rest) = octets.strip_prefix(b"Rar!\x1A\x07\x01\x00") {
        return Some(five(rest));
    }
    octets.strip_prefix(b"Rar!\x1A\x07\x00").map(four)
}

fn four(octets: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut rest = octets;
    for _ in 0..ENTRIES_MAX {
        let (Some(kind), Some(flags), Some(size)) = (rest.get(2), u16_at(rest, 3), u16_at(rest, 5)) else { break };
        let packed = if flags & 0x8000 != 0 || *kind == 0x74 { u32_at(rest, 7).unwrap_or_default() } else { 0 };
        match kind {
            // The main header tells that all that follows is encrypted.
            0x73 if flags & 0x80 != 0 => {
                listing.encrypted = true;
                break;
            }
            0x74 => {
                listing.encrypted |= flags & 0x04 != 0;
                let at = if flags & 0x100 != 0 { 40 } else { 32 };
                let name = u16_at(rest, 26).and_then(|length| rest.get(at..at + length)).unwrap_or_default();
                // A second, encoded form of the name may follow a NUL.
                listing.add(name.split(|octet| *octet == 0).next().unwrap_or_default(), false);
            }
            0x7B => break,
            _ => {}
        }
        let Some(next) = size.checked_add(packed).filter(|step| *step >= 7).and_then(|step| rest.get(step..)) else {
            break;
        };
        rest = next;
    }
    listing.unreadable = listing.names.is_empty() && !listing.encrypted;
    listing
}

/// A number of seven bits an octet, the lowest first.
fn vint(octets: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (n, octet) in octets.iter().take(10).enumerate() {
        value |= u64::from(octet & 0x7F).checked_shl(u32::try_from(n * 7).ok()?)?;
        if octet & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, octets.get(n + 1..)?));
        }
    }
    None
}

fn five(octets: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut rest = octets;
    for _ in 0..ENTRIES_MAX {
        let Some((size, header)) = rest.get(4..).and_then(vint) else { break };
        let block = header.get(..size).unwrap_or(header);
        let Some(data) = five_block(block, &mut listing) else { break };
        let Some(next) = size.checked_add(data).filter(|step| *step > 0).and_then(|step| header.get(step..)) else {
            break;
        };
        rest = next;
    }
    listing.unreadable = listing.names.is_empty() && !listing.encrypted;
    listing
}

/// Octets of data behind the block; `None` ends the reading.
fn five_block(block: &[u8], listing: &mut Listing) -> Option<usize> {
    let (kind, rest) = vint(block)?;
    let (flags, mut rest) = vint(rest)?;
    if flags & 1 != 0 {
        rest = vint(rest)?.1;
    }
    let mut data = 0;
    if flags & 2 != 0 {
        (data, rest) = vint(rest)?;
    }
    match kind {
        2 => five_name(rest, listing)?,
        4 => {
            listing.encrypted = true;
            return None;
        }
        5 => return None,
        _ => {}
    }
    Some(data)
}

fn five_name(header: &[u8], listing: &mut Listing) -> Option<()> {
    let (flags, rest) = vint(header)?;
    let (_unpacked, rest) = vint(rest)?;
    let (_attributes, rest) = vint(rest)?;
    let fixed = if flags & 2 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    let (_compression, rest) = vint(rest.get(fixed..)?)?;
    let (_system, rest) = vint(rest)?;
    let (length, rest) = vint(rest)?;
    listing.add(rest.get(..length)?, true).then_some(())
}
