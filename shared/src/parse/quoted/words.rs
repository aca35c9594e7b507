//! The words that mail programs put around history, in the languages they speak.

/// Verbs of attributions ("On ... Jane wrote:").
#[rustfmt::skip]
pub(super) const VERBS: &[&str] = &[
    "missatge de", "skreiv", "napsala", "napísala", "написала", "написа", "піше", "пише", "напісаў", "escrigué",
    "va escriure", "idatzi du", "dijo", "said", "님이", "さんは書", "さんが書", "viết", "scribis", "hat geschrieben", "كتب",
    "כתב", "เขียน", "लिखा", "נכתב", "yazmış", "rašo", "raksta", "schreef op", "pisze", "geschreven door",
    "scrissi", "skrifaði", "shkroi", "napisao", "yazdi", "wrote", "writes", "schrieb", "a écrit", "a ecrit",
    "escribió", "escribio", "ha scritto", "scrisse", "escreveu", "schreef", "geschreven", "skrev", "kirjoitti",
    "napisał", "napisal", "napisała", "napsal", "napísal", "написал", "пишет", "писал", "написав", "写道", "寫道",
    "yazdı", "έγραψε", "írta", "a scris", "작성", "đã viết", "menulis", "書きました", "kirjutas", "rašė", "rakstīja",
    "je napisal",
];

/// First words of attributions.
#[rustfmt::skip]
pub(super) const LEADS: &[&str] = &[
    "missatge", "في", "بتاريخ", "بتاریخ", "ב", "בתאריך", "ב-", "เมื่อ", "trong", "kuup", "r", "r.", "dana", "u",
    "v", "od", "em", "al", "w dniu", "pon", "wt", "śr", "czw", "pt", "sob", "niedz", "lun", "mar", "mer", "jeu",
    "ven", "sam", "dim", "lunes", "martes", "jueves", "viernes", "seg", "ter", "qua", "qui", "sex", "mån", "tis",
    "lör", "sön", "пн", "вт", "ср", "чт", "пт", "сб", "вс", "нд", "ma", "di", "wo", "do", "vr", "za", "zo", "mo",
    "mi", "fr", "so", "on", "am", "le", "el", "il", "op", "den", "dnia", "w", "dne", "dňa", "på", "la", "a", "ke",
    "ti", "to", "pe", "su", "in", "tarihinde", "στις", "pada", "vào", "ngày", "at", "lør", "søn", "man", "tir",
    "ons", "tor", "fre", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "du", "dia", "în", "kl",
];

/// Lines between an answer and its history, without dashes, lower case.
#[rustfmt::skip]
pub(super) const ORIGINAL_MARKERS: &[&str] = &[
    "\"original message\"", "missatge original", "algne sõnum", "originalus laiškas", "oriģinālais ziņojums",
    "originalna poruka", "izvorna poruka", "izvirno sporočilo", "оригінальне повідомлення", "вихідне повідомлення",
    "оригинално съобщение", "αρχικό μήνυμα", "الرسالة الأصلية", "הודעה מקורית", "원본 메시지", "원본 메일",
    "ข้อความต้นฉบับ", "thư gốc", "tin nhắn gốc", "pesan asli", "messaggio originale", "antwort", "svar",
    "ursprüngliche nachricht", "message initial", "e-mail d’origine", "mensaje original", "original meddelande",
    "quoted message", "end of original message", "original-mail", "original message", "original-nachricht",
    "originalnachricht", "ursprüngliche mail", "message d'origine", "message original", "message d’origine",
    "mensagem original", "oorspronkelijk bericht", "oprindelig meddelelse", "oprindelig besked",
    "originalmeddelande", "ursprungligt meddelande", "ursprungligt mail", "opprinnelig melding",
    "alkuperäinen viesti", "wiadomość oryginalna", "oryginalna wiadomość", "исходное сообщение",
    "пересылаемое сообщение", "původní zpráva", "pôvodná správa", "eredeti üzenet", "mesaj original",
    "orijinal mesaj", "originele bericht", "原始邮件", "原始郵件", "原邮件", "元のメッセージ", "original appointment",
    "reply message", "please reply above this line", "reply above this line", "original email", "original mail",
];

/// Lines above a forwarded message, without dashes, lower case.
#[rustfmt::skip]
pub(super) const FORWARD_MARKERS: &[&str] = &[
    "forwarded mail", "original message forwarded", "weitergeleitet von", "e-mail transféré", "message réexpédié",
    "mensaje reenviado por", "e-mail reenviado", "doorgestuurde bericht", "doorgestuurd bericht",
    "början på vidarebefordrat brev", "vidarebefordrat brev", "start på videresendt besked", "videresendt besked",
    "start på videresendt melding", "начало переадресованного сообщения", "пересылаемое сообщение",
    "пересланное письмо", "переслане повідомлення", "початок переадресованого повідомлення", "preposlana správa",
    "preposlaná správa", "початок пересланого повідомлення", "mesaj redirecționat", "mesaj redirectionat",
    "yönlendirilmiş ileti", "iletilen mesaj", "iletilen ileti", "προωθημένο μήνυμα", "רשומה שהועברה",
    "הודעה שהועברה", "رسالة معاد توجيهها", "전달된 메시지", "轉寄的郵件", "转发邮件信息", "轉寄郵件", "ส่งต่อข้อความ",
    "thư đã chuyển tiếp", "pesan terusan", "przekazana wiadomość", "początek przekazanej wiadomości", "转发邮件",
    "fwd message", "edasi saadetud kiri", "forwarded message", "begin forwarded message", "forwarded by",
    "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht", "weitergeleitete mail",
    "message transféré", "message transmis", "début du message transféré", "début du message réexpédié",
    "mensaje reenviado", "inicio del mensaje reenviado", "mensagem encaminhada", "início da mensagem encaminhada",
    "messaggio inoltrato", "inizio messaggio inoltrato", "begin doorgestuurd bericht",
    "vidarebefordrat meddelande", "videresendt meddelelse", "videresendt melding", "välitetty viesti",
    "wiadomość przekazana", "пересланное сообщение", "конец пересылаемого", "转发的邮件", "転送されたメッセージ",
    "přeposlaná zpráva", "továbbított üzenet",
];

/// Footers that devices and programs add, lower case.
#[rustfmt::skip]
pub(super) const FOOTERS: &[&str] = &[
    "sent by", "von meiner", "gesendet von meinem", "envoyé avec", "enviado con", "enviado com", "inviato con",
    "verzonden via", "wysłane przez", "отправлено через", "надіслано з", "надіслано від", "отправлено от",
    "iphone telefonumdan", "samsung cihazımdan", "odesláno pomocí", "poslano z", "изпратено от", "στάλθηκε από",
    "dikirim dari", "được gửi từ", "đã gửi từ", "נשלח מה", "أرسل من", "مرسل من", "나의 iphone", "내 iphone", "ส่งจาก",
    "sendt med", "skickat med", "lähetetty iphone", "outlook für ", "obtenez outlook", "descargar outlook",
    "scarica outlook", "saadetud minu", "sent from my", "sent from mail for", "sent from outlook",
    "sent from yahoo", "sent from proton", "sent from gmail", "sent from the", "sent from a", "sent via",
    "sent with", "sent on the", "get outlook for", "download outlook for", "von meinem", "gesendet von",
    "gesendet mit", "envoyé de", "envoyé depuis", "envoyé à partir", "enviado desde", "enviado do", "enviado da",
    "enviado a partir", "inviato da", "inviato dal", "verzonden vanaf", "verstuurd vanaf", "verzonden met",
    "verstuurd van", "skickat från", "sendt fra", "lähetetty", "wysłane z", "wysłano z", "отправлено с",
    "отправлено из", "odesláno z", "odoslané z", "发自我的", "從我的", "my iphone", "gönderen", "iphone'umdan gönderildi",
    "trimis de pe", "skickad från", "enviat des",
];
