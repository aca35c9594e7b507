//! What an HTML part says of its own characters, for parts whose Content-Type says nothing.

/// Octets looked at: browsers take 1,024; mail of word processors has long style sheets before.
const LOOKED_AT_OCTETS_MAX: usize = 8 * 1024;
/// Longest label taken.
const LABEL_OCTETS_MAX: usize = 40;

/// The label in `<meta charset=…>`, in `<meta http-equiv … content="…charset=…">` or in an XML declaration. It can be
/// read as ASCII, so it is not UTF-16, whatever it says (WHATWG "prescan").
pub(crate) fn of_html(octets: &[u8]) -> Option<String> {
    let start = octets.get(..LOOKED_AT_OCTETS_MAX).unwrap_or(octets);
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let declaration = text.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let declared = declaration.and_then(|(inside, _)| inside.split_once("encoding")).and_then(|(_, rest)| label(rest));
    let in_meta = || {
        let tags = text.split("<meta").skip(1).filter_map(|rest| rest.split('>').next());
        tags.filter_map(|tag| tag.split_once("charset")).find_map(|(_, rest)| label(rest))
    };
    let found = declared.or_else(in_meta)?;
    Some(if found.starts_with("utf-16") { "utf-8".to_owned() } else { found })
}

/// What follows the equals sign, with or without quotes.
fn label(after: &str) -> Option<String> {
    let value = after.trim_start().strip_prefix('=')?;
    let value = value.trim_start().trim_start_matches(['"', '\'']);
    let label: String = value.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c)).collect();
    (!label.is_empty() && label.len() <= LABEL_OCTETS_MAX).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_say() {
        for (html, expected) in [
            ("<html><head><META CHARSET=\"Shift_JIS\">", Some("shift_jis")),
            ("<meta http-equiv=Content-Type content='text/html; charset = koi8-r'>", Some("koi8-r")),
            ("<?xml version=\"1.0\" encoding='iso-8859-2'?><html>", Some("iso-8859-2")),
            ("<meta name=viewport content=x><meta charset=utf-16>", Some("utf-8")),
            ("<meta charset=>", None),
            ("<p>charset=koi8-r</p>", None),
            ("", None),
        ] {
            assert_eq!(of_html(html.as_bytes()).as_deref(), expected, "{html:?}");
        }
    }
}
