"""Whether the roles of a stack are enforced, tried: a user with a role's very policy may do what its function does, and
nothing beside it. (The emulator's AUTH=true; `emulator.py` adds the condition on the rows that a request names.)"""
import json

import botocore.exceptions
from common import check

REFUSED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "403")


class Caller:
    """A user whose only policy is the one of a function's role."""

    def __init__(self, stack, role):
        iam, name = stack.client("iam"), stack.physical(role)
        user = f"{stack.name}-{role}"
        iam.create_user(UserName=user)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            iam.put_user_policy(UserName=user, PolicyName=policy, PolicyDocument=json.dumps(document))
        made = iam.create_access_key(UserName=user)["AccessKey"]
        self.stack, self.role = stack, role
        self.keys = made["AccessKeyId"], made["SecretAccessKey"]

    def may(self, service, operation, **request):
        try:
            getattr(self.stack.client(service, *self.keys), operation)(**request)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in REFUSED:
                return False
            # Let through, and then not found or not as the service wants it: that is no refusal.
            return True
        return True


def requests(stack):
    """Name: service, operation, request."""
    table, bucket = stack.outputs["TableName"], stack.outputs["BucketName"]

    def key(pk):
        return {"pk": {"S": pk}, "sk": {"S": "x"}}

    def query(pk, index=None):
        name = f"{index}pk" if index else "pk"
        asked = {"TableName": table, "KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": name},
                 "ExpressionAttributeValues": {":k": {"S": pk}}}
        return ("dynamodb", "query", {**asked, "IndexName": index} if index else asked)

    def get(pk):
        return ("dynamodb", "get_item", {"TableName": table, "Key": key(pk)})

    def batch(*pks):
        return ("dynamodb", "batch_get_item", {"RequestItems": {table: {"Keys": [key(pk) for pk in pks]}}})

    def update(pk):
        # The condition holds for nothing: who is let through changes nothing.
        return ("dynamodb", "update_item", {"TableName": table, "Key": key(pk), "UpdateExpression": "SET a = :a",
                                            "ConditionExpression": "attribute_exists(nothing)",
                                            "ExpressionAttributeValues": {":a": {"S": "a"}}})

    def delete(pk):
        return ("dynamodb", "delete_item", {"TableName": table, "Key": key(pk)})

    def read(name):
        return ("s3", "get_object", {"Bucket": bucket, "Key": name})

    def secret(name):
        return ("secretsmanager", "get_secret_value", {"SecretId": stack.physical(name)})

    def send(name):
        return ("sqs", "send_message", {"QueueUrl": stack.queue(name), "MessageBody": "{}"})

    def transact(*pks):
        checks = [{"ConditionCheck": {"TableName": table, "Key": key(pk),
                                      "ConditionExpression": "attribute_not_exists(pk)"}} for pk in pks]
        return ("dynamodb", "transact_write_items", {"TransactItems": checks})

    return {
        "Query MAILBOX": query("MAILBOX"), "Query TICKET#1": query("TICKET#1"), "Query POLL#x": query("POLL#x"),
        "Query gsi4 outbox#0": query("outbox#0", "gsi4"), "Query gsi2": query("x", "gsi2"),
        "GetItem MAIL#x": get("MAIL#x"), "GetItem TOKEN#x": get("TOKEN#x"), "GetItem TICKET#1": get("TICKET#1"),
        "GetItem POLL#x": get("POLL#x"), "GetItem MAILBOX": get("MAILBOX"),
        "BatchGetItem MAIL#x, TICKET#1": batch("MAIL#x", "TICKET#1"), "BatchGetItem TOKEN#x": batch("TOKEN#x"),
        "UpdateItem ORDINAL": update("ORDINAL"), "UpdateItem MAILBOX": update("MAILBOX"),
        "Transact MAIL#x, TICKET#1": transact("MAIL#x", "TICKET#1"), "Transact MAIL#x, DOOR": transact("MAIL#x", "DOOR"),
        "DeleteItem TICKET#x": delete("TICKET#x"), "DeleteItem POLL#x": delete("POLL#x"),
        "Scan": ("dynamodb", "scan", {"TableName": table}),
        "read raw/ses/x": read("raw/ses/x"), "read raw/raw/x": read("raw/raw/x"),
        "master secret": secret("MasterSecret"), "operator secret": secret("OperatorSecret"),
        "send to PollQueue": send("PollQueue"), "send to NetQueue": send("NetQueue"),
        "publish events": ("sns", "publish", {"TopicArn": stack.outputs["EventsTopicArn"], "Message": "{}"}),
    }


# Nobody may scan, or list the requesters' index, or read a token, or write a setting, or into the safety net's queue.
COMMITS = {"Query MAILBOX", "GetItem MAIL#x", "BatchGetItem MAIL#x, TICKET#1", "Transact MAIL#x, TICKET#1", "UpdateItem ORDINAL",
           "master secret"}
MAY = {
    "WebhookRole": COMMITS | {"operator secret"},
    "ReceiptRole": COMMITS | {"read raw/ses/x"},
    "RetryRole": COMMITS | {"Query gsi4 outbox#0", "GetItem TICKET#1", "GetItem POLL#x", "read raw/ses/x", "read raw/raw/x",
                            "operator secret"},
    "PublishRole": {"BatchGetItem MAIL#x, TICKET#1", "publish events"},
    "PollRole": COMMITS | {"Query POLL#x", "GetItem POLL#x", "DeleteItem POLL#x", "operator secret", "send to PollQueue"},
}


def roles_are_enforced(stack):
    tried = requests(stack)
    for role, may in MAY.items():
        caller = Caller(stack, role)
        found = {name for name, (service, operation, request) in tried.items()
                 if caller.may(service, operation, **request)}
        check(found == may, f"IAM: {role} may do {len(may)} of {len(tried)} things tried, and no more",
              {"beyond": sorted(found - may), "lacking": sorted(may - found)})
