#!/usr/bin/env python3
"""`sam deploy` of template.yaml as it stands into an emulator of AWS, mail through every way in, an update, `sam delete`.

    scripts/e2e/deployed.py POSTERN BUILD-DIRECTORY WORK-DIRECTORY EMULATOR-PYTHON PORT plain|iam

Run by the Python of aws-sam-cli, for its boto3. With `iam` the emulator enforces the roles' policies: the same mail goes
through, and what a role may not do is refused.
"""
import pathlib
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
    keys = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    dynamodb.create_table(TableName=copy, BillingMode="PAY_PER_REQUEST", KeySchema=keys, AttributeDefinitions=[
        {"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in keys])
    before, shown, last = tickets(stack), stack.cli("ticket", "1"), {"pk": {"S": "ORDINAL"}, "sk": {"S": "TICKET"}}
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            dynamodb.put_item(TableName=copy, Item=item)
            if item["pk"]["S"] == "TICKET#1":
                dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
    stack.cli("tickets", "--next-number", "900")

    def restore(*options):
        return common.run([sys.executable, ROOT / "scripts/restore.py", "--from", copy, "--to", table, *options],
                          env=stack.emulator.environment)

    check("ACME" not in stack.cli("ticket", "1", codes=(1,)), "a ticket is lost")
    told = restore("--key", "TICKET#1")
    check(tickets(stack) == before and stack.cli("ticket", "1") == shown, f"restore.py brings it back: {told.strip()}", told)
    told = restore()
    check(told.startswith("0 items written"), "nothing else was missing, and nothing is touched", told)
    restore("--replace")
    number = dynamodb.get_item(TableName=table, Key=last, ConsistentRead=True)["Item"]["next"]["N"]
    check((number, tickets(stack)) == ("899", before), "all put back as it was, but the last number, which never goes back",
          number)


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
    postern, build, work, python, port, mode = sys.argv[1:]
    work = pathlib.Path(work, f"deployed-{mode}")
    work.mkdir()
    emulator = Emulator(python, int(port), work, auth=mode == "iam")
    stack = Stack(emulator, "postern-e2e", pathlib.Path(build), postern)
    try:
        deployed(stack)
        if mode == "iam":
            rights.roles_are_enforced(stack)
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
