//! What mail programs write around history, in their languages: each line with marks below it and without.

use super::visible_reply;

const ATTRIBUTIONS: &[(&str, &str)] = &[
    ("Gmail, English", "On Mon, Mar 2, 2026 at 9:15 AM Jane Doe <jane@x.example> wrote:"),
    ("Gmail, British", "On Mon, 2 Mar 2026 at 09:15, Jane Doe <jane@x.example> wrote:"),
    ("Gmail, wrapped", "On Mon, Mar 2, 2026 at 9:15 AM Jane Doe With A Very Long Name <\njane@x.example> wrote:"),
    ("Gmail, wrapped before the colon", "tir. 2. mars 2026 kl. 09:15 skrev Jane Doe <jane@x.example\n>:"),
    ("Gmail, German", "Am Mo., 2. März 2026 um 09:15 Uhr schrieb Jane Doe <jane@x.example>:"),
    ("Gmail, French", "Le lun. 2 mars 2026 à 09:15, Jane Doe <jane@x.example> a écrit :"),
    ("Gmail, French, hard blank", "Le lun. 2 mars 2026 à 09:15, Jane Doe <jane@x.example> a écrit\u{A0}:"),
    ("Gmail, Spanish", "El lun, 2 mar 2026 a las 9:15, Jane Doe (<jane@x.example>) escribió:"),
    ("Gmail, Italian", "Il giorno lun 2 mar 2026 alle ore 09:15 Jane Doe <jane@x.example> ha scritto:"),
    ("Gmail, Portuguese", "Em seg., 2 de mar. de 2026 às 09:15, Jane Doe <jane@x.example> escreveu:"),
    ("Gmail, Dutch", "Op ma 2 mrt 2026 om 09:15 schreef Jane Doe <jane@x.example>:"),
    ("Gmail, Swedish", "Den mån 2 mars 2026 kl 09:15 skrev Jane Doe <jane@x.example>:"),
    ("Gmail, Danish", "Den man. 2. mar. 2026 kl. 09.15 skrev Jane Doe <jane@x.example>:"),
    ("Gmail, Norwegian", "man. 2. mars 2026 kl. 09:15 skrev Jane Doe <jane@x.example>:"),
    ("Gmail, Finnish", "ma 2. maalisk. 2026 klo 9.15 Jane Doe (jane@x.example) kirjoitti:"),
    ("Gmail, Polish", "pon., 2 mar 2026 o 09:15 Jane Doe <jane@x.example> napisał(a):"),
    ("Gmail, Czech", "po 2. 3. 2026 v 9:15 odesílatel Jane Doe <jane@x.example> napsal:"),
    ("Gmail, Slovak", "po 2. 3. 2026 o 9:15 Jane Doe <jane@x.example> napísal(a):"),
    ("Gmail, Hungarian", "Jane Doe <jane@x.example> ezt írta (időpont: 2026. márc. 2., H, 9:15):"),
    ("Gmail, Romanian", "În lun., 2 mar. 2026 la 09:15, Jane Doe <jane@x.example> a scris:"),
    ("Gmail, Russian", "пн, 2 мар. 2026 г. в 09:15, Jane Doe <jane@x.example>:"),
    ("Gmail, Ukrainian", "пн, 2 бер. 2026 р. о 09:15 Jane Doe <jane@x.example> пише:"),
    ("Gmail, Bulgarian", "На пн, 2.03.2026 г. в 9:15 Jane Doe <jane@x.example> написа:"),
    ("Gmail, Greek", "Στις Δευ 2 Μαρ 2026 στις 9:15 π.μ., ο/η Jane Doe <jane@x.example> έγραψε:"),
    ("Gmail, Turkish", "Jane Doe <jane@x.example>, 2 Mar 2026 Pzt, 09:15 tarihinde şunu yazdı:"),
    (
        "Gmail, Hebrew",
        "\u{202B}בתאריך יום ב׳, 2 במרץ 2026 ב-9:15 מאת \u{202A}Jane Doe\u{202C}\u{200F} <\u{202A}jane@x.example\u{202C}\u{200F}>:\u{202C}",
    ),
    ("Gmail, Arabic", "في الاثنين، 2 مارس 2026 في 9:15 ص تمت كتابة ما يلي بواسطة Jane Doe <jane@x.example>:"),
    ("Gmail, Vietnamese", "Vào Th 2, 2 thg 3, 2026 vào lúc 09:15 Jane Doe <jane@x.example> đã viết:"),
    ("Gmail, Indonesian", "Pada tanggal Sen, 2 Mar 2026 pukul 09.15 Jane Doe <jane@x.example> menulis:"),
    ("Gmail, Thai", "ในวันที่ จ. 2 มี.ค. 2026 เวลา 09:15 Jane Doe <jane@x.example> เขียนว่า:"),
    ("Gmail, Chinese", "Jane Doe <jane@x.example> 于2026年3月2日周一 09:15写道："),
    ("Gmail, Taiwan", "Jane Doe <jane@x.example> 於 2026年3月2日 週一 上午9:15寫道："),
    ("Gmail, Japanese", "2026年3月2日(月) 9:15 Jane Doe <jane@x.example>:"),
    ("Gmail, Korean", "2026년 3월 2일 (월) 오전 9:15, Jane Doe <jane@x.example>님이 작성:"),
    ("Gmail, Estonian", "Kuupäev E, 2. märts 2026 kell 09:15 kirjutas Jane Doe <jane@x.example>:"),
    ("Gmail, Lithuanian", "2026-03-02, pr, 09:15 Jane Doe <jane@x.example> rašė:"),
    ("Gmail, Latvian", "pirmd., 2026. g. 2. marts, plkst. 09:15 — lietotājs Jane Doe (<jane@x.example>) rakstīja:"),
    ("Gmail, Croatian", "pon, 2. ožu 2026. u 09:15 Jane Doe <jane@x.example> napisao je:"),
    ("Gmail, Catalan", "Missatge de Jane Doe <jane@x.example> del dia dl., 2 de març 2026 a les 9:15:"),
    ("Apple Mail", "On 2. Mar 2026, at 09:15, Jane Doe <jane@x.example> wrote:"),
    ("Apple Mail, German", "Am 02.03.2026 um 09:15 schrieb Jane Doe <jane@x.example>:"),
    ("Apple Mail, French", "Le 2 mars 2026 à 09:15, Jane Doe <jane@x.example> a écrit :"),
    ("Apple Mail, Spanish", "El 2 mar 2026, a las 9:15, Jane Doe <jane@x.example> escribió:"),
    ("iPhone, Italian", "Il giorno 2 mar 2026, alle ore 09:15, Jane Doe <jane@x.example> ha scritto:"),
    ("Thunderbird", "On 3/2/26 9:15 AM, Jane Doe wrote:"),
    ("Thunderbird, German", "Am 02.03.26 um 09:15 schrieb Jane Doe:"),
    ("Thunderbird, French", "Le 02/03/2026 à 09:15, Jane Doe a écrit :"),
    ("Thunderbird, Russian", "02.03.2026 09:15, Jane Doe пишет:"),
    ("Yahoo", "On Monday, March 2, 2026 at 09:15:00 AM GMT+1, Jane Doe <jane@x.example> wrote:"),
    ("Yahoo, German", "Am Montag, 2. März 2026 um 09:15:00 MEZ hat Jane Doe <jane@x.example> Folgendes geschrieben:"),
    ("ProtonMail", "On Monday, March 2nd, 2026 at 9:15 AM, Jane Doe <jane@x.example> wrote:"),
    ("Zoho", "---- On Mon, 02 Mar 2026 09:15:00 +0100 Jane Doe <jane@x.example> wrote ----"),
    ("Spark", "On Mar 2, 2026, 9:15 AM +0100, Jane Doe <jane@x.example>, wrote:"),
    ("Outlook for Mac", "On 3/2/26, 09:15, \"Jane Doe\" <jane@x.example> wrote:"),
    ("K-9", "Am 2. März 2026 09:15:00 MEZ schrieb Jane Doe <jane@x.example>:"),
    ("FairEmail", "On March 2, 2026 9:15:00 AM GMT+01:00, Jane Doe <jane@x.example> wrote:"),
    ("Lotus Notes", "Jane Doe/Dept/Org wrote on 03/02/2026 09:15:00 AM:"),
    ("163", "在 2026-03-02 09:15:00，\"Jane Doe\" <jane@x.example> 写道："),
    ("Mutt", "On Mon, Mar 02, 2026 at 09:15:00AM +0100, Jane Doe wrote:"),
    (
        "Samsung",
        "-------- Original message --------\nFrom: Jane Doe <jane@x.example>\nDate: 02/03/2026 09:15 (GMT+01:00)",
    ),
    ("eM Client", "------ Original Message ------\nFrom \"Jane Doe\" <jane@x.example>"),
    ("Outlook", "-----Original Message-----\nFrom: Jane Doe"),
    ("Outlook, German", "-----Ursprüngliche Nachricht-----\nVon: Jane Doe"),
    ("Outlook, French", "-----Message d'origine-----\nDe : Jane Doe"),
    ("Outlook, Polish", "-----Wiadomość oryginalna-----\nOd: Jane Doe"),
    ("old ProtonMail", "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Monday, Jane wrote:"),
    ("QQ", "------------------ 原始邮件 ------------------\n发件人: \"Jane Doe\" <jane@x.example>;"),
];

/// From, sent, to, subject as Outlook writes them.
const BLOCKS: &[(&str, [&str; 4])] = &[
    ("English", ["From:", "Sent:", "To:", "Subject:"]),
    ("Mac", ["From:", "Date:", "To:", "Subject:"]),
    ("bold", ["*From:*", "*Sent:*", "*To:*", "*Subject:*"]),
    ("German", ["Von:", "Gesendet:", "An:", "Betreff:"]),
    ("French", ["De :", "Envoyé :", "À :", "Objet :"]),
    ("Spanish", ["De:", "Enviado el:", "Para:", "Asunto:"]),
    ("Italian", ["Da:", "Inviato:", "A:", "Oggetto:"]),
    ("Portuguese", ["De:", "Enviado:", "Para:", "Assunto:"]),
    ("Dutch", ["Van:", "Verzonden:", "Aan:", "Onderwerp:"]),
    ("Swedish", ["Från:", "Skickat:", "Till:", "Ämne:"]),
    ("Danish", ["Fra:", "Sendt:", "Til:", "Emne:"]),
    ("Finnish", ["Lähettäjä:", "Lähetetty:", "Vastaanottaja:", "Aihe:"]),
    ("Polish", ["Od:", "Wysłano:", "Do:", "Temat:"]),
    ("Czech", ["Od:", "Odesláno:", "Komu:", "Předmět:"]),
    ("Slovak", ["Od:", "Odoslané:", "Komu:", "Predmet:"]),
    ("Hungarian", ["Feladó:", "Elküldve:", "Címzett:", "Tárgy:"]),
    ("Romanian", ["De la:", "Trimis:", "Către:", "Subiect:"]),
    ("Russian", ["От:", "Отправлено:", "Кому:", "Тема:"]),
    ("Ukrainian", ["Від:", "Надіслано:", "Кому:", "Тема:"]),
    ("Bulgarian", ["От:", "Изпратено:", "До:", "Относно:"]),
    ("Greek", ["Από:", "Στάλθηκε:", "Προς:", "Θέμα:"]),
    ("Turkish", ["Kimden:", "Gönderildi:", "Kime:", "Konu:"]),
    ("Hebrew", ["מאת:", "נשלח:", "אל:", "נושא:"]),
    ("Arabic", ["من:", "تاريخ الإرسال:", "إلى:", "الموضوع:"]),
    ("Vietnamese", ["Từ:", "Đã gửi:", "Đến:", "Chủ đề:"]),
    ("Thai", ["จาก:", "ส่ง:", "ถึง:", "เรื่อง:"]),
    ("Indonesian", ["Dari:", "Dikirim:", "Kepada:", "Subjek:"]),
    ("Chinese", ["发件人:", "发送时间:", "收件人:", "主题:"]),
    ("Taiwan", ["寄件者：", "寄件日期：", "收件者：", "主旨："]),
    ("Japanese", ["差出人:", "送信日時:", "宛先:", "件名:"]),
    ("Korean", ["보낸 사람:", "보낸 날짜:", "받는 사람:", "제목:"]),
    ("Orange", ["De :", "Message du :", "A :", "Sujet :"]),
];

#[test]
fn attributions_of_every_program() {
    let mut wrong = Vec::new();
    for (who, attribution) in ATTRIBUTIONS {
        for below in
            ["\n> the old words\n> and more", "\n\nthe old words\nand more", "\n\n> the old words\n>\n> and more\n"]
        {
            let text = format!("My answer.\nIt has two lines.\n\n{attribution}{below}");
            let visible = visible_reply(&text, false);
            if visible.reply != "My answer.\nIt has two lines." || visible.cut.rule.is_none() {
                wrong.push(format!("{who}: {below:?} -> {:?}", visible.reply));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn header_blocks_of_every_language() {
    let mut wrong = Vec::new();
    for (who, [from, sent, to, subject]) in BLOCKS {
        let ordered = format!("{from} Jane Doe <jane@x.example>\n{sent} 2.3.2026 09:15\n{to} Me\n{subject} Printer");
        let other = format!("{sent} 2.3.2026 09:15\n{from} Jane Doe\n{to} Me\n{subject} Printer");
        for block in
            [&ordered, &other, &format!("________________________________\n{ordered}"), &ordered.replace('\n', "\n\n")]
        {
            let reply = visible_reply(&format!("My answer.\n\n{block}\n\nthe old words"), false).reply;
            if reply != "My answer." {
                wrong.push(format!("{who}: {block:?} -> {reply:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn endings_that_go_and_their_rules() {
    for (text, expected, rule) in [
        ("Hello\n\nRegards,\n\nJohn Doe\nCEO @ Acme", "Hello", "closing"),
        ("Hej\n\nMed venlig hilsen\nAnders", "Hej", "closing"),
        ("Hej\n\n/Anders", "Hej", "closing"),
        ("Hello\n-- \nJane", "Hello", "signature"),
        ("Hello\n\nSent from my iPhone", "Hello", "footer"),
        ("Hallo\n\nVon meinem iPhone gesendet", "Hallo", "footer"),
        (
            "Hello\n\nCONFIDENTIALITY NOTICE: This e-mail and any attachments are for the intended recipient only.\n\nDiese E-Mail enthält vertrauliche Informationen.",
            "Hello",
            "legal-footer",
        ),
        (
            "Hello\n\nIf you are not the intended recipient of this confidential message, please notify the sender and delete it; any disclosure is unauthorised.",
            "Hello",
            "legal-footer",
        ),
        ("Hello\n\nVirus-free. www.avast.example", "Hello", "legal-footer"),
        (
            "CAUTION: This email originated from outside of the organization. Do not click links.\n\nHello",
            "Hello",
            "banner",
        ),
        ("Hello\n\n> old\n> words\n", "Hello", "quote"),
        (
            "Hello\n\nOn Mon, 2 Mar 2026, Jane wrote:\n> a line that is so long that a gateway broke it behind\nthese words\n> and more",
            "Hello",
            "attribution",
        ),
    ] {
        let visible = visible_reply(text, false);
        assert_eq!((visible.reply.as_str(), visible.cut.rule), (expected, Some(rule)), "{text:?}");
    }
}

#[test]
fn what_only_looks_like_an_ending_stays() {
    for text in [
        "Please give my regards,\nand tell them that I am waiting for the parts since Monday, which is too long.",
        "Regards to all",
        "Best\nwishes are not what I need?",
        "Is this confidential?",
        "The file is in\n/Users",
        "> my question was long enough to be wrapped by some program\nyes, it was",
        "[EXTERNAL] stands in all our subjects",
        "On the 2nd of March we wrote: nothing",
        "Date: tomorrow\nTo: the office\nPlease come",
        "Kind regards are the first words of this mail and it goes on for longer than a closing would,\nreally",
    ] {
        assert_eq!(visible_reply(text, false).reply, text, "{text:?}");
    }
}
