use super::*;
use crate::{headers::scan, parse::parse};

fn read(extra: &str, subject: &str, body: &str) -> bool {
    let head = format!("From: Jane Doe <jane@people.example>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n{extra}");
    let extra = if extra.is_empty() { "Content-Type: text/plain; charset=utf-8\r\n" } else { "" };
    let raw = format!("{head}{extra}\r\n{}\r\n", body.replace('\n', "\r\n")).into_bytes();
    let headers = scan(&raw);
    is_courtesy(&headers, &parse(&raw, &headers), Some("Jane Doe"), "[us] Printer on fire")
}

fn says(body: &str) -> bool {
    read("", "Re: Printer on fire", body)
}

#[test]
fn thanks_and_nothing_else() {
    for body in [
        "Thanks!",
        "Thank you very much.",
        "Hi Anna,\n\nthanks for the quick reply!\n\nBest regards\nJane Doe",
        "Hi Anna, thanks! Jane",
        "Perfect, thanks a lot :)",
        "thx 👍🏽",
        "Thanks, that worked. Have a nice weekend!",
        "THANK YOU!!!",
        "Thanks ;-)\n\nOn Mon, 2 Nov 2026 at 10:00, Support <support@us.example> wrote:\n> Does it still fail?\n",
        "Vielen Dank für die schnelle Hilfe!\n\nMit freundlichen Grüßen\nJane Doe",
        "Hallo Frau Müller,\nalles klar, danke.",
        "Merci beaucoup, bonne journée !",
        "Muchas gracias. Un saludo",
        "Muito obrigada!",
        "Grazie mille, ora funziona.",
        "Bedankt voor de snelle reactie",
        "Tack så mycket för hjälpen!",
        "Mange tak",
        "Tusen takk",
        "Kiitos paljon!",
        "Dziękuję za pomoc. Miłego dnia",
        "Děkuji",
        "Ďakujem pekne",
        "Köszönöm szépen!",
        "Mulțumesc mult",
        "Hvala lijepa",
        "Благодаря",
        "Здравствуйте, спасибо большое!",
        "Дуже дякую",
        "Ευχαριστώ πολύ",
        "Çok teşekkür ederim, iyi günler",
        "Aitäh!",
        "Paldies",
        "Ačiū",
        "Terima kasih banyak",
        "Xin cảm ơn",
        "תודה רבה",
        "شكرا جزيلا",
        "धन्यवाद",
        "ขอบคุณมากครับ",
        "お世話になっております。\n解決しました。ありがとうございました。",
        "您好，谢谢您的帮助！",
        "감사합니다.",
    ] {
        assert!(says(body), "{body:?}");
    }
}

/// Whatever a desk must not overlook. A word more, and it is no courtesy.
#[rustfmt::skip]
const MORE: &[&str] = &[
    "",
    "OK",
    "It works now.",
    "Hi Anna,\n\nBest regards\nJane Doe",
    "Thanks, but it still fails",
    "Thanks. Still broken.",
    "Thanks, it does not work.",
    "Thanks, not solved",
    "Thanks for nothing",
    "Thanks in advance",
    "Thanks, and one more thing: the scanner.",
    "Thanks! When will it be fixed?",
    "Thanks, right?",
    "No thanks",
    "No, thanks",
    "Thanks Anna, but no",
    "Thanks. Please close the other one as well.",
    "Thanks, call me at 0171 555",
    "Thanks, see https://people.example/x",
    "Thanks, forward it to bob@people.example",
    "Thanks 😡",
    "Thanks 👎",
    "Thanks :(",
    "Thanks :-/",
    "Hi, not working, thanks",
    "Hello Not working, thanks",
    "Thanks\n\nPS: it happened again",
    "Thanks,\nEve",
    "> Is it solved\nno\n> Thanks",
    "Thanks\n1. reboot\n2. nothing",
    "Danke, aber es geht immer noch nicht",
    "Danke im Voraus",
    "Danke, nein",
    "Danke. Leider weiterhin defekt",
    "Nein danke",
    "Merci de corriger cela",
    "Merci d'avance",
    "Merci mais ça ne marche pas",
    "Gracias, pero sigue fallando",
    "Gracias de antemano",
    "Obrigado, mas não funciona",
    "Grazie, ma non funziona",
    "Bedankt, maar het werkt niet",
    "Bij voorbaat dank",
    "Tack på förhand",
    "Tack, men det fungerar inte",
    "Tak, men det virker ikke",
    "Kiitos, mutta ei toimi",
    "Dziękuję, ale nadal nie działa",
    "Děkuji, ale nefunguje",
    "Köszönöm, de nem működik",
    "Mulțumesc, dar nu merge",
    "Hvala, ali ne radi",
    "Благодаря, но не работи",
    "Спасибо, но не работает",
    "Спасибо, не работает",
    "Дякую, але не працює",
    "Ευχαριστώ, αλλά δεν λειτουργεί",
    "Teşekkürler ama çalışmıyor",
    "תודה, אבל זה לא עובד",
    "شكرا لكن لا يعمل",
    "ありがとうございます。まだ解決していません。",
    "谢谢，但是还是不行",
    "감사합니다. 아직 안 됩니다",
    "धन्यवाद लेकिन काम नहीं कर रहा",
    "ขอบคุณครับ แต่ยังใช้ไม่ได้",
];

#[test]
fn anything_else_in_it() {
    for body in MORE {
        assert!(!says(body), "{body:?}");
    }
    let long = "Thanks!\n".repeat(60);
    assert!(!says(&long), "whoever writes so much says more");
}

#[test]
fn another_subject_or_a_file_says_more() {
    assert!(read("", "", "Thanks"));
    assert!(read("", "AW: [us] printer on fire", "Thanks"));
    assert!(read("", "Thank you!", "Thanks"));
    assert!(!read("", "Re: Scanner on fire", "Thanks"));
    assert!(!read(
        "",
        "Fwd: Printer on fire",
        "Thanks\n\n---------- Forwarded message ---------\nFrom: x@y.example\n\nHot."
    ));
    let mixed = |part: &str| format!("--b\n\nThanks\n--b\n{part}\n--b--");
    let extra = "Content-Type: multipart/mixed; boundary=b\r\n";
    assert!(!read(extra, "Re: Printer on fire", &mixed("Content-Disposition: attachment; filename=a.txt\n\none")));
}

#[test]
fn every_wording_is_one_clause_and_says_something() {
    for (table, wordings) in [("thanks", THANKS), ("also", ALSO), ("greetings", GREETINGS)] {
        for wording in wordings {
            assert!(!wording.contains(STOPS) && !fold(wording).is_empty(), "{table}: {wording}");
            assert!(wording.chars().all(|c| is_plain(c) || c == ' '), "{table}: {wording} is never reached");
        }
    }
    assert!(THANKS.iter().all(|wording| says(wording)), "{:?}", THANKS.iter().find(|wording| !says(wording)));
    assert!(!ALSO.iter().any(|wording| listed(THANKS, &fold(wording))));
}
