//! What runs at GitHub: actions are pinned to a commit, rights are named, and what runs are the scripts that people run.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Name and text of each workflow.
fn workflows() -> Vec<(String, String)> {
    let folder = root().join(".github/workflows");
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// What is wrong, in words.
fn faults(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for line in text.lines().map(str::trim) {
        let line = line.trim_start_matches("- ");
        if let Some(uses) = line.strip_prefix("uses: ").filter(|uses| !uses.starts_with("./")) {
            let (action, version) = uses.split_once(" # ").unwrap_or((uses, ""));
            let commit = action.split_once('@').map_or("", |(_, commit)| commit);
            let pinned = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            if !pinned || !version.starts_with('v') {
                faults.push(format!("{name}: {uses} is not pinned to a commit, with its version behind it"));
            }
        }
        if let Some(run) = line.strip_prefix("run: ") {
            for script in run.split_whitespace().filter_map(|word| word.strip_prefix("./")) {
                if !root().join(script).is_file() {
                    faults.push(format!("{name}: there is no {script}"));
                }
            }
            // GitHub puts an expression into the text of a command before the shell reads it: what stands in a branch's
            // name would run.
            if run.contains("${{") {
                faults.push(format!("{name}: an expression stands in a command: {run}"));
            }
        }
    }
    if !text.contains("\npermissions:\n  contents: read\n") {
        faults.push(format!("{name}: its rights are not read only to begin with"));
    }
    if text.contains("pull_request_target") {
        faults.push(format!("{name}: a stranger's code would run with our rights"));
    }
    if text.matches("runs-on:").count() != text.matches("timeout-minutes:").count() {
        faults.push(format!("{name}: a job may run for ever"));
    }
    faults
}

#[test]
fn workflows_are_pinned_and_run_the_scripts() {
    let all = workflows();
    let found: Vec<String> = all.iter().flat_map(|(name, text)| faults(name, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let of = |wanted: &str| all.iter().find(|(name, _)| name == wanted).map(|(_, text)| text.as_str()).unwrap();
    assert!(of("ci.yml").contains("CI=true ./scripts/test.sh"), "what .ci/run runs");
    assert!(of("release.yml").contains("uses: ./.github/workflows/ci.yml"), "a release is tested first");
    assert!(of("release.yml").contains("./scripts/package.sh"));
}

#[test]
fn each_fault_is_noticed() {
    let (name, text) = workflows().into_iter().find(|(name, _)| name == "ci.yml").unwrap();
    assert!(faults(&name, &text).is_empty());
    for (right, wrong) in [
        ("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "actions/checkout@v7"),
        (" # v7.0.1", ""),
        ("./scripts/test.sh", "./scripts/tests.sh"),
        ("run: sudo --preserve-env", "run: echo ${{ github.head_ref }} && sudo"),
        ("contents: read", "contents: write"),
        ("timeout-minutes: 90", ""),
        ("pull_request:", "pull_request_target:"),
    ] {
        assert!(text.contains(right), "{right}");
        assert!(!faults(&name, &text.replacen(right, wrong, 1)).is_empty(), "{wrong} is not noticed");
    }
}
