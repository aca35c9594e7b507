//! Text as tables of wordings are matched against it.
//!
//! Mail systems write the same sentence with and without accents, with typographic and plain apostrophes, wrapped or
//! not. Folding both sides keeps the tables to one form of each wording. Linear.

/// Lower case, Latin, Greek and Cyrillic letters without their accents, apostrophes and dashes plain, white space and
/// line breaks as one blank, soft hyphens and zero-width characters dropped.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            c if c.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{300}'..='\u{36f}' => {}
            c => folded.push(plain(c)),
        }
    }
    folded.trim().to_owned()
}

/// The letter without its accent.
fn plain(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ạ' | 'ả' | 'ấ'..='ặ' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' | 'ẹ'..='ệ' => 'e',
        'ğ' | 'ģ' => 'g',
        'ì'..='ï' | 'ī' | 'į' | 'ı' | 'ỉ' | 'ị' => 'i',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ő' | 'ơ' | 'ọ'..='ợ' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' | 'ư' | 'ụ'..='ự' => 'u',
        'ý' | 'ÿ' | 'ỳ'..='ỹ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' | 'ϊ' | 'ΐ' => 'ι',
        'ό' => 'ο',
        'ύ' | 'ϋ' | 'ΰ' => 'υ',
        'ώ' => 'ω',
        'ё' => 'е',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{b4}' | '`' => '\'',
        '\u{201c}'..='\u{201f}' | '«' | '»' => '"',
        '\u{2010}'..='\u{2015}' => '-',
        '\u{ff1a}' => ':',
        c => c,
    }
}

/// True where one of the wordings stands in text that is already folded.
pub(crate) fn holds_any(folded: &str, wordings: &[&str]) -> bool {
    wordings.iter().any(|wording| folded.contains(wording))
}

/// Octets of a subject that are matched: a header may hold half a megabyte of one.
const SUBJECT_MAX: usize = 1_000;

/// The subject, folded.
pub(crate) fn folded_subject(subject: &str) -> String {
    fold(prefix(subject, SUBJECT_MAX))
}

/// At most `octets` of `text`, cut at a character.
pub(crate) fn prefix(text: &str, octets: usize) -> &str {
    text.get(..text.floor_char_boundary(octets)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_of_every_wording() {
        for (written, folded) in [
            ("  N’a pas pu\r\n\têtre DÉLIVRÉ ", "n'a pas pu etre delivre"),
            ("Empfänger – außer Haus", "empfanger - ausser haus"),
            ("Nie można dostarczyć", "nie mozna dostarczyc"),
            ("Δεν ήταν δυνατή", "δεν ηταν δυνατη"),
            ("е\u{301}щё", "еще"),
            ("İletilemedi", "iletilemedi"),
            ("不能 配信", "不能 配信"),
        ] {
            assert_eq!(fold(written), folded, "{written:?}");
        }
        assert_eq!(prefix("añb", 2), "a");
    }
}
