"""Measures what it costs that a store's database is gone for a while.

Started by scripts/bench, which lists the options. Sends events at a steady rate to a polluxd whose
store is in PostgreSQL, kills the database for some minutes, starts it again, and waits until it has
caught up. Exit 0 when every row is there once; 1 when not, with the reason on stderr.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(str(pathlib.Path(__file__).parents[2] / "scripts" / "lib"))
from databases import DATABASES, PASSWORD, settings_text  # noqa: E402
from free_ports import free_ports  # noqa: E402
from bench_server import BenchFailed, Polluxd, polls, say, take_cores

BATCH = 1000
SAMPLE_SECONDS = 1
CATCH_UP_SECONDS_MAX = 3_600
CAUGHT_UP_ROWS = 200_000  # so little is on its way at any time
# Times grow, as they do in life: the client sends the same events again and again.
PLAN = b"""
@app:name('Rows')
define stream LoginStream (username string, ip string, success bool, region string, ts long,
    risk double);
@sink(type='store', store='EVENT_STORE_WO', table='OUTAGE_ROWS')
define stream Rows (nth long, username string, ip string, success bool, ts long, risk double);
from LoginStream select count() as nth, username, ip, success, currentTimeMillis() as ts, risk
insert into Rows;
"""


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise BenchFailed("polluxd is gone")


def folder_mib(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


class Watch:
    """Memory, lag and the outbox's size, as long as it goes on."""

    def __init__(self, polluxd, outbox):
        self._polluxd, self._outbox = polluxd, outbox
        self.samples = []
        self.failed = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._over.wait(SAMPLE_SECONDS):
                sink, = self._polluxd.ask("/v1/sinks")["sinks"]
                self.samples.append({"at": time.monotonic(), "lag": sink["lag_rows"],
                                     "dropped": sink["dropped"],
                                     "mib": resident_mib(self._polluxd.process.pid),
                                     "outbox_mib": folder_mib(self._outbox)})
        except (OSError, BenchFailed) as failed:
            self.failed = failed

    def wait_until_caught_up(self):
        begun = time.monotonic()
        for _ in polls(CATCH_UP_SECONDS_MAX):
            last = self.samples[-1]
            if last["at"] > begun and last["lag"] < CAUGHT_UP_ROWS:
                return time.monotonic() - begun
            if self.failed:
                raise BenchFailed(str(self.failed))
        raise BenchFailed("the store does not catch up")

    def between(self, begin, end, key):
        return [one[key] for one in self.samples if begin <= one["at"] <= end]

    def stop(self):
        self._over.set()
        self._thread.join()


def measure(options, folder):
    port, = free_ports(1)
    database = DATABASES["postgresql"](str(folder), "127.0.0.1", port)
    os.environ["DATABASE_PASSWORD"] = PASSWORD
    settings = folder / "settings.yaml"
    settings.write_text(settings_text("postgresql", database.url, ["event_store_wo"]))
    polluxd = client = watch = None
    try:
        polluxd = Polluxd(options.polluxd, folder, {"PERSISTENCE__OUTBOX_BYTES_MAX": "32 GiB"},
                          ["--config", str(settings)])
        polluxd.deploy("Rows", PLAN)
        watch = Watch(polluxd, folder / "data" / "outbox")
        seconds = options.before + options.seconds + options.behind
        client = subprocess.Popen(
            list(map(str, [options.client, "columns", "polluxd", polluxd.ports["gRPC"],
                           polluxd.process.pid, BATCH, 1, 64, seconds, options.rate,
                           folder / "samples"])), stdout=subprocess.PIPE, text=True)
        time.sleep(options.before)
        say(f"the database is gone for {options.seconds} s")
        gone = time.monotonic()
        database.kill()
        time.sleep(options.seconds)
        back = time.monotonic()
        database.start()
        say("and is there again")
        caught_up = watch.wait_until_caught_up()
        while_sending = client.poll() is None
        sent = json.loads(client.communicate()[0])
        rows = sent["all_events"]
        watch.wait_until_caught_up()
        for _ in polls(CATCH_UP_SECONDS_MAX):
            if watch.samples[-1]["lag"] == 0:
                break
        watch.stop()
        counted = database.ask("SELECT count(*), count(DISTINCT nth), min(nth), max(nth)"
                               " FROM outage_rows;")
        polluxd.stop()
    finally:
        if client is not None and client.poll() is None:
            client.kill()
        if polluxd is not None:
            polluxd.process.kill()
        database.close()
    if counted != [[str(rows), str(rows), "1", str(rows)]]:
        raise BenchFailed(f"the table has {counted}, expected {rows} rows, each once")
    if any(one["dropped"] for one in watch.samples):
        raise BenchFailed("rows were dropped")
    outage = watch.between(gone, back, "mib")
    tenth = max(1, len(outage) // 10)
    return {"rows": rows, "rate": options.rate, "outage_seconds": options.seconds,
            "refused_requests": sent["refused_requests"],
            "lag_rows": max(watch.between(gone, back + 5, "lag")),
            "outbox_mib": round(max(watch.between(gone, back + 5, "outbox_mib"))),
            "catch_up_seconds": round(caught_up, 1), "caught_up_while_sending": while_sending,
            "memory_mib_before": round(max(watch.between(0, gone, "mib"))),
            "memory_mib_outage_begin": round(max(outage[:2 * tenth])),
            "memory_mib_outage_end": round(max(outage[-tenth:])),
            "memory_mib_most": round(max(one["mib"] for one in watch.samples))}


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench outage", allow_abbrev=False)
    for hidden in ("--polluxd", "--client"):
        parser.add_argument(hidden, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--before", type=int, default=20)
    parser.add_argument("--behind", type=int, default=600)
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    take_cores()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options, pathlib.Path(folder))
    for key, value in found.items():
        print(f"  {key.replace('_', ' '):28} {value:>12}")
    if options.json:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BenchFailed, OSError, subprocess.TimeoutExpired) as failed:
        sys.exit(f"scripts/bench outage: {failed}")
