"""Measures how fast rows get from events into a store, beside what the store takes by itself.

Started by scripts/bench, which lists the options. Runs polluxd with a plan that makes a row of ten
columns of each event, the database, and the client bench_ingest, all on the same two cores, in
turns with bench_store, which writes the same rows by the store's own client library and does
nothing else.
Exit 0 when every row was stored; 1 when not, with the reason on stderr.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[2] / "scripts" / "lib"))
from databases import DATABASES, PASSWORD, settings_text  # noqa: E402
from free_ports import free_ports  # noqa: E402
from bench_server import BenchFailed, Polluxd, ask_client, say, take_cores

STORE_SECONDS_MAX = 300
PLAIN_BATCH = 10_000
LONE_EVENTS = 200
LONE_APART_SECONDS = 0.02
TABLE = "BENCH_ROWS"
# Times grow, as they do in life: the client sends the same events again and again.
PLAN = f"""
@app:name('Rows')
define stream LoginStream (username string, ip string, success bool, region string, ts long,
    risk double);
@sink(type='store', store='EVENT_STORE_WO', table='{TABLE}')
define stream Rows (username string, ip string, success bool, region string, ts long, risk double,
    half double, second long, level int, kind string);
from LoginStream
select username, ip, success, region, currentTimeMillis() as ts, risk, risk * 0.5 as half,
    ts / 1000L as second, 7 as level, 'login' as kind
insert into Rows;
"""


class Embedded:
    """RocksDB, in the server's own data directory."""

    plain = "WriteBatch"

    def __init__(self, folder):
        self._folder = folder
        self._runs = 0

    def settings(self):
        return None

    def clear(self):
        pass

    def plain_words(self, rows):
        self._runs += 1
        return ["write-batch", self._folder / f"plain{self._runs}", rows, PLAIN_BATCH]

    def plain_commit_words(self):
        return ["write-batch", self._folder / "commits", LONE_EVENTS, 1]

    def close(self):
        pass


class InDatabase:
    """The table that rows are written to by hand has what the store's has."""

    def __init__(self, name, folder):
        port, = free_ports(1)
        self._name = name
        os.environ.pop("MYSQL_PWD", None)  # not that of whoever makes the database
        self._database = DATABASES[name](str(folder), "127.0.0.1", port)
        self._folder = folder
        for variable in ("DATABASE_PASSWORD", "PGPASSWORD", "MYSQL_PWD"):
            os.environ[variable] = PASSWORD

    def settings(self):
        path = self._folder / "settings.yaml"
        path.write_text(settings_text(self._name, self._database.url, ["event_store_wo"]))
        return path

    def clear(self):
        self._database.ask(f"TRUNCATE {TABLE.lower()}; DROP TABLE IF EXISTS plain;"
                           f"CREATE TABLE plain {self.like};")

    def plain_words(self, rows):
        return [self.verb, self._database.port, "plain", rows, PLAIN_BATCH]

    def plain_commit_words(self):
        return [self.verb, self._database.port, "plain", LONE_EVENTS, 1]

    def close(self):
        self._database.close()


class Postgres(InDatabase):
    plain, verb = "COPY", "copy"
    like = f"(LIKE {TABLE} INCLUDING ALL)"

    def __init__(self, folder):
        super().__init__("postgresql", folder)


class Mysql(InDatabase):
    plain, verb = "INSERT", "insert"
    like = f"LIKE {TABLE.lower()}"

    def __init__(self, folder):
        super().__init__("mysql", folder)


BACKENDS = {"rocksdb": Embedded, "postgresql": Postgres, "mysql": Mysql}


class Bench:
    def __init__(self, options, backend, polluxd):
        self.options = options
        self.backend = backend
        self.polluxd = polluxd

    def sink(self):
        sink, = self.polluxd.ask("/v1/sinks")["sinks"]
        if sink["dropped"]:
            raise BenchFailed(f"rows were dropped: {sink}")
        return sink

    def wait_until_stored(self, rows):
        until = time.monotonic() + STORE_SECONDS_MAX
        while (stored := self.sink()["published"]) != rows:
            if time.monotonic() > until:
                raise BenchFailed(f"{stored} of {rows} rows were stored")
            time.sleep(0.01)

    def through_server(self):
        """Rows a second from the first event sent until the last row is stored."""
        before = self.sink()["published"]
        begun = time.monotonic()
        sample = ask_client(self.options, ["columns", "polluxd", self.polluxd.ports["gRPC"],
                                           self.polluxd.process.pid, 1000, 2, 16,
                                           self.options.seconds])
        rows = sample["all_events"]
        self.wait_until_stored(before + rows)
        return rows, rows / (time.monotonic() - begun)

    def plain(self, words):
        done = subprocess.run([self.options.plain, *map(str, words)], capture_output=True,
                              check=False, timeout=STORE_SECONDS_MAX)
        if done.returncode != 0:
            raise BenchFailed(done.stderr.decode(errors="replace").strip())
        return json.loads(done.stdout)

    def round(self):
        rows, server = self.through_server()
        self.backend.clear()
        rows -= rows % PLAIN_BATCH
        plain = rows / self.plain(self.backend.plain_words(rows))["seconds"]
        return {"rows": rows, "server": server, "plain": plain, "ratio": server / plain}

    def lone_rows(self):
        """Milliseconds from a lone event until its row is stored, each time."""
        took = []
        for _ in range(LONE_EVENTS):
            time.sleep(LONE_APART_SECONDS)
            before = self.sink()["published"]
            begun = time.monotonic()
            event = {"username": "lone", "ip": "10.0.0.1", "success": True, "region": "r",
                     "ts": time.time_ns() // 1_000_000, "risk": 0.5}
            self.polluxd.ask("/v1/streams/LoginStream/events", json.dumps(event).encode(),
                             "application/json")
            while self.sink()["published"] == before:
                pass
            took.append((time.monotonic() - begun) * 1000)
        return sorted(took)


def measure(options, name, folder):
    backend = BACKENDS[name](folder)
    try:
        settings = backend.settings()
        polluxd = Polluxd(options.polluxd, folder, {"PERSISTENCE__PERSISTENCE_INTERVAL": "1 h"},
                          ["--config", str(settings)] if settings else [])
        try:
            polluxd.deploy("Rows", PLAN.encode())
            bench = Bench(options, backend, polluxd)
            rounds = []
            for number in range(options.rounds):
                say(f"{name}, round {number + 1} of {options.rounds}")
                rounds.append(bench.round())
            lone = bench.lone_rows()
            commits = bench.plain(backend.plain_commit_words())
            polluxd.stop()
        finally:
            polluxd.process.kill()
    finally:
        backend.close()

    def middle(key):
        return statistics.median(one[key] for one in rounds)
    return {"rows": round(middle("rows")), "server_rows_per_second": round(middle("server")),
            "plain": backend.plain, "plain_rows_per_second": round(middle("plain")),
            "server_to_plain": round(middle("ratio"), 3),
            "lone_row_p50_ms": round(lone[len(lone) // 2], 2),
            "lone_row_p99_ms": round(lone[len(lone) * 99 // 100], 2),
            "commit_p50_ms": commits["commit_p50_ms"], "commit_p99_ms": commits["commit_p99_ms"]}


def print_table(found):
    print(f"{'':12} {'rows/s':>10} {'by itself':>10} {'':12} {'ratio':>6} "
          f"{'a lone row, ms: p50':>20} {'p99':>7} {'a commit: p50':>14} {'p99':>7}")
    for name, one in found.items():
        print(f"{name:12} {one['server_rows_per_second']:>10,} {one['plain_rows_per_second']:>10,}"
              f" {one['plain']:12} {one['server_to_plain']:>6.0%} {one['lone_row_p50_ms']:>20.2f}"
              f" {one['lone_row_p99_ms']:>7.2f} {one['commit_p50_ms']:>14.2f}"
              f" {one['commit_p99_ms']:>7.2f}")


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench store", allow_abbrev=False)
    for hidden in ("--polluxd", "--client", "--plain"):
        parser.add_argument(hidden, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    take_cores()
    found = {}
    for name in options.backends.split(","):
        if name not in BACKENDS:
            parser.error(f"there is no backend {name}")
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measure(options, name, pathlib.Path(folder))
    print_table(found)
    if options.json:
        print(json.dumps({"stores": found}))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BenchFailed, OSError, subprocess.TimeoutExpired) as failed:
        sys.exit(f"scripts/bench store: {failed}")
