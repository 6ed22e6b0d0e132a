"""Measures what it costs the active of a pair that the other node joins with nothing on its disk.

Started by scripts/bench, which lists the options. Fills a plan with state, sends events at a steady
rate, kills the passive, drops its data, starts it again, and compares how long batches took until
they were acknowledged with the time before. Each node has a core of its own, as if on a machine of
its own; the client shares the active's. Exit 0 when the node was in sync again and every event was
applied; 1 when not, with the reason on stderr.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from bench_server import APPLY_SECONDS_MAX, BenchFailed, Polluxd, polls, say, take_cores
from pair_driver import Load, start_pair

BYTES_OF_AN_EVENT = 80  # about, in the window
FILL = Load(1000, 2, 16)
STEADY = Load(100, 2, 512)
FILL_SECONDS = 2
QUIET_SECONDS = 3  # before the passive dies, and after the join
PLAN = """@app:name('Held')
define stream LoginStream (username string, ip string, success bool, region string, ts long,
  risk double);
define window Recent (username string, ip string, success bool, region string, ts long,
  risk double) length({rows});
from LoginStream insert into Recent;
from Recent select username, count() as logins, avg(risk) as avgRisk group by username
  having logins > 1000000000 insert into Busy;
"""


def pin(process, core):
    """With all threads that it has, and those that they start."""
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(task.name), {core})


class Bench:
    def __init__(self, options, folder, cores):
        self.options = options
        self.active_core, self.passive_core = cores[0], cores[-1]
        self.folder = folder
        self.rows = options.state_mib * 2**20 // BYTES_OF_AN_EVENT
        self.pair = start_pair(options, folder / "pair", "every_commit", [], {
            "PAIR__SNAPSHOT_BYTES_PER_SECOND": str(options.bytes_per_second)})
        for node, core in zip(self.pair.nodes, (self.active_core, self.passive_core)):
            pin(node.process, core)
        os.sched_setaffinity(0, {self.active_core})  # and so the clients'
        self.acked = 0
        self.leader.deploy("Held", PLAN.format(rows=self.rows).encode())

    @property
    def leader(self):
        return self.pair.leader

    def _client(self, load, seconds, *more):
        words = ["columns", "polluxd", self.leader.ports["gRPC"], self.leader.process.pid, *load,
                 seconds, *more]
        return [self.options.client, *map(str, words)]

    def _take(self, output):
        self.acked += json.loads(output)["all_events"]

    def fill(self):
        """Until the window is full, and the journal does not reach back to the first entry. Bytes
        of the plan's state."""
        while self.acked < self.rows:
            done = subprocess.run(self._client(FILL, FILL_SECONDS), capture_output=True,
                                  check=True, timeout=APPLY_SECONDS_MAX)
            self._take(done.stdout)
            say(f"  {min(self.acked, self.rows):,} of {self.rows:,} events")
        self.wait_until_applied()
        for _ in range(2):  # the journal is kept for the state before the newest
            self.leader.ask("/v1/plans/Held/persist", b"")
        return self.leader.ask("/v1/plans/Held")["counts"]["state_bytes"]

    def wait_until_applied(self):
        for _ in polls(APPLY_SECONDS_MAX):
            counts = self.leader.ask("/v1/plans/Held")["counts"]
            if counts["events"] == self.acked:
                return
        raise BenchFailed(f"{self.acked:,} events were acknowledged, and counted are {counts}")

    def steadily(self, seconds, meanwhile):
        """What was due when, and how long it took; `meanwhile` runs beside the load."""
        path = self.folder / "samples"
        with subprocess.Popen(self._client(STEADY, seconds, self.options.rate, path),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
            try:
                meanwhile()
                output, errors = client.communicate(timeout=seconds + APPLY_SECONDS_MAX)
            except BaseException:
                client.kill()
                raise
            if client.returncode != 0:
                raise BenchFailed(errors.decode(errors="replace").strip())
        self._take(output)
        self.wait_until_applied()
        lines = (line.split() for line in path.read_text().splitlines())
        return [(float(due) / 1000, int(took)) for due, took in lines]

    def join(self):
        """The passive comes back with nothing. When that began, and when both nodes had
        everything."""
        passive = self.pair.nodes[1]
        passive.process.kill()
        passive.process.wait()
        shutil.rmtree(passive.folder / "data")
        self._wait_for_role("active-solo")
        time.sleep(QUIET_SECONDS)
        begun = time.monotonic()
        os.sched_setaffinity(0, {self.passive_core})
        try:
            self.pair.nodes[1] = Polluxd(self.options.polluxd, passive.folder, passive.settings)
        finally:
            os.sched_setaffinity(0, {self.active_core})
        self._wait_for_role("active-paired")
        return begun, time.monotonic()

    def _wait_for_role(self, role):
        for _ in polls(self.options.join_seconds):
            if self.leader.ask("/v1/node")["role"] == role:
                return
        raise BenchFailed(f"the active is not {role} within {self.options.join_seconds} s; "
                          f"see {self.pair.nodes[1].log.read_text()[-2000:]}")

    def measure(self):
        say("fill")
        state = self.fill()
        say("steady, both nodes there")
        quiet = self.steadily(self.options.seconds, lambda: None)
        say("steady, while the other node joins")
        moments = []

        def meanwhile():
            time.sleep(QUIET_SECONDS)
            moments.extend(self.join())
            time.sleep(QUIET_SECONDS)

        joining = self.steadily(self.options.join_seconds, meanwhile)
        begun, ended = moments
        during = [(due, took) for due, took in joining if begun <= due <= ended]
        given = self.leader.ask("/v1/cluster")["pair"]["snapshots"]["bytes_given"]
        if given == 0:
            raise BenchFailed("the node joined by entries alone, and that is not what is measured")
        return sum_up(state, quiet, during, ended - begun, given)


def at(latencies, share):
    """Milliseconds."""
    if not latencies:
        raise BenchFailed("nothing was acknowledged in that time")
    return sorted(latencies)[min(int(len(latencies) * share), len(latencies) - 1)] / 1000


def in_a_second(samples):
    """The p99 of most seconds, in milliseconds: a disk that stands still for one does not count."""
    seconds = collections.defaultdict(list)
    for due, took in samples:
        seconds[int(due)].append(took)
    return statistics.median(at(latencies, 0.99) for latencies in seconds.values())


def latencies_of(samples):
    latencies = [took for _, took in samples]
    return {"p50_ms": at(latencies, 0.5), "p99_ms": at(latencies, 0.99), "max_ms": at(latencies, 1),
            "second_p99_ms": in_a_second(samples)}


def sum_up(state, quiet, joining, seconds, given):
    both, join = latencies_of(quiet), latencies_of(joining)
    return {
        "state_mib": round(state / 2**20), "seconds": round(seconds, 2),
        "copied_mib": round(given / 2**20), "mib_per_second": round(given / 2**20 / seconds, 1),
        "both": both, "joining": join,
        "p99_ratio": round(join["p99_ms"] / both["p99_ms"], 2),
        "second_p99_ratio": round(join["second_p99_ms"] / both["second_p99_ms"], 2),
    }


def row(name, latencies):
    return f"  {name:<24}" + "".join(f"{value:>10.2f}" for value in latencies.values())


def print_table(found, rate):
    print(f"""
{found['state_mib']:,} MiB of state, {rate:,} events/s in batches of {STEADY.rows}
  the node was in sync again after {found['seconds']} s; {found['copied_mib']:,} MiB were copied,
  {found['mib_per_second']} MiB/s of the whole time

from due to acknowledged, ms       p50       p99       max  p99 of most seconds
{row("both nodes there", found["both"])}
{row("while the other joins", found["joining"])}
  the p99s, compared{found['p99_ratio']:>27.2f}x{found['second_p99_ratio']:>19.2f}x""")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench rejoin", allow_abbrev=False)
    parser.add_argument("--polluxd", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--client", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--state-mib", type=int, default=1024)
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--join-seconds", type=int, default=60)
    parser.add_argument("--bytes-per-second", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    cores = take_cores()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder), cores)
        try:
            found = bench.measure()
            bench.pair.stop()
        finally:
            bench.pair.kill()
    print_table(found, options.rate)
    if options.json:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BenchFailed, OSError, subprocess.SubprocessError) as failed:
        sys.exit(f"scripts/bench rejoin: {failed}")
