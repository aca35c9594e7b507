//! Form bodies as octets: `multipart/form-data` and `application/x-www-form-urlencoded`, fields undecoded.
//!
//! Mail is not UTF-8, so no field is turned into text before somebody asks for it as text.

use bytes::Bytes;
use futures_util::stream;

use crate::{headers::fields::octets_as_text, parse::params::Structured};

/// Fields taken; Mailgun sends every header as a field of its own.
const FIELDS_MAX: usize = 5_000;

/// The fields of a form, in order.
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: Vec<Field>,
}

/// One field.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its octets.
    pub value: Bytes,
    /// Set where it is a file: the file's name, which may be empty.
    pub filename: Option<String>,
    /// Its Content-Type as sent; empty where there is none.
    pub content_type: String,
}

/// Why a body is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// The content type is no form's.
    ContentType,
    /// It is one and does not read.
    Unreadable,
    /// Too many fields.
    TooMany,
}

impl Form {
    /// Reads a body by its content type.
    ///
    /// # Errors
    /// See [`FormError`].
    pub async fn read(content_type: &str, body: &Bytes) -> Result<Self, FormError> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "multipart/form-data" => Self::multipart(content_type, body).await,
            "application/x-www-form-urlencoded" => Self::urlencoded(body),
            _ => Err(FormError::ContentType),
        }
    }

    async fn multipart(content_type: &str, body: &Bytes) -> Result<Self, FormError> {
        let boundary = multer::parse_boundary(content_type).map_err(|_| FormError::Unreadable)?;
        let whole = stream::iter([Ok::<_, std::convert::Infallible>(body.clone())]);
        let mut parts = multer::Multipart::new(whole, boundary);
        let mut fields = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(|_| FormError::Unreadable)? {
            let header = |name| part.headers().get(name).map(http::HeaderValue::as_bytes).unwrap_or_default();
            // RFC 7578 section 4.2: names of files are UTF-8 there, and in any charset in practice.
            let disposition = Structured::parse(header(http::header::CONTENT_DISPOSITION));
            let mut field = Field {
                name: part.name().or(disposition.param("name")).unwrap_or_default().to_owned(),
                filename: disposition.param("filename").map(str::to_owned),
                content_type: octets_as_text(header(http::header::CONTENT_TYPE)).into_owned(),
                ..Field::default()
            };
            field.value = part.bytes().await.map_err(|_| FormError::Unreadable)?;
            fields.push(field);
            if fields.len() > FIELDS_MAX {
                return Err(FormError::TooMany);
            }
        }
        Ok(Self { fields })
    }

    fn urlencoded(body: &Bytes) -> Result<Self, FormError> {
        let mut fields = Vec::new();
        for pair in body.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default());
            let value = decode(halves.next().unwrap_or_default());
            let name = String::from_utf8_lossy(&name).into_owned();
            fields.push(Field { name, value: Bytes::from(value), ..Field::default() });
            if fields.len() > FIELDS_MAX {
                return Err(FormError::TooMany);
            }
        }
        Ok(Self { fields })
    }

    /// The octets of a field that occurs exactly once; `None` where it is missing or repeated.
    #[must_use]
    pub fn once(&self, name: &str) -> Option<&Bytes> {
        let mut found = self.fields.iter().filter(|field| field.name == name).map(|field| &field.value);
        match (found.next(), found.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }

    /// Such a field as text; `None` where it is not UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.once(name).and_then(|octets| std::str::from_utf8(octets).ok())
    }

    /// True where the field is there at all.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// The octets of every field of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| &field.value)
    }
}

/// `application/x-www-form-urlencoded` octets (WHATWG URL section 5.1): `+` is a space, `%XX` an octet, a lone `%` itself.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        octets.push(match first {
            b'+' => b' ',
            b'%' => match after.split_at_checked(2).and_then(|(hex, tail)| Some((octet(hex)?, tail))) {
                Some((octet, tail)) => {
                    rest = tail;
                    octet
                }
                None => b'%',
            },
            other => *other,
        });
    }
    octets
}

fn octet(hex: &[u8]) -> Option<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    match hex {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn urlencoded_keeps_octets() {
        let body = Bytes::from_static(b"a=%E9+b&c=1&c=2&d&=x&%zz=%");
        let form = Form::read("application/x-www-form-urlencoded; charset=utf-8", &body).await.unwrap();
        assert_eq!(form.once("a").unwrap().as_ref(), b"\xE9 b");
        assert_eq!(form.text("a"), None, "Latin-1 is not text yet");
        assert_eq!(form.once("c"), None, "repeated");
        assert!(form.has("c"));
        assert_eq!(form.text("d"), Some(""));
        assert_eq!(form.text("%zz"), Some("%"));
    }

    #[tokio::test]
    async fn multipart_keeps_octets() {
        let body = Bytes::from_static(
            b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\xE9\r\n--B\r\nContent-Disposition: form-data; \
              name=\"f\"; filename=\"x\"\r\nContent-Type: message/rfc822\r\n\r\nmail\r\n--B--\r\n",
        );
        let form = Form::read("multipart/form-data; boundary=B", &body).await.unwrap();
        assert_eq!(form.once("a").unwrap().as_ref(), b"\xE9");
        assert_eq!(form.text("f"), Some("mail"));
        let files: Vec<_> = form.iter().filter(|field| field.filename.is_some()).collect();
        let [file] = files[..] else { panic!("one file") };
        assert_eq!((file.filename.as_deref(), file.content_type.as_str()), (Some("x"), "message/rfc822"));
    }

    #[tokio::test]
    async fn what_is_no_form() {
        let body = Bytes::from_static(b"--X\r\nnonsense");
        for (content_type, expected) in [
            ("application/json", FormError::ContentType),
            ("", FormError::ContentType),
            ("multipart/form-data", FormError::Unreadable),
            ("multipart/form-data; boundary=B", FormError::Unreadable),
        ] {
            assert_eq!(Form::read(content_type, &body).await.unwrap_err(), expected, "{content_type}");
        }
    }
}
