//! Style attributes: what they hide from a reader, and what of them is safe to keep.

/// Declarations read of one attribute; mailers write a few dozen.
const DECLARATIONS_MAX: usize = 100;
/// Longest value kept, in octets: a list of fonts.
const VALUE_OCTETS_MAX: usize = 200;

/// What may stay: looks of a box and its text. Nothing that places a box over others (`position`, `z-index`,
/// `transform`, `float` with negative margins), loads (`background-image`, `content`, `cursor`, `@import`) or runs.
const PROPERTIES: [&str; 57] = [
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "color",
    "direction",
    "display",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "overflow",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-transform",
    "vertical-align",
    "visibility",
    "white-space",
    "width",
];
const FUNCTIONS: [&str; 4] = ["rgb", "rgba", "hsl", "hsla"];

/// `(property, value)`, lower case, without `!important`.
fn declarations(style: &str) -> impl Iterator<Item = (String, String)> {
    style.split(';').take(DECLARATIONS_MAX).filter_map(|declaration| {
        let (property, value) = declaration.split_once(':')?;
        let value = value.to_ascii_lowercase();
        let value = value.trim().trim_end_matches("!important").trim().to_owned();
        Some((property.trim().to_ascii_lowercase(), value))
    })
}

/// How an element's own style changes what a person sees of its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Not displayed, whatever its children say.
    pub(super) hidden: bool,
    /// `Some(true)` = letters too small to be seen, until a child sets its own size.
    pub(super) tiny: Option<bool>,
    /// Blanks and line breaks are kept.
    pub(super) keeps_lines: Option<bool>,
    /// No space above or below: a line rather than a paragraph.
    pub(super) is_tight: bool,
    /// A margin to the left without a border: indented text, which webmail writes as a blockquote.
    pub(super) is_indent: bool,
}

/// Reads a style. `mso-hide` alone hides from Outlook only, so it does not count: everybody else sees the words.
pub(super) fn look(style: &str) -> Look {
    let mut look = Look::default();
    let (mut no_height, mut clipped, mut borderless, mut left) = (false, false, false, false);
    for (property, value) in declarations(style) {
        let zero = number(&value) == Some(0.0);
        match property.as_str() {
            "display" => look.hidden |= value == "none",
            "visibility" => look.hidden |= value == "hidden" || value == "collapse",
            "opacity" => look.hidden |= zero,
            "font-size" => {
                look.tiny = number(&value).map(|n| n == 0.0 || n <= 1.0 && value.ends_with("px")).or(Some(false));
            }
            "height" | "max-height" => no_height |= zero,
            "overflow" => clipped |= value == "hidden",
            "white-space" => look.keeps_lines = Some(value.starts_with("pre") || value == "break-spaces"),
            "margin" => {
                look.is_tight = zero;
                left |= value.ends_with("40px");
            }
            "margin-bottom" | "margin-top" => look.is_tight |= zero,
            "border" => borderless |= zero || value == "none",
            _ => {}
        }
    }
    look.hidden |= no_height && clipped;
    look.is_indent = borderless && left;
    look
}

/// The number a value begins with.
fn number(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

/// The declarations that are on the list with values that can do nothing but look.
pub(super) fn safe(style: &str) -> String {
    let mut kept = String::new();
    for (property, value) in declarations(style) {
        if PROPERTIES.binary_search(&property.as_str()).is_ok() && is_safe(&value) {
            kept.push_str(if kept.is_empty() { "" } else { ";" });
            kept.push_str(&property);
            kept.push(':');
            kept.push_str(&value);
        }
    }
    kept
}

/// No escapes, comments, addresses or functions but those of colours; nothing negative, which would lay text over
/// what stands beside the mail.
fn is_safe(value: &str) -> bool {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, ' ' | '#' | '%' | '.' | ',' | '-' | '(' | ')' | '\'' | '"');
    let quotes = |quote: char| value.matches(quote).count().is_multiple_of(2);
    let mut functions = value.split('(');
    let last = functions.next_back();
    let colours = functions.all(|before| FUNCTIONS.iter().any(|name| before.trim_end().ends_with(name)));
    let negative = value.split([' ', ',', '(']).any(|word| word.starts_with('-') || word.starts_with("fixed"));
    !value.is_empty()
        && last.is_some()
        && value.len() <= VALUE_OCTETS_MAX
        && value.chars().all(plain)
        && quotes('"')
        && quotes('\'')
        && colours
        && !negative
}

/// The first address that a background loads.
pub(super) fn background(style: &str) -> Option<&str> {
    let at = style.to_ascii_lowercase().find("url(")?;
    let address = style.get(at + 4..)?.split(')').next()?;
    Some(address.trim().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_looks() {
        for (style, hidden, tiny) in [
            ("display:none", true, None),
            ("DISPLAY : None !important", true, None),
            ("max-height:0px;overflow:hidden", true, None),
            ("max-height:0", false, None),
            ("opacity:0", true, None),
            ("opacity:0.5", false, None),
            ("mso-hide:all", false, None),
            ("font-size:0", false, Some(true)),
            ("font-size:1px;line-height:1px", false, Some(true)),
            ("font-size:1em", false, Some(false)),
            ("font-size:medium", false, Some(false)),
        ] {
            let look = look(style);
            assert_eq!((look.hidden, look.tiny), (hidden, tiny), "{style}");
        }
        assert!(look("margin:0cm;font-size:11pt").is_tight);
        assert!(look("margin:0 0 0 40px;border:none;padding:0px").is_indent);
        assert!(!look("margin:0 0 0 .8ex;border-left:1px #ccc solid").is_indent);
    }

    #[test]
    fn safe_declarations_stay() {
        for (style, expected) in [
            ("color:#FF0000; Font-Size : 12.0pt", "color:#ff0000;font-size:12.0pt"),
            ("font-family:\"Calibri\",sans-serif", "font-family:\"calibri\",sans-serif"),
            ("color:rgba(1, 2, 3, .5)", "color:rgba(1, 2, 3, .5)"),
            ("background:url(http://x.example)", ""),
            ("background-color:u\\72l(x)", ""),
            ("color:ur/**/l(x)", ""),
            ("width:expression(alert(1))", ""),
            ("width:calc(1px)", ""),
            ("position:fixed;top:0;z-index:9", ""),
            ("margin-left:-500px", ""),
            ("font-family:'a;color:red", "color:red"),
            ("-moz-binding:url(x);behavior:url(x)", ""),
            ("color:red}*{x:y", ""),
            ("@import 'x';color:red", "color:red"),
            ("color:image-set('x' 1x)", ""),
        ] {
            assert_eq!(safe(style), expected, "{style}");
            assert_eq!(safe(&safe(style)), safe(style), "{style}");
        }
        assert!(PROPERTIES.is_sorted());
    }
}
