#!/usr/bin/env python3
"""Copies the items of a restored table into the table of a stack: docs/OPERATIONS.md, "Backup and restore".

    scripts/restore.py --from RESTORED --to TABLE            what is missing there; nothing that is there is touched
    scripts/restore.py --from RESTORED --to TABLE --replace  every item as it was; what came since stays beside it
    scripts/restore.py ... --key 'TICKET#42'                 only the items under that partition key

Needs boto3 (`pip install boto3`) and the rights dynamodb:Scan or Query on RESTORED, dynamodb:PutItem on TABLE. Credentials
and region are found as the AWS CLI finds them. May be run again: the same copy twice is one copy.
"""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def pages(client, table, key):
    """The items of a table, page after page, as consistently as they can be read."""
    if key is None:
        return client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return client.get_paginator("query").paginate(
        TableName=table, ConsistentRead=True, KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": key}},
    )


def put(client, table, item, replace):
    """True where it was written; False where something stands there already."""
    condition = {} if replace else {"ConditionExpression": "attribute_not_exists(pk)"}
    try:
        client.put_item(TableName=table, Item=item, **condition)
        return True
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise


def is_counter(item):
    """The last ticket number must never go back: two tickets would have one number."""
    return item["pk"]["S"] == "ORDINAL"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", required=True, metavar="RESTORED")
    parser.add_argument("--to", dest="target", required=True, metavar="TABLE")
    parser.add_argument("--key", metavar="PK", help="only this partition key")
    parser.add_argument("--replace", action="store_true", help="write over what is there")
    arguments = parser.parse_args()
    if arguments.source == arguments.target:
        parser.error("--from and --to are the same table")
    client = boto3.client("dynamodb")
    written = kept = 0
    try:
        for page in pages(client, arguments.source, arguments.key):
            for item in page["Items"]:
                if put(client, arguments.target, item, arguments.replace and not is_counter(item)):
                    written += 1
                else:
                    kept += 1
    except (BotoCoreError, ClientError) as error:
        print(f"stopped after {written} items: {error}\nrun it again once that is mended: nothing is doubled", file=sys.stderr)
        return 75
    print(f"{written} items written, {kept} were there and stay as they are")
    return 0


if __name__ == "__main__":
    sys.exit(main())
