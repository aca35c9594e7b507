//! The words that mail programs put around history, in the languages they speak.

/// Verbs of attributions ("On ... Jane wrote:").
const VERBS: &[&str] = &[
    "wrote",
    "writes",
    "schrieb",
    "a écrit",
    "a ecrit",
    "escribió",
    "escribio",
    "ha scritto",
    "scrisse",
    "escreveu",
    "schreef",
    "geschreven",
    "skrev",
    "kirjoitti",
    "napisał",
    "napisal",
    "napisała",
    "napsal",
    "napísal",
    "написал",
    "пишет",
    "писал",
    "написав",
    "写道",
    "寫道",
    "yazdı",
    "έγραψε",
    "írta",
    "a scris",
    "작성",
    "đã viết",
    "menulis",
    "書きました",
    "írta",
    "kirjutas",
    "rašė",
    "rakstīja",
    "napisao",
    "je napisal",
];

/// First words of attributions.
const LEADS: &[&str] = &[
    "on",
    "am",
    "le",
    "el",
    "il",
    "em",
    "op",
    "den",
    "dnia",
    "w",
    "dne",
    "dňa",
    "på",
    "la",
    "a",
    "ke",
    "ti",
    "to",
    "pe",
    "ma",
    "su",
    "in",
    "tarihinde",
    "στις",
    "pada",
    "vào",
    "ngày",
    "at",
    "lør",
    "søn",
    "man",
    "tir",
    "ons",
    "tor",
    "fre",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "vào",
    "du",
    "dia",
    "dne",
    "în",
    "kl",
];

/// Lines between an answer and its history, without dashes, lower case.
const ORIGINAL_MARKERS: &[&str] = &[
    "original message",
    "original-nachricht",
    "originalnachricht",
    "ursprüngliche nachricht",
    "ursprüngliche mail",
    "message d'origine",
    "message original",
    "message d’origine",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "oprindelig meddelelse",
    "oprindelig besked",
    "originalmeddelande",
    "ursprungligt meddelande",
    "ursprungligt mail",
    "opprinnelig melding",
    "alkuperäinen viesti",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "исходное сообщение",
    "пересылаемое сообщение",
    "původní zpráva",
    "pôvodná správa",
    "eredeti üzenet",
    "mesaj original",
    "orijinal mesaj",
    "originele bericht",
    "原始邮件",
    "原始郵件",
    "原邮件",
    "元のメッセージ",
    "original appointment",
    "reply message",
    "please reply above this line",
    "reply above this line",
    "original email",
    "original mail",
];

/// Lines above a forwarded message, without dashes, lower case.
const FORWARD_MARKERS: &[&str] = &[
    "forwarded message",
    "begin forwarded message",
    "forwarded by",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "weitergeleitete mail",
    "message transféré",
    "message transmis",
    "début du message transféré",
    "début du message réexpédié",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "mensagem encaminhada",
    "início da mensagem encaminhada",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht",
    "vidarebefordrat meddelande",
    "videresendt meddelelse",
    "videresendt melding",
    "välitetty viesti",
    "wiadomość przekazana",
    "пересланное сообщение",
    "конец пересылаемого",
    "转发的邮件",
    "転送されたメッセージ",
    "přeposlaná zpráva",
    "továbbított üzenet",
];

/// Footers that devices and programs add, lower case.
const FOOTERS: &[&str] = &[
    "sent from my",
    "sent from mail for",
    "sent from outlook",
    "sent from yahoo",
    "sent from proton",
    "sent from gmail",
    "sent from the",
    "sent from a",
    "sent via",
    "sent with",
    "sent on the",
    "get outlook for",
    "download outlook for",
    "von meinem",
    "gesendet von",
    "gesendet mit",
    "envoyé de",
    "envoyé depuis",
    "envoyé à partir",
    "enviado desde",
    "enviado do",
    "enviado da",
    "enviado a partir",
    "inviato da",
    "inviato dal",
    "verzonden vanaf",
    "verstuurd vanaf",
    "verzonden met",
    "verstuurd van",
    "skickat från",
    "sendt fra",
    "lähetetty",
    "wysłane z",
    "wysłano z",
    "отправлено с",
    "отправлено из",
    "odesláno z",
    "odoslané z",
    "发自我的",
    "從我的",
    "my iphone",
    "gönderen",
    "iphone'umdan gönderildi",
    "trimis de pe",
    "skickad från",
    "enviat des",
];

/// A field of an Outlook header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    From,
    Sent,
    To,
    Cc,
    Subject,
}

const LABELS: &[(Label, &[&str])] = &[
    (
        Label::From,
        &[
            "from",
            "von",
            "de",
            "da",
            "van",
            "från",
            "fra",
            "lähettäjä",
            "od",
            "от",
            "发件人",
            "寄件者",
            "差出人",
            "от кого",
            "expéditeur",
            "feladó",
            "gönderen",
            "kimden",
            "보낸 사람",
            "mittente",
            "送信者",
            "odesílatel",
            "afzender",
        ],
    ),
    (
        Label::Sent,
        &[
            "sent",
            "date",
            "gesendet",
            "datum",
            "envoyé",
            "enviado",
            "enviado el",
            "enviada em",
            "enviado em",
            "inviato",
            "verzonden",
            "skickat",
            "sendt",
            "lähetetty",
            "wysłano",
            "wysłane",
            "data",
            "отправлено",
            "дата",
            "发送时间",
            "日期",
            "寄件日期",
            "送信日時",
            "fecha",
            "dato",
            "päivämäärä",
            "dátum",
            "elküldve",
            "gönderilen",
            "tarih",
            "보낸 날짜",
            "日時",
            "odesláno",
            "envoyé le",
        ],
    ),
    (
        Label::To,
        &[
            "to",
            "an",
            "à",
            "para",
            "a",
            "aan",
            "till",
            "til",
            "vastaanottaja",
            "do",
            "кому",
            "收件人",
            "收件者",
            "宛先",
            "komu",
            "címzett",
            "kime",
            "받는 사람",
            "alle",
            "pour",
            "destinataire",
        ],
    ),
    (Label::Cc, &["cc", "kopie", "kopia", "copie", "kopi", "копия", "抄送", "副本", "bcc", "dw", "참조", "copia"]),
    (
        Label::Subject,
        &[
            "subject",
            "betreff",
            "objet",
            "asunto",
            "assunto",
            "oggetto",
            "onderwerp",
            "ämne",
            "emne",
            "aihe",
            "temat",
            "тема",
            "主题",
            "主旨",
            "件名",
            "předmět",
            "predmet",
            "tárgy",
            "konu",
            "제목",
            "re",
            "subiect",
        ],
    ),
];

/// The line without the dashes, stars and quotes that frame markers, lower case.
fn bare(line: &str) -> String {
    line.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '-' | '_' | '*' | '=' | '>' | ':' | '—' | '–' | '[' | ']')
    })
    .to_lowercase()
}

/// True where dashes frame the line or it ends in a colon: a bare "original message" in prose is neither.
fn is_framed(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['-', '_', '*', '=', '—', '[']) || line.ends_with(':') || line.ends_with('-')
}

pub(super) fn is_original_marker(line: &str) -> bool {
    line.len() < 200 && is_framed(line) && ORIGINAL_MARKERS.contains(&bare(line).as_str())
}

pub(super) fn is_forward_marker(line: &str) -> bool {
    line.len() < 200 && is_framed(line) && {
        let bare = bare(line);
        FORWARD_MARKERS.iter().any(|marker| bare == *marker || (*marker == "forwarded by" && bare.starts_with(marker)))
    }
}

pub(super) fn is_footer(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['*', '_', '<', '[', '(']).to_lowercase();
    let whole = line.ends_with("から送信")
        || line.ends_with("から送信されました")
        || line.ends_with("gesendet") && line.starts_with("von ");
    // "Sent from my desk, which is easier than my phone." is a sentence.
    let sentence = line.ends_with(['.', '!', '?']);
    !sentence && line.chars().count() <= 90 && (whole || FOOTERS.iter().any(|footer| line.starts_with(footer)))
}

/// The label that starts the line, stars of converted bold type allowed (`*From:* Jane`).
pub(super) fn label(line: &str) -> Option<Label> {
    let line = line.trim().trim_start_matches(['*', '>', ' ']);
    let at = line.find([':', '：']).filter(|at| *at <= 40)?;
    let name = line.get(..at)?.trim().trim_matches('*').trim().to_lowercase();
    LABELS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(label, _)| *label)
}

/// True where the text begins like an attribution: a lead word or a date.
pub(super) fn has_lead(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '*', ' ']);
    let first =
        text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '.')).next().unwrap_or_default().to_lowercase();
    LEADS.contains(&first.as_str())
        || first.starts_with(|c: char| c.is_ascii_digit())
        || first.starts_with(['在', '于'])
}

/// A time, a year, or a date with separators.
fn has_date(text: &str) -> bool {
    let mut digits = 0_usize;
    let mut previous: Option<char> = None;
    let mut before_separator = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits += 1;
            if digits == 4 || before_separator {
                return true;
            }
        } else {
            before_separator =
                matches!(c, ':' | '/' | '-' | '.' | '年') && previous.is_some_and(|p| p.is_ascii_digit());
            digits = 0;
        }
        previous = Some(c);
    }
    false
}

/// True where the joined lines say who wrote what follows. `quoted_next` = marks of a quote follow, so less is asked.
pub(super) fn is_attribution(joined: &str, quoted_next: bool) -> bool {
    let framed = joined.trim_start().starts_with("--");
    let text = joined.trim().trim_matches(['*', '-', ' ', '"']);
    let (lead, date, address) = (has_lead(text), has_date(text), text.contains('@'));
    if text.len() > 400 || !(date || address || quoted_next) {
        return false;
    }
    let lower = text.to_lowercase();
    if !text.ends_with([':', '：']) {
        // Zoho frames it in dashes, some write no colon.
        return date && address && (lead || framed) && lower.ends_with(" wrote");
    }
    let verb = VERBS.iter().any(|verb| lower.contains(verb));
    if verb && (date && (lead || address) || lead && address) {
        return true;
    }
    // "2022年1月1日(金) 9:00 田中太郎 <taro@example.com>:", Gmail in Japanese, Korean and Russian: no verb.
    if address && date && (text.ends_with(">:") || text.ends_with(">：")) && text.chars().count() < 200 {
        return true;
    }
    if verb && address && text.chars().count() < 150 && lower.ends_with("wrote:") {
        return true;
    }
    // "Jane Doe wrote:" and "Zitat von Jane:" count only above a quote.
    quoted_next && text.chars().count() < 150 && (verb || (address && date) || lower.starts_with("zitat von"))
}
