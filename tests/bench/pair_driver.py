"""Measures what a pair costs beside a node that stands alone.

Started by scripts/bench, which lists the options. Runs a lone polluxd and two that are a pair, a
plain TCP server and the client bench_ingest, all on the same two cores, and measures them in turns.
Exit 0 when all that was acknowledged was applied on every node, with the results that were counted;
1 when not, with the reason on stderr.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import typing

sys.path.append(str(pathlib.Path(__file__).parents[2] / "scripts" / "lib"))
from free_ports import free_ports  # noqa: E402
from bench_server import (APPLY_SECONDS_MAX, BenchFailed, Polluxd, ask_client, parse_rounds,
                          polls, raw_server, say, take_cores, workload)

WHOLE_SECONDS_MAX = 60
SYNC_BYTES = 4096
SYNCS = 200
LONGEST_SECONDS = 10  # of what took longer than all buckets
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Load(typing.NamedTuple):
    """What bench_ingest sends: gRPC, columns."""
    rows: int
    connections: int
    window: int


FULL = Load(1000, 2, 16)
ONE = Load(1, 1, 1)  # a round trip at a time


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def median_us(before, after):
    """Of a histogram's buckets that count since `before`; evenly spread within each."""
    total = after[float("inf")] - before[float("inf")]
    if total == 0:
        raise BenchFailed("nothing was committed")
    lower, counted = 0.0, 0
    for bound in sorted(after):
        count = after[bound] - before[bound]
        if count * 2 >= total:
            share = (total / 2 - counted) / (count - counted)
            return (lower + (min(bound, LONGEST_SECONDS) - lower) * share) * 1e6
        lower, counted = bound, count
    raise BenchFailed("the buckets do not add up")


class Subject:
    """What is measured: the node that takes the events, and all that apply them."""

    def __init__(self, name, nodes, plans):
        self.name = name
        self.nodes = nodes
        self.leader = nodes[0]
        self.plans = plans
        self.acked = {"events": 0, "failures": 0}

    def deploy(self):
        for plan in self.plans:
            self.leader.deploy(plan, workload(plan))

    def check(self, sample):
        """All nodes have applied what was acknowledged; of W1 each failed login is a result."""
        self.acked["events"] += sample["all_events"]
        self.acked["failures"] += sample["all_failures"]
        for node in self.nodes:
            for plan in self.plans:
                expected = {"events": self.acked["events"]}
                if plan == "W1":
                    expected["results"] = self.acked["failures"]
                for _ in polls(APPLY_SECONDS_MAX):
                    counts = node.ask(f"/v1/plans/{plan}")["counts"]
                    found = {key: counts[key] for key in expected}
                    if found == expected:
                        break
                else:
                    raise BenchFailed(f"{self.name}, {plan}: counted {found}, expected {expected}")

    def stop(self):
        for node in reversed(self.nodes):
            node.stop()

    def kill(self):
        for node in self.nodes:
            node.process.kill()


def start_lone(options, folder, sync, plans):
    folder.mkdir()
    subject = Subject("lone", [Polluxd(options.polluxd, folder, {"PERSISTENCE__SYNC": sync})],
                      plans)
    subject.deploy()
    return subject


def start_pair(options, folder, sync, plans, more=None):
    """`more`: settings of both nodes."""
    record = folder / "record"
    record.mkdir(parents=True)
    ports = free_ports(4)
    nodes = []
    for number, name in enumerate("ab"):
        own = folder / name
        own.mkdir()
        membership, event_sync = ports[2 * number:2 * number + 2]
        nodes.append(Polluxd(options.polluxd, own, {
            "NODE__NAME": name, "PERSISTENCE__SYNC": sync, "PAIR__ENABLED": "true",
            "PAIR__BIND_ADDRESS": "127.0.0.1", "PAIR__ARBITER": f"file:{record}",
            "PAIR__MEMBERS": f"127.0.0.1:{ports[0]},127.0.0.1:{ports[2]}",
            "PAIR__MEMBERSHIP_PORT": str(membership), "PAIR__EVENT_SYNC_PORT": str(event_sync),
            "PAIR__SNAPSHOT_PORT": "0", **(more or {})}))
    subject = Subject("pair", nodes, plans)
    try:
        wait_until_whole(subject)
        subject.deploy()
    except BaseException:
        subject.kill()
        raise
    return subject


def wait_until_whole(subject):
    """Afterwards its first node is the active one."""
    for _ in polls(WHOLE_SECONDS_MAX):
        roles = [node.ask("/v1/node")["role"] for node in subject.nodes]
        if sorted(roles) == ["active-paired", "passive"]:
            subject.nodes.sort(key=lambda node: node.ask("/v1/node")["role"])
            subject.leader = subject.nodes[0]
            return
    raise BenchFailed(f"the pair does not get whole: {roles}")


class Bench:
    def __init__(self, options, folder, raw):
        self.options = options
        self.folder = folder
        self.raw_process = raw
        self.raw_port = int(raw.stdout.readline())

    def client(self, load, way, port, pid):
        words = ["columns", way, port, pid, *load, self.options.seconds]
        return ask_client(self.options, words)

    def raw(self, load):
        return self.client(load, "raw", self.raw_port, self.raw_process.pid)

    def run(self, subject, load):
        leader = subject.leader
        before = [cpu_seconds(node.process.pid) for node in subject.nodes]
        commits = leader.commit_latency()
        sample = self.client(load, "polluxd", leader.ports["gRPC"], leader.process.pid)
        subject.check(sample)
        sample["commit_p50_us"] = median_us(commits, leader.commit_latency())
        spent = [cpu_seconds(node.process.pid) - was
                 for node, was in zip(subject.nodes, before)]
        # Until the last event was applied, and over all events: warm-up and all.
        sample["cpu_us_per_event"] = [each / sample["all_events"] * 1e6 for each in spent]
        return sample

    def syncs(self):
        """Microseconds of appending and syncing some bytes, each time."""
        took = []
        path = self.folder / "syncs"
        file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        try:
            for _ in range(SYNCS):
                begun = time.perf_counter_ns()
                os.write(file, b"x" * SYNC_BYTES)
                os.fdatasync(file)
                took.append((time.perf_counter_ns() - begun) / 1000)
        finally:
            os.close(file)
            path.unlink()
        return statistics.median(took)


def measure_commits(bench, plans):
    """`every_commit`: a lone node, a pair, plain TCP and plain syncs, in turns."""
    options = bench.options
    rounds = []
    lone = start_lone(options, bench.folder / "lone", "every_commit", plans)
    try:
        pair = start_pair(options, bench.folder / "pair", "every_commit", plans)
        try:
            for number in range(options.rounds):
                say(f"every_commit, round {number + 1} of {options.rounds}")
                rounds.append({
                    "lone": bench.run(lone, FULL), "pair": bench.run(pair, FULL),
                    "raw": bench.raw(FULL), "lone_one": bench.run(lone, ONE),
                    "pair_one": bench.run(pair, ONE), "raw_one": bench.raw(ONE),
                    "sync_us": bench.syncs()})
            pair.stop()
        finally:
            pair.kill()
        lone.stop()
    finally:
        lone.kill()
    return rounds


def measure_interval(bench):
    """`sync: interval`, with W1 and W2 deployed."""
    options = bench.options
    rounds = []
    pair = start_pair(options, bench.folder / "interval", "interval", ["W1", "W2"])
    try:
        for number in range(options.rounds):
            say(f"interval, round {number + 1} of {options.rounds}")
            rounds.append(bench.run(pair, FULL))
        pair.stop()
    finally:
        pair.kill()
    return rounds


def rate(sample):
    return sample["events"] / sample["seconds"]


def middle(rounds, value):
    return statistics.median(map(value, rounds))


def sum_up(commits, interval):
    """Medians of the rounds; ratios are of each round by itself."""
    ratio = middle(commits, lambda one: rate(one["pair"]) / rate(one["lone"]))
    cpu = middle(commits, lambda one: one["pair"]["cpu_us_per_event"][0] /
                 one["lone"]["cpu_us_per_event"][0])
    latency = middle(commits, lambda one: one["pair_one"]["commit_p50_us"] /
                     (one["sync_us"] + one["raw_one"]["ack_p50_us"]))
    return {
        "lone_events_per_second": round(middle(commits, lambda one: rate(one["lone"]))),
        "pair_events_per_second": round(middle(commits, lambda one: rate(one["pair"]))),
        "raw_events_per_second": round(middle(commits, lambda one: rate(one["raw"]))),
        "pair_to_lone": round(ratio, 3),
        "lone_cpu_us_per_event": round(
            middle(commits, lambda one: one["lone"]["cpu_us_per_event"][0]), 3),
        "active_cpu_us_per_event": round(
            middle(commits, lambda one: one["pair"]["cpu_us_per_event"][0]), 3),
        "passive_cpu_us_per_event": round(
            middle(commits, lambda one: one["pair"]["cpu_us_per_event"][1]), 3),
        "active_to_lone_cpu": round(cpu, 3),
        "pair_commit_p50_us": round(middle(commits, lambda one: one["pair_one"]["commit_p50_us"])),
        "lone_commit_p50_us": round(middle(commits, lambda one: one["lone_one"]["commit_p50_us"])),
        "pair_ack_p50_us": round(middle(commits, lambda one: one["pair_one"]["ack_p50_us"])),
        "lone_ack_p50_us": round(middle(commits, lambda one: one["lone_one"]["ack_p50_us"])),
        "raw_round_trip_p50_us": round(middle(commits, lambda one: one["raw_one"]["ack_p50_us"])),
        "fdatasync_p50_us": round(middle(commits, lambda one: one["sync_us"])),
        "commit_to_limits": round(latency, 2),
        "interval_events_per_second": round(middle(interval, rate)),
        "interval_events_per_second_best": round(max(map(rate, interval))),
    }


def print_table(found):
    def line(name, key, form="{:>13,}", then=""):
        return f"  {name:<43}" + form.format(found[key]) + then

    def cpu(key, form="{:>13.3f}"):
        return form.format(found[key])

    print("\n".join((
        "",
        "sync: every_commit, W1, gRPC batches of 1000       events/s CPU us/event",
        line("one node alone", "lone_events_per_second", then=cpu("lone_cpu_us_per_event")),
        line("a pair: the active", "pair_events_per_second", then=cpu("active_cpu_us_per_event")),
        f"  {'the passive':<56}" + cpu("passive_cpu_us_per_event"),
        line("plain TCP, the same bytes", "raw_events_per_second"),
        line("the pair to the lone node", "pair_to_lone", "{:>13.0%}",
             cpu("active_to_lone_cpu", "{:>12.2f}x")),
        "",
        "one event at a time, p50                                us",
        line("a pair commits", "pair_commit_p50_us"),
        line("a lone node commits", "lone_commit_p50_us"),
        line("a pair acknowledges, by gRPC", "pair_ack_p50_us"),
        line("a lone node acknowledges, by gRPC", "lone_ack_p50_us"),
        line(f"fdatasync of {SYNC_BYTES} bytes", "fdatasync_p50_us"),
        line("a round trip of plain TCP", "raw_round_trip_p50_us"),
        line("the pair's commit to the sum of these two", "commit_to_limits", "{:>12.2f}x"),
        "",
        "sync: interval, W1 and W2, gRPC batches of 1000    events/s",
        line("a pair", "interval_events_per_second"),
        line("its best round", "interval_events_per_second_best"),
        "",
        "Medians of the rounds, ratios of each round by itself; servers, client and plain TCP on",
        "the same cores. CPU until the last event is applied, kernel included. Commits: from the",
        "number of an entry until both nodes have it on their disks.")))


def main(arguments):
    options = parse_rounds("pair", arguments)
    cores = take_cores()
    with tempfile.TemporaryDirectory() as folder, raw_server(options.client) as raw:
        bench = Bench(options, pathlib.Path(folder), raw)
        commits = measure_commits(bench, ["W1"])
        interval = measure_interval(bench)
    found = sum_up(commits, interval)
    print_table(found)
    if options.json:
        print(json.dumps({"cores": len(cores), **found}))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BenchFailed, OSError, subprocess.TimeoutExpired) as failed:
        sys.exit(f"scripts/bench pair: {failed}")
