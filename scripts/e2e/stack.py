"""A stack in the emulator: deployed by `sam deploy`, looked at by boto3, used by `postern --stack`."""
import json
import re
import subprocess
import urllib.error
import urllib.request

import boto3
import common
from common import ROOT, check, run, wait_for

REGION = "us-east-1"
PARAMETERS = {
    "Address": "support@help.example.com", "Architecture": "x86_64", "EnableSes": "true", "TicketPrefix": "ACME",
    "AlarmEmail": "ops@example.com", "MailDomain": "help.example.com", "Dashboards": "true",
}


class Emulator:
    """The emulator as a process of ours, on 127.0.0.1."""

    def __init__(self, python, work, auth):
        self.port = common.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # `test` is its name for the account's root, which may do everything.
        self.environment = common.environment(
            AWS_ENDPOINT_URL=self.url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
            AWS_DEFAULT_REGION=REGION, AWS_REGION=REGION, AWS_EC2_METADATA_DISABLED="true",
        )
        self.log = work / "emulator.log"
        settings = {**self.environment, "GATEWAY_PORT": str(self.port), "AUTH": str(auth).lower()}
        self.process = common.background([python, ROOT / "scripts/e2e/emulator.py"], self.log, env=settings, cwd=work)
        wait_for("the emulator", self.answers, seconds=30)

    def answers(self):
        ended = self.process.poll()
        if ended is not None:
            common.fail(f"the emulator ended with {ended}:\n{self.log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def client(self, service, key="test", secret="test"):
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=key,
                            aws_secret_access_key=secret)

    def errors(self):
        return [line[:400] for line in self.log.read_text().splitlines() if " ERROR " in line or '"ERROR"' in line]

    def stop(self):
        common.stop(self.process)


class Stack:
    def __init__(self, emulator, name, build, postern):
        self.emulator, self.name, self.build, self.postern = emulator, name, build, postern
        self.client = emulator.client
        self.resources, self.outputs = {}, {}

    def deploy(self, **changes):
        """`sam deploy` of the template as `sam build` left it, or of an archive, which has a configuration of its own; with
        parameters and nothing else changed."""
        own = self.build / "samconfig.toml"
        overrides = [f"{name}={value}" for name, value in {**PARAMETERS, **changes}.items()]
        run(["sam", "deploy", "--template-file", self.build / "template.yaml", "--stack-name", self.name,
             "--config-file", own if own.exists() else ROOT / "samconfig.toml", "--no-confirm-changeset", "--no-progressbar",
             "--parameter-overrides", *overrides], env=self.emulator.environment)
        found = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
        listed = self.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        self.resources = {r["LogicalResourceId"]: r for r in listed}
        return found["StackStatus"]

    def delete(self):
        run(["sam", "delete", "--stack-name", self.name, "--no-prompts", "--region", REGION],
            env=self.emulator.environment)

    def physical(self, logical_id):
        return self.resources[logical_id]["PhysicalResourceId"]

    def queue(self, logical_id):
        """URL of one of its queues."""
        return self.physical(logical_id)

    def cli(self, *words, stdin="", codes=(0,)):
        """A verb of `postern` on the stack; gives its JSON where it was asked for, else its text."""
        done = subprocess.run([self.postern, *words, "--stack", self.name], input=stdin, capture_output=True, text=True,
                              env=self.emulator.environment)
        if done.returncode not in codes:
            common.fail(f"postern {' '.join(words)} --stack {self.name} ended with {done.returncode}:\n"
                        f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return json.loads(done.stdout) if "--json" in words else done.stdout

    def post(self, path, body, headers, method="POST"):
        """A request to the HTTP API, by the host name that its URL has in the emulator; gives status and JSON."""
        api = re.match(r"https://(\w+)\.execute-api", self.outputs["ApiUrl"]).group(1)
        host = f"{api}.execute-api.localhost:{self.emulator.port}"
        request = urllib.request.Request(self.emulator.url + path, data=body, method=method,
                                         headers={"Host": host, **headers})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                return error.code, json.loads(text)
            except json.JSONDecodeError:
                return error.code, {"text": text.decode(errors="replace")}

    def mail(self):
        """The ledger's rows, as `postern mail` tells them."""
        return self.cli("mail", "--json")["mail"]

    def row_of(self, raw_key, seconds=30):
        """The row of a raw key, once one is there that has come to an end."""
        def look():
            return next((row for row in self.mail() if row["raw_key"] == raw_key and row["outcome"] != "queued"), None)
        return wait_for(f"a ledger row of {raw_key}", look, seconds, every=1)

    def logged(self, function, pattern):
        """Lines of a function's log that match."""
        group, logs = f"/postern/{self.name}/{function}", self.client("logs")
        found = []
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
            events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
            found += [event["message"] for event in events if re.search(pattern, event["message"])]
        return found

    def executed(self):
        """Functions that have run, by their log streams; event sources, by how their last batch ended."""
        logs, ran = self.client("logs"), {}
        for name in ("webhook", "receipt", "retry", "publish", "poll"):
            streams = logs.describe_log_streams(logGroupName=f"/postern/{self.name}/{name}")["logStreams"]
            ran[f"{name.capitalize()}Function"] = f"{len(streams)} log streams"
        for mapping in self.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
            logical = next((k for k, r in self.resources.items() if r["PhysicalResourceId"] == mapping["UUID"]), None)
            if logical:
                ran[logical] = mapping.get("LastProcessingResult") or "nothing said"
        return ran


def check_whole(stack):
    """Every resource is there, of its type, complete; told as a table."""
    print(f"  {'logical id':34} type")
    for logical_id, resource in sorted(stack.resources.items()):
        print(f"  {logical_id:34} {resource['ResourceType']}")
    states = {r["ResourceStatus"] for r in stack.resources.values()}
    check(states <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, f"{len(stack.resources)} resources are complete", states)
