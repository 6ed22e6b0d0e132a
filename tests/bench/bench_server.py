"""What the drivers of scripts/bench start: polluxd, and a plain TCP server beside it."""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.request

CORES = 2
STARTED = re.compile(r"listening for (HTTP|gRPC) .*\bport=(\d+)")
COMMITTED = re.compile(r'pollux_commit_seconds_bucket\{le="([^"]+)"\} (\d+)')
START_SECONDS_MAX = 30
APPLY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30


class BenchFailed(Exception):
    pass


def say(text):
    print(text, file=sys.stderr, flush=True)


def polls(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield
        time.sleep(0.02)


def take_cores():
    """This process, and what it starts, keep to as many cores as there are in every run."""
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    return cores


def workload(name):
    """The plan, with results in a stream of its own: plans of one node share their streams."""
    text = (pathlib.Path(__file__).parent / "workloads" / f"{name}.siddhi").read_text()
    return text.replace("insert into Out;", f"insert into {name}Out;").encode()


class Polluxd:
    """The real server; HTTP and gRPC on ports of the kernel's choice, data in `folder`."""

    def __init__(self, binary, folder, settings=None, arguments=()):
        self.folder = folder
        self.settings = settings
        self.log = folder / "polluxd.log"
        own = {"HTTP__PORT": "0", "GRPC__PORT": "0", "HTTP__BIND_ADDRESS": "127.0.0.1",
               "GRPC__BIND_ADDRESS": "127.0.0.1", "DATA_DIR": str(folder / "data"),
               **(settings or {})}
        environment = {**os.environ, **{f"POLLUX__{key}": value for key, value in own.items()}}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([binary, *arguments], env=environment, stderr=log)
        try:
            self.ports = self._wait_for_ports()
        except BaseException:
            self.process.kill()
            raise

    def _wait_for_ports(self):
        for _ in polls(START_SECONDS_MAX):
            ports = {kind: int(port) for kind, port in STARTED.findall(self.log.read_text())}
            if len(ports) == 2:
                return ports
            if self.process.poll() is not None:
                break
        raise BenchFailed("polluxd did not start:\n" + self.log.read_text())

    def ask(self, path, body=None, kind="text/plain"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['HTTP']}{path}", body,
                                         {"Content-Type": kind} if body else {})
        with urllib.request.urlopen(request, timeout=APPLY_SECONDS_MAX) as answer:
            return json.load(answer)

    def commit_latency(self):
        """Entries committed so far, by their buckets' bounds in seconds, each with those below."""
        url = f"http://127.0.0.1:{self.ports['HTTP']}/metrics"
        with urllib.request.urlopen(url, timeout=APPLY_SECONDS_MAX) as answer:
            text = answer.read().decode()
        return {float(bound): int(count) for bound, count in COMMITTED.findall(text)}

    def deploy(self, name, text):
        self.ask(f"/v1/plans?name={name}", text)

    def counts_once_idle(self, plan):
        for _ in polls(APPLY_SECONDS_MAX):
            counts = self.ask(f"/v1/plans/{plan}")["counts"]
            if counts["queued_entries"] == 0:
                return counts
        raise BenchFailed(f"polluxd still has work: {counts}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS_MAX)
        if code != 0:
            raise BenchFailed(f"polluxd ended with {code}:\n" + self.log.read_text())


@contextlib.contextmanager
def raw_server(binary):
    """Ends with its standard input. Prints its port first."""
    with subprocess.Popen([binary, "raw-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        yield process


def ask_client(options, words):
    """What bench_ingest, told so, printed of its measurement."""
    client = subprocess.run([options.client, *map(str, words)], capture_output=True, check=False,
                            timeout=options.seconds + APPLY_SECONDS_MAX)
    if client.returncode != 0:
        raise BenchFailed(client.stderr.decode(errors="replace").strip())
    return json.loads(client.stdout)


def parse_rounds(name, arguments):
    """The options of benchmarks that measure in rounds."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench {name}", allow_abbrev=False)
    parser.add_argument("--polluxd", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--client", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.seconds <= 0 or options.rounds < 1:
        parser.error("--seconds and --rounds must be positive")
    return options
