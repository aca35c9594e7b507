//! What a call on the wire is called: read from the HTTP request, because that is what AWS would see.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    DynamoDb,
    S3,
    Sns,
    Sqs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) service: Service,
    /// `TransactWriteItems`, `PutObject`, ...
    pub(crate) operation: String,
    /// S3: the object key. DynamoDB: the table's item kinds in the order they are named, such as `MAIL+MSGID+TICKET`.
    /// SQS: the queue's name. SNS: the topic's.
    pub(crate) target: String,
    /// How many calls, one after the other, this one waited for, and itself: calls joined concurrently share a depth.
    pub(crate) depth: usize,
}

impl Call {
    /// The call that a request makes, `depth` not yet known.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let form = request.headers().get("content-type") == Some("application/x-www-form-urlencoded");
        let (service, operation, target) = match request.headers().get("x-amz-target") {
            Some(name) => {
                let (interface, operation) = name.rsplit_once('.').unwrap_or_default();
                let body = json_body(request);
                match interface {
                    "AmazonSQS" => (Service::Sqs, operation.to_owned(), queue_name(&body)),
                    _ => (Service::DynamoDb, operation.to_owned(), item_kinds(&body)),
                }
            }
            None if form => {
                let (operation, topic) = sns_operation(request);
                (Service::Sns, operation, topic)
            }
            None => {
                let (operation, key) = s3_operation(request);
                (Service::S3, operation.to_owned(), key)
            }
        };
        Self { service, operation, target, depth: 0 }
    }

    pub(crate) fn is_dynamodb(&self) -> bool {
        self.service == Service::DynamoDb
    }
}

pub(crate) fn json_body(request: &HttpRequest) -> Value {
    request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default()
}

/// `QueueUrl` ends in the queue's name.
fn queue_name(body: &Value) -> String {
    let url = body.get("QueueUrl").and_then(Value::as_str).unwrap_or_default();
    url.rsplit('/').next().unwrap_or_default().to_owned()
}

/// SNS speaks the query protocol: `Action=PublishBatch&TopicArn=arn:...:<name>&...`.
fn sns_operation(request: &HttpRequest) -> (String, String) {
    let field = |wanted: &str| {
        let mut fields = form_urlencoded::parse(request.body().bytes().unwrap_or_default());
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let topic = field("TopicArn").rsplit(':').next().unwrap_or_default().to_owned();
    (field("Action"), topic)
}

/// Path style: `/bucket/key`. The key is unescaped only as far as our keys need it: not at all.
fn s3_operation(request: &HttpRequest) -> (&'static str, String) {
    let uri: http::Uri = request.uri().parse().unwrap();
    let query = uri.query().unwrap_or_default();
    let (_, key) = uri.path().trim_start_matches('/').split_once('/').unwrap_or_default();
    let operation = match (request.method(), key.is_empty()) {
        ("PUT", false) if request.headers().get("x-amz-copy-source").is_some() => "CopyObject",
        ("PUT", false) if query.contains("uploadId=") => "UploadPart",
        ("POST", false) if query.contains("uploadId=") => "CompleteMultipartUpload",
        ("POST", false) => "CreateMultipartUpload",
        ("PUT", false) => "PutObject",
        ("GET", false) => "GetObject",
        ("HEAD", false) => "HeadObject",
        ("DELETE", false) => "DeleteObject",
        ("GET", true) if query.contains("list-type=2") => "ListObjectsV2",
        ("POST", true) if query.contains("delete") => "DeleteObjects",
        ("HEAD", true) => "HeadBucket",
        ("PUT", true) => "CreateBucket",
        _ => "other",
    };
    (operation, key.to_owned())
}

/// A query is known by its index, else by its partition. `MSGID#...` is of kind `MSGID`; entries and changes lie under their ticket's pk and are told apart by the sk.
fn item_kinds(body: &Value) -> String {
    let mut kinds = Vec::new();
    collect_kinds(body, &mut kinds);
    if kinds.is_empty() {
        let index = body.get("IndexName").and_then(Value::as_str);
        let partition = body.pointer("/ExpressionAttributeValues/:pk/S").and_then(Value::as_str);
        let partition = partition.and_then(|pk| pk.split('#').next());
        return index.or(partition).unwrap_or_default().to_owned();
    }
    kinds.dedup();
    kinds.join("+")
}

fn collect_kinds<'a>(value: &'a Value, kinds: &mut Vec<&'a str>) {
    let kind = |name: &str| {
        let text = value.get(name)?.get("S")?.as_str()?;
        text.split('#').next()
    };
    match (kind("pk"), kind("sk")) {
        (Some(_), Some(kind @ ("ENTRY" | "CHANGE"))) => kinds.push(kind),
        (Some(kind), _) => kinds.push(kind),
        (None, _) => match value {
            Value::Object(members) => members.values().for_each(|member| collect_kinds(member, kinds)),
            Value::Array(members) => members.iter().for_each(|member| collect_kinds(member, kinds)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        },
    }
}
