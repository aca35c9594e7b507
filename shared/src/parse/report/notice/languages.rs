//! Wordings of delivery notices, folded. English first, then by language; languages that share a table share words.

/// What stands in the subject of a delivery notice. `classify` asks for another sign beside it.
#[rustfmt::skip]
pub(super) const SUBJECTS: &[&str] = &[
    // English: Postfix, Exim, sendmail, qmail, Exchange, Gmail, Domino, GroupWise, PMDF, IMail, MDaemon, Mimecast.
    "undelivered mail", "undelivered message", "undeliverable", "undelivered:", "mail delivery fail",
    "mail delivery error", "mail delivery problem", "mail delivery warning", "mail delivery system",
    "mail delivery status", "delivery status notification", "delivery failure", "delivery failed",
    "delivery has failed", "delivery report", "delivery notification", "delivery problem", "delivery error",
    "delivery delay", "delivery temporarily suspended", "delivery incomplete", "failure notice", "failure delivery",
    "failed mail", "failed delivery", "failed:", "failed to deliver", "mail failed", "returned mail",
    "returned email", "mail returned", "message returned", "returned to sender", "returning to sender",
    "return to sender", "returned message", "non delivery", "non-delivery", "nondeliverable", "nondelivery",
    "non delivered", "non-deliverable", "not delivered", "not be delivered", "could not deliver",
    "couldn't be delivered", "unable to deliver", "message delayed", "delayed mail", "message delivery",
    "mail delayed", "warning: could not send", "warning: message", "still being retried", "not yet been delivered",
    "mail system error", "processing error", "user unknown", "email delivery", "e-mail delivery",
    "mail status report", "rejected mail", "automatically rejected mail", "message not deliver", "message rejected",
    "delivery unsuccessful", "bounced mail", "[bounce]", "bounce message", "message status -", "mail could not",
    "message you sent", "your message to", "mail error", "bounced email",
    // German.
    "unzustellbar", "nicht zustellbar", "nicht zugestellt", "zustellung fehlgeschlagen", "zustellfehler",
    "zustellungsfehler", "fehler bei der zustellung", "fehler bei zustellung",
    "benachrichtigung zum ubermittlungsstatus", "rucksendung", "ubermittlung verzogert", "verzogerte zustellung",
    "konnte nicht ausgeliefert", "fehlgeschlagene zustellung", "benachrichtigung uber den zustellstatus",
    "zustellbericht", "zustellung verzogert",
    // French.
    "non remis", "non distribu", "non delivre", "echec de la remise", "echec de remise", "echec de distribution",
    "echec d'envoi", "echec de livraison", "remise retardee", "notification d'etat de remise", "non remettable",
    "message non livre", "retour de courrier",
    // Spanish, Portuguese, Italian, Romanian.
    "no entregado", "no se puede entregar", "no se pudo entregar", "imposible entregar", "no entregable",
    "error de entrega", "fallo en la entrega", "fallo de entrega", "error en la entrega",
    "notificacion del estado de entrega", "notificacion de estado de entrega", "entrega retrasada",
    "correo devuelto", "mensaje devuelto", "nao entregue", "nao e possivel entregar", "nao pode ser entregue",
    "falha na entrega", "falha de entrega", "falha no envio", "nao foi entregue",
    "notificacao de status de entrega", "notificacao sobre o estado da entrega", "entrega atrasada",
    "erro na entrega", "impossivel entregar", "non recapitabile", "mancato recapito", "mancata consegna",
    "recapito non riuscito", "consegna non riuscita", "impossibile recapitare", "non consegnato", "non recapitato",
    "errore di consegna", "notifica sullo stato", "ritardo nella consegna", "nelivrabil", "nelivrat",
    "nu a fost livrat",
    // Dutch, Swedish, Danish, Norwegian, Finnish.
    "onbestelbaar", "niet bezorgd", "niet afgeleverd", "bezorging mislukt", "kan niet worden bezorgd",
    "aflevering mislukt", "aflevering vertraagd", "kan niet bezorgd", "olevererbar", "gar inte att leverera",
    "kunde inte levereras", "kan inte levereras", "inte levererat", "leveransfel", "leveransstatus", "ikke levert",
    "ikke leveret", "kan ikke leveres", "kunne ikke leveres", "leveringsfejl", "leveringsfeil", "leveringsstatus",
    "uleverbar", "kan ikke afleveres", "ei voitu toimittaa", "ei voi toimittaa", "toimittamaton", "toimitusvirhe",
    "toimitus epaonnistui", "ei toimitettu",
    // Polish, Czech, Slovak, Hungarian, Turkish.
    "niedostarczaln", "nie dostarczono", "niedostarczon", "nie mozna dostarczyc", "blad dostarczenia",
    "zwrot wiadomosci", "powiadomienie o stanie dostarczenia", "nedorucitel", "nedorucen", "nelze dorucit",
    "selhani doruceni", "chyba doruceni", "nedorucena", "kezbesithetetlen", "kezbesitesi hiba",
    "sikertelen kezbesites", "kezbesites sikertelen", "teslim edilemedi", "teslim edilemeyen", "teslim edilemez",
    "iletilemedi", "teslimat basarisiz",
    // Russian, Ukrainian, Bulgarian, Greek.
    "недоставлен", "не доставлен", "не удается доставить", "не удалось доставить", "не может быть доставлен",
    "невозможно доставить", "ошибка доставки", "сбой доставки", "отчет о доставке", "доставка не удалась",
    "задержка доставки", "возврат письма", "не вдалося доставити", "недоставлене", "не може бути доставлен",
    "αδυνατη η παραδοση", "αδυναμια παραδοσης", "δεν παραδοθηκε", "αποτυχια παραδοσης",
    // Japanese, Chinese, Korean.
    "配信不能", "配信エラー", "配信できません", "配信失敗", "送信エラー", "エラーメール", "送信できません",
    "届きません", "配達できません", "メール不達", "未配信", "配送エラー", "配信状態通知", "配信の遅延", "退信",
    "退件", "无法投递", "無法投遞", "无法传递", "無法傳遞", "无法送达", "無法送達", "未送达", "未送達", "未傳遞",
    "未传递", "投递失败", "发送失败", "傳送失敗", "传递失败", "邮件被退回", "系统退信", "배달되지 않음",
    "배달할 수 없", "배달 실패", "반송", "전송 실패", "전달할 수 없", "배달 상태 알림", "전송실패",
    // Hebrew, Arabic.
    "לא ניתן למסירה", "לא נמסר", "תעשה מסירה נכשל", "غير قابل للتسليم", "تعذر التسليم", "فشل التسليم",
];

/// What notices say has happened.
#[rustfmt::skip]
pub(super) const NOT_DELIVERED: &[&str] = &[
    "not be delivered", "n't be delivered", "cannot be delivered", "was not delivered", "were not delivered",
    "wasn't delivered", "has not been delivered", "not been delivered", "not delivered to",
    "not yet been delivered", "undeliverable", "undelivered", "unable to deliver", "able to deliver",
    "did not reach", "didn't reach", "could not deliver", "couldn't deliver", "can't deliver", "cannot deliver",
    "can not deliver", "delivery has failed", "delivery failed", "delivery to the following", "delivery failure",
    "delivery of your message", "failed to deliver", "failed delivery", "failed recipient", "permanent fatal error",
    "transient non-fatal error", "delivery error", "delivery problem", "created automatically by mail delivery",
    "created by mail delivery", "non-delivery report", "delivery status notification",
    "did not receive this message", "did not receive your message", "did not receive a copy", "has been delayed",
    "still being retried", "attempts will continue", "automatically rejected", "have delivery notifications",
    "invalid final delivery", "could not be reached", "problem delivering", "problems delivering",
    "trouble delivering", "error while being processed", "message not delivered", "mail not delivered",
    "address not found", "rejected by a remote mail server", "has been postponed", "delevery to the following",
    "delivery to this address", "no valid recipients", "could not be sent", "couldn't be sent", "has been returned",
    "was returned because", "is returned because", "being returned", "error was detected while processing",
    "attempting to deliver", "attempted to deliver", "message was rejected", "mail was rejected",
    "email was rejected", "rejected your message", "no such user", "user unknown", "unknown user",
    "mailbox is full", "unknown host", "host unknown", "invalid user", "exceeds allowed size", "encountered delivery problems", "doesn't exist", "does not exist", "not a valid",
    "has bounced", "failed permanently", "message blocked", "recipient address rejected", "exceeding their quota",
    "over quota", "does not have a final email delivery point", "did not exactly match", "isn't accepting",
    "delivery report", "problem with the e-mail address", "the following address", "failed to be delivered",
    "message undelivered", "nicht zugestellt", "unzustellbar", "nicht zustellbar", "nicht ausgeliefert",
    "nicht ubermittelt", "nicht erreicht", "zustellung fehlgeschlagen", "fehler bei der nachrichtenzustellung",
    "fehler bei der zustellung", "fehler beim zustellen", "ist fehlgeschlagen", "zustellung an folgende",
    "zustellung ihrer nachricht", "konnte nicht zugestellt", "wurde abgelehnt", "verzogert sich",
    "zustellung verzogert", "pas pu etre remis", "pas ete remis", "pas pu etre delivre", "pas pu etre distribue",
    "pas pu etre livre", "pas pu etre achemine", "pas ete distribue", "pas pu etre envoye", "pas ete delivre",
    "non remis", "impossible de remettre", "impossible de distribuer", "echec de la remise", "remise a echoue",
    "echec de remise", "la remise du message", "n'a pas pu remettre", "distribution de votre message",
    "erreur de remise", "no se pudo entregar", "no se ha podido entregar", "no pudo ser entregado",
    "no ha podido ser entregado", "no se puede entregar", "no se entrego", "no fue entregado",
    "error en la entrega", "error de entrega", "error al entregar", "fallo la entrega", "no ha sido entregado",
    "no pudo entregarse", "imposible entregar", "no se pudo enviar", "no ha llegado a", "nao pode ser entregue",
    "nao foi entregue", "nao foi possivel entregar", "falha na entrega", "falha ao entregar", "entrega falhou",
    "nao pode ser enviada", "nao puderam ser entregues", "erro na entrega", "nao alcancou", "falha de entrega",
    "nao p'ode ser entregue", "non e stato possibile recapitare", "impossibile recapitare",
    "non e stato recapitato", "recapito non riuscito", "consegna non riuscita", "non puo essere consegnato",
    "non e stato consegnato", "impossibile consegnare", "non ha raggiunto", "non e stato possibile consegnare",
    "mancata consegna", "mancato recapito", "non recapitato", "errore durante la consegna", "nu a putut fi livrat",
    "nu s-a putut livra", "livrarea a esuat", "nu a putut fi trimis", "niet worden bezorgd",
    "niet worden afgeleverd", "niet bezorgd", "bezorging is mislukt", "bezorging mislukt", "niet afgeleverd",
    "bezorgen van", "niet worden verzonden", "heeft niet bereikt", "bezorgen is mislukt", "onbestelbaar",
    "inte levereras", "leverans misslyckades", "leveransen misslyckades", "gick inte att leverera",
    "gar inte att leverera", "kunde inte leverera", "nadde inte", "inte kunnat levereras", "ikke leveres",
    "ikke levert", "ikke leveret", "levering mislykkedes", "leveringen mislykkedes", "leveringen mislyktes",
    "levering mislyktes", "kunne ikke levere", "ikke afleveres", "naede ikke", "ei voitu toimittaa",
    "ei voida toimittaa", "ei voi toimittaa", "toimitus epaonnistui", "toimittaminen epaonnistui", "ei saavuttanut",
    "ei toimitettu", "nie mozna dostarczyc", "nie dostarczono", "nie zostala dostarczona",
    "nie udalo sie dostarczyc", "nie moze zostac dostarczona", "dostarczenie nie powiodlo",
    "nie powiodlo sie dostarczenie", "nie mogla zostac dostarczona", "nie moze byc dostarczona", "nelze dorucit",
    "nebyla dorucena", "nepodarilo se dorucit", "nemohla byt dorucena", "doruceni se nezdarilo", "doruceni selhalo",
    "nemohl byt dorucen", "nepodarilo sa dorucit", "nebolo mozne dorucit", "sa nedala dorucit", "nem kezbesitheto",
    "kezbesites sikertelen", "nem sikerult kezbesiteni", "kezbesithetetlen", "nem lehetett kezbesiteni",
    "teslim edilemedi", "iletilemedi", "teslim edilemiyor", "teslim edilememistir", "teslimat basarisiz",
    "teslim edilmedi", "ulastirilamadi", "не может быть доставлен", "не удалось доставить", "не доставлен",
    "не был доставлен", "не было доставлен", "невозможно доставить", "ошибка доставки", "сбой доставки",
    "доставка не удалась", "ошибка при доставке", "недоставлен", "доставить сообщение", "не достигло",
    "доставка следующим", "не могло быть доставлен", "не вдалося доставити", "не доставлено", "неможливо доставити",
    "не може бути доставлен", "не можа да бъде доставен", "не беше доставен", "η παραδοση απετυχε",
    "δεν ηταν δυνατη η παραδοση", "δεν παραδοθηκε", "αποτυχια παραδοσης", "δεν μπορει να παραδοθει",
    "δεν μπορεσε να παραδοθει", "配信できません", "配信でき", "配信不能", "配信に失敗", "配信されません",
    "配達できません", "配達でき", "配送に失敗", "配送でき", "送信できません", "送信に失敗", "送信されません",
    "お届けでき", "届けることができません", "届きません", "配達されません", "宛先不明", "配信が遅",
    "宛先が存在しない", "エラーとなり", "无法投递", "無法投遞", "投递失败", "投遞失敗", "无法送达", "無法送達",
    "未能送达", "发送失败", "發送失敗", "退信", "被退回", "传递失败", "傳遞失敗", "未送达", "无法传递", "無法傳遞",
    "未能傳遞", "未能传递", "无法将邮件", "無法將郵件", "投送失败", "未能投递", "无法发送到", "退件", "배달되지 않",
    "배달할 수 없", "배달하지 못", "배달 실패", "배달에 실패", "배달하는 데 실패", "전송되지", "전송할 수 없",
    "전송에 실패", "전달되지", "전달할 수 없", "전달하지 못", "반송", "배달이 실패", "보내지 못", "전송 실패",
    "לא ניתן למסור", "המסירה נכשלה", "לא נמסרה", "לא ניתן היה למסור", "تعذر تسليم", "فشل التسليم", "فشل تسليم",
    "لم يتم تسليم", "khong the gui", "ไม่สามารถส่ง", "tidak dapat dikirim", "gagal mengirim",
];

/// Words of people who speak of themselves.
#[rustfmt::skip]
pub(super) const FIRST_PERSON: &[&str] = &[
    "i", "my", "me", "we've", "ich", "mein", "meine", "meiner", "mir", "je", "ma", "mes", "moi", "mi", "mio",
    "mia", "meu", "minha", "eu", "yo", "io", "ik", "mijn", "jag", "jeg", "minun", "ja", "moja", "moj", "muj",
    "moje", "я", "мой", "моя", "мое", "мне", "私", "我", "내", "제",
];

/// Beginnings of the line above a returned mail, without the dashes around it.
#[rustfmt::skip]
pub(super) const SEPARATORS: &[&str] = &[
    "original message follows", "original message headers", "original message header", "original message attached",
    "original message details", "original message", "original mail", "original email", "original e-mail",
    "the original message follows", "the original message is included", "the original message header",
    "the original message was:", "the original message headers", "the original message is attached",
    "the header of the original message", "the headers of the original message", "the header and top",
    "header of the original message", "headers of the original message", "original headers",
    "this is a copy of the message", "this is a copy of your message", "this is a copy of the header",
    "here is a copy of the first part", "here is a copy of the message", "here is your original message",
    "here are the headers", "a copy of the original message", "copy of the original message",
    "a copy of your message", "a copy of the message", "your original message", "included is a copy of the message",
    "below this line is a copy of", "below is a copy of", "below the next line is a copy",
    "start of returned message", "start of message", "returned mail", "returned message", "returned mail follows",
    "returned message follows", "message text follows", "message header follows", "message headers follow",
    "message follows", "message header", "message headers:", "headers follow", "message contents follow",
    "unsent message", "undelivered message headers", "undelivered message follows", "text of message",
    "text of the message", "begin returned message", "mail message follows", "failed message follows",
    "your message reads", "your message follows", "your message begins", "a summary of the undelivered message",
    "the text you sent follows", "the following is a copy", "the following is the header", "rejected message",
    "forwarded message", "begin forwarded message", "attachment is a copy of the message", "mail header follows",
    "transcript of headers", "bounced message", "ursprungliche nachricht", "originalnachricht",
    "original-nachricht", "urspruengliche nachricht", "kopie der nachricht", "kopfzeilen der",
    "der header der ursprunglichen", "weitergeleitete nachricht", "kopfzeilen der ursprunglichen",
    "anfang weitergeleitete", "message original", "message d'origine", "message initial", "copie du message",
    "en-tetes du message", "en-tetes de message d'origine", "message transfere", "debut du message",
    "mensaje original", "encabezados de mensajes originales", "copia del mensaje",
    "encabezados del mensaje original", "mensaje reenviado", "mensagem original",
    "cabecalhos de mensagem originais", "cabecalhos da mensagem original", "copia da mensagem",
    "mensagem encaminhada", "messaggio originale", "intestazioni originali del messaggio",
    "intestazioni del messaggio originale", "copia del messaggio", "messaggio inoltrato", "oorspronkelijk bericht",
    "oorspronkelijke bericht", "berichtkoppen", "oorspronkelijke berichtkoppen", "doorgestuurd bericht",
    "ursprungligt meddelande", "ursprungliga meddelande", "originalmeddelande", "den oprindelige",
    "oprindelig meddelelse", "opprinnelig melding", "opprinnelige meldings", "oprindelige meddelelses",
    "alkuperainen viesti", "alkuperaisen viestin", "oryginalna wiadomosc", "wiadomosc oryginalna",
    "pierwotne naglowki", "oryginalne naglowki", "puvodni zprava", "puvodni hlavicky", "povodna sprava",
    "eredeti uzenet", "ozgun ileti", "orijinal ileti", "mesaj original", "mesajul original", "исходное сообщение",
    "исходные заголовки", "заголовки исходного", "копия письма", "копия сообщения", "оригинальное сообщение",
    "исходное письмо", "пересланное сообщение", "ниже этой строки", "вихідне повідомлення", "αρχικο μηνυμα",
    "元のメッセージ", "元のメール", "オリジナルメッセージ", "転送メッセージ", "原始邮件", "原始郵件",
    "原始信件", "原始消息", "转发的邮件", "원본 메시지", "원본 메일", "원래 메시지",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::fold::fold;

    /// A wording that is not in folded form would never be found.
    #[test]
    fn wordings_are_folded() {
        let all = SUBJECTS.iter().chain(NOT_DELIVERED).chain(FIRST_PERSON).chain(SEPARATORS);
        let unfolded: Vec<_> = all.filter(|wording| fold(wording) != **wording).collect();
        assert!(unfolded.is_empty(), "{unfolded:?}");
    }
}
