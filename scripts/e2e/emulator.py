#!/usr/bin/env python3
"""Starts the AWS emulator ministack with what our template needs and it lacks. A test tool: nothing is deployed with it.

    GATEWAY_PORT=14566 scripts/e2e/emulator.py      (run by the Python that has ministack[full]==1.5.33)

What is added, each in its own function below:

- AWS::SES::ReceiptRuleSet and AWS::SES::ReceiptRule, kept where its SES API reads them; nothing is received by them;
- the routes of an HTTP API that SAM writes into its Body;
- time to live and point-in-time recovery of a table, which CloudFormation there drops;
- alarms on metric math, which it refuses, are passed over: no such alarm is made;
- !Ref of a secret is its ARN, as at AWS, and not its name;
- the concurrency of an event source as a number, where the template gives it by a parameter, that is as text;
- with AUTH=true the condition key dynamodb:LeadingKeys, so that our roles are enforced down to the rows they may touch;
- with AUTH=true SNS's PublishBatch needs sns:Publish, as at AWS, where there is no action of its own for it;
- with AUTH=true a request counts as one over TLS, as it is at AWS: our policies deny all others, and here there is none.

It leans on names that are private to one version, so it refuses any other. It listens on 127.0.0.1 only.
"""
import importlib.metadata
import json
import os
import re
import sys

VERSION = "1.5.33"
# Of a table and its indexes: the attributes that are partition keys.
PARTITION_KEYS = {"pk", "gsi1pk", "gsi2pk", "gsi3pk", "gsi4pk"}


def check_version():
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(f"emulator.py is written for ministack {VERSION}, this is {found}; "
                 f"pip install 'ministack[full]=={VERSION}'")


def bools(value):
    """CloudFormation's "true" as a boolean, at any depth."""
    if isinstance(value, dict):
        return {key: bools(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [bools(inner) for inner in value]
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def add_receipt_rules(handlers, ses):
    """Both types, as CreateReceiptRuleSet and CreateReceiptRule would leave them."""
    sets = ses._receipt_rule_sets

    def make_set(logical_id, props, stack):
        name = props.get("RuleSetName") or f"{stack}-{logical_id}"
        sets[name] = {"Metadata": {"Name": name, "CreatedTimestamp": "2026-01-01T00:00:00+00:00"}, "Rules": []}
        return name, {}

    def make_rule(logical_id, props, stack):
        rule, name = bools(props["Rule"]), props["RuleSetName"]
        if name not in sets:
            raise ValueError(f"AWS::SES::ReceiptRule: rule set {name} does not exist")
        for action in rule.get("Actions", []):
            unknown = set(action) - set(ses._RECEIPT_ACTION_FIELDS)
            if unknown or len(action) != 1:
                raise ValueError(f"AWS::SES::ReceiptRule: {sorted(action)} is not one known action")
        rule.setdefault("Name", f"{stack}-{logical_id}")
        sets[name] = {**sets[name], "Rules": [*sets[name]["Rules"], rule]}
        return rule["Name"], {}

    def drop_rule(name, props):
        held = sets.get(props["RuleSetName"])
        if held:
            sets[props["RuleSetName"]] = {**held, "Rules": [r for r in held["Rules"] if r["Name"] != name]}

    handlers["AWS::SES::ReceiptRuleSet"] = {"create": make_set, "delete": lambda name, props: sets.pop(name, None)}
    handlers["AWS::SES::ReceiptRule"] = {"create": make_rule, "delete": drop_rule}


def import_http_routes(handlers, provisioners):
    """SAM writes routes and integrations of a HttpApi into AWS::ApiGatewayV2::Api.Body; ministack stores it unread."""
    api = handlers["AWS::ApiGatewayV2::Api"]
    create, update = api["create"], api["update"]

    def read(api_id, body):
        gateway = provisioners._apigw_v2
        gateway._routes[api_id], gateway._integrations[api_id] = {}, {}
        for path, verbs in (body or {}).get("paths", {}).items():
            for verb, operation in verbs.items():
                integration = operation.get("x-amazon-apigateway-integration")
                if not integration:
                    raise ValueError(f"route {verb} {path} has no integration")
                function = re.search(r"/functions/(arn:[^/]+)/invocations", integration["uri"])
                integration_id, _ = provisioners._apigw_v2_integration_create("", {
                    "ApiId": api_id,
                    "IntegrationType": "AWS_PROXY",
                    "IntegrationUri": function.group(1),
                    "PayloadFormatVersion": integration["payloadFormatVersion"],
                }, "")
                method = "ANY" if verb == "x-amazon-apigateway-any-method" else verb.upper()
                key = "$default" if path.lstrip("/") == "$default" else f"{method} {path}"
                provisioners._apigw_v2_route_create("", {
                    "ApiId": api_id, "RouteKey": key, "Target": f"integrations/{integration_id}",
                }, "")

    def created(logical_id, props, stack):
        bare = {key: value for key, value in props.items() if key != "Body"}
        made = create(logical_id, {**bare, "Name": f"{stack}-{logical_id}", "ProtocolType": "HTTP"}, stack)
        read(made[0], props.get("Body"))
        return made

    def updated(api_id, old, new, stack, logical_id=None):
        made = update(api_id, old, {**new, "ProtocolType": "HTTP"}, stack, logical_id=logical_id)
        read(api_id, new.get("Body"))
        return made

    api["create"], api["update"] = created, updated


def keep_table_settings(handlers, dynamodb):
    table = handlers["AWS::DynamoDB::Table"]
    create = table["create"]

    def created(logical_id, props, stack):
        made = create(logical_id, props, stack)
        props, described = bools(props), dynamodb._tables[made[0]]
        # It describes indexes without their state.
        indexes = [{**index, "IndexStatus": "ACTIVE"} for index in described["GlobalSecondaryIndexes"]]
        dynamodb._tables[made[0]] = {**described, "GlobalSecondaryIndexes": indexes}
        if props.get("TimeToLiveSpecification"):
            dynamodb._update_ttl({"TableName": made[0], "TimeToLiveSpecification": props["TimeToLiveSpecification"]})
        if props.get("PointInTimeRecoverySpecification"):
            dynamodb._update_continuous_backups({
                "TableName": made[0],
                "PointInTimeRecoverySpecification": props["PointInTimeRecoverySpecification"],
            })
        return made

    table["create"] = created


def pass_over_metric_math(handlers):
    alarm = handlers["AWS::CloudWatch::Alarm"]
    create, update, delete = alarm["create"], alarm["update"], alarm["delete"]
    region, account = os.environ["AWS_DEFAULT_REGION"], "000000000000"

    def noted(name):
        return name, {"Arn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}"}

    def created(logical_id, props, stack):
        if "Metrics" in props:
            return noted(props.get("AlarmName") or f"{stack}-{logical_id}")
        return create(logical_id, props, stack)

    def updated(name, old, new, *given, **named):
        return noted(name) if "Metrics" in new else update(name, old, new, *given, **named)

    alarm["create"], alarm["update"] = created, updated
    alarm["delete"] = lambda name, props: None if "Metrics" in props else delete(name, props)


def refer_to_secrets_by_arn(handlers, secrets):
    secret = handlers["AWS::SecretsManager::Secret"]
    create, update, delete = secret["create"], secret["update"], secret["delete"]

    def name_of(arn):
        return next((name for name, held in secrets._secrets.items() if held["ARN"] == arn), arn)

    def created(*given):
        _, attributes = create(*given)
        return attributes["Arn"], attributes

    def updated(arn, *given, **named):
        _, attributes = update(name_of(arn), *given, **named)
        return attributes["Arn"], attributes

    secret["create"], secret["update"] = created, updated
    secret["delete"] = lambda arn, props: delete(name_of(arn), props)


def read_numbers(handlers):
    """CloudFormation makes a number of a parameter where the property is one."""
    mapping = handlers["AWS::Lambda::EventSourceMapping"]

    def numbered(props):
        scaling = {name: int(value) for name, value in (props.get("ScalingConfig") or {}).items()}
        return {**props, "ScalingConfig": scaling} if scaling else props

    create, update = mapping["create"], mapping["update"]
    mapping["create"] = lambda logical_id, props, *rest: create(logical_id, numbered(props), *rest)
    mapping["update"] = lambda made, old, new, *rest, **named: update(made, numbered(old), numbered(new), *rest, **named)


def refuse_what_is_dropped(handlers):
    """Properties that ministack's provisioner drops without a word; the template has none today."""
    function = handlers["AWS::Lambda::Function"]
    create = function["create"]

    def created(logical_id, props, stack):
        lost = {"DeadLetterConfig", "ReservedConcurrentExecutions", "FileSystemConfigs"} & set(props)
        if lost:
            raise ValueError(f"{logical_id}: ministack drops {sorted(lost)}; teach emulator.py to keep them")
        return create(logical_id, props, stack)

    function["create"] = created


def partition_key_of(value):
    return str(next(iter(value.values()))) if isinstance(value, dict) and len(value) == 1 else ""


def leading_keys(request):
    """Partition keys that a request of DynamoDB's JSON protocol names, all items of a batch or a transaction."""
    keys = []
    for name in ("Key", "Item"):
        if isinstance(request.get(name), dict):
            keys.append(partition_key_of(request[name].get("pk")))
    for table in (request.get("RequestItems") or {}).values():
        for item in table.get("Keys", []) if isinstance(table, dict) else []:
            keys.append(partition_key_of(item.get("pk")))
    for item in request.get("TransactItems") or []:
        for action in item.values():
            keys += leading_keys({name: action[name] for name in ("Key", "Item") if name in action})
    condition = request.get("KeyConditionExpression")
    if condition:
        names, values = request.get("ExpressionAttributeNames") or {}, request.get("ExpressionAttributeValues") or {}
        for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", condition):
            if names.get(name, name) in PARTITION_KEYS:
                keys.append(partition_key_of(values.get(value)))
    return keys


def add_leading_keys(actions):
    """AWS judges each item of a transaction by itself; here all its keys stand against the statement of each: stricter."""
    context_of = actions.dynamodb_service_context

    def with_leading_keys(body):
        context = context_of(body)
        keys = leading_keys(json.loads(body or b"{}"))
        # What names no key (DescribeTable, a Scan) has no such context key on AWS either.
        return {**context, "dynamodb:LeadingKeys": keys} if keys else context

    actions.dynamodb_service_context = with_leading_keys


def name_batches(actions):
    action_of = actions.extract_iam_action

    def named(*given, **more):
        action = action_of(*given, **more)
        return {"sns:PublishBatch": "sns:Publish"}.get(action, action)

    actions.extract_iam_action = named


def count_as_tls(evaluator):
    resolve = evaluator._resolve_condition_key
    evaluator._resolve_condition_key = lambda key, context: (
        "true" if key.lower() == "aws:securetransport" else resolve(key, context))


def main():
    check_version()
    os.environ["BIND_HOST"] = "127.0.0.1"
    # Else it opens port 8883 on every address.
    os.environ["IOT_MTLS_ENABLED"] = "0"
    from ministack.core import iam_actions, iam_evaluator
    from ministack.services import dynamodb, secretsmanager, ses
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    add_receipt_rules(handlers, ses)
    import_http_routes(handlers, provisioners)
    keep_table_settings(handlers, dynamodb)
    pass_over_metric_math(handlers)
    refer_to_secrets_by_arn(handlers, secretsmanager)
    read_numbers(handlers)
    refuse_what_is_dropped(handlers)
    add_leading_keys(iam_actions)
    name_batches(iam_actions)
    count_as_tls(iam_evaluator)
    from ministack.app import main as serve

    sys.argv = sys.argv[:1]
    serve()


if __name__ == "__main__":
    main()
