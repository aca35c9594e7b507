use super::*;

#[test]
fn history_goes() {
    for (text, expected) in [
        ("Thanks!\n\nOn Mon, 2 Mar 2026 at 09:15, Jane <j@x.example> wrote:\n> hello\n> there", "Thanks!"),
        ("Thanks!\n\nOn Mon, 2 Mar 2026 at 09:15, A Very Long Name\n<j@x.example>\nwrote:\n\n> hello", "Thanks!"),
        ("Thanks!\n\nOn Mon, 2 Mar 2026 at 09:15 Jane <j@x.example> wrote:\n\nhello without marks", "Thanks!"),
        ("Danke!\n\nAm 02.03.2026 um 09:15 schrieb Jane Doe <j@x.example>:\n> hallo", "Danke!"),
        ("Merci\n\nLe lun. 2 mars 2026 à 09:15, Jane <j@x.example> a écrit :\n> bonjour", "Merci"),
        ("Gracias\n\nEl lun, 2 mar 2026 a las 9:15, Jane (<j@x.example>) escribió:\n> hola", "Gracias"),
        ("Grazie\n\nIl giorno lun 2 mar 2026 alle ore 09:15 Jane <j@x.example> ha scritto:\n> ciao", "Grazie"),
        ("Bedankt\n\nOp ma 2 mrt 2026 om 09:15 schreef Jane <j@x.example>:\n> hallo", "Bedankt"),
        ("Tack\n\nDen mån 2 mars 2026 kl 09:15 skrev Jane <j@x.example>:\n> hej", "Tack"),
        ("Obrigado\n\nEm seg., 2 de mar. de 2026 às 09:15, Jane <j@x.example> escreveu:\n> olá", "Obrigado"),
        ("Dzięki\n\npon., 2 mar 2026 o 09:15 Jane <j@x.example> napisał(a):\n> cześć", "Dzięki"),
        ("谢谢\n\n在 2026年3月2日 09:15，Jane <j@x.example> 写道：\n> 你好", "谢谢"),
        ("了解\n\n2026年3月2日(月) 9:15 Jane <j@x.example>:\n> こんにちは", "了解"),
        ("Thanks\n\n-----Original Message-----\nFrom: Jane\nhello", "Thanks"),
        (
            "Thanks\n\n________________________________\nFrom: Jane <j@x.example>\nSent: Monday\nTo: Me\nSubject: x\n\nhello",
            "Thanks",
        ),
        ("Danke\n\nVon: Jane\nGesendet: Montag\nAn: Mich\nBetreff: x\n\nhallo", "Danke"),
        ("Thanks\n\n*From:* Jane\n*Sent:* Monday\n*To:* Me\n*Subject:* x\n\nhello", "Thanks"),
        ("Thanks\n-- \nJane\nACME", "Thanks"),
        ("Thanks\n\nSent from my iPhone\n\nOn 2 Mar 2026, at 09:15, Jane wrote:\n\n> hello", "Thanks"),
        ("Thanks\n\nJane wrote:\n> hello", "Thanks"),
        ("Hello list\n_______\nstaff mailing list\nhttp://x.example/listinfo/staff", "Hello list"),
    ] {
        assert_eq!(visible_reply(text, false).reply, expected, "{text:?}");
    }
}

#[test]
fn what_the_author_wrote_stays() {
    for text in [
        "On Monday we met. Jane wrote a list:\n- one\n- two",
        "On 3 occasions he wrote:\nnothing at all",
        "From: the bottom of my heart, thanks",
        "> question\n\nanswer below",
        "> one?\nyes\n> two?\nno",
        "See below\n\n---------- Forwarded message ---------\nFrom: Jane <j@x.example>\nDate: Mon\nSubject: x\n\nhello",
        "> only a quote",
        "I was sent from my office to yours\nand back",
        "the original message was lost",
        "a -- b\nc",
    ] {
        assert_eq!(visible_reply(text, false).reply, text, "{text:?}");
    }
    let outlook = "See below\n\nFrom: Jane\nSent: Monday\nTo: Me\nSubject: x\n\nhello";
    assert_eq!(visible_reply(outlook, true).reply, outlook);
}

#[test]
fn hostile_texts_take_linear_time() {
    for line in ["On 1 Jan 2026\n", "> x\n", "From: a\n", "-- \n", "wrote:\n", "---\n", "\n"] {
        let _ = visible_reply(&line.repeat(100_000), false);
    }
}

proptest::proptest! {
    #[test]
    fn never_empty_never_longer(text in "(On 1 Jan 2026 a@b wrote:|> q|-- |From: x|text| |\n){0,40}") {
        let Visible { reply, cut } = visible_reply(&text, false);
        proptest::prop_assert_eq!(reply.is_empty(), text.trim().is_empty());
        // The cut can be undone: what is not cut, trimmed, is the reply.
        let mut left = text.clone();
        cut.ranges.iter().rev().for_each(|(start, end)| left.replace_range(start..end, ""));
        proptest::prop_assert_eq!(left.trim(), reply);
        proptest::prop_assert_eq!(cut.rule.is_none(), cut.ranges.is_empty());
    }
}
