//! The fields of header blocks above history, in the languages of Outlook and its likes.

/// A field of an Outlook header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    From,
    Sent,
    To,
    Cc,
    Subject,
}

/// Names of the fields, lower case.
#[rustfmt::skip]
pub(super) const LABELS: &[(Label, &[&str])] = &[
    (Label::From, &[
        "de la", "από", "מאת", "من", "šalje", "від", "từ", "จาก", "dari", "saatja", "nuo", "no", "kimden",
        "gönderen", "寄件人", "发自", "作者", "发件者", "pošiljatelj", "e-mailadres afzender", "utente", "remitente",
        "remetente", "absender", "avsändare", "afsender", "nadawca", "frå", "from", "von", "de", "da", "van",
        "från", "fra", "lähettäjä", "od", "от", "发件人", "寄件者", "差出人", "от кого", "expéditeur", "feladó", "보낸 사람",
        "mittente", "送信者", "odesílatel", "afzender",
    ]),
    (Label::Sent, &[
        "trimis", "στάλθηκε", "ημερομηνία", "נשלח", "תאריך", "تاريخ الإرسال", "التاريخ", "تم الإرسال", "küldve",
        "odoslané", "poslano", "надіслано", "изпратено", "đã gửi", "ngày", "ส่ง", "วันที่", "dikirim", "tanggal",
        "enviat", "saadetud", "kuupäev", "išsiųsta", "nosūtīts", "gönderildi", "message du", "reçu le", "le",
        "received", "时间", "時間", "傳送時間", "寄件時間", "보낸시간", "날짜", "poslané", "dátum odoslania", "sendt den", "mottatt",
        "dat", "fecha de envío", "data invio", "sent", "date", "gesendet", "datum", "envoyé", "enviado",
        "enviado el", "enviada em", "enviado em", "inviato", "verzonden", "skickat", "sendt", "lähetetty",
        "wysłano", "wysłane", "data", "отправлено", "дата", "发送时间", "日期", "寄件日期", "送信日時", "fecha", "dato",
        "päivämäärä", "dátum", "elküldve", "gönderilen", "tarih", "보낸 날짜", "日時", "odesláno", "envoyé le",
    ]),
    (Label::To, &[
        "către", "προς", "אל", "إلى", "prima", "кому", "до", "đến", "ถึง", "kepada", "per a", "saaja", "adressaat",
        "kam", "alıcı", "받는사람", "宛", "odbiorca", "mottagare", "modtager", "mottaker", "ontvanger", "empfänger",
        "destinatario", "destinatário", "a(z)", "収件人", "recipient", "to", "an", "à", "para", "a", "aan", "till",
        "til", "vastaanottaja", "do", "收件人", "收件者", "宛先", "komu", "címzett", "kime", "받는 사람", "alle", "pour",
        "destinataire",
    ]),
    (Label::Cc, &[
        "copie à", "κοιν", "עותק", "نسخة", "kópia", "másolat", "копія", "másolatot kap", "ccc", "dw", "cc an",
        "con copia", "bilgi", "kopia till", "cópia", "cc", "kopie", "kopia", "copie", "kopi", "копия", "抄送", "副本",
        "bcc", "참조", "copia",
    ]),
    (Label::Subject, &[
        "sujet", "θέμα", "נושא", "الموضوع", "tema", "chủ đề", "เรื่อง", "subjek", "perihal", "assumpte", "teema",
        "tēma", "относно", "主題", "題名", "sujet du message", "objeto", "subject", "betreff", "objet", "asunto",
        "assunto", "oggetto", "onderwerp", "ämne", "emne", "aihe", "temat", "тема", "主题", "主旨", "件名", "předmět",
        "predmet", "tárgy", "konu", "제목", "re", "subiect",
    ]),
];
