#!/usr/bin/env bash
# Uses the built binary as a person does, in a directory of its own: scripts/smoke.sh PATH-TO-POSTERN
set -euo pipefail

postern="${1:?usage: scripts/smoke.sh PATH-TO-POSTERN}"
postern="$(cd "$(dirname "$postern")" && pwd)/$(basename "$postern")"
samples="$(cd "$(dirname "${BASH_SOURCE[0]}")/../cli/samples" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
# The environment of whoever runs this must not decide the outcome.
unset POSTERN_ADDRESS POSTERN_PREFIX POSTERN_NUMBER_YEAR POSTERN_REPLY_MODE

# expect WHAT PATTERN: the pattern stands in the file `out`.
expect() {
  if ! grep -q -- "$2" out; then
    echo "smoke: $1: no line matches '$2' in:" >&2
    cat out >&2
    exit 1
  fi
}

# run CODE VERB...: runs a verb into `out`; its exit code must be CODE.
run() {
  local wanted="$1" code=0
  shift
  "$postern" "$@" >out 2>&1 || code=$?
  if [[ "$code" != "$wanted" ]]; then
    echo "smoke: 'postern $*' ended with $code instead of $wanted:" >&2
    cat out >&2
    exit 1
  fi
}

run 0 demo
expect "demo: three mails answered" "mail 3 -> HTTP 200  created_new  INC-00002"
expect "demo: the conversation is shown" "Li Wei <li.wei@customer.example>"
expect "demo: the ledger is shown" "no-evidence"

run 0 ingest "$samples/1-customer-writes.eml" "$samples/2-customer-answers.eml" "$samples/3-second-customer.eml" --data data
expect "ingest: a reply joins its ticket" "^INC-00001 .* replied_to_existing .*stored-id"
expect "ingest: a second customer gets a ticket" "^INC-00002 .* created_new"

run 0 ingest "$samples/1-customer-writes.eml" --data data
expect "ingest: the same octets again are a retry" "^INC-00001 .*seen-before"

{ echo "X-Seen: by another door"; cat "$samples/1-customer-writes.eml"; } >copy.eml
run 0 ingest copy.eml --data data
expect "ingest: another copy of the mail is a duplicate" "^INC-00001 .* duplicate"

run 0 ingest - --data data <"$samples/3-second-customer.eml"
expect "ingest: from standard input" "^INC-00002 .*seen-before"

run 66 ingest missing.eml --data data
run 64 ingest --to nobody "$samples/1-customer-writes.eml" --data data
run 64 ingest --data data
run 75 ingest "$samples/1-customer-writes.eml" --data "$samples/1-customer-writes.eml"

run 0 tickets --json --data data
expect "tickets: the first" '"number": "INC-00001"'
expect "tickets: the second" '"number": "INC-00002"'
expect "tickets: the first has two entries" '"entry_count": 2'
if grep -q 'INC-00003' out; then
  echo "smoke: a retry or a duplicate made a ticket" >&2
  cat out >&2
  exit 1
fi

run 0 ticket INC-00001 --data data
expect "ticket: the answer is shown" "It worked on Friday"
run 0 mail --data data
expect "mail: every copy has its row" "duplicate"
run 0 inspect "$samples/2-customer-answers.eml"
expect "inspect: the kind is told" '"kind": "human"'

echo "smoke: passed"
