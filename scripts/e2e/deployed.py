#!/usr/bin/env python3
"""`sam deploy` of template.yaml as it stands into an emulator of AWS, mail through every way in, an update, `sam delete`.

    scripts/e2e/deployed.py POSTERN BUILD-DIRECTORY ARCHIVE WORK-DIRECTORY EMULATOR-PYTHON plain|iam

Run by the Python of aws-sam-cli, for its boto3. With `iam` the emulator enforces the roles' policies: the same mail goes
through, and what a role may not do is refused.
"""
import pathlib
import subprocess
import sys

import common
import mails
import rights
from common import ROOT, check
from stack import Emulator, Stack, check_whole

NOT_PROVEN = """\
  What the emulator does not do, so this run says nothing of it. (T) = a test of the template says that it is there.
  - SES receives nothing: object and notification are made by hand from the rule that was deployed. (T: the whole rule)
  - Stream: MaximumRetryAttempts, the age of records and OnFailure are stored and not honoured. (T)
  - Queues: nothing is received a hundred times, so no redrive policy moves a letter; SNS's own neither. (T)
  - TTL removes nothing, point-in-time recovery restores nothing; that they are on is set by emulator.py. (T)
  - Alarms never leave INSUFFICIENT_DATA, those on metric math are not made at all; no metric filter counts; the API writes
    no access log. (T: what they watch)
  - Policies: the plain run enforces none. With roles enforced, queues and topics let S3 and SNS in by their policies; SES
    never calls, so its conditions are not tried, and what denies requests without TLS never denies. (T)
  - Functions are processes of this machine, x86_64: no memory limit, no Amazon Linux, no arm64, no cold network.
  - API Gateway's limits (6 MB, 30 s), Lambda's concurrency and scaling, SNS's retries, quotas and prices."""


def tickets(stack):
    return {t["number"]: (t["subject"], t["entry_count"]) for t in stack.cli("tickets", "--json")["tickets"]}


def doctor(stack):
    """Its findings. What it cannot judge here is what lies outside the emulator: names in DNS."""
    findings = stack.cli("doctor", "--json", "--resolver", "127.0.0.1:9", codes=(0, 1))["findings"]
    unwell = {f["check"]: f["state"] for f in findings if f["state"] != "ok"}
    check("fail" not in unwell.values(),
          f"postern doctor --stack: {len(findings)} findings, none fails; {len(unwell)} not judged or warned of: "
          f"{', '.join(sorted(unwell))}", [f for f in findings if f["state"] == "fail"])


def deployed(stack):
    status = stack.deploy()
    check(status == "CREATE_COMPLETE", "sam deploy: CREATE_COMPLETE", status)
    check_whole(stack)
    listener = mails.listen(stack)
    mails.set_secrets(stack)
    mails.by_http(stack)
    mails.by_ses(stack)
    mails.by_queues(stack)
    mails.events(stack, listener, {"ticket.created", "entry.created", "message.held", "message.failed"})
    mails.by_schedule(stack)
    doctor(stack)
    shown = stack.cli("ticket", "ACME-00001")
    check("Li Wei" in shown, "postern ticket --stack shows the conversation", shown)


def updated(stack):
    before = tickets(stack)
    status = stack.deploy(NumberYear="true", LogRetentionDays="60")
    check(status == "UPDATE_COMPLETE", "sam deploy with other parameters: UPDATE_COMPLETE", status)
    check(tickets(stack) == before, f"the {len(before)} tickets are as they were")
    status, body = mails.raw(stack, mails.letter(5, "mail after the update"))
    check((status, body.get("ticket_number", "").count("-")) == (200, 2),
          f"the functions have the new parameter: {body.get('ticket_number')}", (status, body))
    group = stack.client("logs").describe_log_groups(logGroupNamePrefix=f"/postern/{stack.name}/webhook")["logGroups"][0]
    check(group["retentionInDays"] == 60, "and so has a log group", group)


def restored(stack):
    """docs/OPERATIONS.md, "Backup and restore": the table as recovery leaves it, and scripts/restore.py from it."""
    dynamodb, table, copy = stack.client("dynamodb"), stack.outputs["TableName"], f"{stack.name}-restored"
    counter = {"pk": {"S": "ORDINAL"}, "sk": {"S": "TICKET"}}
    keys = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    dynamodb.create_table(TableName=copy, BillingMode="PAY_PER_REQUEST", KeySchema=keys, AttributeDefinitions=[
        {"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in keys])

    def lose(item):
        dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})

    def last_number():
        return dynamodb.get_item(TableName=table, Key=counter, ConsistentRead=True)["Item"]["next"]["N"]

    def restore(*options, code=0):
        command = [sys.executable, ROOT / "scripts/restore.py", "--from", copy, "--to", table, *options]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              env=stack.emulator.environment)
        check(done.returncode == code, f"{' '.join(['restore.py', *options])}: {done.stdout.splitlines()[0]}",
              done.stdout + done.stderr)
        return done.stdout + done.stderr

    before, shown, number = tickets(stack), stack.cli("ticket", "1"), last_number()
    items = [item for page in dynamodb.get_paginator("scan").paginate(TableName=table) for item in page["Items"]]
    for item in items:
        dynamodb.put_item(TableName=copy, Item=item)
        if item["pk"]["S"] == "TICKET#1":
            lose(item)
    lose(counter)
    stack.cli("ticket", "1", codes=(1,))
    restore("--key", "TICKET#1")
    check((tickets(stack), stack.cli("ticket", "1"), last_number()) == (before, shown, number),
          "the lost ticket is back as it was, and the last number")
    stack.cli("tickets", "--next-number", "900")
    told = restore()
    check(told.startswith("0 items written"), "nothing else was missing, and nothing is touched", told)
    restore("--replace")
    check((last_number(), tickets(stack)) == ("899", before), "all is put back but the last number, which never goes back")

    # The same number, another ticket: of that nothing may come, its Message-IDs neither.
    second = next(item for item in items if item["pk"]["S"] == "TICKET#2" and item["sk"]["S"] == "TICKET")
    dynamodb.put_item(TableName=copy, Item={**second, "created_at": {"S": "2020-01-01T00:00:00Z"}})
    ids = [item for item in items if item["pk"]["S"].startswith("MSGID#") and item["ticket"]["N"] == "2"]
    for item in ids:
        lose(item)
    told = restore(code=1)
    check(ids and told.startswith("0 items written") and "other tickets there: 2;" in told,
          "of a number that is another ticket now, nothing is copied", told)
    for item in ids:
        dynamodb.put_item(TableName=table, Item=item)



def ran(stack):
    found = stack.executed()
    print("  what really ran:")
    for name, how in sorted(found.items()):
        print(f"  {name:34} {how}")
    idle = [name for name, how in found.items() if how.startswith("0 ")]
    check(not idle, "all five functions ran", idle)


def deleted(stack):
    table, bucket = stack.outputs["TableName"], stack.outputs["BucketName"]
    stack.delete()
    functions = [f["FunctionName"] for f in stack.client("lambda").list_functions()["Functions"]]
    check(not functions, "sam delete: no function is left", functions)
    kept = stack.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "TICKET#1"}, "sk": {"S": "TICKET"}})
    check("Item" in kept, "the table stayed, with its tickets")
    objects = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix="raw/")["KeyCount"]
    check(objects > 0, f"the bucket stayed, with {objects} raw mails")
    secrets = [s["Name"] for s in stack.client("secretsmanager").list_secrets()["SecretList"]]
    check(len(secrets) == 2, "both secrets stayed", secrets)


def main():
    postern, build, archive, work, python, mode = sys.argv[1:]
    work = pathlib.Path(work, f"deployed-{mode}")
    work.mkdir()
    emulator = Emulator(python, work, auth=mode == "iam")
    stack = Stack(emulator, "postern-e2e", pathlib.Path(build), postern)
    try:
        deployed(stack)
        if mode == "iam":
            rights.roles_are_enforced(stack)
        if mode == "plain":
            stack.build = pathlib.Path(archive)
            print("  from here on it is deployed from a release's archive")
        updated(stack)
        if mode == "plain":
            restored(stack)
        ran(stack)
        deleted(stack)
    except SystemExit:
        print("  the emulator's last errors, and the functions':")
        print("".join(f"  {line}\n" for line in emulator.errors()[-20:]))
        raise
    emulator.stop()
    print(NOT_PROVEN)


if __name__ == "__main__":
    main()
