//! The closing of a letter: a valediction in a line of its own and the name below it.

/// Filled lines from the valediction to the end: names, a title, a company, a phone number.
const LINES_MAX: usize = 8;
/// Longest of them, in characters; a longer one is a sentence.
const LINE_CHARS_MAX: usize = 60;

/// Valedictions, lower case, without punctuation at their end. `Thanks` is not among them: that is something said.
const VALEDICTIONS: &[&str] = &[
    "regards",
    "best regards",
    "kind regards",
    "warm regards",
    "with kind regards",
    "with best regards",
    "many regards",
    "kindest regards",
    "rgds",
    "br",
    "kr",
    "sincerely",
    "yours sincerely",
    "sincerely yours",
    "yours faithfully",
    "yours truly",
    "best",
    "all the best",
    "best wishes",
    "cheers and regards",
    "cordially",
    "respectfully",
    "mit freundlichen grüßen",
    "mit freundlichem gruß",
    "mit freundlichen grüssen",
    "freundliche grüße",
    "freundliche grüsse",
    "viele grüße",
    "viele grüsse",
    "beste grüße",
    "beste grüsse",
    "liebe grüße",
    "herzliche grüße",
    "schöne grüße",
    "mit besten grüßen",
    "mfg",
    "lg",
    "vg",
    "gruß",
    "grüße",
    "cordialement",
    "bien cordialement",
    "très cordialement",
    "sincères salutations",
    "meilleures salutations",
    "salutations distinguées",
    "bien à vous",
    "bonne journée",
    "amicalement",
    "saludos",
    "saludos cordiales",
    "un saludo",
    "un cordial saludo",
    "atentamente",
    "cordialmente",
    "atenciosamente",
    "cumprimentos",
    "com os melhores cumprimentos",
    "melhores cumprimentos",
    "abraços",
    "att",
    "cordiali saluti",
    "distinti saluti",
    "saluti",
    "un saluto",
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "vriendelijke groet",
    "vriendelijke groeten",
    "groeten",
    "mvg",
    "med vänliga hälsningar",
    "vänliga hälsningar",
    "vänligen",
    "med vänlig hälsning",
    "hälsningar",
    "mvh",
    "med venlig hilsen",
    "venlig hilsen",
    "de bedste hilsner",
    "bedste hilsner",
    "hilsen",
    "kh",
    "vh",
    "med vennlig hilsen",
    "vennlig hilsen",
    "beste hilsen",
    "ystävällisin terveisin",
    "terveisin",
    "pozdrawiam",
    "z poważaniem",
    "z powazaniem",
    "serdecznie pozdrawiam",
    "s pozdravem",
    "s přáním hezkého dne",
    "s pozdravom",
    "üdvözlettel",
    "tisztelettel",
    "cu stimă",
    "cu respect",
    "с уважением",
    "с наилучшими пожеланиями",
    "з повагою",
    "с поздрави",
    "saygılarımla",
    "iyi çalışmalar",
    "με εκτίμηση",
    "lugupidamisega",
    "pagarbiai",
    "ar cieņu",
    "s poštovanjem",
    "lp",
    "lep pozdrav",
    "trân trọng",
    "hormat saya",
    "salam",
    "よろしくお願いいたします",
    "以上、よろしくお願いいたします",
    "敬具",
    "此致",
    "祝好",
    "감사합니다",
    "בברכה",
    "مع التحية",
    "تحياتي",
];

/// The line at which a closing begins that goes to the end, where something stands above it.
pub(super) fn closing(lines: &[&str]) -> Option<usize> {
    let mut filled = 0;
    for (at, line) in lines.iter().enumerate().rev() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        filled += 1;
        if filled > LINES_MAX || line.chars().count() > LINE_CHARS_MAX || line.ends_with('?') || line.starts_with('>') {
            return None;
        }
        let above = || lines.iter().take(at).any(|line| !line.trim().is_empty());
        if is_valediction(line) {
            return (filled > 1 && above()).then_some(at);
        }
        let apart = at > 0 && lines.get(at - 1).is_some_and(|line| line.trim().is_empty());
        if filled == 1 && apart && is_slashed_name(line) && above() {
            return Some(at);
        }
    }
    None
}

fn is_valediction(line: &str) -> bool {
    let bare = line.trim_end_matches([',', '.', '!', ' ', '،', '。', '，', '*', '_']).trim_start_matches(['*', '_']);
    VALEDICTIONS.contains(&bare.to_lowercase().as_str())
}

/// `/John`, as Swedes and Danes close.
fn is_slashed_name(line: &str) -> bool {
    line.strip_prefix('/').map(str::trim_start).is_some_and(|name| {
        name.starts_with(char::is_uppercase) && !name.contains('/') && name.split_whitespace().count() <= 2
    })
}
