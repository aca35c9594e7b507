//! What a picture is for: a file, part of what is told, decoration of a signature, or a tracking pixel.
//!
//! Conservative: a pasted screenshot must never count as decoration. So decoration is what is as small as an icon, or
//! says of itself that it is a logo; and a pixel is what is a pixel.

use serde::{Deserialize, Serialize};

/// What an attachment is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Something that was attached.
    #[default]
    File,
    /// A picture within the text.
    Inline,
    /// A small picture within the text that belongs to a signature: icons, logos.
    Logo,
    /// A picture of a few pixels within the text: it tells the sender that the mail was read.
    Tracking,
}

impl Role {
    /// True for what was attached, which most things are.
    #[must_use]
    pub fn is_file(&self) -> bool {
        *self == Self::File
    }
}

/// Largest side of an icon, in pixels: twice the 24 that signature services use, for dense screens.
const ICON_PIXELS_MAX: u32 = 48;
/// Largest sides of a picture that says of itself that it is a logo.
const LOGO_PIXELS_MAX: (u32, u32) = (800, 300);
/// Largest side of a pixel: some are 2 by 2, or 3 by 1.
const TRACKING_PIXELS_MAX: u32 = 3;
/// Words in the names of decoration.
const LOGO_WORDS: [&str; 10] =
    ["logo", "signature", "facebook", "twitter", "linkedin", "instagram", "youtube", "xing", "banner", "icon"];

/// `shown` = the text refers to it.
pub(super) fn role(kind: &str, filename: Option<&str>, shown: bool, octets: &[u8]) -> Role {
    if !kind.starts_with("image/") || !shown {
        return Role::File;
    }
    let Some((width, height)) = pixels(octets) else { return Role::Inline };
    let named = filename.is_some_and(|name| {
        let name = name.to_lowercase();
        LOGO_WORDS.iter().any(|word| name.contains(word))
    });
    if width.max(height) <= TRACKING_PIXELS_MAX {
        Role::Tracking
    } else if width.max(height) <= ICON_PIXELS_MAX || named && width <= LOGO_PIXELS_MAX.0 && height <= LOGO_PIXELS_MAX.1
    {
        Role::Logo
    } else {
        Role::Inline
    }
}

/// Width and height as the header says: PNG, GIF, JPEG, BMP.
pub(super) fn pixels(octets: &[u8]) -> Option<(u32, u32)> {
    if octets.starts_with(b"\x89PNG\r\n\x1A\n") {
        let be = |at: usize| octets.get(at..)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four));
        return Some((be(16)?, be(20)?));
    }
    let le = |at: usize| octets.get(at..)?.first_chunk::<2>().map(|two| u32::from(u16::from_le_bytes(*two)));
    if octets.starts_with(b"GIF8") {
        return Some((le(6)?, le(8)?));
    }
    if octets.starts_with(b"BM") {
        return Some((le(18)?, le(22)?));
    }
    octets.starts_with(b"\xFF\xD8").then(|| jpeg_pixels(octets)).flatten()
}

/// JPEG: a chain of segments; the frame header (SOF0 to SOF15 without DHT, JPG and DAC) has the size.
fn jpeg_pixels(octets: &[u8]) -> Option<(u32, u32)> {
    /// Segments before the frame: thumbnails and colour profiles take some tens.
    const SEGMENTS_MAX: usize = 1_000;
    let mut rest = octets.get(2..)?;
    for _ in 0..SEGMENTS_MAX {
        let marker = *rest.get(1).filter(|_| rest.first() == Some(&0xFF))?;
        let be = |at: usize| rest.get(at..)?.first_chunk::<2>().map(|two| u16::from_be_bytes(*two));
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            return Some((u32::from(be(7)?), u32::from(be(5)?)));
        }
        rest = rest.get(2 + usize::from(be(2)?)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gif(width: u16, height: u16) -> Vec<u8> {
        [&b"GIF89a"[..], &width.to_le_bytes(), &height.to_le_bytes()].concat()
    }

    #[test]
    fn roles() {
        let png = [&b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"[..], &640_u32.to_be_bytes(), &480_u32.to_be_bytes()].concat();
        let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xC0\0\x11\x08\0\x20\0\x30";
        for (kind, name, shown, octets, expected) in [
            ("image/gif", None, true, gif(1, 1), Role::Tracking),
            ("image/gif", None, false, gif(1, 1), Role::File),
            ("image/gif", Some("facebook.gif"), true, gif(24, 24), Role::Logo),
            ("image/gif", Some("image001.gif"), true, gif(32, 32), Role::Logo),
            ("image/gif", Some("Company-Logo.gif"), true, gif(300, 90), Role::Logo),
            ("image/gif", Some("Company-Logo.gif"), true, gif(1_600, 900), Role::Inline),
            ("image/gif", Some("image001.gif"), true, gif(380, 100), Role::Inline),
            ("image/png", Some("screenshot.png"), true, png.clone(), Role::Inline),
            ("image/png", Some("screenshot.png"), false, png, Role::File),
            ("image/jpeg", None, true, jpeg.to_vec(), Role::Logo),
            ("image/jpeg", None, true, b"\xFF\xD8\xFF".to_vec(), Role::Inline),
            ("application/pdf", None, true, gif(1, 1), Role::File),
        ] {
            assert_eq!(role(kind, name, shown, &octets), expected, "{kind} {name:?} {shown}");
        }
    }
}
