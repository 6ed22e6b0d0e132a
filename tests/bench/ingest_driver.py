"""Measures how fast polluxd acknowledges events over loopback, each way beside plain TCP.

Started by scripts/bench, which lists the options. Runs polluxd with W1 deployed, a plain TCP server
and the client bench_ingest, all on the same two cores. Exit 0 when all that was acknowledged was
applied, with the results that a brute-force count says; 1 when not, with the reason on stderr.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import typing

from bench_server import (BenchFailed, Polluxd, ask_client, parse_rounds, raw_server, say,
                          take_cores, workload)


class Way(typing.NamedTuple):
    """A way to send events. Windows are those at which each does best or nearly so."""
    name: str
    transport: str  # "gRPC" or "HTTP"
    form: str  # as bench_ingest calls it
    rows: int  # events in a request
    connections: int
    window: int  # requests on the way on each connection
    target: int = 0  # events/s; 0: none was set


WAYS = (
    Way("gRPC columns, 1000", "gRPC", "columns", 1000, 2, 16, 2_000_000),
    Way("gRPC rows, 1000", "gRPC", "rows", 1000, 2, 16),
    Way("HTTP JSON, 1000", "HTTP", "json", 1000, 2, 4, 300_000),
    Way("gRPC single", "gRPC", "columns", 1, 4, 64),
    Way("HTTP single", "HTTP", "json", 1, 4, 64),
    Way("gRPC single, one at a time", "gRPC", "columns", 1, 1, 1),
    Way("HTTP single, one at a time", "HTTP", "json", 1, 1, 1),
)


class Bench:
    def __init__(self, options, polluxd, raw_server):
        self.options = options
        self.polluxd = polluxd
        self.raw_server = raw_server
        self.raw_port = int(raw_server.stdout.readline())
        self.acked = {"events": 0, "results": 0}

    def run(self, way, raw):
        process = self.raw_server if raw else self.polluxd.process
        port = self.raw_port if raw else self.polluxd.ports[way.transport]
        words = [way.form, "raw" if raw else "polluxd", port, process.pid, way.rows,
                 way.connections, way.window, self.options.seconds]
        sample = ask_client(self.options, words)
        if sample["refused_requests"]:
            say(f"  {way.name}: {sample['refused_requests']} requests were refused for a while, "
                "because the plan was behind")
        if not raw:
            self.acked["events"] += sample["all_events"]
            self.acked["results"] += sample["all_failures"]
            self.check(way)
        return sample

    def check(self, way):
        """What was acknowledged so far is applied, and each failed login is a result."""
        counts = self.polluxd.counts_once_idle("W1")
        for key, expected in self.acked.items():
            if counts[key] != expected:
                raise BenchFailed(f"after {way.name}: {counts[key]:,} {key} were counted, "
                                  f"expected {expected:,}")

    def measure(self):
        """For each way the samples of all rounds: of polluxd, of plain TCP."""
        samples = {way: ([], []) for way in WAYS}
        for number in range(self.options.rounds):
            say(f"round {number + 1} of {self.options.rounds}")
            for way, (ours, raw) in samples.items():
                ours.append(self.run(way, raw=False))
                raw.append(self.run(way, raw=True))
        return samples


def rate(sample):
    return sample["events"] / sample["seconds"]


def summary(way, ours, raw):
    """Rates of the best and the middle round; the rest is of the middle round."""
    middle = sorted(ours, key=rate)[len(ours) // 2]
    millions = middle["events"] / 1e6
    return {
        "way": way.name, "batch": way.rows, "connections": way.connections, "window": way.window,
        "events_per_second": round(statistics.median(map(rate, ours))),
        "events_per_second_best": round(max(map(rate, ours))),
        "raw_events_per_second": round(statistics.median(map(rate, raw))),
        "raw_events_per_second_best": round(max(map(rate, raw))),
        "target": way.target,
        "client_cpu_seconds_per_million": round(middle["client_cpu_seconds"] / millions, 3),
        "server_cpu_seconds_per_million": round(middle["server_cpu_seconds"] / millions, 3),
        "ack_p50_us": middle["ack_p50_us"], "ack_p99_us": middle["ack_p99_us"],
        "bytes_per_event": round(middle["request_bytes"] / way.rows),
    }


def print_table(summaries):
    print(f"\n{'':<28}{'events/s':>12}{'best':>12}{'target':>11}{'plain TCP':>13}"
          f"{'client':>9}{'server':>9}{'ack p50':>10}{'p99 ms':>9}{'bytes':>7}")
    for each in summaries:
        target = f"{each['target']:,}" if each["target"] else "-"
        print(f"{each['way']:<28}{each['events_per_second']:>12,}"
              f"{each['events_per_second_best']:>12,}{target:>11}"
              f"{each['raw_events_per_second']:>13,}"
              f"{each['client_cpu_seconds_per_million']:>9.2f}"
              f"{each['server_cpu_seconds_per_million']:>9.2f}"
              f"{each['ack_p50_us'] / 1000:>10.2f}{each['ack_p99_us'] / 1000:>9.2f}"
              f"{each['bytes_per_event']:>7}")
    print("""
events/s and plain TCP: median of the rounds; client, server: CPU-seconds for a million events; ack:
from a request's sending to its acknowledgement, with full windows; bytes: of one event in its
request. All that was acknowledged was applied, and gave the results that were counted.""")


def main(arguments):
    options = parse_rounds("ingest", arguments)
    cores = take_cores()
    with tempfile.TemporaryDirectory() as folder, raw_server(options.client) as raw:
        polluxd = Polluxd(options.polluxd, pathlib.Path(folder))
        try:
            polluxd.deploy("W1", workload("W1"))
            samples = Bench(options, polluxd, raw).measure()
            polluxd.stop()
        finally:
            polluxd.process.kill()
    summaries = [summary(way, ours, raw) for way, (ours, raw) in samples.items()]
    print_table(summaries)
    if options.json:
        print(json.dumps({"cores": len(cores), "ways": summaries}))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BenchFailed, OSError, subprocess.TimeoutExpired) as failed:
        sys.exit(f"scripts/bench ingest: {failed}")
