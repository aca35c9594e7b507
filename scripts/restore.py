#!/usr/bin/env python3
"""Copies the items of a restored table into the table of a stack: docs/OPERATIONS.md, "Backup and restore".

    scripts/restore.py --from RESTORED --to TABLE --key 'TICKET#42'  what is missing under that partition key
    scripts/restore.py --from RESTORED --to TABLE                    all that is missing; nothing that is there is touched
    scripts/restore.py --from RESTORED --to TABLE --replace          every item as it was; what came since stays beside it
    scripts/restore.py --from RESTORED --to TABLE --settings         also mailboxes and doors, which may be gone on purpose

The number of the last ticket is raised to that of RESTORED first, and never lowered. Where a number means one ticket in
RESTORED and another one in TABLE, nothing of it is copied: it would be two customers' conversations in one.

Needs boto3 (`pip install boto3`) and the rights dynamodb:Scan or Query and GetItem on RESTORED, GetItem, PutItem and
UpdateItem on TABLE. Credentials and region are found as the AWS CLI finds them. May be run again: the same copy twice is
one copy. Ends with 0; with 1 where tickets were left out; with 75 where it stopped on the way.
"""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

COUNTER = {"pk": {"S": "ORDINAL"}, "sk": {"S": "TICKET"}}
SETTINGS = ("MAILBOX", "DOOR")
REFUSED = "ConditionalCheckFailedException"


class Restore:
    def __init__(self, client, arguments):
        self.client, self.source, self.target = client, arguments.source, arguments.target
        self.key, self.replace, self.settings = arguments.key, arguments.replace, arguments.settings
        self.written = self.kept = self.passed = 0
        # Ticket number: whether it is another ticket in the target.
        self.others = {}

    def run(self):
        self.raise_counter()
        for page in self.pages():
            for item in page["Items"]:
                self.copy(item)

    def pages(self):
        """The items of the restored table, page after page, as consistently as they can be read."""
        if self.key is None:
            return self.client.get_paginator("scan").paginate(TableName=self.source, ConsistentRead=True)
        return self.client.get_paginator("query").paginate(
            TableName=self.source, ConsistentRead=True, KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": self.key}},
        )

    def copy(self, item):
        pk, ticket = item["pk"]["S"], ticket_of(item)
        if pk == "ORDINAL":
            return
        if pk in SETTINGS and not self.settings and self.key is None:
            self.passed += 1
        elif ticket is None or not self.is_another(ticket):
            self.put(item)

    def put(self, item):
        condition = {} if self.replace else {"ConditionExpression": "attribute_not_exists(pk)"}
        if self.done(self.client.put_item, Item=item, **condition):
            self.written += 1
        else:
            self.kept += 1

    def raise_counter(self):
        """First of all: a ticket that comes meanwhile must not get a number that is about to be copied."""
        found = self.item(self.source, COUNTER)
        if found:
            self.done(self.client.update_item, Key=COUNTER, UpdateExpression="SET #next = :next",
                      ConditionExpression="attribute_not_exists(#next) OR #next < :next",
                      ExpressionAttributeNames={"#next": "next"}, ExpressionAttributeValues={":next": found["next"]})

    def is_another(self, ticket):
        if ticket not in self.others:
            key = {"pk": {"S": f"TICKET#{ticket}"}, "sk": {"S": "TICKET"}}
            ours, theirs = self.item(self.source, key), self.item(self.target, key)
            self.others[ticket] = bool(ours and theirs and ours["created_at"] != theirs["created_at"])
        return self.others[ticket]

    def item(self, table, key):
        return self.client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")

    def done(self, request, **arguments):
        """True where it was written; False where its condition did not hold."""
        try:
            request(TableName=self.target, **arguments)
            return True
        except ClientError as error:
            if error.response["Error"]["Code"] == REFUSED:
                return False
            raise


def ticket_of(item):
    """The number of the ticket that an item is part of or leads to."""
    pk = item["pk"]["S"]
    if pk.startswith("TICKET#"):
        return pk.split("#")[1]
    return item.get("ticket", {}).get("N")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", required=True, metavar="RESTORED")
    parser.add_argument("--to", dest="target", required=True, metavar="TABLE")
    parser.add_argument("--key", metavar="PK", help="only this partition key")
    parser.add_argument("--replace", action="store_true", help="write over what is there")
    parser.add_argument("--settings", action="store_true", help="mailboxes and doors too")
    arguments = parser.parse_args()
    if arguments.source == arguments.target:
        parser.error("--from and --to are the same table")
    restore = None
    try:
        restore = Restore(boto3.client("dynamodb"), arguments)
        restore.run()
    except (BotoCoreError, ClientError) as error:
        written = restore.written if restore else 0
        print(f"stopped after {written} items: {error}\nrun it again once that is mended: nothing is doubled", file=sys.stderr)
        return 75
    print(f"{restore.written} items written, {restore.kept} were there and stay as they are")
    if restore.passed:
        print(f"{restore.passed} mailboxes and doors left out; with --settings those that are missing come back")
    others = sorted((number for number, another in restore.others.items() if another), key=int)
    if others:
        print(f"left out, because these numbers are other tickets there: {', '.join(others)}; "
              "replay their mail, which opens new ones", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
