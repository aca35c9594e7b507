//! What can be wrong with a stack. The checks run at the same time and are told in the order of the list.

use std::net::SocketAddr;

use aws_sdk_dynamodb::types::{IndexStatus, StreamSpecification, TableDescription, TableStatus, TimeToLiveStatus};
use aws_sdk_lambda::types::AccountLimit;
use aws_sdk_sqs::types::QueueAttributeName as Q;
use postern::{
    ambient::Ambient,
    mailbox::Mailboxes,
    secrets::signing_keys,
    settings::{Settings, Stored},
    store::Store,
};

use super::{Finding, State, configured, door, mx, polled, receiving, waiting};
use crate::{
    args::Aws,
    commands::{
        count_attention,
        doors::{inbound_host, mail_domains},
        secret::Vault,
    },
    setup::View,
    stack::{
        OUTPUTS, Session, Stack,
        trouble::{AwsTrouble, in_words},
    },
};

/// Indexes of the table (docs/ARCHITECTURE.md).
const INDEXES: [&str; 4] = ["gsi1", "gsi2", "gsi3", "gsi4"];
/// Attribute by which rows expire.
const EXPIRY: &str = "expires_at";
/// Messages that may wait in a queue before it is a backlog.
const BACKLOG: u64 = 100;
/// Concurrent invocations of an account below which doors starve one another; fresh accounts have 10, others 1,000 (AWS
/// Lambda quotas).
const CONCURRENCY_MIN: i32 = 50;

/// All checks of a stack.
pub(super) async fn findings(name: &str, aws: &Aws, resolver: Option<SocketAddr>) -> Vec<Finding> {
    let session = match Session::open(aws).await {
        Ok(session) => session,
        Err(error) => return vec![Finding::fail("access", format!("{error:#}"), "then look again")],
    };
    let stack = match Stack::find_with(name, session).await {
        Ok(stack) => stack,
        Err(error) => return vec![Finding::fail("stack", format!("{error:#}"), "then look again")],
    };
    let place = format!(" --stack {name}");
    let (view, mailboxes) = settings(&stack, &place).await;
    let (outputs, (master, operator, http), (table, bucket), queues, (mail, ses, mx), lambda) = tokio::join!(
        async { of_outputs(&stack) },
        async { tokio::join!(master(&stack), operator(&stack, &view, &place), http(&stack)) },
        async { tokio::join!(table(&stack), bucket(&stack)) },
        queues(&stack, &place),
        async { tokio::join!(mail(&stack, &place), receiving::check(&stack), domains(&stack, &view, resolver)) },
        lambda(&stack),
    );
    let polls = polls(&stack, &view, &place).await;
    let mut findings = vec![state(&stack)];
    for some in [outputs, mailboxes, http, master, operator, table, bucket, queues, mail, ses, mx, lambda, polls] {
        findings.extend(some);
    }
    findings
}

fn state(stack: &Stack) -> Finding {
    let found = format!("{} in {}: {}", stack.name, stack.region, stack.status);
    if stack.status.contains("FAILED") || stack.status.contains("ROLLBACK") {
        let todo = "the last update did not work, what was there before runs; deploy again";
        return Finding::warn("stack", found, todo);
    }
    Finding::ok("stack", found)
}

async fn polls(stack: &Stack, view: &View, place: &str) -> Vec<Finding> {
    let (Ok(table), Ok(settings)) = (stack.output("TableName"), &view.in_force) else { return Vec::new() };
    if !stack.polls() {
        return polled::nobody(settings, place);
    }
    let store = Store::new(stack.clients.dynamodb.clone(), table, Ambient::system());
    polled::findings(&store, settings, &Ambient::system(), place).await
}

fn of_outputs(stack: &Stack) -> Vec<Finding> {
    let missing: Vec<&str> = OUTPUTS.into_iter().filter(|name| stack.output(name).is_err()).collect();
    let mut findings = Vec::new();
    if !missing.is_empty() {
        let found = format!("the stack has no {}", missing.join(", "));
        findings.push(Finding::fail("outputs", found, "it is of another version: deploy the template of this one"));
    }
    findings
}

/// What is set up; where it cannot be read, what the parameters say.
async fn settings(stack: &Stack, place: &str) -> (View, Vec<Finding>) {
    const CHECK: &str = "mailbox";
    let defaults = match stack.defaults() {
        Ok(defaults) => defaults,
        Err(error) => {
            let finding = Finding::fail(CHECK, error.to_string(), "the functions do not start");
            return (View::of(&Settings::default(), Stored::default()), vec![finding]);
        }
    };
    let Ok(table) = stack.output("TableName") else { return (View::of(&defaults, Stored::default()), Vec::new()) };
    let store = Store::new(stack.clients.dynamodb.clone(), table, Ambient::system());
    match store.settings().await {
        Ok(stored) => {
            let view = View::of(&defaults, stored);
            let findings = configured::findings(&view, place);
            (view, findings)
        }
        Err(error) => {
            let finding = Finding::unknown(CHECK, &format!("{:#}", in_words(error.into())));
            (View::of(&defaults, Stored::default()), vec![finding])
        }
    }
}

async fn master(stack: &Stack) -> Vec<Finding> {
    const CHECK: &str = "signing";
    let Ok(source) = stack.master_secret() else { return Vec::new() };
    let Err(error) = signing_keys(&source).await else {
        return vec![Finding::ok(CHECK, "the master secret reads, and its keys sign")];
    };
    let unreadable = matches!(error, postern::secrets::SecretError::Unreadable(..));
    let error = in_words(error.into());
    if unreadable && super::is_denied(&error) {
        return vec![Finding::unknown(CHECK, &error)];
    }
    let todo =
        "no function starts without it; put back the version before (aws secretsmanager list-secret-version-ids)";
    vec![Finding::fail(CHECK, format!("{error:#}"), todo)]
}

async fn operator(stack: &Stack, view: &View, place: &str) -> Vec<Finding> {
    match Vault::of_stack(stack) {
        Ok(vault) => configured::credentials(&vault, view, stack.receives_by_ses(), place).await,
        Err(_) => Vec::new(),
    }
}

async fn http(stack: &Stack) -> Vec<Finding> {
    let Ok(url) = stack.output("ApiUrl") else { return Vec::new() };
    let mut finding = door::check(url).await;
    // A name of the operator's may not be in DNS yet.
    if let (State::Warn, Ok(target)) = (finding.state, stack.output("DomainTarget")) {
        let host = url.trim_start_matches("https://");
        finding.todo = Some(format!("the DNS record of {host} must be a CNAME to {target}; new records take minutes"));
    }
    vec![finding]
}

async fn table(stack: &Stack) -> Vec<Finding> {
    const CHECK: &str = "table";
    let Ok(name) = stack.output("TableName") else { return Vec::new() };
    let client = &stack.clients.dynamodb;
    let (described, expiry) = tokio::join!(
        client.describe_table().table_name(name).send(),
        client.describe_time_to_live().table_name(name).send()
    );
    let mut findings = match described {
        Ok(answer) => vec![answer.table().map_or_else(
            || Finding::fail(CHECK, format!("{name} is not described"), "look at it in the DynamoDB console"),
            |table| of_table(name, table),
        )],
        Err(error) => return vec![of_trouble(CHECK, AwsTrouble::of("dynamodb:DescribeTable", name, &error))],
    };
    let expiry = match expiry {
        Ok(answer) => answer,
        Err(error) => {
            let why = AwsTrouble::of("dynamodb:DescribeTimeToLive", name, &error);
            findings.push(Finding::unknown(CHECK, &why));
            return findings;
        }
    };
    let expires = expiry.time_to_live_description().is_some_and(|ttl| {
        let on = matches!(ttl.time_to_live_status(), Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
        on && ttl.attribute_name() == Some(EXPIRY)
    });
    if !expires {
        let todo = format!("turn time to live on for attribute {EXPIRY}, or deploy again");
        findings.push(Finding::warn(CHECK, format!("rows of {name} never expire, so replay guards pile up"), todo));
    }
    findings
}

fn of_table(name: &str, table: &TableDescription) -> Finding {
    const CHECK: &str = "table";
    let todo = "deploy the template of this version; AWS adds one index an update";
    if !matches!(table.table_status(), Some(TableStatus::Active | TableStatus::Updating)) {
        let status = table.table_status().map_or("in an unknown state", TableStatus::as_str);
        return Finding::fail(
            CHECK,
            format!("{name} is {status}"),
            "wait until it is ACTIVE; restore it if it is lost",
        );
    }
    let active = |wanted: &&str| {
        table.global_secondary_indexes().iter().any(|index| {
            let there = matches!(index.index_status(), Some(IndexStatus::Active | IndexStatus::Updating));
            index.index_name() == Some(*wanted) && there
        })
    };
    let missing: Vec<&str> = INDEXES.into_iter().filter(|name| !active(name)).collect();
    if !missing.is_empty() {
        return Finding::fail(CHECK, format!("{name} has no active index {}", missing.join(", ")), todo);
    }
    if !table.stream_specification().is_some_and(StreamSpecification::stream_enabled) {
        return Finding::fail(CHECK, format!("{name} has no stream: no ticket events are sent"), todo);
    }
    Finding::ok(CHECK, format!("{name} is active, with its four indexes and its stream"))
}

async fn bucket(stack: &Stack) -> Vec<Finding> {
    const CHECK: &str = "bucket";
    let Ok(name) = stack.output("BucketName") else { return Vec::new() };
    let Err(error) = stack.clients.s3.head_bucket().bucket(name).send().await else {
        return vec![Finding::ok(CHECK, format!("{name} is there"))];
    };
    // The answer to HEAD has no body, hence no code.
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(404) => {
            let todo = "mail is refused (503) until it is there; deploy the stack again";
            vec![Finding::fail(CHECK, format!("{name} is not there"), todo)]
        }
        Some(403) => {
            let (action, thing) = ("s3:ListBucket".to_owned(), name.to_owned());
            vec![Finding::unknown(CHECK, &AwsTrouble::Denied { action, thing })]
        }
        _ => vec![of_trouble(CHECK, AwsTrouble::of("s3:ListBucket", name, &error))],
    }
}

/// A fault of the system, or one of those who look.
fn of_trouble(check: &'static str, trouble: AwsTrouble) -> Finding {
    match trouble {
        AwsTrouble::Other { .. } => Finding::fail(check, trouble.to_string(), "deploy the stack again"),
        other => Finding::unknown(check, &other),
    }
}

async fn queues(stack: &Stack, place: &str) -> Vec<Finding> {
    const QUEUES: [(&str, &str); 4] =
        [("dead", "DeadQueueUrl"), ("retry", "RetryQueueUrl"), ("receipt", "ReceiptQueueUrl"), ("net", "NetQueueUrl")];
    let [dead, retry, receipt, net] = QUEUES;
    let (dead, retry, receipt, net) = tokio::join!(
        queue(stack, dead, place),
        queue(stack, retry, place),
        queue(stack, receipt, place),
        queue(stack, net, place)
    );
    let found: Vec<Finding> = [dead, retry, receipt, net].into_iter().flatten().collect();
    let quiet = found.iter().all(|finding| finding.state == State::Ok);
    if quiet && found.len() == QUEUES.len() {
        let shown: Vec<String> = found.into_iter().map(|finding| finding.found).collect();
        return vec![Finding::ok("queues", shown.join(", "))];
    }
    found
}

/// Messages of a queue: waiting, in work, delayed.
async fn queue(stack: &Stack, (name, output): (&str, &str), place: &str) -> Option<Finding> {
    const CHECK: &str = "queues";
    let url = stack.output(output).ok()?;
    let wanted = [
        Q::ApproximateNumberOfMessages,
        Q::ApproximateNumberOfMessagesNotVisible,
        Q::ApproximateNumberOfMessagesDelayed,
    ];
    let request = stack.clients.sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(wanted.to_vec()));
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return Some(of_trouble(CHECK, AwsTrouble::of("sqs:GetQueueAttributes", url, &error))),
    };
    let [waits, works, delayed] = wanted.map(|name| {
        let text = answer.attributes().and_then(|all| all.get(&name));
        text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
    });
    Some(match name {
        "dead" if waits + works > 0 => Finding::fail(
            CHECK,
            format!("{} dead letters: each should have been parked as failed mail, and was not", waits + works),
            format!("see the log of the retry function for why, then postern redrive{place}"),
        ),
        "receipt" | "retry" if waits > BACKLOG => Finding::warn(
            CHECK,
            format!("{name}: {waits} messages wait, {works} in work: mail comes faster than it is decided, or fails"),
            format!("see the log of the {name} function; the account's concurrency stands below"),
        ),
        "net" => Finding::ok(CHECK, format!("net {} (of the last 15 minutes)", waits + works + delayed)),
        name => Finding::ok(CHECK, format!("{name} {}", waits + works + delayed)),
    })
}

async fn mail(stack: &Stack, place: &str) -> Vec<Finding> {
    let Ok(table) = stack.output("TableName") else { return Vec::new() };
    let store = Store::new(stack.clients.dynamodb.clone(), table, Ambient::system());
    waiting(count_attention(&store).await, place)
}

async fn domains(stack: &Stack, view: &View, resolver: Option<SocketAddr>) -> Vec<Finding> {
    let settings = view.in_force.as_ref().unwrap_or(&view.defaults);
    let mailboxes: &Mailboxes = &settings.mailboxes;
    // Without a mailbox no mail is expected anywhere.
    if mailboxes.iter().next().is_none() {
        return Vec::new();
    }
    let host = stack.receives_by_ses().then(|| inbound_host(&stack.region));
    let mut findings = Vec::new();
    for domain in mail_domains(stack, mailboxes) {
        findings.push(mx::check(resolver, &domain, host.as_deref()).await);
    }
    findings
}

async fn lambda(stack: &Stack) -> Vec<Finding> {
    const CHECK: &str = "lambda";
    let answer = match stack.clients.lambda.get_account_settings().send().await {
        Ok(answer) => answer,
        Err(error) => {
            let why = AwsTrouble::of("lambda:GetAccountSettings", "the account", &error);
            return vec![Finding::unknown(CHECK, &why)];
        }
    };
    let limit = answer.account_limit().map_or(0, AccountLimit::concurrent_executions);
    let found = format!("{limit} invocations at once in this account and region, all functions together");
    vec![if limit < CONCURRENCY_MIN {
        let todo = "a burst of mail is throttled, and providers must try again; ask for 1,000 (Service Quotas > AWS \
                    Lambda > Concurrent executions)";
        Finding::warn(CHECK, found, todo)
    } else {
        Finding::ok(CHECK, found)
    }]
}
