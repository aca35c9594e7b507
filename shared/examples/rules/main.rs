//! What routing rules cost: a thousand of them, of every kind of condition, on one mail.
//!
//! ```text
//! cargo run --release -p postern --example rules         CPU of one mail; ends with 1 above five milliseconds
//! valgrind --tool=callgrind --collect-atstart=no --toggle-collect='rules::measured*' target/release/examples/rules once
//! ```
//!
//! The numbers stand in docs/GUARANTEES.md.

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
};

use postern::{
    address::AddrSpec,
    author::{Authentication, Author},
    classify::Classification,
    headers::{self, Headers},
    inbound::Verdicts,
    parse::{self, ParsedMessage},
    rules::{Mail, RULES_MAX, Ruled, Rules},
};

/// CPU of one mail at most (issue 8), nanoseconds.
const LIMIT_NS: u64 = 5_000_000;
/// Mails of one measurement: one alone is over before the clock of the scheduler moves.
const ROUNDS: u64 = 200;
/// Octets of the mail's text: as much as rules look at.
const TEXT_OCTETS: usize = 64 * 1024;

fn main() -> io::Result<ExitCode> {
    let once = std::env::args().nth(1).is_some_and(|word| word == "once");
    let text = thousand();
    if let Err(error) = Rules::parse(&text) {
        writeln!(io::stderr(), "{error}")?;
        return Ok(ExitCode::FAILURE);
    }
    let before = on_cpu();
    let Ok(rules) = Rules::parse_stored(&text) else {
        writeln!(io::stderr(), "what can be set cannot be read again")?;
        return Ok(ExitCode::FAILURE);
    };
    let ready = on_cpu() - before;
    let (small, large, hostile) = (Subject::of(2_000), Subject::of(TEXT_OCTETS), Subject::hostile());
    if once {
        writeln!(io::stdout(), "{} of {RULES_MAX} rules hold", measured(&rules, &large).fired.len())?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        io::stdout(),
        "making {} octets of stored rules ready: {} us of CPU, once a minute",
        text.len(),
        ready / 1_000
    )?;
    let mut slowest = 0;
    for (what, subject) in [("small", small), ("large", large), ("hostile", hostile)] {
        let before = on_cpu();
        let held: usize = (0..ROUNDS).map(|_| measured(&rules, &subject).fired.len()).sum();
        let each = (on_cpu() - before) / ROUNDS;
        let (octets, held) = (subject.octets, held as u64 / ROUNDS);
        writeln!(
            io::stdout(),
            "{RULES_MAX} rules, {what} mail of {octets} octets, {held} hold: {} us of CPU",
            each / 1_000
        )?;
        slowest = slowest.max(each);
    }
    Ok(if slowest <= LIMIT_NS { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One mail, one mailbox. A function of its own, so that callgrind can find it.
#[inline(never)]
fn measured(rules: &Rules, subject: &Subject) -> Ruled {
    let Subject { headers, parsed, author, recipients, octets } = subject;
    let (classification, verdicts) = (&Classification::default(), &Verdicts::default());
    rules.judge(&Mail { headers, parsed, classification, verdicts, author, recipients, octets: *octets }, "support")
}

/// Nanoseconds that this process was on a CPU; 0 where the system doesn't tell.
fn on_cpu() -> u64 {
    let told = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    told.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or_default()
}

struct Subject {
    headers: Headers,
    parsed: ParsedMessage,
    author: Author,
    recipients: Vec<AddrSpec>,
    octets: u64,
}

impl Subject {
    /// A mail of words that nearly are those of the rules.
    fn of(octets: usize) -> Self {
        let text: String = (0..octets / 32).map(|n| format!("printer {n} word{n} fails again, \n")).collect();
        Self::read("X-Alert: device 500 of 1000\r\n", &text, &["help+t3@us.example", "bob@customer1.example"])
    }

    /// As dear as a sender can make it: many recipients, long fields, a text of the words that phrases begin with.
    fn hostile() -> Self {
        let field = format!("X-Alert: {}\r\n", "device machine 1".repeat(500)).repeat(5);
        let recipients: Vec<String> = (0..100).map(|n| format!("desk{n}+t{n}+x@other.example")).collect();
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        Self::read(&field, &"printer alarm fails ".repeat(TEXT_OCTETS / 20), &recipients)
    }

    fn read(fields: &str, text: &str, recipients: &[&str]) -> Self {
        let raw = format!(
            "From: jane@customer7.example\r\nSubject: the printer in room 12 is out of order since noon\r\n\
             X-Priority: 2\r\n{fields}Message-ID: <a@customer7.example>\r\n\r\n{text}"
        );
        let headers = headers::scan(raw.as_bytes());
        let parsed = parse::parse(raw.as_bytes(), &headers);
        let address = AddrSpec::parse("jane@customer7.example");
        let author = Author { address, name: None, authentication: Authentication::Unknown, flags: Vec::new() };
        let recipients = recipients.iter().filter_map(|address| AddrSpec::parse(address)).collect();
        Self { headers, parsed, author, recipients, octets: raw.len() as u64 }
    }
}

/// As many rules as a mailbox may have. Most of them look at everything before they find that they do not hold.
fn thousand() -> String {
    let rule = |n: usize| {
        let when = match n % 10 {
            0 => format!(r#"{{ "author": ["a{n}@customer.example", "b{n}*@*.example"], "subject": ["printer {n}"] }}"#),
            1 => format!(r#"{{ "author_domain": ["customer{n}.example", "*.customer{n}.example"] }}"#),
            2 => format!(r#"{{ "subject": ["printer in room {n}", "out of order*", "down {n}"] }}"#),
            3 => format!(r#"{{ "body": ["word{n} fails", "printer {n} broken", "wor{n}*", "fails {n}"] }}"#),
            4 => format!(r#"{{ "header": [{{ "name": "X-Alert", "contains": ["device {n} ", "machine {n}"] }}] }}"#),
            5 => format!(r#"{{ "recipient": ["help+t{n}@us.example", "desk{n}@*"], "tag": ["t{n}"] }}"#),
            6 => format!(r#"{{ "any": [{{ "body": ["alarm {n}"] }}, {{ "subject": ["alarm {n}"] }}] }}"#),
            7 => r#"{ "language": ["de"], "kind": ["human"] }"#.to_owned(),
            8 => r#"{ "not": { "importance": ["high"] }, "size_over": 10 }"#.to_owned(),
            _ => r#"{ "verdict": { "dmarc": ["fail"] }, "authentication": ["failed"] }"#.to_owned(),
        };
        format!(r#"{{ "name": "r{n}", "if": {when}, "then": {{ "queue": "q{n}", "tags": ["t{n}"] }} }}"#)
    };
    format!(r#"{{ "rules": [{}] }}"#, (0..RULES_MAX).map(rule).collect::<Vec<_>>().join(","))
}
