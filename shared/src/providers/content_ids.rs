//! Which file of a form is which Content-ID, as Mailgun and SendGrid write it: JSON, Content-ID to the file's field. The
//! same Content-ID may stand in it twice.

use std::{collections::HashMap, fmt};

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// Field of a file to its Content-ID.
pub(super) fn read(json: &str) -> HashMap<String, String> {
    let Ok(Pairs(pairs)) = serde_json::from_str(json) else { return HashMap::new() };
    let named = pairs.into_iter().filter_map(|(id, field)| Some((field.as_str()?.to_owned(), id)));
    named.collect()
}

/// A JSON object whose names may repeat.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ids_may_repeat_and_be_empty() {
        let ids = read(
            r#"{"": "attachment-1", "": "attachment-2", "<a>": "attachment-3", "<a>": "attachment-4", "<b>": {}}"#,
        );
        let of = |name: &str| ids.get(name).map(String::as_str);
        assert_eq!(
            ["attachment-1", "attachment-2", "attachment-3", "attachment-4"].map(of),
            [Some(""), Some(""), Some("<a>"), Some("<a>")]
        );
        assert_eq!(ids.len(), 4);
        assert!(read("[]").is_empty() && read("nonsense").is_empty());
    }
}
