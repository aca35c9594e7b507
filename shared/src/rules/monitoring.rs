//! Mails of monitoring systems: which object they are about, and whether it is broken or well again.
//!
//! | system | subject | key |
//! |---|---|---|
//! | Nagios | `** PROBLEM Service Alert: web01/HTTP is CRITICAL **`, `*** RECOVERY *** web01 / HTTP is OK` | the object |
//! | Icinga | `[PROBLEM] HTTP on web01 is CRITICAL!`, `PROBLEM - web01 - HTTP is CRITICAL` | the object |
//! | Zabbix | `Problem: High CPU`, `Resolved in 5m 3s: High CPU`, `OK: High CPU` | `Original problem ID:` in the body: the subject names no host |
//! | Alertmanager, Grafana | `[FIRING:2] HighLatency prod (api critical)`, `[RESOLVED] HighLatency prod` | the group's labels; those in brackets change with its alerts |
//! | CloudWatch | `ALARM: "HighCPU" in US East (N. Virginia)`, `OK: "HighCPU" in ...` | name and region; a name that SNS has cut is none |
//!
//! These are the forms that the systems send as they are installed. A subject that does not begin so (`Re: ...`) is a
//! person's.

/// What a mail says of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is broken, or still is.
    Problem,
    /// It is well again.
    Recovery,
    /// Something else about it: acknowledged, flapping, a downtime, no data.
    Note,
}

/// A recognised mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alert {
    pub(super) system: &'static str,
    pub(super) key: String,
    pub(super) state: State,
}

/// Types of notification of Nagios and Icinga.
const TYPES: [(&str, State); 12] = [
    ("PROBLEM", State::Problem),
    ("RECOVERY", State::Recovery),
    ("ACKNOWLEDGEMENT", State::Note),
    ("FLAPPINGSTART", State::Note),
    ("FLAPPINGSTOP", State::Note),
    ("FLAPPINGEND", State::Note),
    ("FLAPPINGDISABLED", State::Note),
    ("DOWNTIMESTART", State::Note),
    ("DOWNTIMEEND", State::Note),
    ("DOWNTIMECANCELLED", State::Note),
    ("DOWNTIMEREMOVED", State::Note),
    ("CUSTOM", State::Note),
];
/// States of their hosts and services.
const CHECKS: [&str; 7] = ["OK", "UP", "WARNING", "CRITICAL", "UNKNOWN", "DOWN", "UNREACHABLE"];
/// What stands before the id of a problem in a mail of Zabbix.
const ZABBIX_IDS: [&str; 2] = ["Original problem ID:", "Original event ID:"];

/// Reads a subject, and where only that tells, the body. `None`: no mail of these, or its key can't be told.
pub(super) fn recognise(subject: &str, body: Option<&str>) -> Option<Alert> {
    let subject = subject.trim();
    nagios(subject)
        .or_else(|| icinga(subject))
        .or_else(|| alertmanager(subject))
        .or_else(|| cloudwatch(subject))
        .or_else(|| zabbix(subject, body?))
}

fn nagios(subject: &str) -> Option<Alert> {
    let inner = subject.strip_prefix("**")?.trim_matches(['*', ' ']);
    let (word, rest) = inner.split_once(' ')?;
    let state = notification(word)?;
    let rest = rest.trim_matches(['*', ' ']);
    let object = ["Service Alert:", "Host Alert:", "alert -"].iter().find_map(|intro| rest.strip_prefix(intro));
    alert("nagios", checked(object.unwrap_or(rest))?, state)
}

fn icinga(subject: &str) -> Option<Alert> {
    let bracketed = subject.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (word, rest) = bracketed.or_else(|| subject.split_once(" - "))?;
    alert("icinga", checked(rest.trim_end_matches('!'))?, notification(word)?)
}

/// `OBJECT is STATE`: the object.
fn checked(text: &str) -> Option<&str> {
    let (object, check) = text.trim().rsplit_once(" is ")?;
    CHECKS.contains(&check.trim()).then(|| object.trim_matches([' ', '-']))
}

fn notification(word: &str) -> Option<State> {
    TYPES.iter().find(|(known, _)| *known == word).map(|(_, state)| *state)
}

fn alertmanager(subject: &str) -> Option<Alert> {
    let (status, rest) = subject.strip_prefix('[')?.split_once(']')?;
    let state = match status.split([':', ',']).next()? {
        "FIRING" => State::Problem,
        "RESOLVED" => State::Recovery,
        _ => return None,
    };
    alert("alertmanager", without_last_brackets(rest.trim()), state)
}

/// Without the labels that alerts have in common and their group has not.
fn without_last_brackets(text: &str) -> &str {
    let Some(inner) = text.strip_suffix(')') else { return text };
    let mut depth = 1_usize;
    for (at, c) in inner.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inner.get(..at).unwrap_or_default().trim_end();
        }
    }
    text
}

fn cloudwatch(subject: &str) -> Option<Alert> {
    let (word, rest) = subject.split_once(": \"")?;
    let state = match word {
        "ALARM" => State::Problem,
        "OK" => State::Recovery,
        "INSUFFICIENT_DATA" => State::Note,
        _ => return None,
    };
    let (name, region) = rest.rsplit_once("\" in ")?;
    let cut = name.is_empty() || region.trim().is_empty() || region.ends_with("...");
    if cut { None } else { alert("cloudwatch", rest, state) }
}

fn zabbix(subject: &str, body: &str) -> Option<Alert> {
    let (word, _) = subject.split_once(':')?;
    let state = match word {
        "Problem" | "PROBLEM" => State::Problem,
        "Resolved" | "OK" => State::Recovery,
        "Updated problem" => State::Note,
        _ if word.starts_with("Resolved in ") => State::Recovery,
        _ if word.starts_with("Updated problem in ") => State::Note,
        _ => return None,
    };
    let behind = |line: &'_ str| ZABBIX_IDS.iter().find_map(|intro| line.trim().strip_prefix(intro).map(str::to_owned));
    let id = body.lines().find_map(behind)?;
    let id = id.trim();
    let digits = !id.is_empty() && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit());
    if digits { alert("zabbix", id, state) } else { None }
}

fn alert(system: &'static str, key: &str, state: State) -> Option<Alert> {
    let key = key.trim();
    (!key.is_empty()).then(|| Alert { system, key: key.to_owned(), state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use State::{Note, Problem, Recovery};

    const ZABBIX_BODY: &str = "Problem started at 10:15:00 on 2026.11.02\nProblem name: High CPU\nHost: web01\n\
                               Severity: Warning\nOperational data: 97 %\nOriginal problem ID: 4711\n";

    #[test]
    fn each_system_as_it_is_installed() {
        for (subject, system, key, state) in [
            ("** PROBLEM Service Alert: web01/HTTP is CRITICAL **", "nagios", "web01/HTTP", Problem),
            ("** RECOVERY Service Alert: web01/HTTP is OK **", "nagios", "web01/HTTP", Recovery),
            ("** ACKNOWLEDGEMENT Service Alert: web01/HTTP is CRITICAL **", "nagios", "web01/HTTP", Note),
            ("** PROBLEM Host Alert: web01 is DOWN **", "nagios", "web01", Problem),
            ("** RECOVERY Host Alert: web01 is UP **", "nagios", "web01", Recovery),
            ("** PROBLEM alert - web01/HTTP is WARNING **", "nagios", "web01/HTTP", Problem),
            ("*** RECOVERY *** web01 / HTTP is OK", "nagios", "web01 / HTTP", Recovery),
            ("[PROBLEM] HTTP on web01 is CRITICAL!", "icinga", "HTTP on web01", Problem),
            ("[RECOVERY] HTTP on web01 is OK!", "icinga", "HTTP on web01", Recovery),
            ("[DOWNTIMESTART] Host web01 is UP!", "icinga", "Host web01", Note),
            ("[RECOVERY] Host web01 is UP!", "icinga", "Host web01", Recovery),
            ("PROBLEM - web01 - HTTP is CRITICAL", "icinga", "web01 - HTTP", Problem),
            ("RECOVERY - web01 - is UP", "icinga", "web01", Recovery),
            ("Problem: High CPU", "zabbix", "4711", Problem),
            ("Resolved in 5m 3s: High CPU", "zabbix", "4711", Recovery),
            ("Resolved: High CPU", "zabbix", "4711", Recovery),
            ("OK: High CPU", "zabbix", "4711", Recovery),
            ("Updated problem in 2m: High CPU", "zabbix", "4711", Note),
            ("[FIRING:2] HighLatency prod (api critical)", "alertmanager", "HighLatency prod", Problem),
            ("[FIRING:1] HighLatency prod (api (eu) critical)", "alertmanager", "HighLatency prod", Problem),
            ("[FIRING:1, RESOLVED:2] HighLatency prod ", "alertmanager", "HighLatency prod", Problem),
            ("[RESOLVED] HighLatency prod (api critical)", "alertmanager", "HighLatency prod", Recovery),
            (
                "ALARM: \"HighCPU\" in US East (N. Virginia)",
                "cloudwatch",
                "HighCPU\" in US East (N. Virginia)",
                Problem,
            ),
            ("OK: \"HighCPU\" in US East (N. Virginia)", "cloudwatch", "HighCPU\" in US East (N. Virginia)", Recovery),
            ("INSUFFICIENT_DATA: \"A \" in B\" in EU (Ireland)", "cloudwatch", "A \" in B\" in EU (Ireland)", Note),
        ] {
            let expected = Alert { system, key: key.to_owned(), state };
            assert_eq!(recognise(subject, Some(ZABBIX_BODY)), Some(expected.clone()), "{subject}");
            let by_subject = (system != "zabbix").then_some(expected);
            assert_eq!(recognise(subject, None), by_subject, "{subject}: by its subject alone");
        }
    }

    #[test]
    fn what_only_looks_like_one() {
        for (subject, body) in [
            ("Re: ** PROBLEM Service Alert: web01/HTTP is CRITICAL **", ZABBIX_BODY),
            ("[PROBLEM] HTTP on web01 is slow!", ""),
            ("[PROBLEM] my printer", ""),
            ("[FIRING:1] (api critical)", ""),
            ("[FIRING SQUAD] a film", ""),
            ("Problem: my printer", "It does not print."),
            ("Problem: my printer", "Original problem ID: 12 or so"),
            ("Aw: Problem: High CPU", ZABBIX_BODY),
            ("ALARM: \"a name that is far too lo...", ""),
            ("ALARM: \"HighCPU\" in US East (N. Vir...", ""),
            ("** is **", ""),
            ("", ZABBIX_BODY),
        ] {
            assert_eq!(recognise(subject, Some(body)), None, "{subject}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_breaks(subject in "(\\*\\*|\\[|PROBLEM - |ALARM: \"|Problem:)?\\PC{0,60}", body in "\\PC{0,60}") {
            let _ = recognise(&subject, Some(&body));
        }
    }
}
