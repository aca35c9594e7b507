//! `docs/PERMISSIONS.md`: who may do what to which thing, written from the template. A new right is a change of a page that
//! somebody reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    access::RESOURCE_POLICIES,
    stack::{Stack, entries, list, path, references, shown},
};

const PAGE: &str = "docs/PERMISSIONS.md";

/// The columns: title, and the roles whose rights stand in it.
const COLUMNS: [(&str, &[&str]); 6] = [
    ("webhook", &["WebhookRole"]),
    ("receipt", &["ReceiptRole"]),
    ("retry", &["RetryRole"]),
    ("publish", &["PublishRole"]),
    ("poll", &["PollRole"]),
    ("schedules", &["SweepRole", "PollScheduleRole"]),
];

const HEAD: &str = "\
# Permissions

Who may do what to which thing. **Written from `template.yaml`** by `tests/src/template/permissions.rs`, which fails where the
two differ. After a change that is meant, and read:

```
POSTERN_WRITE_PAGES=1 cargo test --workspace -- template::permissions
```

Names are those of the template's resources. A `•` is a right of the role, always; *with X* one that is there only where the
parameter X asks for it. What has no `•` is refused: no role has a managed policy, an action of `*`, or a resource of `*` but for
X-Ray's, which knows no other. What has one is used: `tests/src/template/reach.rs` runs what the functions do, holds every call
against their roles, and fails for a right to a row, an object, a queue or a topic that no call asked for, but for a few that it
names, with the reason.

";

const AFTER: &str = "
SAM adds one permission that the template does not spell out: API Gateway may call `WebhookFunction`, for this API only. What
reads the queues and the stream is Lambda's own poller, in the name of the function's role. What the people need who use
`postern --stack` stands in [OPERATIONS.md](OPERATIONS.md).
";

/// A cell: no right, one under these parameters, one without a condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    #[default]
    No,
    With(String),
    Always,
}

impl Cell {
    fn word(&self) -> String {
        match self {
            Self::No => String::new(),
            Self::With(parameters) => format!("with {parameters}"),
            Self::Always => "•".to_owned(),
        }
    }
}

/// The parameters that a condition asks for, through other conditions too.
fn parameters(stack: &Stack, condition: &str) -> String {
    let mut found = BTreeSet::new();
    let mut open = vec![stack.at(&format!("/Conditions/{condition}"))];
    while let Some(expression) = open.pop() {
        references(expression, &mut found);
        let text = expression.to_string();
        let others = entries(stack.at("/Conditions"));
        open.extend(others.filter(|(name, _)| text.contains(&format!("{{\"Condition\":\"{name}\"}}"))).map(|(_, e)| e));
    }
    assert!(!found.is_empty(), "{condition} depends on no parameter");
    found.into_iter().collect::<Vec<_>>().join(", ")
}

/// A resource, or part of one, in words: `Bucket`, then what of it.
fn place(role: &str, resource: &Value) -> Place {
    let text = shown(resource);
    if let Some(parameter) = resource["Fn::Split"][1]["Ref"].as_str() {
        return (format!("topics of {parameter}"), String::new());
    }
    if text == "*" {
        return ("X-Ray".to_owned(), "`*`".to_owned());
    }
    let own = role.strip_suffix("Role").map(|function| format!("{function}Logs.Arn"));
    if own.is_some_and(|own| own == text) {
        return ("its own log group".to_owned(), String::new());
    }
    if let Some((name, part)) = text.strip_prefix("${").and_then(|rest| rest.split_once(".Arn}/")) {
        return (name.to_owned(), format!("`{part}`"));
    }
    match text.split_once('.') {
        Some((name, "Arn")) => (name.to_owned(), String::new()),
        Some((name, attribute)) => (name.to_owned(), attribute.to_owned()),
        None => (text, String::new()),
    }
}

/// Conditions of a statement in words; keys of the table are told apart by the caller.
fn only_if(condition: &Value) -> String {
    let each = |(operator, tests): (&str, &Value)| {
        let one = |(key, value): (&str, &Value)| {
            let values: Vec<String> = list(value).into_iter().map(shown).collect();
            format!("{operator} {key} `{}`", values.join("`, `"))
        };
        entries(tests).map(one).collect::<Vec<_>>().join("; ")
    };
    entries(condition).map(each).collect::<Vec<_>>().join("; ")
}

/// A thing, and a part of it.
type Place = (String, String);

/// A place, and an action on it.
type Right = (Place, String);

/// For each place and action, the columns.
fn rights(stack: &Stack) -> BTreeMap<Right, [Cell; COLUMNS.len()]> {
    let mut rows: BTreeMap<Right, [Cell; COLUMNS.len()]> = BTreeMap::new();
    for (role, condition, statement) in stack.rights() {
        let column = COLUMNS.iter().position(|(_, roles)| roles.contains(&role)).unwrap_or_else(|| panic!("{role}"));
        let cell = condition.map_or(Cell::Always, |condition| Cell::With(parameters(stack, condition)));
        let mut others = statement["Condition"].clone();
        let keys = others.as_object_mut().and_then(|tests| tests.remove("ForAllValues:StringLike"));
        let keys = keys.map_or(Value::Null, |tests| tests["dynamodb:LeadingKeys"].clone());
        let others = only_if(&others);
        for resource in list(&statement["Resource"]) {
            let (name, part) = place(role, resource);
            let parts: Vec<String> = match list(&keys).as_slice() {
                [] => vec![part],
                keys => keys.iter().map(|key| format!("{part} key `{}`", shown(key)).trim_start().to_owned()).collect(),
            };
            for part in parts {
                for action in list(&statement["Action"]) {
                    let part = format!("{part} {others}").trim_end().to_owned();
                    let row = rows.entry(((name.clone(), part), shown(action))).or_default();
                    row[column] = row[column].clone().max(cell.clone());
                }
            }
        }
    }
    rows
}

/// One row a place and set of columns; actions that are allowed to the same ones stand together.
fn matrix(stack: &Stack) -> String {
    let mut rows: BTreeMap<(Place, Vec<Cell>), Vec<String>> = BTreeMap::new();
    for ((place, action), cells) in rights(stack) {
        rows.entry((place, cells.to_vec())).or_default().push(format!("`{action}`"));
    }
    let title = |(title, roles): &(&str, &[&str])| match stack.at(&format!("/Resources/{}/Condition", roles[0])) {
        Value::String(condition) => format!("{title}, with {}", parameters(stack, condition)),
        _ => (*title).to_owned(),
    };
    let mut text = format!("| thing | action | {} |\n", COLUMNS.iter().map(title).collect::<Vec<_>>().join(" | "));
    text.push_str(&format!("|{}\n", "---|".repeat(COLUMNS.len() + 2)));
    for (((name, part), cells), actions) in rows {
        let thing = if part.is_empty() { name } else { format!("{name} {part}") };
        let cells: Vec<String> = cells.iter().map(Cell::word).collect();
        text.push_str(&format!("| {thing} | {} | {} |\n", actions.join(" "), cells.join(" | ")));
    }
    text
}

/// What the resources themselves say of who may come.
fn outsiders(stack: &Stack) -> String {
    let mut text = "| policy | who | may | on | only if | there |\n|---|---|---|---|---|---|\n".to_owned();
    for policy in RESOURCE_POLICIES.iter().flat_map(|kind| stack.of_type(kind)) {
        let whole = stack.at(&format!("/Resources/{policy}/Condition")).as_str();
        for (condition, statement) in Stack::conditional(&stack.properties(policy)["PolicyDocument"]) {
            let who = statement["Principal"]["Service"].as_str().unwrap_or("anybody");
            let never = if statement["Effect"] == "Deny" { "never " } else { "" };
            let joined = |values: Vec<String>| values.join(", ");
            let actions =
                joined(list(&statement["Action"]).into_iter().map(|action| format!("`{}`", shown(action))).collect());
            let on = |resource: &Value| match place("", resource) {
                (name, part) if part.is_empty() => name,
                (name, part) => format!("{name} {part}"),
            };
            let on = joined(list(&statement["Resource"]).into_iter().map(on).collect());
            let there = condition
                .or(whole)
                .map_or_else(|| "always".to_owned(), |condition| format!("with {}", parameters(stack, condition)));
            let only = only_if(&statement["Condition"]);
            text.push_str(&format!("| {policy} | {who} | {never}{actions} | {on} | {only} | {there} |\n"));
        }
    }
    text
}

/// Who may act in the name of a role.
fn trusted(stack: &Stack) -> String {
    let mut text = "| role | who takes it | only if |\n|---|---|---|\n".to_owned();
    for role in stack.of_type("AWS::IAM::Role") {
        for statement in Stack::statements(&stack.properties(role)["AssumeRolePolicyDocument"]) {
            let who = shown(&statement["Principal"]["Service"]);
            text.push_str(&format!("| {role} | {who} | {} |\n", only_if(&statement["Condition"])));
        }
    }
    text
}

/// The page as the template gives it.
fn page(stack: &Stack) -> String {
    let (matrix, outsiders, trusted) = (matrix(stack), outsiders(stack), trusted(stack));
    format!(
        "{HEAD}## What the functions may\n\n{matrix}{AFTER}\n## Who is let in from outside\n\n{outsiders}\n## Who may take a \
         role\n\n{trusted}"
    )
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whether the page is written anew is the developer's word")]
fn the_page_says_what_the_template_does() {
    let page = page(&Stack::read());
    if std::env::var_os("POSTERN_WRITE_PAGES").is_some() {
        std::fs::write(path(PAGE), &page).unwrap();
    }
    let found = std::fs::read_to_string(path(PAGE)).unwrap_or_default();
    let differs = page.lines().zip(found.lines()).find(|(wanted, found)| wanted != found);
    assert!(
        page == found,
        "{PAGE} is not what template.yaml gives, first at {differs:?}; if the change is meant: POSTERN_WRITE_PAGES=1 cargo \
         test --workspace -- template::permissions"
    );
}

/// A right more, a right elsewhere, a condition less, a stranger: the page shows each.
#[test]
fn the_page_shows_every_change_of_a_right() {
    let before = page(&Stack::read());
    let document = "Properties/Policies/0/PolicyDocument/Statement";
    for (pointer, value) in [
        (format!("WebhookRole/{document}/0/Action/1"), Value::from("logs:CreateLogGroup")),
        (format!("WebhookRole/{document}/1/Fn::If/0"), Value::from("HasSnsTopics")),
        (
            format!("RetryRole/{document}/4/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys/0"),
            Value::from("A#*"),
        ),
        (format!("RetryRole/{document}/4/Condition/StringEquals"), serde_json::json!({"aws:SourceVpc": "x"})),
        (format!("SweepRole/{document}/0/Resource"), serde_json::json!({"Fn::GetAtt": ["PollFunction", "Arn"]})),
        ("PollRole/Condition".to_owned(), Value::Null),
        ("SweepRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition".to_owned(), Value::Null),
        (
            "NetQueuePolicy/Properties/PolicyDocument/Statement/0/Principal/Service".to_owned(),
            Value::from("events.amazonaws.com"),
        ),
        ("BucketPolicy/Properties/PolicyDocument/Statement/1/Fn::If/0".to_owned(), Value::from("HasAlarmEmail")),
    ] {
        let changed = super::broken(&format!("/Resources/{pointer}"), &value);
        assert_ne!(page(&changed), before, "{pointer}");
    }
}
