//! A body that something in front of us wrote anew: a proxy, a gateway, a relay script. Told in words, because the
//! signature's absence would point at the wrong place.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::Request;

/// Octets looked at.
const LOOKED_AT: usize = 4_096;

/// What happened to a form on its way, if anything is to be seen.
pub(super) fn form_in_disguise(request: &Request) -> Option<&'static str> {
    let body = request.body.get(..LOOKED_AT).unwrap_or(&request.body).trim_ascii_start();
    let content_type = request.content_type();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if decoded(body).is_some_and(|octets| is_multipart(&octets) || is_urlencoded(&octets)) {
        return Some("the body is Base64 text: what stands in front of this door passes it on without decoding it");
    }
    match kind.as_str() {
        "multipart/form-data" if multer::parse_boundary(content_type).is_err() => {
            Some("the Content-Type says multipart and has no boundary: a proxy has rewritten it")
        }
        "multipart/form-data" if is_urlencoded(body) => {
            Some("the Content-Type says multipart and the body is urlencoded: a proxy has re-encoded the form")
        }
        "multipart/form-data" if is_multipart(body) && !has_boundary(content_type, body) => {
            Some("the boundary in the Content-Type is not that of the body: a proxy has re-encoded the form")
        }
        "multipart/form-data" => None,
        _ if is_multipart(body) => {
            Some("the body is multipart and the Content-Type does not say so: a proxy has rewritten it")
        }
        "application/json" if is_flat_json(&request.body) => {
            Some("the form came as JSON: a proxy or a relay script has re-encoded it")
        }
        _ => None,
    }
}

/// The same of JSON.
pub(super) fn json_in_disguise(request: &Request) -> Option<&'static str> {
    let body = request.body.get(..LOOKED_AT).unwrap_or(&request.body).trim_ascii_start();
    if decoded(body).is_some_and(|octets| octets.trim_ascii_start().starts_with(b"{")) {
        return Some("the body is Base64 text: what stands in front of this door passes it on without decoding it");
    }
    if is_multipart(body) || is_urlencoded(body) {
        return Some(
            "the body is a form and not JSON: a proxy has re-encoded it, or this is another provider's webhook",
        );
    }
    None
}

fn decoded(body: &[u8]) -> Option<Vec<u8>> {
    let dense: Vec<u8> = body.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let whole = dense.get(..dense.len() / 4 * 4).filter(|whole| whole.len() >= 16)?;
    BASE64_STANDARD.decode(whole).ok()
}

fn is_multipart(body: &[u8]) -> bool {
    let disposition = b"form-data";
    body.starts_with(b"--") && body.windows(disposition.len()).any(|window| window.eq_ignore_ascii_case(disposition))
}

/// `name=value` with nothing in the name that a form encodes.
fn is_urlencoded(body: &[u8]) -> bool {
    let first = body.split(|octet| *octet == b'&').next().unwrap_or_default();
    let Some(at) = first.iter().position(|octet| *octet == b'=') else { return false };
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'%' | b'+');
    at > 0 && body.contains(&b'&') && first.iter().take(at).all(plain)
}

fn has_boundary(content_type: &str, body: &[u8]) -> bool {
    let boundary = multer::parse_boundary(content_type).unwrap_or_default();
    body.get(2..).is_some_and(|after| after.starts_with(boundary.as_bytes()))
}

/// An object of texts with a form's fields in it.
fn is_flat_json(body: &[u8]) -> bool {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let has = |name: &str| json.get(name).is_some_and(serde_json::Value::is_string);
    ["body-mime", "body-plain", "token", "envelope", "email", "text"].into_iter().any(has)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    use super::*;

    fn told(content_type: &'static str, body: impl Into<Bytes>) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        form_in_disguise(&Request { headers, body: body.into(), mailbox: None, vouched: false })
    }

    #[test]
    fn json_in_a_disguise_is_told() {
        let told = |body: &str| {
            let body = body.to_owned().into();
            json_in_disguise(&Request { headers: HeaderMap::new(), body, mailbox: None, vouched: false })
        };
        assert!(told(&BASE64_STANDARD.encode("{\"MessageID\": 1}")).is_some_and(|why| why.contains("Base64")));
        assert!(told("From=a%40x.example&To=b").is_some_and(|why| why.contains("a form")));
        assert_eq!((told("garbage"), told(""), told("{\"cut")), (None, None, None));
    }

    #[test]
    fn each_disguise_is_told() {
        let multipart = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--B--\r\n";
        let urlencoded = "recipient=a%40x.example&body-plain=text";
        let json = r#"{"recipient":"a@x.example","body-plain":"text"}"#;
        for (content_type, body, expected) in [
            ("multipart/form-data", multipart.to_owned(), "no boundary"),
            ("multipart/form-data; boundary=C", multipart.to_owned(), "not that of the body"),
            ("multipart/form-data; boundary=B", urlencoded.to_owned(), "urlencoded"),
            ("application/x-www-form-urlencoded", multipart.to_owned(), "does not say so"),
            ("text/plain", multipart.to_owned(), "does not say so"),
            ("multipart/form-data; boundary=B", BASE64_STANDARD.encode(multipart), "Base64"),
            ("application/x-www-form-urlencoded", BASE64_STANDARD.encode(urlencoded), "Base64"),
            ("application/json", json.to_owned(), "JSON"),
        ] {
            let why = told(content_type, body.clone());
            assert!(why.is_some_and(|why| why.contains(expected)), "{content_type} {body}: {why:?}");
        }
        for (content_type, body) in [
            ("multipart/form-data; boundary=B", multipart),
            ("application/x-www-form-urlencoded", urlencoded),
            ("application/json", "{}"),
            ("", ""),
            ("application/x-www-form-urlencoded", "nonsense"),
        ] {
            assert_eq!(told(content_type, body), None, "{content_type} {body}");
        }
    }
}
