//! Wordings of answering machines and receipts, folded (see `parse::fold`).

/// Beginnings of out-of-office and autoresponder subjects.
#[rustfmt::skip]
pub(super) const AUTO_REPLY_SUBJECTS: &[&str] = &[
    // English.
    "automatic reply", "automatic response", "automated reply", "automated response", "auto reply", "auto-reply",
    "autoreply", "auto response", "auto-response", "autoresponse", "autoresponder", "auto responder",
    "out of office", "out of the office", "out-of-office", "ooo", "i am out of office", "i am out of the office",
    "i'm out of the office", "i am currently out of the office", "away from my mail", "away from office",
    "away from the office", "vacation reply", "vacation response", "vacation message", "currently out of office",
    "currently out of the office", "absence notice", "absence notification",
    // German.
    "automatische antwort", "abwesenheitsnotiz", "abwesenheitsbenachrichtigung", "abwesenheitsmeldung",
    "abwesenheitsassistent", "abwesenheitsnachricht", "abwesend", "automatische abwesenheit",
    "automatische eingangsbestatigung", "automatische ruckantwort", "automatische nachricht", "nicht im buro",
    "ich bin nicht im buro", "ausser haus", "autoantwort", "auto-antwort", "ich bin abwesend",
    // French.
    "reponse automatique", "message automatique", "reponse d'absence", "absence du bureau", "message d'absence",
    "notification d'absence", "absent du bureau", "hors du bureau",
    // Spanish, Catalan, Portuguese, Italian, Romanian.
    "respuesta automatica", "auto respuesta", "autorespuesta", "fuera de la oficina", "fuera de oficina",
    "ausente de la oficina", "aviso de ausencia", "resposta automatica", "fora de l'oficina", "fora do escritorio",
    "aviso de ausencia do escritorio", "mensagem automatica", "risposta automatica", "fuori sede", "fuori ufficio",
    "assenza dall'ufficio", "avviso di assenza", "messaggio automatico", "raspuns automat",
    // Dutch, Swedish, Danish, Norwegian, Finnish, Icelandic, Estonian, Latvian, Lithuanian.
    "automatisch antwoord", "automatische beantwoording", "afwezigheidsbericht", "afwezigheidsmelding", "afwezig",
    "niet op kantoor", "niet aanwezig", "autosvar", "automatiskt svar", "franvaromeddelande", "inte pa kontoret",
    "automatisk svar", "automatisk svarbesked", "ikke til stede", "ikke pa kontoret", "fravaersmeddelelse",
    "fravaersbesked", "fravaersmelding", "ferie", "autosvarbesked", "automaattinen vastaus", "automaattivastaus",
    "poissaoloilmoitus", "poissa toimistosta", "sjalfvirkt svar", "automaatvastus", "automatiska atbilde",
    "automatinis atsakymas",
    // Polish, Czech, Slovak, Hungarian, Slovene, Croatian, Turkish.
    "automatyczna odpowiedz", "odpowiedz automatyczna", "autoodpowiedz", "nieobecnosc w biurze", "poza biurem",
    "automaticka odpoved", "automaticka odpoved'", "mimo kancelar", "mimo kancelariu", "automatikus valasz",
    "hazon kivul", "irodan kivul", "samodejni odgovor", "automatski odgovor", "izvan ureda", "otomatik yanit",
    "otomatik cevap", "is yeri disinda", "ofis disinda",
    // Russian, Ukrainian, Bulgarian, Serbian, Greek.
    "автоответ", "автоматический ответ", "автоматическое сообщение", "вне офиса", "отсутствие на рабочем месте",
    "нет на работе", "автоматична вiдповiдь", "автоматична відповідь", "поза офісом", "автовідповідь",
    "автоматичен отговор", "извън офиса", "аутоматски одговор", "αυτοματη απαντηση", "εκτος γραφειου",
    // Japanese, Chinese, Korean, Vietnamese, Thai, Indonesian.
    "自動応答", "自動返信", "自動送信", "不在通知", "不在のお知らせ", "自动回复", "自動回覆", "自动答复",
    "自動回復", "自动应答", "外出通知", "不在办公室", "不在辦公室", "자동 응답", "자동응답", "자동 회신",
    "자동회신", "부재 중", "부재중", "tra loi tu dong", "ตอบกลับอัตโนมัติ", "balasan otomatis",
    // Hebrew, Arabic, Persian, Hindi.
    "תשובה אוטומטית", "מענה אוטומטי", "מחוץ למשרד", "לא במשרד", "رد تلقائي", "الرد التلقائي", "خارج المكتب",
    "پاسخ خودکار", "स्वचालित उत्तर",
];

/// Subjects under which people ask for leave as well: they need a machine's envelope or field beside them.
#[rustfmt::skip]
pub(super) const DOUBTFUL_SUBJECTS: &[&str] = &[
    "on vacation", "on holiday", "on annual leave", "annual leave", "i am on vacation", "office closed",
    "i am away", "i'm away", "im urlaub", "urlaub", "bin im urlaub", "ich bin im urlaub", "absent", "absence",
    "en conges", "en vacances", "conges", "je suis absent", "ausente", "de vacaciones", "vacaciones", "ausencia",
    "ausencia temporaria", "ausencia temporal", "em ferias", "de ferias", "ferias", "assente", "in ferie", "ferie",
    "in concediu", "met vakantie", "op vakantie", "semester", "franvaro", "fravaer", "pa ferie", "poissa",
    "lomalla", "urlop", "nieobecny", "nieobecnosc", "dovolena", "nepritomnost", "szabadsagon", "отпуск",
    "в отпуске", "απουσια", "休暇中", "外出中", "休假", "abwesenheit", "nicht im haus",
];

/// Words by which such a subject goes on without a mark.
#[rustfmt::skip]
pub(super) const SUBJECT_GOES_ON: &[&str] = &[
    "until", "till", "reply", "autoreply", "auto", "from", "notification", "notice", "message", "re", "on",
    "through", "assistant", "response", "today", "this", "between", "to", "mail", "alert", "for", "bis", "vom",
    "am", "von", "ab", "wegen", "im", "du", "jusqu", "jusqu'au", "le", "au", "hasta", "del", "desde", "de", "ate",
    "a", "fino", "dal", "al", "tot", "van", "t", "tom", "till", "fra", "til", "frem", "od", "do", "с", "до", "по",
    "z",
];

/// What answering machines say in the text.
#[rustfmt::skip]
pub(super) const AWAY: &[&str] = &[
    "out of the office", "out of office", "out-of-office", "away from the office", "away from my desk",
    "away from my email", "away from my e-mail", "i am on vacation", "i'm on vacation", "on annual leave",
    "on holiday", "i am currently away", "i am away", "i'm away", "on leave", "maternity leave", "parental leave",
    "limited access to", "no access to my email", "upon my return", "when i return", "on my return",
    "this is an automatic", "this is an automated", "this is an auto", "automatically generated",
    "automated response", "automatic reply", "auto-reply", "autoreply", "thank you for contacting",
    "thank you for your email", "thank you for your message", "thanks for contacting", "we have received your",
    "we received your", "your message has been received", "will get back to you", "will respond as soon as",
    "will be back on", "back in the office", "no longer with the company", "no longer work", "do not reply to this",
    "please do not reply", "nicht im buro", "nicht im hause", "ausser haus", "im urlaub", "abwesend", "abwesenheit",
    "abwesend", "nicht erreichbar", "nicht weitergeleitet", "automatische antwort", "automatisch generiert",
    "automatisch erstellt", "automatische e-mail", "wieder im buro", "wieder erreichbar", "wieder fur sie da",
    "elternzeit", "ihre nachricht erhalten", "vielen dank fur ihre nachricht", "vielen dank fur ihre e-mail",
    "vielen dank fur ihre anfrage", "bin ich zuruck", "nach meiner ruckkehr", "dienstreise", "mutterschutz",
    "absent du bureau", "absente du bureau", "je suis absent", "je suis actuellement absent", "absent jusqu",
    "en conge", "en vacances", "actuellement absent", "a mon retour", "reponse automatique", "message automatique",
    "nous avons bien recu votre", "j'ai bien recu votre", "merci pour votre message", "de retour le",
    "je serai absent", "hors du bureau", "en deplacement", "fuera de la oficina", "fuera de oficina",
    "estoy de vacaciones", "de vacaciones", "ausente", "a mi regreso", "a mi vuelta", "respuesta automatica",
    "mensaje automatico", "hemos recibido su", "hemos recibido tu", "gracias por contactar",
    "gracias por su mensaje", "gracias por tu mensaje", "estare fuera", "acceso limitado", "fora do escritorio",
    "estou de ferias", "de ferias", "em ferias", "ausente do escritorio", "estarei ausente", "resposta automatica",
    "mensagem automatica", "recebemos sua", "recebemos a sua", "obrigado por entrar em contato",
    "obrigado pelo seu contato", "obrigado por sua mensagem", "no meu regresso", "licenca", "fuori sede",
    "fuori ufficio", "in ferie", "sono assente", "saro assente", "al mio rientro", "al mio ritorno",
    "risposta automatica", "messaggio automatico", "abbiamo ricevuto", "grazie per averci contattato",
    "grazie per il tuo messaggio", "grazie per il suo messaggio", "sono in ferie", "rispondero", "raspuns automat",
    "in concediu", "nu sunt la birou", "am primit mesajul", "la intoarcere", "niet op kantoor", "niet aanwezig",
    "afwezig", "met vakantie", "op vakantie", "met verlof", "automatisch antwoord", "automatisch gegenereerd",
    "wij hebben uw", "we hebben je", "bedankt voor je bericht", "bedankt voor uw bericht", "bij terugkomst",
    "weer op kantoor", "inte pa kontoret", "pa semester", "jag ar ledig", "ar franvarande", "tillbaka den",
    "automatiskt svar", "automatiskt genererat", "tack for ditt mejl", "tack for ditt meddelande", "foraldraledig",
    "vi har mottagit", "ater pa kontoret", "ikke pa kontoret", "pa ferie", "ikke til stede", "tilbage den",
    "tilbake den", "tilbage pa kontoret", "tilbake pa kontoret", "automatisk svar", "automatisk genereret",
    "autosvar", "tak for din mail", "tak for din henvendelse", "takk for din henvendelse", "vi har modtaget",
    "vi har mottatt", "holder ferie", "barsel", "poissa toimistosta", "olen lomalla", "olen poissa",
    "automaattinen vastaus", "palaan", "kiitos viestistasi", "lomalla", "sjalfvirkt svar", "poza biurem",
    "jestem na urlopie", "na urlopie", "nieobecny", "nieobecna", "automatyczna odpowiedz", "wiadomosc automatyczna",
    "dziekujemy za wiadomosc", "dziekujemy za kontakt", "po powrocie", "otrzymalismy", "mimo kancelar",
    "jsem na dovolene", "na dovolene", "na dovolenke", "automaticka odpoved", "automaticky generovan",
    "dekujeme za", "jsem mimo", "som mimo", "po navratu", "nepritomen", "nepritomny", "szabadsagon", "hazon kivul",
    "nem vagyok az irodaban", "automatikus valasz", "automatikus uzenet", "koszonjuk levelet",
    "koszonjuk megkereseset", "izvan ureda", "na godisnjem", "automatski odgovor", "na dopustu", "ofis disinda",
    "izinde", "izindeyim", "otomatik yanit", "otomatik olarak", "mesajinizi aldik", "yillik izin", "в отпуске",
    "вне офиса", "отсутствую", "буду отсутствовать", "автоматический ответ", "автоматическое сообщение",
    "автоматически", "ваше сообщение получено", "спасибо за обращение", "спасибо за ваше письмо",
    "мы получили ваше", "вернусь", "у відпустці", "поза офісом", "автоматична відповідь", "дякуємо за", "в отпуск",
    "извън офиса", "автоматичен отговор", "εκτος γραφειου", "σε αδεια", "αυτοματη απαντηση", "αυτοματο μηνυμα",
    "απουσιαζω", "λαβαμε το μηνυμα", "不在に", "不在です", "休暇", "外出して", "出張", "自動返信", "自動応答",
    "自動送信", "自動的に", "お問い合わせいただき", "受け付けました", "受付いたしました", "返信が遅れ", "休業",
    "不在办公室", "休假", "外出", "出差", "自动回复", "自動回覆", "自动发送", "已收到您的", "已经收到",
    "收到您的邮件", "无法及时回复", "不在辦公室", "您好,我已收到", "부재 중", "부재중", "휴가", "출장", "자동 응답",
    "자동응답", "자동으로 발송", "자동 회신", "접수되었습니다", "자리를 비", "회신이 늦", "מחוץ למשרד", "לא במשרד",
    "בחופשה", "מענה אוטומטי", "תשובה אוטומטית", "קיבלנו את", "خارج المكتب", "في إجازة", "رد تلقائي", "رد آلي",
    "استلمنا رسالتك", "nghi phep", "vang mat", "tra loi tu dong", "balasan otomatis", "sedang cuti",
    "di luar kantor", "ตอบกลับอัตโนมัติ",
];

/// Subjects and texts of challenges and moderators, each pair both needed.
pub(super) const CHALLENGES: &[(&[&str], &[&str])] = &[
    (
        &[
            "confirm your message",
            "please confirm your",
            "sender verification",
            "verify your message",
            "sender confirmation",
            "confirmation request",
            "please verify",
            "requires verification",
            "authenticate your",
            "your email requires",
            "anti-spam verification",
            "suspect email automated response",
        ],
        &[
            "has not been delivered",
            "will be delivered",
            "being held",
            "is held",
            "click the link",
            "click on the link",
            "visit the link",
            "reply to this message",
            "prove that you",
            "you are a real person",
            "approved senders",
            "allowed senders",
            "not a spammer",
            "verify that",
        ],
    ),
    (
        &[
            "awaits moderator approval",
            "requires approval",
            "held for approval",
            "pending moderation",
            "awaiting approval",
            "held for moderation",
            "wartet auf freigabe",
            "en attente d'approbation",
        ],
        &["moderator", "moderation", "approval", "freigabe", "moderateur", "held"],
    ),
];

/// Beginnings of receipts' subjects and what their texts say, language by language: Outlook, Exchange, Notes.
pub(super) const READ_RECEIPTS: &[(&[&str], &[&str])] = &[
    (
        &["read:", "not read:", "read receipt", "return receipt", "return receipt (displayed)", "confirmed:"],
        &[
            "was read on",
            "was read at",
            "was deleted without being read",
            "has been displayed",
            "was displayed on",
            "this is a return receipt",
            "this is a receipt for the mail",
            "was received by",
            "has been opened",
        ],
    ),
    (
        &["gelesen:", "ungelesen:", "lesebestatigung", "empfangsbestatigung"],
        &[
            "wurde am",
            "wurde gelesen",
            "gelesen am",
            "ungelesen geloscht",
            "wurde angezeigt",
            "empfangsbestatigung fur",
        ],
    ),
    (
        &["lu:", "lu :", "non lu:", "non lu :", "accuse de lecture", "confirmation de lecture"],
        &["a ete lu", "a ete supprime sans", "accuse de reception", "a ete affiche"],
    ),
    (
        &["leido:", "no leido:", "confirmacion de lectura", "acuse de recibo"],
        &["se leyo", "fue leido", "ha sido leido", "se elimino sin", "confirmacion de lectura"],
    ),
    (
        &["lida:", "lido:", "nao lida:", "nao lido:", "confirmacao de leitura", "recibo de leitura"],
        &["foi lida", "foi lido", "excluida sem", "confirmacao de leitura"],
    ),
    (
        &["letto:", "non letto:", "conferma di lettura", "ricevuta di ritorno"],
        &["e stato letto", "e stata letta", "eliminato senza", "conferma di lettura", "ricevuta di ritorno"],
    ),
    (
        &["gelezen:", "niet gelezen:", "leesbevestiging"],
        &["is gelezen", "werd gelezen", "zonder te zijn gelezen", "leesbevestiging"],
    ),
    (&["last:", "olast:", "laskvitto"], &["lastes", "har lasts", "visats"]),
    (
        &["laest:", "lest:", "ulaest:", "ikke laest:", "ikke lest:", "kvittering for laesning"],
        &["blev laest", "ble lest", "er blevet laest", "er lest"],
    ),
    (&["luettu:", "lukematon:", "lukukuittaus"], &["luettiin", "on luettu"]),
    (
        &["przeczytano:", "nie przeczytano:", "przeczytane:", "potwierdzenie przeczytania"],
        &["przeczytan", "zostala przeczytana"],
    ),
    (
        &[
            "precteno:",
            "cteno:",
            "potvrzeni o precteni",
            "olvasott:",
            "olvasva:",
            "okundu:",
            "okunmadi:",
            "citit:",
            "precitane:",
        ],
        &["precten", "byla prectena", "elolvas", "okundu", "a fost citit", "precitan"],
    ),
    (&["прочитано:", "прочтено:", "не прочитано:", "уведомление о прочтении"], &["прочитан", "прочтен"]),
    (&["διαβαστηκε:", "αναγνωστηκε:"], &["διαβαστηκε", "αναγνωστηκε"]),
    (&["開封済み", "開封確認", "未読:", "既読:"], &["開封", "読まれ", "表示され"]),
    (&["已读:", "已讀取:", "已讀:", "未读:", "读取:", "讀取:"], &["阅读", "读取", "讀取", "已读", "已讀"]),
    (&["읽음:", "읽지 않음:", "수신 확인"], &["읽었", "읽은", "읽음", "확인"]),
];
