//! AWS as far as the command line asks it: CloudFormation and SES in XML, Secrets Manager, SQS and DynamoDB's tables in
//! JSON, Lambda and S3 by path. (botocore's service models, protocols `query`, `json` and `rest-json`.)

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use postern_cli::engines::{BUCKET, TABLE};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub(super) const MASTER_ARN: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:master-AbCdEf";
pub(super) const OPERATOR_ARN: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:operator-AbCdEf";
pub(super) const API_URL: &str = "https://abc123.execute-api.eu-central-1.amazonaws.com";

pub(super) struct Cloud {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

/// What a test makes happen between two calls.
type Change = Box<dyn FnOnce(&mut State) + Send>;

/// Everything that is deployed, for a test to change.
pub(super) struct State {
    /// Name and status of the one stack.
    pub(super) name: String,
    pub(super) status: String,
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) parameters: BTreeMap<String, String>,
    secrets: BTreeMap<String, Kept>,
    /// Actions that are answered with "access denied", without the service's name.
    pub(super) denied: BTreeSet<&'static str>,
    /// Actions that are answered with this code.
    pub(super) errors: BTreeMap<&'static str, &'static str>,
    /// Name of the active rule set and what stands in it.
    pub(super) active: Option<(String, Vec<Rule>)>,
    pub(super) concurrency: i32,
    /// Messages waiting, in work, delayed, by the last part of the queue's URL.
    pub(super) queues: BTreeMap<&'static str, [u64; 3]>,
    /// What `DescribeTable` answers below `Table`, and `DescribeTimeToLive`.
    pub(super) table: Value,
    pub(super) expiry: Value,
    /// Status of `HeadBucket`.
    pub(super) bucket: u16,
    /// Status and body of any other GET: the HTTP door's.
    pub(super) door: (u16, Value),
    /// Every action that was asked for.
    pub(super) calls: Vec<String>,
    /// Happens once, before `AWSCURRENT` is moved.
    pub(super) meanwhile: Option<Change>,
    /// The next move of `AWSCURRENT` is made, and its answer lost.
    pub(super) lose_answer: bool,
}

/// A secret: its versions, oldest first, and which is the current one.
#[derive(Default)]
struct Kept {
    versions: Vec<(String, String)>,
    current: Option<usize>,
}

/// A receipt rule.
#[derive(Clone)]
pub(super) struct Rule {
    pub(super) bucket: &'static str,
    pub(super) enabled: bool,
    pub(super) scans: bool,
    pub(super) topic: bool,
}

impl Rule {
    pub(super) fn ours() -> Self {
        Self { bucket: BUCKET, enabled: true, scans: true, topic: true }
    }
}

impl Cloud {
    pub(super) async fn start(stack: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::healthy(stack)));
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, server }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    fn healthy(stack: &str) -> Self {
        let queue = |name: &str| format!("https://sqs.eu-central-1.amazonaws.com/111122223333/{name}");
        let outputs = [
            ("TableName", TABLE.to_owned()),
            ("BucketName", BUCKET.to_owned()),
            ("RetryQueueUrl", queue("retry")),
            ("ReceiptQueueUrl", queue("receipt")),
            ("NetQueueUrl", queue("net")),
            ("DeadQueueUrl", queue("dead")),
            ("EventsTopicArn", "arn:aws:sns:eu-central-1:111122223333:events".to_owned()),
            ("MasterSecretArn", MASTER_ARN.to_owned()),
            ("OperatorSecretArn", OPERATOR_ARN.to_owned()),
            ("ApiUrl", API_URL.to_owned()),
            ("ReceiptRuleSet", "postern-rules".to_owned()),
        ];
        let parameters = [("Address", "support@postern.test"), ("TicketPrefix", "INC"), ("NumberYear", "false")];
        let more = [("ReplyMode", "plus"), ("EnableSes", "true"), ("MailDomain", "")];
        let index = |name: &str| json!({ "IndexName": name, "IndexStatus": "ACTIVE" });
        let indexes = ["gsi1", "gsi2", "gsi3", "gsi4"].map(index);
        Self {
            name: stack.to_owned(),
            status: "UPDATE_COMPLETE".to_owned(),
            outputs: outputs.map(|(name, value)| (name.to_owned(), value)).into(),
            parameters: parameters.into_iter().chain(more).map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            secrets: BTreeMap::new(),
            denied: BTreeSet::new(),
            errors: BTreeMap::new(),
            active: Some(("postern-rules".to_owned(), vec![Rule::ours()])),
            concurrency: 1000,
            queues: BTreeMap::new(),
            table: json!({
                "TableStatus": "ACTIVE",
                "GlobalSecondaryIndexes": indexes,
                "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            }),
            expiry: json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at" }),
            bucket: 200,
            door: (404, json!({ "error": "unknown-route", "message": "there is no such route" })),
            calls: Vec::new(),
            meanwhile: None,
            lose_answer: false,
        }
    }

    /// Puts a version of a secret and makes it the current one.
    pub(super) fn keep_secret(&mut self, arn: &str, text: &str) {
        let kept = self.secrets.entry(arn.to_owned()).or_default();
        kept.versions.push((format!("version-{}-of-{}", kept.versions.len(), arn.len()), text.to_owned()));
        kept.current = Some(kept.versions.len() - 1);
    }

    /// A secret that was made without a value.
    pub(super) fn empty_secret(&mut self, arn: &str) {
        self.secrets.insert(arn.to_owned(), Kept::default());
    }

    /// The current text of a secret.
    pub(super) fn secret(&self, arn: &str) -> Value {
        let kept = &self.secrets[arn];
        serde_json::from_str(&kept.versions[kept.current.unwrap()].1).unwrap()
    }

    /// Every text of some length that stands in a secret or stood there once.
    pub(super) fn secret_words(&self) -> Vec<String> {
        fn words(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::String(text) if text.len() > 8 => found.push(text.clone()),
                Value::Array(list) => list.iter().for_each(|value| words(value, found)),
                Value::Object(object) => object.values().for_each(|value| words(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        for (_, text) in self.secrets.values().flat_map(|kept| &kept.versions) {
            words(&serde_json::from_str(text).unwrap_or(Value::Null), &mut found);
        }
        found
    }

    fn answer(&mut self, action: &str, body: &Value) -> Result<Value, (u16, String)> {
        let refuse = |code: &str| Err((400, code.to_owned()));
        match action {
            "DescribeTable" => Ok(json!({ "Table": self.table })),
            "DescribeTimeToLive" => Ok(json!({ "TimeToLiveDescription": self.expiry })),
            "Query" => Ok(json!({ "Items": [], "Count": 0, "ScannedCount": 0 })),
            "GetQueueAttributes" => {
                let name = body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
                let [waiting, works, delayed] = self.queues.get(name.as_str()).copied().unwrap_or_default();
                Ok(json!({ "Attributes": {
                    "ApproximateNumberOfMessages": waiting.to_string(),
                    "ApproximateNumberOfMessagesNotVisible": works.to_string(),
                    "ApproximateNumberOfMessagesDelayed": delayed.to_string(),
                } }))
            }
            "GetSecretValue" | "PutSecretValue" | "UpdateSecretVersionStage" => self.secrets_manager(action, body),
            _ => refuse("UnknownOperationException"),
        }
    }

    fn secrets_manager(&mut self, action: &str, body: &Value) -> Result<Value, (u16, String)> {
        let refuse = |status, code: &str| Err((status, code.to_owned()));
        let arn = body["SecretId"].as_str().unwrap().to_owned();
        if action == "UpdateSecretVersionStage"
            && let Some(meanwhile) = self.meanwhile.take()
        {
            meanwhile(self);
        }
        let Some(kept) = self.secrets.get_mut(&arn) else { return refuse(400, "ResourceNotFoundException") };
        let at = |kept: &Kept, field: &str| {
            kept.versions.iter().position(|(id, _)| Some(id.as_str()) == body[field].as_str())
        };
        match action {
            "GetSecretValue" => match kept.current.map(|n| &kept.versions[n]) {
                Some((id, text)) => Ok(json!({ "ARN": arn, "VersionId": id, "SecretString": text })),
                None => refuse(400, "ResourceNotFoundException"),
            },
            "PutSecretValue" => {
                let id = body["ClientRequestToken"].as_str().unwrap().to_owned();
                kept.versions.push((id.clone(), body["SecretString"].as_str().unwrap().to_owned()));
                let stages = body["VersionStages"].as_array();
                if kept.current.is_none() || stages.is_none_or(|stages| stages.contains(&json!("AWSCURRENT"))) {
                    kept.current = Some(kept.versions.len() - 1);
                }
                Ok(json!({ "ARN": arn, "VersionId": id }))
            }
            _ => {
                assert_eq!(body["VersionStage"], "AWSCURRENT");
                if kept.current.is_none() || kept.current != at(kept, "RemoveFromVersionId") {
                    return refuse(400, "InvalidParameterException");
                }
                kept.current = at(kept, "MoveToVersionId");
                if std::mem::take(&mut self.lose_answer) {
                    return refuse(500, "InternalServiceError");
                }
                Ok(json!({ "ARN": arn }))
            }
        }
    }

    fn describe_stacks(&self, name: &str) -> Result<String, (u16, String)> {
        if name != self.name {
            return Err((400, "ValidationError".to_owned()));
        }
        let members = |map: &BTreeMap<String, String>, kind: &str| -> String {
            let one = |(key, value): (&String, &String)| {
                format!("<member><{kind}Key>{key}</{kind}Key><{kind}Value>{value}</{kind}Value></member>")
            };
            map.iter().map(one).collect()
        };
        Ok(format!(
            "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult>\
             <Stacks><member><StackName>{name}</StackName><StackId>arn:aws:cloudformation:x:1:stack/{name}/1</StackId>\
             <CreationTime>2026-11-01T10:00:00Z</CreationTime><StackStatus>{}</StackStatus><Outputs>{}</Outputs>\
             <Parameters>{}</Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>",
            self.status,
            members(&self.outputs, "Output"),
            members(&self.parameters, "Parameter"),
        ))
    }

    fn active_rule_set(&self) -> String {
        let rule = |rule: &Rule| {
            let topic =
                if rule.topic { "<TopicArn>arn:aws:sns:eu-central-1:111122223333:receipts</TopicArn>" } else { "" };
            format!(
                "<member><Name>postern</Name><Enabled>{}</Enabled><ScanEnabled>{}</ScanEnabled><Actions><member><S3Action>\
                 <BucketName>{}</BucketName>{topic}</S3Action></member></Actions></member>",
                rule.enabled, rule.scans, rule.bucket
            )
        };
        let active = self.active.as_ref().map(|(name, rules)| {
            let rules: String = rules.iter().map(rule).collect();
            format!(
                "<Metadata><Name>{name}</Name><CreatedTimestamp>2026-11-01T10:00:00Z</CreatedTimestamp></Metadata>\
                 <Rules>{rules}</Rules>"
            )
        });
        format!(
            "<DescribeActiveReceiptRuleSetResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\">\
             <DescribeActiveReceiptRuleSetResult>{}</DescribeActiveReceiptRuleSetResult>\
             </DescribeActiveReceiptRuleSetResponse>",
            active.unwrap_or_default()
        )
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(respond(&state, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        tokio::spawn(async move { drop(connection.await) });
    }
}

/// Which protocol an answer is written in.
enum Form {
    Json,
    Xml,
    Path,
}

async fn respond(state: &Mutex<State>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let target = head.headers.get("x-amz-target").map(|value| value.to_str().unwrap().to_owned());
    let fields: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let (form, action) = match (&target, head.method) {
        (Some(target), _) => (Form::Json, target.rsplit('.').next().unwrap().to_owned()),
        (None, Method::HEAD) => (Form::Path, "HeadBucket".to_owned()),
        (None, Method::GET) if head.uri.path().ends_with("/account-settings") => {
            (Form::Path, "GetAccountSettings".to_owned())
        }
        (None, Method::GET) => {
            let state = state.lock().unwrap();
            if state.denied.contains("GetObject") && head.uri.path().starts_with(&format!("/{BUCKET}/")) {
                let denied = Full::from("<Error><Code>AccessDenied</Code></Error>");
                return Response::builder().status(403).body(denied).unwrap();
            }
            let (status, body) = state.door.clone();
            return Response::builder().status(status).body(Full::new(body.to_string().into())).unwrap();
        }
        (None, _) => (Form::Xml, fields.get("Action").cloned().unwrap_or_default()),
    };
    let mut state = state.lock().unwrap();
    state.calls.push(action.clone());
    let denied = state.denied.contains(action.as_str());
    let code = if denied { Some("AccessDeniedException") } else { state.errors.get(action.as_str()).copied() };
    let answer = match (code, &form) {
        (Some(code), _) => Err((if denied { 403 } else { 400 }, code.to_owned())),
        (None, Form::Json) => {
            let body = serde_json::from_slice(&body).unwrap();
            state.answer(&action, &body).map(|answer| answer.to_string())
        }
        (None, Form::Xml) if action == "DescribeStacks" => state.describe_stacks(&fields["StackName"]),
        (None, Form::Xml) => Ok(state.active_rule_set()),
        (None, Form::Path) if action == "HeadBucket" => match state.bucket {
            200 => Ok(String::new()),
            status => Err((status, "NoCode".to_owned())),
        },
        (None, Form::Path) => Ok(json!({ "AccountLimit": { "ConcurrentExecutions": state.concurrency } }).to_string()),
    };
    let (status, body) = match (answer, form) {
        (Ok(body), _) => return Response::new(Full::new(body.into())),
        (Err((status, code)), Form::Json) => {
            (status, json!({ "__type": code, "message": "told by the test" }).to_string())
        }
        (Err((status, code)), Form::Xml) => {
            let code = code.trim_end_matches("Exception").to_owned();
            (status, format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>"))
        }
        (Err((status, code)), Form::Path) => {
            let answer = Response::builder().status(status).header("x-amzn-errortype", code);
            return answer.body(Full::default()).unwrap();
        }
    };
    Response::builder().status(status).body(Full::new(body.into())).unwrap()
}
