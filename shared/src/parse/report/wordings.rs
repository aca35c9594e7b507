//! What mail systems write into diagnostics, folded (see `fold`). Facts about MTAs, gathered by what they mean.

/// The mail went in circles.
#[rustfmt::skip]
pub(super) const LOOP: &[&str] = &[
    "too many hops", "hop count exceeded", "mail loop", "message looping", "routing loop", "loops back to myself",
    "looping", "delivery loop", "forwarding loop", "mail for this domain loops", "too many received", "hop limit",
    "nachrichtenschleife", "loop detected",
];

/// No room in the mailbox.
#[rustfmt::skip]
pub(super) const FULL: &[&str] = &[
    "mailbox full", "mailbox is full", "mailfolder is full", "mail box full", "mailbox has exceeded",
    "full mailbox", "inbox is full", "mailbox exceeded", "mailbox size limit", "quota", "out of storage",
    "over storage limit", "storage limit", "no space left", "insufficient disk space", "not enough disk space",
    "too much mail stored", "disk space limit", "mailbox exceeds allowed size", "maildir over",
    "over their allocated", "exceeded storage", "user has exhausted allowed storage space", "mailbox would exceed",
    "mailbox exceeded the local limit", "mailbox of the recipient is full", "account is full", "is full.",
    "postfach ist voll", "postfach voll", "speicherplatz", "boite pleine", "boite aux lettres est pleine",
    "boite de reception est pleine", "buzon lleno", "buzon esta lleno", "bandeja de entrada esta llena",
    "casella piena", "casella di posta piena", "casella e piena", "caixa cheia", "caixa de correio esta cheia",
    "caixa postal cheia", "postvak vol", "postvak is vol", "skrzynka pelna", "skrzynka jest pelna", "przepelniona",
    "postladan ar full", "inkorgen ar full", "ящик переполнен", "переполнен", "メールボックスがいっぱい",
    "容量を超え", "容量オーバー", "容量超過", "邮箱已满", "邮箱空间不足", "信箱已滿", "郵箱已滿", "편지함이 가득",
    "용량을 초과", "용량 초과",
];

/// This mail was too large.
#[rustfmt::skip]
pub(super) const TOO_LARGE: &[&str] = &[
    "message too large", "message too big", "message is too large", "message is too big", "message size exceeds",
    "exceeds the maximum message size", "maximum message size", "exceeded maximum inbound message size",
    "exceeds fixed limit", "exceeds fixed maximum", "message exceeds", "size limit exceeded", "size exceeds",
    "exceeded the maximum incoming message size", "larger than the", "message length exceeds",
    "maximum incoming message size", "mail is too large", "too large to", "exceeds size limit",
    "message file too big", "exceeds administrative limit", "resolver.rst.sendsizelimit",
    "resolver.rst.recipsizelimit", "nachricht ist zu gross", "message trop volumineux", "mensaje demasiado grande",
    "mensagem muito grande", "messaggio troppo grande", "bericht is te groot", "wiadomosc jest za duza",
    "слишком большой", "サイズ制限", "サイズが大きすぎ", "邮件过大", "邮件太大",
];

/// Refused for what it is or who sent it: filters, block lists, relaying, sender checks.
#[rustfmt::skip]
pub(super) const REFUSED: &[&str] = &[
    "spam", "unsolicited", "blocked", "blacklist", "block list", "blocklist", "dnsbl", " rbl", "poor reputation",
    "bad reputation", "low reputation", "message content rejected", "content rejected", "relaying denied",
    "relay denied", "relay access denied", "unable to relay", "relaying not permitted", "relay not permitted",
    "not permitted to relay", "relaying is prohibited", "does not accept mail from", "not accepting mail from",
    "sender address rejected", "sender rejected", "sender denied", "sender verify failed", "sender domain",
    "policy violation", "for policy reasons", "policy reasons", "local policy", "security policy",
    "rejected by policy", "virus", "malware", "phishing", "spf", "dkim", "dmarc", "authentication required",
    "reverse dns", "ptr record", "banned", "prohibited", "suspicious", "attachment type", "attachment not",
    "forbidden attachment", "resolver.rst.notauthorized", "not authorized", "not allowed to send",
    "don't have permission", "do not have permission", "permission to send", "permission to post",
    "only accepts messages from", "restricted to", "resolver.rst.authrequired", "transaction failed due to",
    "domain of sender", "message refused", "message rejected due to content", "greylist", "rate limit", "throttl",
    "too many recipients", "too many messages", "too many connections", "unzulassig", "als spam",
    "nicht berechtigt", "迷惑メール", "受信拒否", "垃圾邮件", "반송되었습니다 스팸",
];

/// No such domain, or one without mail.
#[rustfmt::skip]
pub(super) const NO_HOST: &[&str] = &[
    "because the domain", "host unknown", "unknown host", "host or domain name not found", "domain name not found",
    "host not found", "domain not found", "no such host", "no such domain", "unrouteable mail domain",
    "unrouteable address", "unroutable address", "unrouteable domain", "unknown domain", "domain does not exist",
    "domain doesn't exist", "domain is not valid", "invalid domain", "no mx", "null mx", "nxdomain",
    "unable to resolve", "cannot resolve", "couldn't find any host", "couldn't find a mail exchanger",
    "couldn't find any mail exchanger", "bad destination system", "dns domain", "name service error",
    "nodename nor servname", "illegal host/domain", "could not find a gateway",
    "domain mentioned in email address is unknown", "the domain you entered",
    "all relevant mx records point to non-existent hosts", "domain of the recipient's email address",
    "domain couldn't be found", "does not accept mail (nullmx)", "domaine inconnu", "domaine introuvable",
    "dominio desconocido", "dominio no existe", "dominio inesistente", "unbekannte domain",
    "domane existiert nicht", "domain existiert nicht", "域名不存在", "ドメインが見つかりません",
    "ドメインが存在しません",
];

/// The mailbox is there and switched off.
#[rustfmt::skip]
pub(super) const DISABLED: &[&str] = &[
    "disabled", "deactivated", "suspended", "inactive", "discontinued", "account expired", "account is locked",
    "mailbox locked", "account locked", "not active", "has not been collected", "temporarily unavailable account",
    "mailbox currently suspended", "mailbox is frozen", "account has been closed", "account closed", "deaktiviert",
    "gesperrt", "desactive", "suspendido", "desativada", "disattivat", "sospes", "заблокирован", "отключен", "停止",
    "已停用", "被禁用", "휴면", "정지",
];

/// The person went elsewhere.
#[rustfmt::skip]
pub(super) const MOVED: &[&str] = &[
    "has moved", "no longer works here", "no longer with", "no longer employed", "no longer at this",
    "user not local; please try", "address has changed", "please update your", "new address is",
];

/// Nobody of that name.
#[rustfmt::skip]
pub(super) const NO_USER: &[&str] = &[
    "user unknown", "unknown user", "no such user", "no such recipient", "no such address", "no such mailbox",
    "no such person", "no such account", "no such local user", "unknown recipient", "recipient unknown",
    "unknown address", "address unknown", "addressee unknown", "unknown or illegal", "unknown local",
    "unknown mailbox", "unknown account", "user not found", "recipient not found", "address not found",
    "mailbox not found", "account not found", "not found in directory", "recipnotfound", "recipientnotfound",
    "user not known", "recipient address rejected: access denied", "user doesn't exist", "user does not exist",
    "not a valid user", "address does not exist", "address doesn't exist", "mailbox does not exist",
    "mailbox doesn't exist", "recipient does not exist", "recipient doesn't exist", "account does not exist",
    "account doesn't exist", "account that you tried to reach does not exist", "does not exist", "doesn't exist",
    "nonexistent", "non-existent", "invalid recipient", "invalid mailbox", "invalid address", "invalid user",
    "bad destination mailbox", "bad destination address", "bad recipient", "invalid final delivery userid",
    "mailbox unavailable", "mailbox is unavailable", "mailbox not available", "mailbox unknown",
    "no mailbox here by that name", "no mailbox", "this user doesn't have a", "doesn't have an account",
    "not a valid mailbox", "not a known user", "not our customer", "not listed in", "not in our directory",
    "not recognized", "not recognised", "recipient name is not", "couldn't be found", "could not be found",
    "wasn't found", "was not found at", "was not found in", "isn't a valid", "is not a valid", "no longer valid",
    "no longer in use", "no longer available", "no longer exists", "no longer active", "no account by that name",
    "no user", "no matches to nameserver query", "badrcptto", "recipient rejected", "user is unknown",
    "not have a final email delivery point", "did not exactly match", "wrong or no longer valid", "has no mailbox",
    "is not valid", "not a local", "unknown local-part", "unknown username", "verify the recipient",
    "empfanger unbekannt", "unbekannter empfanger", "unbekannter benutzer", "benutzer unbekannt",
    "adresse existiert nicht", "existiert nicht", "wurde nicht gefunden", "nicht gefunden", "adressat unbekannt",
    "utilisateur inconnu", "destinataire inconnu", "n'existe pas", "adresse inconnue", "introuvable", "non recense",
    "usuario desconocido", "no existe", "no se encontro", "destinatario desconocido", "desconocido",
    "usuario desconhecido", "nao existe", "nao foi encontrado", "utente sconosciuto", "destinatario sconosciuto",
    "inesistente", "non esiste", "non e stato trovato", "onbekende gebruiker", "onbekende ontvanger",
    "bestaat niet", "niet gevonden", "anvandare finns inte", "finns inte", "hittades inte", "findes ikke",
    "blev ikke fundet", "finnes ikke", "ei ole olemassa", "ei loydy", "nie istnieje", "nieznany uzytkownik",
    "nie znaleziono", "neexistuje", "nenalezen", "nem letezik", "nu exista", "bulunamadi", "mevcut degil",
    "не существует", "нет такого пользователя", "не найден", "недоступен: user not found",
    "неизвестный пользователь", "не існує", "δεν υπαρχει", "δεν βρεθηκε", "存在しません", "見つかりません",
    "宛先不明", "ユーザー不明", "不存在", "找不到", "无此用户", "查無此人", "존재하지 않", "찾을 수 없",
    "없는 사용자", "없는 메일", "לא קיים", "לא נמצא", "غير موجود", "لا يوجد",
];

/// The mail breaks a rule of form, by its own fault or ours.
#[rustfmt::skip]
pub(super) const MALFORMED: &[&str] = &[
    "resent-from field", "from field", "header syntax", "syntax error", "malformed", "not rfc", "rfc 5322",
    "rfc5322", "rfc 2822", "rfc2822", "non-compliant", "not compliant", "bare lf", "data format error",
    "invalid header", "missing header", "header field", "message format", "8-bit", "conversion required",
    "smtputf8",
];

/// The receiving system itself is at fault.
#[rustfmt::skip]
pub(super) const BROKEN: &[&str] = &[
    "command died", "command failed", "command output", "configuration error", "misconfigur", "local error",
    "internal error", "internal server error", "system error", "i/o error", "can't create", "cannot create",
    "can't open", "cannot open", "unable to open", "permission denied", "out of memory", "lmtp error",
    "content filter", "error writing", "file system", "database",
];

/// Tried for days.
#[rustfmt::skip]
pub(super) const EXPIRED: &[&str] = &[
    "has been in the queue too long", "in queue too long", "queue too long", "message expired",
    "delivery time expired", "retry timeout exceeded", "retry time not reached", "delivered for more than",
    "not be delivered within", "message timed out", "was aborted after", "allowed queue period", "delivery expired",
    "exceeded maximum time", "delivery failed 20 attempts", "not going to try again", "gave up after",
    "message has been delayed", "still being retried", "will be retried", "not yet been delivered",
    "has been delayed", "attempts will continue", "will continue trying", "is delayed", "wird weiterhin versucht",
    "has been postponed", "verzogert", "retardee", "retrasado", "atrasada", "ritardata", "vertraagd",
    "задерживается",
];

/// Not reached, or not now.
#[rustfmt::skip]
pub(super) const UNREACHABLE: &[&str] = &[
    "timed out", "timeout", "connection refused", "could not connect", "couldn't connect", "can't connect",
    "unable to connect", "connection failed", "connection to mail exchanger failed", "connection reset",
    "connection dropped", "connection died", "lost connection", "no route to host", "network is unreachable",
    "network unreachable", "host is not responding", "not responding", "did not respond", "no answer from host",
    "wasn't able to establish an smtp connection", "unable to establish", "server unavailable",
    "service unavailable", "service not available", "temporary failure", "temporarily", "try again later",
    "deferred", "server busy", "too busy", "resources unavailable", "not reachable", "unreachable", "host down",
    "antwortet nicht", "nicht erreichbar", "ne repond pas", "no responde", "non risponde", "nao responde",
    "не отвечает", "接続できません", "응답하지", "연결할 수 없",
];

/// What says that the system has given up, or that it has not; `None` where neither stands.
pub(super) fn is_permanent(folded: &str) -> Option<bool> {
    #[rustfmt::skip]
        const GIVEN_UP: &[&str] = &[
            "permanent", "given up", "giving up", "gave up", "dauerhaft", "endgultig", "definitif", "definitiv",
            "rejected", "refused", "постоянн", "永久",
        ];
    #[rustfmt::skip]
        const STILL_TRYING: &[&str] = &[
            "warning message only", "this is a warning", "will be retried", "temporary", "transient",
            "will continue", "still being",
        ];
    if crate::parse::fold::holds_any(folded, STILL_TRYING) {
        return Some(false);
    }
    crate::parse::fold::holds_any(folded, GIVEN_UP).then_some(true)
}
