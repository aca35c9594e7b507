//! HTTP basic authentication (RFC 7617): `https://user:password@host/…`, for providers that sign nothing.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::Request;
use crate::signature::one_of;

/// What a request presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// One of the live credentials.
    Known,
    /// Others.
    Wrong,
    /// None, or in a form that is none.
    Missing,
}

pub(super) fn login(request: &Request, credentials: &[String]) -> Login {
    let presented = request.header("authorization").and_then(|header| {
        let (scheme, encoded) = header.trim().split_once(' ')?;
        BASE64_STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))
    });
    match presented {
        Some(presented) if one_of(&presented, credentials) => Login::Known,
        Some(_) => Login::Wrong,
        None => Login::Missing,
    }
}
