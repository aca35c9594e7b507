//! Who may post: a signed request, or credentials in the URL.

use jiff::{SignedDuration, Timestamp};

use crate::{
    providers::{
        Context, Rejected, Request,
        basic::{Login, login},
    },
    secrets::live,
    signature::ecdsa_p256_sha256,
};

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";
/// How far the timestamp may be from our clock, either side; the whole body is signed, so an old request can only say
/// again what was said.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The time of the delivery: as signed, else ours.
pub(super) fn of(request: &Request, context: &Context<'_>) -> Result<Timestamp, Rejected> {
    let secrets = context.secrets;
    let (keys, credentials) = (live(&secrets.verification_keys), live(&secrets.credentials));
    let names = (context.secret("verification_keys"), context.secret("credentials"));
    if keys.is_empty() && credentials.is_empty() {
        return Err(Rejected::NotConfigured(format!("neither {} nor {}", names.0, names.1)));
    }
    let signed = signed(request, &keys, context);
    if let Some(Ok(time)) = signed {
        return Ok(time);
    }
    match (login(request, &secrets.credentials), signed) {
        (Login::Known, _) => Ok(context.now),
        (_, Some(Err(why))) => Err(Rejected::Unauthorized(why)),
        (Login::Wrong, _) => Err(Rejected::Unauthorized(format!("user or password do not match {}", names.1))),
        (Login::Missing, _) => {
            let door = &context.door.id;
            let why = format!(
                "neither a signature nor credentials: attach a security policy to the parse setting, or make its URL \
                 https://user:password@host/inbound/{door}"
            );
            Err(Rejected::Unauthorized(why))
        }
    }
}

/// `None` where the request does not claim to be signed; else the signed time, or why it does not hold.
fn signed(request: &Request, keys: &[&String], context: &Context<'_>) -> Option<Result<Timestamp, String>> {
    let signature = request.header(SIGNATURE)?;
    let list = context.secret("verification_keys");
    if keys.is_empty() {
        return Some(Err(format!("the request is signed, and {list} has no key to verify it with")));
    }
    let Some(timestamp) = request.header(TIMESTAMP) else {
        return Some(Err("the request has a signature and no timestamp".to_owned()));
    };
    let parts: [&[u8]; 2] = [timestamp.as_bytes(), &request.body];
    if !keys.iter().any(|key| ecdsa_p256_sha256(key, &parts, signature)) {
        // API keys begin so.
        let api_key = keys.iter().any(|key| key.trim().starts_with("SG."));
        return Some(Err(if api_key {
            format!("the signature does not match, and {list} holds an API key: it takes the policy's public key")
        } else {
            format!(
                "the signature does not match: is {list} the public key of the parse setting's security policy? A proxy \
                 that re-encodes the body breaks it too"
            )
        }));
    }
    let seconds = timestamp.trim().parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    Some(match seconds {
        None => Err("the timestamp is not a number of seconds".to_owned()),
        Some(time) if context.now.duration_since(time).abs() > WINDOW => {
            Err("the timestamp is more than 24 hours from our clock".to_owned())
        }
        Some(time) => Ok(time),
    })
}
