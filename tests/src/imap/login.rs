//! Who is let in, by what, and what a refusal means.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use postern::door::{Auth, Sasl};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Side, fake::Manners};
use crate::{harness::wire::Wire, world::now};

/// Fields of a form.
type Form = Vec<(String, String)>;

/// A token endpoint: what it was asked, and what it answers.
#[derive(Clone)]
struct Endpoint {
    asked: Arc<Mutex<Vec<Form>>>,
    answer: Arc<Mutex<(u16, Value)>>,
    url: String,
}

impl Endpoint {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let endpoint = Self { asked: Arc::default(), answer: Arc::new(Mutex::new((200, json!({})))), url };
        let server = endpoint.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut octets = Vec::new();
                let form = loop {
                    let mut part = [0; 4096];
                    let read = stream.read(&mut part).await.unwrap();
                    octets.extend(&part[..read]);
                    let text = String::from_utf8_lossy(&octets).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head.to_ascii_lowercase();
                    let length = length.split_once("content-length: ").unwrap().1;
                    if body.len() >= length.lines().next().unwrap().parse().unwrap() {
                        break body.to_owned();
                    }
                };
                server.asked.lock().unwrap().push(form_urlencoded::parse(form.as_bytes()).into_owned().collect());
                let (status, json) = server.answer.lock().unwrap().clone();
                let json = json.to_string();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close");
                let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{json}", json.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        endpoint
    }

    fn answers(&self, status: u16, json: Value) {
        *self.answer.lock().unwrap() = (status, json);
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// A field of the last form.
    fn field(&self, name: &str) -> String {
        let asked = self.asked.lock().unwrap();
        asked.last().unwrap().iter().find(|(field, _)| field == name).map(|(_, value)| value.clone()).unwrap()
    }
}

#[tokio::test]
async fn three_refusals_pause_the_door_and_are_told() {
    let mut side = Side::new().await;
    side.operator = json!({ "elsewhere": { "passwords": ["wrong"] } }).to_string();
    side.arrives("a");
    for minute in 0..3 {
        let did = side.poll(minute).await;
        assert_eq!((did.paused, did.trouble.len()), (false, 1), "{did:?}");
        assert!(did.trouble[0].contains("credentials are refused (AUTHENTICATIONFAILED)"), "{did:?}");
    }
    side.fake.take_commands();
    let did = side.poll(3).await;
    assert!(did.paused && did.trouble.is_empty(), "{did:?}");
    assert!(side.fake.take_commands().is_empty(), "nobody knocks any more");
    let told = crate::publish::tell_all(&side.world).await;
    let paused: Vec<&Value> = told.iter().filter(|event| event["type"] == "door.paused").collect();
    assert_eq!(paused.len(), 1, "{told:?}");
    assert_eq!(paused[0]["door"], json!({ "id": "elsewhere", "host": "127.0.0.1", "refused": 3 }));
    side.world.ingest.store.resume_door(&side.door.id).await.unwrap();
    side.operator = json!({ "elsewhere": { "passwords": [super::fake::PASSWORD] } }).to_string();
    assert_eq!(side.good(9).await.taken, 1);
}

#[tokio::test]
async fn limits_faults_and_missing_secrets_pause_nothing() {
    let mut side = Side::new().await;
    for refuses in [
        "NO [UNAVAILABLE] Temporary authentication failure.",
        "NO [LIMIT] Too many simultaneous connections.",
        "NO Login failed: server error, try later",
        "BAD login failed",
    ] {
        side.fake.manners(Manners { refuses: Some(refuses), ..Manners::default() });
        for minute in 0..4 {
            let did = side.poll(minute).await;
            assert!(!did.paused && did.trouble.len() == 1, "{refuses}: {did:?}");
        }
    }
    side.fake.manners(Manners::default());
    side.operator = "{}".to_owned();
    for minute in 4..8 {
        assert_eq!(side.poll(minute).await.trouble, ["elsewhere.passwords is not set in the operator secret"]);
    }
    assert_eq!(side.world.ingest.store.polled_door(&side.door.id).await.unwrap().refused, 0);
}

#[tokio::test]
async fn a_good_login_forgets_refusals() {
    let mut side = Side::new().await;
    for (minute, password) in (0..).zip(["wrong", "wrong", super::fake::PASSWORD, "wrong", "wrong"]) {
        side.operator = json!({ "elsewhere": { "passwords": [password] } }).to_string();
        assert!(!side.poll(minute).await.paused);
    }
    assert_eq!(side.world.ingest.store.polled_door(&side.door.id).await.unwrap().refused, 2);
}

#[tokio::test]
async fn error_challenges_get_the_answer_that_ends_them() {
    let mut side = Side::new().await;
    let challenge = BASE64_STANDARD.encode(r#"{"status":"401","schemes":"bearer","scope":"mail"}"#);
    let manners = Manners {
        refuses: Some("NO AUTHENTICATE failed."),
        challenge: Some(Box::leak(challenge.into_boxed_str())),
        ..Manners::default()
    };
    side.operator = json!({ "elsewhere": { "access_tokens": ["stale"] } }).to_string();
    side.imap().auth = Auth::Token;
    for (sasl, last) in [(Sasl::Xoauth2, ""), (Sasl::Oauthbearer, "AQ==")] {
        side.fake.manners(manners.clone());
        side.imap().sasl = sasl;
        let did = side.poll(0).await;
        assert!(did.trouble[0].contains("credentials are refused"), "{did:?}");
        assert_eq!(side.fake.state().answers.pop().as_deref(), Some(last), "{sasl:?}");
        side.fake.manners(Manners::default());
        side.fake.state().good.push("stale".to_owned());
        side.good(1).await;
        side.fake.state().good.pop();
    }
}

#[tokio::test]
async fn tokens_are_asked_for_and_kept_until_shortly_before_they_expire() {
    let mut side = Side::new().await;
    let endpoint = Endpoint::start().await;
    endpoint.answers(200, json!({ "access_token": "tok-1", "expires_in": 3600, "token_type": "Bearer" }));
    side.fake.state().good = vec!["tok-1".to_owned()];
    side.operator = json!({ "elsewhere": { "client_secrets": ["s3cret"] } }).to_string();
    side.imap().auth = Auth::Microsoft { client: "app".into(), tenant: "tenant".into() };
    side.imap().token_endpoint = Some(endpoint.url.clone());
    let wire = Wire::new();
    let poller = side.poller(&wire, now());
    let ask = postern::poll::Ask::until(now() + SignedDuration::from_mins(1));
    for _ in 0..3 {
        assert!(poller.door(&side.door, &ask).await.trouble.is_empty());
    }
    assert_eq!(endpoint.asked(), 1, "kept");
    assert_eq!(endpoint.field("scope"), "https://outlook.office365.com/.default");
    assert_eq!((endpoint.field("client_id"), endpoint.field("client_secret")), ("app".into(), "s3cret".into()));
    // The server wants a newer one: it is had within the same poll, and nobody counts a refusal.
    endpoint.answers(200, json!({ "access_token": "tok-2", "expires_in": 60 }));
    side.fake.state().good = vec!["tok-2".to_owned()];
    assert!(poller.door(&side.door, &ask).await.trouble.is_empty());
    assert_eq!(endpoint.asked(), 2);
    assert_eq!(side.world.ingest.store.polled_door(&side.door.id).await.unwrap().refused, 0);
    poller.door(&side.door, &ask).await;
    assert_eq!(endpoint.asked(), 3, "a minute is less than it is used before its end");
}

#[tokio::test]
async fn an_endpoint_that_refuses_pauses_and_one_that_is_down_does_not() {
    let mut side = Side::new().await;
    let endpoint = Endpoint::start().await;
    side.operator = json!({ "elsewhere": { "client_secrets": ["s"], "refresh_tokens": ["r"] } }).to_string();
    side.imap().auth = Auth::Google { client: "c".into() };
    side.imap().token_endpoint = Some(endpoint.url.clone());
    for (status, error) in [(429, "rate"), (500, ""), (400, "temporarily_unavailable"), (503, "invalid_grant")] {
        endpoint.answers(status, json!({ "error": error }));
        for minute in 0..4 {
            let did = side.poll(minute).await;
            assert!(!did.paused && did.trouble[0].contains("does not work now"), "{status}: {did:?}");
        }
    }
    assert_eq!(endpoint.field("grant_type"), "refresh_token");
    endpoint.answers(400, json!({ "error": "invalid_grant" }));
    for minute in 4..7 {
        assert!(!side.poll(minute).await.paused);
    }
    assert!(side.poll(7).await.paused);
}

#[tokio::test]
async fn a_service_account_signs_for_the_user() {
    let mut side = Side::new().await;
    let endpoint = Endpoint::start().await;
    let Some(key) = openssl_key() else { return };
    endpoint.answers(200, json!({ "access_token": "tok", "expires_in": 3600 }));
    side.fake.state().good = vec!["tok".to_owned()];
    let account =
        json!({ "client_email": "poll@project.example", "private_key": key, "token_uri": "https://evil.example" });
    side.operator = json!({ "elsewhere": { "service_accounts": [account.to_string()] } }).to_string();
    side.imap().auth = Auth::GoogleService;
    side.imap().token_endpoint = Some(endpoint.url.clone());
    side.good(0).await;
    let assertion = endpoint.field("assertion");
    let claims = assertion.split('.').nth(1).unwrap();
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("poll@project.example"), &json!("support@us.example")));
    assert_eq!((&claims["scope"], &claims["aud"]), (&json!("https://mail.google.com/"), &json!(endpoint.url)));
}

/// A key as Google's key files have it; `None` where there is no openssl.
fn openssl_key() -> Option<String> {
    let arguments = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let made = std::process::Command::new("openssl").args(arguments).output();
    match made {
        Ok(made) if made.status.success() => Some(String::from_utf8(made.stdout).unwrap()),
        _ => {
            eprintln!("SKIPPED: there is no openssl to make a key");
            None
        }
    }
}
