//! What a mail says of its own weight.

use super::data::Importance;
use crate::headers::Headers;

/// Reads, in this order: Importance and Priority (RFC 2156 section 5.3.4 and 5.3.6), X-Priority (1 to 5, as Eudora began
/// it), X-MSMail-Priority (Outlook). The first that says anything but normal counts.
pub(super) fn of(headers: &Headers) -> Importance {
    let fields = ["importance", "priority", "x-priority", "x-msmail-priority"];
    let said = fields.into_iter().filter_map(|name| headers.first(name)).map(read);
    said.into_iter().find(|weight| *weight != Importance::Normal).unwrap_or(Importance::Normal)
}

fn read(value: &str) -> Importance {
    // `1 (Highest)`, `High`, `non-urgent`.
    let word = value.split(|c: char| c.is_whitespace() || c == '(').find(|word| !word.is_empty()).unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "high" | "highest" | "urgent" | "1" | "2" => Importance::High,
        "low" | "lowest" | "non-urgent" | "4" | "5" => Importance::Low,
        _ => Importance::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_and_word() {
        for (field, expected) in [
            ("X-Priority: 1 (Highest)", Importance::High),
            ("X-Priority: 2", Importance::High),
            ("X-Priority: 3", Importance::Normal),
            ("X-Priority: 5 (Lowest)", Importance::Low),
            ("X-Priority: 10", Importance::Normal),
            ("Importance: High", Importance::High),
            ("Importance: low", Importance::Low),
            ("Priority: urgent", Importance::High),
            ("Priority: non-urgent", Importance::Low),
            ("Priority: normal\r\nX-Priority: 1", Importance::High),
            ("X-MSMail-Priority: High", Importance::High),
            ("Subject: urgent", Importance::Normal),
        ] {
            let headers = crate::headers::scan(format!("{field}\r\n\r\n").as_bytes());
            assert_eq!(of(&headers), expected, "{field}");
        }
    }
}
