//! Words of dates: months, zones, halves of the day.

/// What a word of a date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Month from 1, and whether it may be a weekday.
    Month(i8, bool),
    /// Seconds east of Greenwich.
    Zone(i32),
    /// PM, or AM.
    Afternoon(bool),
    /// Known, and says nothing.
    Nothing,
    Other,
}

/// Beginnings of month names: English, German, French, Spanish, Italian, Dutch, Portuguese, Russian.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "янв"],
    &["feb", "fév", "fev", "фев"],
    &["mar", "mär", "mrz", "maer", "maar", "mrt"],
    &["apr", "avr", "abr", "апр"],
    &["may", "mai", "mei", "mag", "май", "мая"],
    &["jun", "juin", "giu", "июн"],
    &["jul", "juil", "lug", "июл"],
    &["aug", "aoû", "aou", "ago", "авг"],
    &["sep", "set", "сен"],
    &["oct", "okt", "ott", "out", "окт"],
    &["nov", "ноя"],
    &["dec", "dez", "déc", "dic", "дек"],
];

/// Minutes east. RFC 5322 section 4.3 names the American ones; the others are what mailers of their places write.
/// Where a name has several meanings the one of most mail counts (IST India, CST America, BST Britain).
const ZONES: [(&str, i32); 53] = [
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("cet", 60),
    ("met", 60),
    ("mez", 60),
    ("cest", 120),
    ("mest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("sast", 120),
    ("cat", 120),
    ("eest", 180),
    ("eat", 180),
    ("trt", 180),
    ("msk", 180),
    ("msd", 240),
    ("gst", 240),
    ("pkt", 300),
    ("ist", 330),
    ("npt", 345),
    ("ict", 420),
    ("wib", 420),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("myt", 480),
    ("pht", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("aest", 600),
    ("acdt", 630),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("brt", -180),
    ("art", -180),
    ("nst", -210),
    ("ast", -240),
    ("adt", -180),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
];

/// Weekdays that begin like a month.
const WEEKDAYS: [&str; 4] = ["mardi", "marted", "martes", "maandag"];

pub(super) fn word(token: &str) -> Word {
    let lower = token.trim_matches('.').to_lowercase();
    match lower.as_str() {
        "am" | "a.m" => return Word::Afternoon(false),
        "pm" | "p.m" => return Word::Afternoon(true),
        "akst" => return Word::Zone(-9 * 3600),
        "hst" => return Word::Zone(-10 * 3600),
        "uhr" | "at" | "de" | "of" | "um" => return Word::Nothing,
        _ => {}
    }
    if let Some((_, minutes)) = ZONES.iter().find(|(name, _)| *name == lower) {
        return Word::Zone(minutes * 60);
    }
    if WEEKDAYS.iter().any(|weekday| lower.starts_with(weekday)) {
        return Word::Nothing;
    }
    // `мар` would be found by its beginning only; it has no look-alike weekday.
    if lower.starts_with("мар") {
        return Word::Month(3, false);
    }
    let month = (1_i8..).zip(MONTHS).find(|(_, names)| names.iter().any(|name| lower.starts_with(name)));
    month.map_or(Word::Other, |(month, _)| Word::Month(month, lower == "mar"))
}
