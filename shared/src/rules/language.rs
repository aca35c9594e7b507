//! The language of a text, for rules that ask: trigrams (`whatlang`), and only where they are sure enough.

use whatlang::{Detector, Lang};

use crate::{headers::guarded, ticket::cut_at};

/// Octets of a text looked at: more makes nothing surer, and costs.
const LOOKED_AT_MAX: usize = 4 * 1024;

/// How sure the detector must be, of 1. Greetings, single lines and the output of machines came to at most 0.15, two
/// sentences in the language that was found to 0.29 and more.
const SURE_ENOUGH: f64 = 0.25;

/// Two letters of ISO 639-1 beside three of ISO 639-3. Those left out (Esperanto, Latin, Afrikaans, Javanese, ...) are
/// hardly written to desks and near to others: with them, Dutch was never sure.
const CODES: [(&str, &str); 55] = [
    ("am", "amh"),
    ("ar", "ara"),
    ("bg", "bul"),
    ("bn", "ben"),
    ("ca", "cat"),
    ("cs", "ces"),
    ("da", "dan"),
    ("de", "deu"),
    ("el", "ell"),
    ("en", "eng"),
    ("es", "spa"),
    ("et", "est"),
    ("fa", "pes"),
    ("fi", "fin"),
    ("fr", "fra"),
    ("gu", "guj"),
    ("he", "heb"),
    ("hi", "hin"),
    ("hr", "hrv"),
    ("hu", "hun"),
    ("hy", "hye"),
    ("id", "ind"),
    ("it", "ita"),
    ("ja", "jpn"),
    ("ka", "kat"),
    ("km", "khm"),
    ("kn", "kan"),
    ("ko", "kor"),
    ("lt", "lit"),
    ("lv", "lav"),
    ("ml", "mal"),
    ("mr", "mar"),
    ("my", "mya"),
    ("nb", "nob"),
    ("ne", "nep"),
    ("nl", "nld"),
    ("or", "ori"),
    ("pa", "pan"),
    ("pl", "pol"),
    ("pt", "por"),
    ("ro", "ron"),
    ("ru", "rus"),
    ("si", "sin"),
    ("sk", "slk"),
    ("sl", "slv"),
    ("sr", "srp"),
    ("sv", "swe"),
    ("ta", "tam"),
    ("te", "tel"),
    ("th", "tha"),
    ("tr", "tur"),
    ("uk", "ukr"),
    ("ur", "urd"),
    ("vi", "vie"),
    ("zh", "cmn"),
];

/// The two letters of a code of two or three; `None` where the detector knows no such language.
pub(super) fn known(code: &str) -> Option<&'static str> {
    let code = code.trim();
    CODES.iter().find(|(two, three)| code.eq_ignore_ascii_case(two) || code.eq_ignore_ascii_case(three)).map(|c| c.0)
}

/// The language of a text; `None` where it is too short or too mixed to be told.
pub(super) fn of(text: &str) -> Option<&'static str> {
    let denied = Lang::all().iter().copied().filter(|language| known(language.code()).is_none()).collect();
    let detector = Detector::with_denylist(denied);
    // Its tables and its walk are not ours: a panic in it costs the language, not the mail.
    let detect = || detector.detect(cut_at(text, LOOKED_AT_MAX)).map(|info| (info.lang().code(), info.confidence()));
    let (code, sure) = guarded(std::panic::AssertUnwindSafe(detect))?;
    known(code).filter(|_| sure >= SURE_ENOUGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_one_of_the_detectors() {
        for (two, three) in CODES {
            assert!(Lang::from_code(three).is_some(), "{two}");
            assert_eq!((known(two), known(three)), (Some(two), Some(two)));
        }
    }

    #[test]
    fn texts_of_mail() {
        for (text, expected) in [
            (
                "Guten Tag, seit heute Morgen kann ich mich nicht mehr anmelden. Das Passwort wird nicht angenommen.",
                Some("de"),
            ),
            (
                "Hello, since this morning I have not been able to log in; the password is not accepted any more.",
                Some("en"),
            ),
            ("Bonjour, depuis ce matin je ne peux plus me connecter, le mot de passe n'est plus accepté.", Some("fr")),
            ("Добрый день! Не печатает принтер в бухгалтерии, просьба помочь. Заранее спасибо.", Some("ru")),
            ("今朝からログインできません。パスワードが受け付けられません。", Some("ja")),
            ("您好,从今天早上开始我无法登录,系统提示密码错误,请尽快处理。", Some("zh")),
            ("ok thanks", None),
            ("Server down", None),
            ("web01 HTTP CRITICAL 500 timeout", None),
            ("12345 67890", None),
            ("", None),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn codes_of_two_and_three_letters() {
        assert_eq!((known("de"), known("DEU"), known("zh"), known("xx")), (Some("de"), Some("de"), Some("zh"), None));
    }
}
