//! What lawyers, scanners and gateways add: below the text, and as a banner above it.

use super::is_blank;

/// Paragraphs at the end that are looked at: disclaimers come in several languages below one another.
const PARAGRAPHS_MAX: usize = 8;
/// Lines at the top that a banner takes.
const BANNER_LINES_MAX: usize = 4;
/// Octets of a paragraph that are looked at.
const PARAGRAPH_OCTETS_MAX: usize = 4_096;

/// Wordings of disclaimers, lower case; two of them in a paragraph make it one.
const WORDINGS: &[&str] = &[
    "confidential",
    "intended recipient",
    "intended only for",
    "intended solely",
    "legally privileged",
    "privileged",
    "received this e-mail in error",
    "received this email in error",
    "received this message in error",
    "received it in error",
    "this e-mail and any",
    "this email and any",
    "this message and any",
    "this communication",
    "unauthorized",
    "unauthorised",
    "notify the sender",
    "delete this",
    "delete it",
    "disclosure",
    "distribution",
    "vertraulich",
    "bestimmt",
    "irrtümlich",
    "nicht der richtige adressat",
    "unbefugt",
    "informieren sie bitte",
    "vernichten sie",
    "nicht gestattet",
    "rechtlich geschützt",
    "confidentiel",
    "destinataire",
    "reçu ce message par erreur",
    "par erreur",
    "toute utilisation",
    "immédiatement l'expéditeur",
    "détruire",
    "interdite",
    "confidencial",
    "destinatario",
    "por error",
    "privilegiada",
    "prohibida",
    "notifique",
    "elimine",
    "destinatário",
    "por engano",
    "sigilos",
    "proibid",
    "riservat",
    "per errore",
    "divulgazione",
    "vietat",
    "uso esclusivo",
    "vertrouwelijk",
    "geadresseerde",
    "ten onrechte",
    "uitsluitend bestemd",
    "verboden",
    "konfidentiell",
    "avsedd",
    "av misstag",
    "fortrolig",
    "tiltænkt",
    "ved en fejl",
    "konfidensiell",
    "luottamuksell",
    "poufn",
    "adresat",
    "przez pomyłkę",
    "конфиденциальн",
    "предназначен",
    "по ошибке",
    "důvěrn",
    "omylem",
    "gizli",
    "yanlışlıkla",
];

/// What one line or paragraph says by itself, lower case, at its start.
const OPENINGS: &[&str] = &[
    "confidentiality notice",
    "confidentiality note",
    "confidential:",
    "disclaimer",
    "important notice:",
    "legal notice",
    "privacy notice",
    "vertraulichkeitshinweis",
    "haftungsausschluss",
    "avis de confidentialité",
    "aviso de confidencialidad",
    "aviso legal",
    "aviso de confidencialidade",
    "avvertenza",
    "please consider the environment",
    "think before you print",
    "before printing",
    "bitte denken sie an die umwelt",
    "pensez à l'environnement",
    "virus-free.",
    "virenfrei.",
    "sans virus.",
    "this email has been checked for viruses",
    "this email has been scanned",
    "this message has been scanned",
    "this e-mail was scanned",
    "scanned by",
    "diese e-mail wurde von avast",
    "le informazioni contenute in questo messaggio",
    "la presente comunicazione",
    "este mensaje y sus archivos adjuntos",
    "este e-mail e seus anexos",
    "diese e-mail enthält vertrauliche",
    "diese e-mail und alle",
    "ce message et toutes les pièces jointes",
    "this e-mail and any attachments",
    "this email and any attachments",
    "this message and any attachments",
    "this email is confidential",
    "the information contained in this",
    "the content of this email is confidential",
];

/// What gateways put above mail from outside, lower case.
const BANNERS: &[&str] = &[
    "caution: this email originated from outside",
    "caution: external",
    "external email",
    "[external]",
    "this email originated from outside",
    "this message originated from outside",
    "warning: this email",
    "you don't often get email from",
    "some people who received this message don't often get email",
    "sie erhalten nicht häufig e-mails von",
    "vous n'obtenez pas souvent d'e-mail",
    "vorsicht: externe",
    "achtung: diese e-mail",
    "attention : ce courriel",
    "attention: this email",
    "no suele recibir correo",
];

/// The line at which a legal footer begins that goes to the end, where something stands above it.
pub(super) fn footer(lines: &[&str]) -> Option<usize> {
    let mut found = None;
    let mut end = lines.len();
    for _ in 0..PARAGRAPHS_MAX {
        let above = lines.get(..end).unwrap_or_default();
        let Some(last) = above.iter().rposition(|line| !is_blank(line)) else { break };
        let start = above.iter().take(last).rposition(|line| is_blank(line)).map_or(0, |at| at + 1);
        if is_legal(above.get(start..=last).unwrap_or_default()) {
            found = Some(start);
        }
        end = start;
    }
    found.filter(|start| lines.iter().take(*start).any(|line| !is_blank(line) && !super::is_quoted(line)))
}

fn is_legal(paragraph: &[&str]) -> bool {
    let joined = paragraph.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let joined = joined.get(..joined.floor_char_boundary(PARAGRAPH_OCTETS_MAX)).unwrap_or(&joined).to_lowercase();
    let text = joined.trim_start_matches(|c: char| !c.is_alphanumeric());
    let opens = OPENINGS.iter().any(|opening| text.starts_with(opening));
    // A short line that speaks of confidence is somebody's sentence.
    let worded = text.len() >= 120 && WORDINGS.iter().filter(|wording| text.contains(*wording)).take(3).count() >= 3;
    opens || worded
}

/// Lines of a banner on top, blank lines below it included.
pub(super) fn banner(lines: &[&str]) -> usize {
    let Some(first) = lines.iter().position(|line| !is_blank(line)) else { return 0 };
    let text = lines.get(first).copied().unwrap_or_default().to_lowercase();
    let text = text.trim_start_matches(|c: char| !(c.is_alphanumeric() || c == '['));
    if !BANNERS.iter().any(|banner| text.starts_with(banner)) {
        return 0;
    }
    let rest = lines.get(first..).unwrap_or_default();
    // It ends at a blank line; one that doesn't soon is no banner.
    match rest.iter().take(BANNER_LINES_MAX + 1).position(|line| is_blank(line)) {
        Some(length) if rest.iter().skip(length).any(|line| !is_blank(line)) => first + length,
        _ => 0,
    }
}
