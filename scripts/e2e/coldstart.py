#!/usr/bin/env python3
"""What a cold start costs: from starting a process to its first answer, and the memory that it held at most until then.

    scripts/e2e/coldstart.py POSTERN BUILD-DIRECTORY WORK-DIRECTORY [TIMES]

Run by the Python of aws-sam-cli, whose package brings AWS's Runtime Interface Emulator: it starts the function's
`bootstrap` and hands it one event. Engines of a `postern dev` stand behind it, without TLS; each mail is a new one, so the
first answer is a whole mail brought in. The median of TIMES (9) is told, in milliseconds and MiB.
"""
import http.client
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import common
import local
import samcli

EVENTS = {"Webhook": "webhook-raw-relay", "Receipt": "receipt-sns-in-sqs", "Retry": "retry-decide",
          "Publish": "publish-ticket-opened", "Poll": "poll-schedule"}


def variables(data):
    at = json.loads((data / "endpoints.json").read_text())
    named = {f"AWS_ENDPOINT_URL_{service.upper()}": at[service] for service in ("dynamodb", "s3", "sqs", "sns")}
    secret = {f"POSTERN_{name.upper()}_SECRET": f"file:{data}/secrets/{name}.json" for name in ("master", "operator")}
    queues = {f"POSTERN_{name.upper()}_QUEUE": f"{at['sqs']}/000000000000/postern-{name}"
              for name in ("retry", "receipt", "net", "dead", "poll")}
    return common.environment(
        AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="postern", AWS_SECRET_ACCESS_KEY="postern", POSTERN_TABLE="postern",
        POSTERN_BUCKET="postern", POSTERN_ADDRESS="support@postern.test",
        POSTERN_EVENTS_TOPIC="arn:aws:sns:us-east-1:000000000000:postern-events", **named, **secret, **queues)


def first_answer(port, event):
    """Knocks until somebody opens; gives what the function answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", "/2015-03-31/functions/function/invocations", event)
            return connection.getresponse().read()
        except (ConnectionError, http.client.RemoteDisconnected):
            time.sleep(0.001)
        finally:
            connection.close()
    return common.fail(f"no answer at port {port} within 30 s")


def high_water(rie):
    """VmHWM of the emulator's child, in MiB."""
    children = pathlib.Path(f"/proc/{rie}/task").glob("*/children")
    pids = [pid for file in children for pid in file.read_text().split()]
    status = pathlib.Path(f"/proc/{pids[0]}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def once(rie, bootstrap, event, environment):
    port, api = common.free_port(), common.free_port()
    started = time.monotonic()
    process = subprocess.Popen([rie, "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
                                "--runtime-api-address", f"127.0.0.1:{api}", str(bootstrap)],
                               env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        said = first_answer(port, event)
        took = (time.monotonic() - started) * 1000
        return took, high_water(process.pid), said
    finally:
        common.stop(process)


def fresh(name, number, engines):
    """The event with a mail that was not there before."""
    text = local.prepared(name, number, engines)
    event = json.loads(text)
    if name == "webhook-raw-relay":
        event["body"] = local.mail(number).decode()
        event["isBase64Encoded"] = False
        event["headers"]["content-length"] = str(len(event["body"]))
    return json.dumps(event)


def answered(said):
    """`done`, or what stands in the way."""
    value = json.loads(said) or {}
    good = value.get("statusCode", 200) == 200 and not value.get("errorMessage") and not value.get("batchItemFailures")
    return "done" if good else json.dumps(value)


def main():
    postern, build, work, *times = sys.argv[1:]
    times = int(times[0]) if times else 9
    work = pathlib.Path(work, "coldstart")
    data = work / "data"
    (data / "secrets").mkdir(parents=True, mode=0o700)
    (data / "secrets" / "operator.json").write_text(json.dumps(local.OPERATOR))
    log = work / "dev.log"
    dev = common.background([postern, "dev", "--data", data, "--port", "18180"], log, env=common.environment())
    common.wait_for("postern dev", lambda: dev.poll() is not None or "Ctrl-C stops" in log.read_text())
    rie = work / "rie"
    shutil.copy(pathlib.Path(samcli.__file__).parent / "local/rapid/aws-lambda-rie-x86_64", rie)
    rie.chmod(0o755)
    engines, environment, number = local.Engines(data), variables(data), 1000
    print(f"  {'function':10} {'octets':>11} {'first answer ms':>16} {'least':>6} {'most':>6} {'VmHWM MiB':>10}"
          f"  of {times}")
    for function, name in EVENTS.items():
        bootstrap = pathlib.Path(build, f"{function}Function", "bootstrap").resolve()
        runs = []
        for _ in range(times):
            number += 1
            runs.append(once(str(rie), bootstrap, fresh(name, number, engines), environment))
        answers = {answered(said) for _, _, said in runs}
        if answers != {"done"}:
            common.fail(f"{function} with {name}: {answers}")
        took = [run[0] for run in runs]
        print(f"  {function:10} {bootstrap.stat().st_size:11} {statistics.median(took):16.0f} {min(took):6.0f}"
              f" {max(took):6.0f} {statistics.median(run[1] for run in runs):10.1f}", flush=True)
    common.stop(dev)


if __name__ == "__main__":
    main()
