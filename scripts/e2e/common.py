"""What the parts of the deployment test share: words, processes and waiting."""
import atexit
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


# Ended from outside, it still stops what it has started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def fail(what):
    sys.exit(f"FAILED: {what}")


def check(holds, what, found=None):
    """One line where it holds; the end, with what was found, where it does not."""
    if not holds:
        fail(what if found is None else f"{what}; found: {found}")
    print(f"  ok  {what}", flush=True)


def run(command, **options):
    """Runs to the end; gives the output. An exit code other than 0 ends the script."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode:
        fail(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def background(command, log, **options):
    """Starts a process that ends with this script; what it prints goes to a file."""
    with open(log, "wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, **options)
    atexit.register(stop, process)
    return process


def free_port():
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def stop(process, seconds=20):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(what, look, seconds=60, every=0.25):
    """Looks until something true is seen; gives it. `what` says in words what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            fail(f"{what}: not within {seconds} s")
        time.sleep(every)


def environment(**variables):
    """This process's, without what would speak to an AWS account or set Postern up otherwise."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "POSTERN_", "ESCALATED_"))}
    return {**kept, "SAM_CLI_TELEMETRY": "0", **variables}
