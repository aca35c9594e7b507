"""Mail through a deployed stack, by each of its ways in; each step says what it saw."""
import base64
import hashlib
import hmac
import json
import time
import uuid

from common import ROOT, check, wait_for

KEY, CREDENTIALS, BEARER = "key-of-the-deployment-test", "postern:of-the-deployment-test", "bearer-of-the-deployment-test"
ADDRESS = "support@help.example.com"


def sample(name, **changes):
    text = (ROOT / "cli/samples" / name).read_text().replace("support@postern.test", ADDRESS)
    for old, new in changes.items():
        text = text.replace(old, new)
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def letter(number, subject, extra=()):
    """A mail of its own, for the ways in that take octets."""
    lines = [f"From: Eva Example <eva{number}@customer.example>", f"To: {ADDRESS}", f"Subject: {subject}",
             "Date: Fri, 27 Nov 2026 10:00:00 +0000", f"Message-ID: <{uuid.uuid4()}@customer.example>", *extra, "",
             f"This is about {subject}."]
    return "\r\n".join(lines).encode()


def multipart(fields):
    boundary = uuid.uuid4().hex
    parts = [b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (boundary.encode(), name.encode(), value)
             for name, value in fields.items()]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def mailgun(stack, octets, key=KEY):
    """As Mailgun's route posts it, signed now."""
    at, token = str(int(time.time())), uuid.uuid4().hex + uuid.uuid4().hex[:18]
    signature = hmac.new(key.encode(), (at + token).encode(), hashlib.sha256).hexdigest()
    body, headers = multipart({"recipient": ADDRESS.encode(), "sender": b"li.wei@customer.example",
                               "timestamp": at.encode(), "token": token.encode(), "signature": signature.encode(),
                               "body-mime": octets})
    return stack.post("/inbound/mailgun/mime", body, headers)


def postmark(stack, octets, credentials=CREDENTIALS):
    body = {"MessageStream": "inbound", "MessageID": str(uuid.uuid4()), "OriginalRecipient": ADDRESS,
            "Headers": [{"Name": "Return-Path", "Value": "<li.wei@customer.example>"}], "RawEmail": octets.decode()}
    basic = base64.b64encode(credentials.encode()).decode()
    return stack.post("/inbound/postmark", json.dumps(body).encode(),
                      {"Content-Type": "application/json", "Authorization": f"Basic {basic}"})


def raw(stack, octets):
    return stack.post("/inbound/raw", octets, {
        "Content-Type": "message/rfc822", "Authorization": f"Bearer {BEARER}",
        "X-Postern-Mail-From": "omar@shop.example", "X-Postern-Rcpt-To": ADDRESS})


def set_secrets(stack):
    for name, value in (("mailgun.signing_keys", KEY), ("postmark.credentials", CREDENTIALS), ("raw.bearer_keys", BEARER)):
        stack.cli("secret", "set", name, stdin=value)
    listed = stack.cli("secret", "list")
    check(all(name in listed for name in ("mailgun.signing_keys", "postmark.credentials", "raw.bearer_keys"))
          and KEY not in listed, "postern secret set --stack: three secrets are set, and shown by fingerprint", listed)


def by_http(stack):
    status, body = mailgun(stack, sample("1-customer-writes.eml"))
    check((status, body.get("outcome"), body.get("ticket_number")) == (200, "created_new", "ACME-00001"),
          "HTTP: Mailgun, signed -> a ticket ACME-00001", (status, body))
    status, body = postmark(stack, sample("2-customer-answers.eml"))
    check((status, body.get("outcome"), body.get("ticket_number")) == (200, "replied_to_existing", "ACME-00001"),
          "HTTP: Postmark -> the customer's answer joins it", (status, body))
    status, body = raw(stack, sample("3-second-customer.eml"))
    check((status, body.get("outcome")) == (200, "created_new"), "HTTP: raw mail, bearer key -> a ticket", (status, body))
    status, body = raw(stack, sample("1-customer-writes.eml"))
    check((status, body.get("outcome")) == (200, "duplicate"), "HTTP: the first mail by another door -> duplicate",
          (status, body))
    refused = [mailgun(stack, sample("1-customer-writes.eml"), key="another")[0],
               postmark(stack, sample("1-customer-writes.eml"), credentials="a:b")[0],
               stack.post("/inbound/nobody", b"x", {})[0], stack.post("/inbound/raw", None, {}, method="GET")[0]]
    check(refused == [401, 401, 404, 405], "HTTP: forged, wrong password, no such door, GET -> 401 401 404 405", refused)


def receipt_rule(stack):
    """The rule as the SES API tells it: where the mail goes, and whom it tells."""
    ses = stack.client("ses")
    ses.set_active_receipt_rule_set(RuleSetName=stack.outputs["ReceiptRuleSet"])
    rule = ses.describe_active_receipt_rule_set()["Rules"][0]
    action = rule["Actions"][0]["S3Action"]
    found = (rule["Enabled"], rule["ScanEnabled"], rule["Recipients"], action["BucketName"], action["TopicArn"])
    wanted = (True, True, ["help.example.com"], stack.outputs["BucketName"], stack.physical("ReceiptTopic"))
    check(found == wanted, "SES: the receipt rule writes to our bucket, tells our topic and scans", found)
    return action


def by_ses(stack):
    """What SES does by that rule, done by hand: the object, then the notification."""
    action, number = receipt_rule(stack), uuid.uuid4().hex[:10]
    key, octets = f"{action['ObjectKeyPrefix']}{number}", letter(1, "mail by SES")
    stack.client("s3").put_object(Bucket=action["BucketName"], Key=key, Body=octets)
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    verdicts = {f"{name}Verdict": {"status": "PASS"} for name in ("spam", "virus", "spf", "dkim", "dmarc")}
    notification = {
        "notificationType": "Received",
        "mail": {"timestamp": now, "source": "eva1@customer.example", "messageId": number, "destination": [ADDRESS],
                 "headersTruncated": False, "headers": [], "commonHeaders": {"subject": "mail by SES"}},
        "receipt": {"timestamp": now, "processingTimeMillis": 400, "recipients": [ADDRESS], **verdicts,
                    "action": {"type": "S3", "topicArn": action["TopicArn"], "bucketName": action["BucketName"],
                               "objectKeyPrefix": action["ObjectKeyPrefix"], "objectKey": key}}}
    stack.client("sns").publish(TopicArn=action["TopicArn"], Subject="Amazon SES Email Receipt Notification",
                                Message=json.dumps(notification))
    row = stack.row_of(key)
    check((row["outcome"], row["effect"]) == ("committed", "created"),
          f"SES: bucket -> topic -> queue -> receipt -> ticket {row['ticket_number']}", row)


def kept(stack, number, subject):
    """Raw mail in the bucket as the raw door leaves it, its accept record beside it; gives that."""
    key = f"raw/raw/{uuid.uuid4().hex}"
    accept = {"raw_key": key, "origin": "received",
              "envelope": {"reverse_path": {"address": f"eva{number}@customer.example"}, "forward_paths": [ADDRESS]},
              "ingress": {"door": "raw", "provider": "raw", "event_id": key, "transport_time": "2026-11-27T10:00:00.000Z"},
              "verdicts": {}, "mailboxes": ["support"]}
    encoded = base64.urlsafe_b64encode(json.dumps(accept).encode()).decode().rstrip("=")
    stack.client("s3").put_object(Bucket=stack.outputs["BucketName"], Key=key, Body=letter(number, subject),
                                  Metadata={"accept": encoded})
    return accept


def by_queues(stack):
    s3, sqs, bucket = stack.client("s3"), stack.client("sqs"), stack.outputs["BucketName"]
    waits = sqs.get_queue_attributes(QueueUrl=stack.queue("NetQueue"), AttributeNames=["All"])["Attributes"]
    check(int(waits["ApproximateNumberOfMessagesDelayed"]) >= 4,
          "net: the bucket told the queue of each raw object, 15 minutes late", waits)

    key = f"raw/ses/{uuid.uuid4().hex}"
    s3.put_object(Bucket=bucket, Key=key, Body=letter(2, "mail that nobody told of"))
    about = {"s3SchemaVersion": "1.0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1}}
    told = {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "s3": about,
                         "eventTime": "2026-11-27T10:00:00.000Z", "eventName": "ObjectCreated:Put"}]}
    sqs.send_message(QueueUrl=stack.queue("NetQueue"), MessageBody=json.dumps(told), DelaySeconds=0)
    row = stack.row_of(key)
    check((row["outcome"], row["cause"]) == ("held", "unaccounted"), "net: mail that nobody told of is held, unaccounted", row)

    accept = kept(stack, 3, "mail that waited")
    sqs.send_message(QueueUrl=stack.queue("RetryQueue"), MessageBody=json.dumps({"work": "decide", "accept": accept}))
    row = stack.row_of(accept["raw_key"])
    check((row["outcome"], row["effect"]) == ("committed", "created"), "retry: a letter of accepted mail -> a ticket", row)

    accept = kept(stack, 4, "mail that its queue gave up")
    key = accept["raw_key"]
    sqs.send_message(QueueUrl=stack.queue("DeadQueue"), MessageBody=json.dumps({"work": "decide", "accept": accept}))
    row = stack.row_of(key)
    check((row["outcome"], row["cause"]) == ("failed", "dead-letter"), "dead: a dead letter is parked as failed", row)
    stack.cli("redrive", row["id"])
    ended = wait_for("the redriven mail", lambda: next(
        (r for r in stack.mail() if r["raw_key"] == key and r["outcome"] == "committed"), None), every=1)
    check(ended["effect"] == "created", "dead: postern redrive --stack brings it in by the retry queue", ended)


def listen(stack):
    """A queue of our own, subscribed to the topic of ticket events; gives its URL."""
    sqs, topic = stack.client("sqs"), stack.outputs["EventsTopicArn"]
    url = sqs.create_queue(QueueName=f"{stack.name}-listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return url


def events(stack, url, wanted):
    """Reads ticket events until each of the wanted ones has come: (type, ticket number or None)."""
    sqs, seen = stack.client("sqs"), []

    def look():
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            seen.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return wanted <= {event["type"] for event in seen}

    wait_for(f"events {sorted(wanted)}", look, seconds=60)
    check(True, f"stream: {len(seen)} events on the topic: {', '.join(sorted({e['type'] for e in seen}))}")


def by_schedule(stack):
    """The minute's schedule is waited for; the rarer ones are called as the scheduler would, with their own input."""
    stack.cli("door", "add", "elsewhere", "--provider", "imap", "--host", "localhost", "--imap-port", "9",
              "--security", "plain", "--user", "support")
    stack.cli("secret", "set", "elsewhere.passwords", stdin="of-nobody")
    wait_for("a scheduled poll", lambda: stack.logged("poll", r"elsewhere"), seconds=150, every=2)
    check(True, "schedule: poll ran by its schedule, and its queue brought it the door (where nobody listens)")
    stack.cli("door", "remove", "elsewhere")
    scheduler, function = stack.client("scheduler"), stack.client("lambda")
    called = []
    for logical_id, resource in stack.resources.items():
        if resource["ResourceType"] == "AWS::Scheduler::Schedule" and logical_id.startswith("RetryFunction"):
            target = scheduler.get_schedule(Name=resource["PhysicalResourceId"].split("/")[-1])["Target"]
            answer = function.invoke(FunctionName=target["Arn"], Payload=target["Input"].encode())
            called.append((target["Input"], answer.get("FunctionError"), json.loads(answer["Payload"].read())))
    check(len(called) == 3 and not any(error for _, error, _ in called),
          f"schedule: {'; '.join(f'{i} -> {a}' for i, _, a in called)}", called)
