"""Measures our engine beside Siddhi and Esper. Started by scripts/bench, which lists the options.

Checks first that all engines give the same rows, then measures them in turns. Exit 0 when every row
was equal and everything was measured; 1 when not, with the reason on stderr.
"""

import argparse
import concurrent.futures
import contextlib
import json
import pathlib
import statistics
import sys
import tempfile
import time

import peers_checks
from peers_worker import Worker, WorkerFailed

ENGINES = ("ours", "siddhi", "esper")
WORKLOADS = ("W0", "W1", "W2", "W3", "W4", "W5", "W6", "W7")
DEFAULT_WORKLOADS = "W1,W2,W3,W4,W5,W6"

# The throughput collector: its write barrier costs the feeding thread least (measured against G1
# and the serial one), and its own work is done by threads that are not measured. -Xbatch: the
# feeding thread waits, using no CPU, until a method is compiled, so a JVM is warm after the same
# number of events however busy the machine is.
JVM = ["java", "-Xms1g", "-Xmx2g", "-XX:+UseParallelGC", "-Xbatch", "-jar"]

WARM_UP_SLICE_CPU_SECONDS = 0.3
# Ours has nothing to compile; its windows must be full all the same.
WARM_UP_SLICES_MIN = {"ours": 1, "siddhi": 4, "esper": 4}
WARM_UP_SLICES_MAX = 15
WARM_UP_GAIN = 1.03
WINDOW_EVENTS = 60_000  # what the largest window of the workloads holds
WALL_PER_CPU_SECOND = 2.0  # the rest of the wall time goes into preparing events


def section_events(batch):
    """Events prepared at a time: few, so that they are still in the cache when they are fed, but
    enough that reading the clock around them does not count."""
    return max(1024, min(64 * batch, 16 * 1024)) // batch * batch


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.workloads_folder = pathlib.Path(__file__).parent / "workloads"

    def worker(self, engine):
        command = ([self.options.bench] if engine == "ours"
                   else [*JVM, self.options.peers_jar, engine])
        worker = Worker(engine, command, self.folder / f"{engine}.log")
        try:
            worker.ask("load", self.workloads_folder, self.options.events, self.options.users)
        except WorkerFailed:
            worker.__exit__()
            raise
        return worker

    # ---- checks ----

    def export(self, engine):
        """Rows of every workload and batch of one engine, into files."""
        with self.worker(engine) as worker:
            for workload in self.options.workloads:
                for batch in self.batches_fed_differently(engine):
                    worker.ask("export", workload, batch, peers_checks.CHECKED_EVENTS,
                               self.rows_file(engine, workload, batch))

    def batches_fed_differently(self, engine):
        """Esper is fed event by event in any case; Siddhi's rows could only change from one event
        to several."""
        batches = self.options.batches
        if engine == "ours":
            return batches
        return batches[:1] if engine == "esper" else sorted({min(batches), max(batches)})

    def rows_file(self, engine, workload, batch):
        return self.folder / f"{workload}.{batch}.{engine}.rows"

    def check(self):
        say(f"checking the rows of the first {peers_checks.CHECKED_EVENTS} events")
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            exports = [pool.submit(self.export, engine) for engine in self.options.engines]
            counted = peers_checks.brute_force_counts(
                peers_checks.read_events(self.options.events, peers_checks.CHECKED_EVENTS))
            for export in exports:
                export.result()
        for workload in self.options.workloads:
            rows = self.check_workload(workload, counted.get(workload))
            said = "as a brute-force count says" if workload in counted else "not counted otherwise"
            engines = ", ".join(self.options.engines)
            say(f"  {workload}: {rows} rows, equal in {engines}; {said}")

    def check_workload(self, workload, expected):
        first_engine = self.options.engines[0]
        first = self.rows_file(
            first_engine, workload, self.batches_fed_differently(first_engine)[0])
        for engine in self.options.engines:
            for batch in self.batches_fed_differently(engine):
                path = self.rows_file(engine, workload, batch)
                rows = peers_checks.compare_files(
                    workload, first_engine, first, f"{engine} (batch {batch})", path)
        if expected is not None and rows != expected:
            raise peers_checks.CheckFailed(
                f"{workload}: all engines gave {rows} rows, a brute-force count says {expected}")
        for path in self.folder.glob(f"{workload}.*.rows"):
            path.unlink()
        return rows

    # ---- measurements ----

    def measure(self):
        """Yields one result for each workload and batch."""
        for workload in self.options.workloads:
            # Fresh processes for each workload: what a JVM compiled for one burdens no other.
            with contextlib.ExitStack() as stack:
                workers = self.start_workers(stack)
                for batch in self.options.batches:
                    yield self.measure_batch(workers, workload, batch)

    def start_workers(self, stack):
        engines = self.options.engines
        with concurrent.futures.ThreadPoolExecutor(max_workers=len(engines)) as pool:
            started = [pool.submit(self.worker, engine) for engine in engines]
        workers = {}
        for engine, start in zip(engines, started):
            if start.exception() is None:
                workers[engine] = stack.enter_context(start.result())
        for start in started:
            start.result()
        return workers

    def measure_batch(self, workers, workload, batch):
        for worker in workers.values():
            worker.ask("open", workload, batch, section_events(batch))
            warm_up(worker)
        seconds = self.options.seconds
        rates = {engine: [] for engine in workers}
        for _ in range(self.options.rounds):
            for engine, worker in workers.items():
                rates[engine].append(rate(worker.ask("run", seconds,
                                                     seconds * WALL_PER_CPU_SECOND)))
        result = {"workload": workload, "batch": batch}
        for engine, worker in workers.items():
            result[engine] = round(statistics.median(rates[engine]))
            result[f"{engine}_min"] = round(min(rates[engine]))
            result[f"{engine}_max"] = round(max(rates[engine]))
            state = worker.ask("state", WINDOW_EVENTS)
            result[f"{engine}_state_bytes"] = state["state_bytes"]
            worker.ask("close")
        return add_ratio(result)


def rate(run):
    """Events per second of the feeding thread's CPU time."""
    return run["events"] / run["cpu_ns"] * 1e9


def warm_up(worker):
    """Feeds until it gets no faster, and at least until every window is full."""
    rates, events = [], 0
    while len(rates) < WARM_UP_SLICES_MAX or events < 2 * WINDOW_EVENTS:
        run = worker.ask("run", WARM_UP_SLICE_CPU_SECONDS,
                         WARM_UP_SLICE_CPU_SECONDS * WALL_PER_CPU_SECOND)
        rates.append(rate(run))
        events += run["events"]
        if len(rates) < WARM_UP_SLICES_MIN[worker.engine] or events < 2 * WINDOW_EVENTS:
            continue
        if max(rates[-2:]) <= max(rates[:-2], default=max(rates)) * WARM_UP_GAIN:
            return


def add_ratio(result):
    peers = [engine for engine in ("siddhi", "esper") if engine in result]
    better = max(peers, key=result.get, default=None)
    result["better_peer"] = better
    result["ratio_to_better_peer"] = (
        round(result["ours"] / result[better], 2) if better and "ours" in result else None)
    return result


# ---- output ----

def say(text):
    print(text, file=sys.stderr, flush=True)


def amount(number):
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number:.3g}"


def table_head(engines):
    head = "workload  batch"
    for engine in engines:
        head += f"  {engine + ' events/CPU-s (min-max)':>30}  {'state B':>8}"
    return head + "  ours / better peer"


def table_line(result, engines):
    line = f"{result['workload']:8}  {result['batch']:5}"
    for engine in engines:
        spread = f"({amount(result[engine + '_min'])}-{amount(result[engine + '_max'])})"
        rates = f"{amount(result[engine])} {spread}"
        line += f"  {rates:>30}  {amount(result[engine + '_state_bytes']):>8}"
    ratio = result["ratio_to_better_peer"]
    return line + ("" if ratio is None else f"  {ratio:6.2f} x {result['better_peer']}")


# ---- options ----

def names_in(allowed):
    def parse(text):
        names = text.split(",")
        unknown = [name for name in names if name not in allowed]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"no such name: {', '.join(unknown)} (there are {', '.join(allowed)})")
        return [name for name in allowed if name in names]
    return parse


def batch_sizes(text):
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError("expected numbers, as in 1,64,1024") from None
    if not all(1 <= size <= 16 * 1024 for size in sizes):
        raise argparse.ArgumentTypeError("a batch has 1 to 16384 events")
    return sizes


def positive(kind, limit):
    def parse(text):
        value = kind(text)
        if not 0 < value <= limit:
            raise argparse.ArgumentTypeError(f"expected more than 0 and at most {limit}")
        return value
    return parse


def parse_options(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench peers", allow_abbrev=False)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--workloads", type=names_in(WORKLOADS), default=DEFAULT_WORKLOADS)
    parser.add_argument("--batches", type=batch_sizes)
    parser.add_argument("--rounds", type=positive(int, 100))
    parser.add_argument("--seconds", type=positive(float, 60.0))
    parser.add_argument("--engines", type=names_in(ENGINES), default=",".join(ENGINES))
    for hidden in ("--bench", "--peers-jar", "--events", "--users"):
        parser.add_argument(hidden, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    quick = options.quick
    options.batches = options.batches or ([1, 1024] if quick else [1, 64, 1024])
    options.rounds = options.rounds or (3 if quick else 5)
    options.seconds = options.seconds or (0.3 if quick else 1.0)
    return options


def main(arguments):
    options = parse_options(arguments)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pollux-bench-") as folder:
        bench = Bench(options, pathlib.Path(folder))
        try:
            bench.check()
            say(f"measuring: {options.rounds} rounds of {options.seconds} CPU-seconds, in turns")
            print(table_head(options.engines), flush=True)
            results = []
            for result in bench.measure():
                results.append(result)
                print(table_line(result, options.engines), flush=True)
        except (peers_checks.CheckFailed, WorkerFailed) as error:
            say(f"error: {error}")
            return 1
    say(f"took {time.monotonic() - start:.0f} s")
    if options.json:
        print(json.dumps({"workloads": results}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
