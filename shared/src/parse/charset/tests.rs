use super::*;

#[test]
fn labels_and_contents() {
    for (octets, declared, text, used, replaced) in [
        (&b"Gr\xFC\xDFe"[..], Some("iso-8859-1"), "Grüße", "windows-1252", 0),
        (b"Gr\xFC\xDFe", Some("\"ISO-8859-1\""), "Grüße", "windows-1252", 0),
        (b"Gr\xFC\xDFe", None, "Grüße", "windows-1252", 0),
        (b"Gr\xFC\xDFe", Some("utf-8"), "Grüße", "windows-1252", 0),
        (b"Gr\xC3\xBC\xC3\x9Fe", None, "Grüße", "utf-8", 0),
        (b"Gr\xC3\xBC\xC3\x9Fe", Some("us-ascii"), "Grüße", "utf-8", 0),
        (b"Gr\xC3\xBC\xC3\x9Fe", Some("x-unknown"), "Grüße", "utf-8", 0),
        (b"Gr\xC3\xBC\xC3\x9Fe", Some("iso-8859-1"), "Grüße", "utf-8", 0),
        (b"\xC3\xBC\xC3\x9F\xC3", Some("UTF-8"), "üß\u{FFFD}", "utf-8", 1),
        (b"\xC3\xBC\xC3\x28\xC3\x9F ok", Some("UTF-8"), "ü\u{FFFD}(ß ok", "utf-8", 1),
        (b"\x1b$BF|K\\\x1b(B", None, "日本", "iso-2022-jp", 0),
        (b"\x1b$BF|K\\\x1b(B", Some("us-ascii"), "日本", "iso-2022-jp", 0),
        (b"\x1b$BF|K\\\x1b(B", Some("utf-8"), "日本", "iso-2022-jp", 0),
        (b"\x1b$BF|K\\\x1b(B", Some("iso-8859-1"), "日本", "iso-2022-jp", 0),
        (b"\x1b$BF|K\\\x1b(B", Some("_iso-2022-jp$esc"), "日本", "iso-2022-jp", 0),
        (b"\x1b$)C\x0eGQ19\x0f ok", Some("iso-2022-kr"), "한국 ok", "iso-2022-kr", 0),
        (b"\x1b$)C\x0eGQ19\x0f ok", None, "한국 ok", "iso-2022-kr", 0),
        (b"\x1b$)A\x0e=;;;\x0f ok", Some("iso-2022-cn"), "交换 ok", "iso-2022-cn", 0),
        (b"ok ~{VPND~} ~~", Some("hz-gb-2312"), "ok 中文 ~", "hz-gb-2312", 0),
        (b"ok ~{VPND~} ~~", None, "ok ~{VPND~} ~~", "utf-8", 0),
        (b"\xC8\xD5\xB1\xBE", Some("gb2312"), "日本", "gb18030", 0),
        (b"\x82\x35\x8F\x33\xC8\xD5", Some("gb2312"), "\u{9FA6}日", "gb18030", 0),
        (b"\x93\xFA\x96{", Some("cp932"), "日本", "shift_jis", 0),
        (b"\xEF\xBB\xBFa", Some("utf-8"), "a", "utf-8", 0),
        (b"\xEF\xBB\xBF\xC3\xBC", Some("iso-8859-1"), "ü", "utf-8", 0),
        (b"+ZeVnLA-", Some("utf-7"), "日本", "utf-7", 0),
        (b"+ZeVnLA-", None, "+ZeVnLA-", "utf-8", 0),
        (b"\xCF\xF0\xE8", Some("cp-1251"), "При", "windows-1251", 0),
        (b"\x81\x94", Some("IBM437"), "üö", "ibm437", 0),
        (b"\x81\x94\xD5", Some("cp858"), "üö€", "ibm00858", 0),
        (b"\x8F\xE0\xA8", Some("cp866"), "При", "ibm866", 0),
        (b"\x8A\x9A", Some("x-mac-roman"), "äö", "macintosh", 0),
        (b"\x8A\x9A", Some("x-mac-ce"), "äö", "x-mac-ce", 0),
        (b"", Some("utf-8"), "", "utf-8", 0),
        (b"", None, "", "utf-8", 0),
    ] {
        let decoded = decode(octets, declared);
        let got = (decoded.text.as_str(), decoded.used.as_str(), decoded.replaced);
        assert_eq!(got, (text, used, replaced), "{declared:?}");
    }
}

#[test]
fn iso_8859_with_octets_of_windows_is_windows() {
    for (octets, declared, text, used) in [
        (&b"\x84Ahoj\x93 \x9E"[..], "iso-8859-2", "„Ahoj“ ž", "windows-1250"),
        (b"\xB9\xA9", "iso-8859-2", "šŠ", "iso-8859-2"),
        (b"\xCF\xF0\xE8\xE2\xE5\xF2 \x93\xEC\xE8\xF0\x94", "iso-8859-5", "Привет “мир”", "windows-1251"),
        (b"\x93\xE1\x94", "iso-8859-7", "“α”", "windows-1253"),
        (b"\x93\xE0\x94", "iso-8859-8-i", "“א”", "windows-1255"),
        (b"\x80 5", "iso-8859-15", "€ 5", "windows-1252"),
        (b"\xA4 5", "iso-8859-15", "€ 5", "iso-8859-15"),
        (b"\x84\xE0\x93", "iso-8859-13", "„ą“", "windows-1257"),
        (b"\x80 5", "iso-8859-9", "€ 5", "windows-1254"),
    ] {
        let decoded = decode(octets, Some(declared));
        assert_eq!((decoded.text.as_str(), decoded.used.as_str()), (text, used), "{declared}");
    }
}

#[test]
fn utf_16_and_32_with_and_without_mark() {
    let utf_16 = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let utf_32 = |text: &str| -> Vec<u8> { text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect() };
    for text in ["Grüße\n", "日本\n", "a"] {
        for (octets, declared, used) in [
            (utf_16(text, true), "utf-16", "utf-16be"),
            (utf_16(text, false), "utf-16", "utf-16le"),
            (utf_16(text, true), "utf-16le", "utf-16be"),
            (utf_16(&format!("\u{FEFF}{text}"), false), "us-ascii", "utf-16le"),
            (utf_16(&format!("\u{FEFF}{text}"), true), "", "utf-16be"),
            (utf_16(text, true), "utf-8", "utf-16be"),
            (utf_32(text), "utf-32", "utf-32be"),
            (utf_32(&format!("\u{FEFF}{text}")), "", "utf-32be"),
        ] {
            let decoded = decode(&octets, Some(declared));
            assert_eq!((decoded.text.as_str(), decoded.used.as_str()), (text, used), "{declared}");
        }
    }
    assert_eq!(decode(b"Hel\0lo, there are a few zer\0s", Some("utf-8")).used, "utf-8");
    assert_eq!(decode(b"Gr\xFC\xDFe\0", None).used, "windows-1252");
    assert_eq!(decode(b"<html> is no UTF-16 at all", Some("utf-16")).text, "<html> is no UTF-16 at all");
}

#[test]
fn undeclared_text_is_known_by_statistics() {
    for (text, encoding) in [
        ("Добрый день! Принтер не печатает, помогите пожалуйста.", "koi8-r"),
        ("Добрый день! Принтер не печатает, помогите пожалуйста.", "windows-1251"),
        ("プリンターが動きません。よろしくお願いします。", "shift_jis"),
        ("プリンターが動きません。よろしくお願いします。", "euc-jp"),
        ("프린터가 작동하지 않습니다. 도와주세요.", "euc-kr"),
        ("打印机坏了，请尽快派人来修理，谢谢。", "gb18030"),
        ("印表機壞了，請儘快派人來修理，謝謝。", "big5"),
        ("Für Rückfragen stehen wir gern zur Verfügung.", "windows-1252"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "windows-1250"),
    ] {
        let octets = Encoding::for_label(encoding.as_bytes()).unwrap().encode(text).0;
        for declared in [None, Some("unknown-8bit"), Some("us-ascii"), Some("x-user-defined"), Some("default")] {
            let decoded = decode(&octets, declared);
            // KOI8-U has KOI8-R's letters and four more.
            let used = if decoded.used == "koi8-u" { "koi8-r" } else { decoded.used.as_str() };
            assert_eq!((decoded.text.as_str(), used), (text, encoding), "{declared:?}");
            assert_eq!(decoded.sniffed, decoded.used);
        }
    }
}

#[test]
fn a_legacy_label_over_utf_8_is_utf_8() {
    let text = "印表機壞了，請儘快修理";
    for declared in ["big5", "gb2312", "shift_jis", "euc-kr", "iso-8859-1", "windows-1251", "koi8-r", "cp437"] {
        let decoded = decode(text.as_bytes(), Some(declared));
        assert_eq!((decoded.text.as_str(), decoded.used.as_str(), decoded.replaced), (text, "utf-8", 0), "{declared}");
    }
    // Two characters of GB2312 that are two of UTF-8 as well: the label decides.
    assert_eq!(decode(b"\xC4\xA3\xC4\xA3", Some("gb2312")).text, "模模");
}

#[test]
fn an_east_asian_label_over_another_encoding() {
    let text = "プリンターが動きません。よろしくお願いします。";
    for (declared, written) in [("iso-2022-jp", "shift_jis"), ("shift_jis", "euc-jp"), ("iso-2022-jp", "euc-jp")] {
        let octets = Encoding::for_label(written.as_bytes()).unwrap().encode(text).0;
        assert_eq!(decode(&octets, Some(declared)).text, text, "{written} declared {declared}");
    }
}

#[test]
fn text_beside_decides_what_statistics_can_not() {
    assert_eq!(decode_beside(b"\xB5\xC6", None, Some("koi8-r")).used, "koi8-r");
    assert_eq!(decode_beside(b"\xC3\xBC", None, Some("koi8-r")).text, "ü");
}

proptest::proptest! {
    #[test]
    fn decoding_never_panics(
        octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
        label in proptest::sample::select(vec![
            "", "utf-8", "utf-7", "utf-16", "utf-16le", "utf-32", "hz", "iso-2022-jp", "iso-2022-kr", "iso-2022-cn",
            "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr", "cp437", "cp850", "koi8-r", "iso-8859-5", "x-mac-ce",
        ]),
    ) {
        let _ = decode(&octets, Some(label));
    }

    #[test]
    fn utf_8_is_read_as_it_was_written(text in "\\PC{0,80}") {
        let text = text.replace('\u{FEFF}', "");
        proptest::prop_assert_eq!(decode(text.as_bytes(), Some("utf-8")).text, text);
    }
}
