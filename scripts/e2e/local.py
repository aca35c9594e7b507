#!/usr/bin/env python3
"""Every function in a real container, with every sample of `events/`, against the engines of a running `postern dev`.

    scripts/e2e/local.py POSTERN BUILD-DIRECTORY WORK-DIRECTORY BRIDGE-ADDRESS

Run by the Python of aws-sam-cli, for its boto3. What is expected of each sample stands in one table, EXPECTED; a sample
that is not in it fails, as does one that is missing.
"""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import pathlib
import re
import signal
import subprocess
import sys
import time

import boto3
import common
import front
from botocore.config import Config
from common import ROOT, check, fail

FUNCTIONS = {name.lower(): f"{name}Function" for name in ("Webhook", "Receipt", "Retry", "Publish", "Poll")}
# The public values that events/README.md documents.
OPERATOR = {
    "mailgun": {"signing_keys": ["key-events-samples"]},
    "postmark": {"credentials": ["events:samples"]},
    "sendgrid": {"credentials": ["events:samples"]},
    "raw": {"bearer_keys": ["events-samples-bearer-key"]},
    "escalated": {"inbound_secrets": ["events-samples-shared-secret"]},
}
SIGNED_AT = b"1793600000"
# Containers; most of an invocation is waiting for Docker.
AT_ONCE = 4
NO_FAILURES = {"batchItemFailures": []}


def http(status, name, value):
    """An answer of the HTTP door: status, and one field of its JSON."""
    return ("http", status, name, value)


def row(outcome, why):
    """The one ledger row that a mail leaves: outcome, and its cause or effect."""
    return ("row", outcome, why)


def answer(value):
    return ("answer", value)


EXPECTED = {
    "webhook-escalated-curl": http(200, "outcome", "created_new"),
    "webhook-mailgun-bad-signature": http(401, "error", "unauthorized"),
    "webhook-mailgun-mime": http(200, "outcome", "created_new"),
    "webhook-mailgun-mime-urlencoded": http(200, "outcome", "created_new"),
    "webhook-mailgun-parsed": http(200, "outcome", "created_new"),
    "webhook-mailgun-store": http(200, "outcome", "queued"),
    "webhook-mailgun-tracking": http(406, "error", "other-webhook"),
    "webhook-postmark-bad-credentials": http(401, "error", "unauthorized"),
    "webhook-postmark-parsed": http(200, "outcome", "created_new"),
    "webhook-postmark-raw": http(200, "outcome", "created_new"),
    "webhook-raw-relay": http(200, "outcome", "created_new"),
    "webhook-sendgrid-bad-credentials": http(503, "error", "unauthorized"),
    "webhook-sendgrid-parsed": http(200, "outcome", "created_new"),
    "webhook-sendgrid-raw": http(200, "outcome", "created_new"),
    "webhook-ses-no-topics": http(503, "error", "not-configured"),
    "webhook-unknown-route": http(404, "error", "unknown-door"),
    "webhook-wrong-method": http(405, "error", "method"),
    "receipt-content-base64": row("committed", "created"),
    "receipt-foreign-bucket": row("failed", "unreadable-payload"),
    "receipt-lambda-action": row("committed", "created"),
    "receipt-raw-delivery": row("committed", "created"),
    "receipt-setup": row("ignored", "ses-setup"),
    "receipt-sns": row("committed", "created"),
    "receipt-sns-in-sqs": row("committed", "created"),
    "receipt-virus": row("held", "virus"),
    "retry-close": answer({"closed": 0, "left": 0}),
    "retry-dead-letter": row("failed", "dead-letter"),
    "retry-decide": row("committed", "created"),
    "retry-reconcile": answer({"announced": 0, "redriven": 0, "stubs": 0, "broken": 0}),
    "retry-safety-net": row("held", "unaccounted"),
    "retry-sweep": answer({"touched": 0, "left": 0, "retold": 0, "warned": 0}),
    "poll-door": answer(NO_FAILURES),
    "poll-schedule": answer({"doors": 0}),
    "publish-entry-joined": answer(NO_FAILURES),
    "publish-expired": answer(NO_FAILURES),
    "publish-mail-failed": answer(NO_FAILURES),
    "publish-mail-held": answer(NO_FAILURES),
    "publish-one-broken": answer({"batchItemFailures": [{"itemIdentifier": "000000000000000100001"}]}),
    "publish-status-changed": answer(NO_FAILURES),
    "publish-ticket-opened": answer(NO_FAILURES),
    "publish-ticket-reopened": answer(NO_FAILURES),
    "publish-wrong-source": ("error", "not a DynamoDB stream event"),
}


def sign(token, key, at):
    return hmac.new(key.encode(), at + token, hashlib.sha256).hexdigest().encode()


def signed_now(event):
    """A webhook sample with Mailgun's signature of today; the one that is signed with another key stays a forgery."""
    body = event.get("body") or ""
    octets = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    now = str(int(time.time())).encode()
    for sign_of in "0123456789abcdef":
        token = sign_of.encode() * 50
        old = sign(token, "key-events-samples", SIGNED_AT)
        octets = octets.replace(old, sign(token, "key-events-samples", now))
    octets = octets.replace(SIGNED_AT, now)
    event["body"] = base64.b64encode(octets).decode() if event.get("isBase64Encoded") else octets.decode()
    return event


def mail(number):
    """The mail that a receipt or a letter tells of, each with an id of its own."""
    lines = ["From: Jane Doe <jane.doe@customer.example>", "To: support@postern.test",
             f"Subject: The export button does nothing ({number})", "Date: Mon, 02 Nov 2026 09:59:50 +0100",
             f"Message-ID: <export-e2e-{number}@customer.example>", "", f"Since the update of this morning ({number})."]
    return "\r\n".join(lines).encode()


class Engines:
    """The engines behind the containers, looked at directly."""

    def __init__(self, data):
        at = json.loads((data / "endpoints.json").read_text())
        of = dict(region_name="us-east-1", aws_access_key_id="postern", aws_secret_access_key="postern")
        path_style = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
        self.table = boto3.resource("dynamodb", endpoint_url=at["dynamodb"], **of).Table("postern")
        self.bucket = boto3.client("s3", endpoint_url=at["s3"], config=path_style, **of)

    def rows(self):
        """Ledger rows by key: what was decided, and its cause or effect."""
        items, start = [], {}
        while True:
            page = self.table.scan(**start)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        mails = [item for item in items if item["pk"].startswith("MAIL#")]
        return {(m["pk"], m["sk"]): (m["outcome"], m.get("cause", "") + m.get("effect", "")) for m in mails}

    def put(self, key, octets):
        self.bucket.put_object(Bucket="postern", Key=key, Body=octets)


def prepared(name, number, engines):
    """The event as it is handed over. Mail of its own lies where it says mail is."""
    text = (ROOT / "events" / f"{name}.json").read_text()
    if name.startswith("webhook"):
        return json.dumps(signed_now(json.loads(text)))
    for old in ("ses-1", "ses-2"):
        text = text.replace(old, f"ses-e2e-{number}")
    text = text.replace("raw/mailgun/sample", f"raw/mailgun/e2e-{number}").replace("export-1@", f"export-e2e-{number}@")
    # Where the octets come along, nothing lies in the bucket.
    if name != "receipt-content-base64":
        for key in (f"raw/ses/ses-e2e-{number}", f"raw/mailgun/e2e-{number}"):
            engines.put(key, mail(number))
    return text


class Sam:
    """`sam local` with the functions' variables, as a person would start it."""

    def __init__(self, build, work, engines_at, data):
        queues = json.loads((data / "endpoints.json").read_text())["sqs"]
        account = f"{queues}/000000000000"
        variables = {
            "POSTERN_AWS_ENDPOINT": engines_at, "POSTERN_TABLE": "postern", "POSTERN_BUCKET": "postern",
            "POSTERN_MASTER_SECRET": "master", "POSTERN_OPERATOR_SECRET": "operator",
            "POSTERN_ADDRESS": "support@postern.test", "POSTERN_PREFIX": "INC",
            "POSTERN_EVENTS_TOPIC": "arn:aws:sns:us-east-1:000000000000:postern-events",
        }
        for name in ("retry", "receipt", "net", "dead", "poll"):
            variables[f"POSTERN_{name.upper()}_QUEUE"] = f"{account}/postern-{name}"
        self.variables = work / "variables.json"
        self.variables.write_text(json.dumps({"Parameters": variables}))
        self.template, self.work = build / "template.yaml", work
        self.environment = common.environment(AWS_ACCESS_KEY_ID="postern", AWS_SECRET_ACCESS_KEY="postern",
                                              AWS_DEFAULT_REGION="us-east-1", AWS_REGION="us-east-1")

    def options(self):
        return ["--template", self.template, "--env-vars", self.variables, "--skip-pull-image",
                "--parameter-overrides", "Architecture=x86_64 Address=support@postern.test"]

    def invoke(self, function, event):
        """Exit code, what the function answered, what was logged."""
        done = subprocess.run([str(part) for part in
                               ["sam", "local", "invoke", function, "--event", "-", *self.options()]],
                              input=event, capture_output=True, text=True, env=self.environment, cwd=self.work)
        return done.returncode, done.stdout.strip(), done.stderr

    def start_api(self, port):
        command = ["sam", "local", "start-api", "--host", "127.0.0.1", "--port", port, *self.options()]
        return common.background(command, self.work / "start-api.log", env=self.environment, cwd=self.work)


def judge(expected, code, said, fresh):
    """What is wrong, or nothing. `fresh` are the ledger rows that came or changed."""
    kind, *wanted = expected
    try:
        value = json.loads(said.splitlines()[-1]) if said else None
    except json.JSONDecodeError:
        return f"no JSON: {said}"
    if code:
        return f"sam ended with {code}"
    found = [value]
    if kind == "http":
        value = value or {}
        found = [value.get("statusCode"), wanted[1], json.loads(value.get("body") or "{}").get(wanted[1])]
    elif kind == "row" and value in (None, {"disposition": "CONTINUE"}, NO_FAILURES):
        found = list(fresh[0]) if len(fresh) == 1 else fresh
    elif kind == "error":
        found = [text for text in wanted if text in (value or {}).get("errorMessage", "")]
    return None if found == wanted else f"expected {wanted}, found {json.dumps(found)[:600]}"


def invoke_all(sam, engines):
    names = sorted(path.stem for path in (ROOT / "events").glob("*.json"))
    check(names == sorted(EXPECTED), "every sample of events/ is expected, and no other",
          sorted(set(names) ^ set(EXPECTED)))

    def one(number_and_name):
        number, name = number_and_name
        event = prepared(name, number, engines)
        before = engines.rows()
        code, said, log = sam.invoke(FUNCTIONS[name.split("-")[0]], event)
        fresh = [row for key, row in engines.rows().items() if before.get(key) != row]
        trouble = judge(EXPECTED[name], code, said, fresh)
        line = said.splitlines()[-1][:60] if said else "(no answer)"
        print(f"  {'BAD' if trouble else 'ok '} {name:34} {line}", flush=True)
        return f"{name}: {trouble}\n{log[-1500:]}" if trouble else None

    numbered = list(enumerate(names, 1))
    alone = [pair for pair in numbered if EXPECTED[pair[1]][0] == "row"]
    # One after the other, so that the row which appears is this one's.
    found = [one(pair) for pair in alone]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        found += pool.map(one, [pair for pair in numbered if pair not in alone])
    wrong = [trouble for trouble in found if trouble]
    if wrong:
        fail("\n".join(wrong))
    print(f"  {len(names)} samples in containers")


def curl_lines(dev_log):
    """The lines that `postern dev` prints for people, as they stand."""
    lines = [line.strip() for line in dev_log.read_text().splitlines() if line.strip().startswith("curl ")]
    check(len(lines) == 3, "postern dev prints a curl line for Mailgun, Postmark and raw mail", lines)
    return lines


def api(sam, dev_log, port, url):
    process = sam.start_api(port)
    log = sam.work / "start-api.log"
    common.wait_for("sam local start-api", lambda: process.poll() is not None or "Running on http" in log.read_text())
    here = f"http://127.0.0.1:{port}"
    for line in curl_lines(dev_log):
        done = subprocess.run(["bash", "-c", line.replace(url, here) + " -sS -w '\\n%{http_code}'"],
                              capture_output=True, text=True)
        body, _, status = done.stdout.rpartition("\n")
        door = re.search(r"/inbound/(\w+)", line).group(1)
        outcome = json.loads(body).get("outcome") if status == "200" else body + done.stderr
        # The raw line hands over the mail of Mailgun's once more.
        wanted = "duplicate" if door == "raw" else "created_new"
        check((status, outcome) == ("200", wanted), f"start-api: the curl line of {door} -> {status} {outcome}",
              done.stdout + done.stderr + log.read_text()[-1500:])
    process.send_signal(signal.SIGINT)
    common.stop(process)


def main():
    postern, build, work, bridge = sys.argv[1:]
    build, work = pathlib.Path(build), pathlib.Path(work, "local")
    data = work / "data"
    (data / "secrets").mkdir(parents=True, mode=0o700)
    (data / "secrets" / "operator.json").write_text(json.dumps(OPERATOR))
    log = work / "dev.log"
    dev = common.background([postern, "dev", "--data", data, "--port", common.free_port()], log, env=common.environment())
    common.wait_for("postern dev", lambda: dev.poll() is not None or "Ctrl-C stops" in log.read_text())
    check(dev.poll() is None, "postern dev runs", log.read_text())
    url = json.loads((data / "endpoints.json").read_text())["http"]
    engines = Engines(data)
    sam = Sam(build, work, front.serve(data, bridge), data)
    invoke_all(sam, engines)
    api(sam, log, common.free_port(), url)
    common.stop(dev)


if __name__ == "__main__":
    main()
