"""Measures what it costs that nothing is lost by a restart, and how fast a node comes back.

Started by scripts/bench, which lists the options. Exit 0 when everything was measured; 1 when not,
with the reason on stderr.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

CORES = 2
SECONDS_MAX = 3600


class BenchFailed(Exception):
    pass


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, seconds_max=SECONDS_MAX):
    """The JSON objects that the command printed; its other lines go by."""
    say("  " + " ".join(map(str, command[1:])))
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=False,
                          timeout=seconds_max)
    if done.returncode != 0:
        raise BenchFailed(f"{command[0]} ended with {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)


def persisting(samples):
    """What persisting added, by pairs; medians."""
    plain, persisted = samples[0::2], samples[1::2]
    if any(each["persist"] for each in plain) or not all(each["persist"] for each in persisted):
        raise BenchFailed("the measurements are not in pairs")

    def added(key, of=None):
        return statistics.median(there[of or key] - here[key]
                                 for here, there in zip(plain, persisted))

    cpu_share = statistics.median(there["cpu_us_per_event"] / here["cpu_us_per_event"] - 1
                                  for here, there in zip(plain, persisted))
    return {
        "state_mib": round(median(persisted, "state_bytes") / 2**20),
        "file_mib": round(median(persisted, "file_bytes") / 2**20),
        "round_ms": median(persisted, "round_ms"),
        "pause_ms": median(persisted, "pause_ms"),
        "seconds": median(persisted, "seconds"),
        "p50_ms": median(plain, "p50_ms"),
        "p999_ms": median(plain, "p999_ms"),
        "p999_added_ms": round(added("p999_ms"), 3),
        "commit_p999_ms": median(plain, "commit_p999_ms"),
        "commit_p999_added_ms": round(added("commit_p999_ms"), 3),
        "apply_p999_ms": median(plain, "apply_p999_ms"),
        "round_apply_p999_added_ms": round(added("apply_p999_ms", "round_apply_p999_ms"), 3),
        "cpu_us_per_event": median(plain, "cpu_us_per_event"),
        "cpu_added_percent": round(100 * cpu_share, 1),
    }


def measure(options, folder):
    bench = options.bench
    say("journal beside plain writes")
    (folder / "plain").mkdir()
    journal = run([options.journal_bench, folder / "plain"])[-1]
    say("recovery from the journal")
    run([bench, "journal", folder / "journal", "--events", options.events])
    recovery = [run([bench, "recovery", folder / "journal"])[0] for _ in range(options.rounds)]
    say("persisting while events come")
    pauses = run([bench, "pause", folder / "state", "--window-rows", options.window_rows,
                  "--seconds", options.seconds, "--pairs", options.rounds])
    say("restore of that state")
    restore = [run([bench, "restore", folder / "state"])[0] for _ in range(options.rounds)]
    return {
        "journal": journal,
        "recovery": {"events": recovery[0]["events"],
                     "events_per_second": round(median(recovery, "events_per_second"))},
        "persisting": persisting(pauses),
        "restore": {key: round(median(restore, key))
                    for key in ("state_bytes", "file_bytes", "state_mb_per_second",
                                "disk_mb_per_second")},
        "samples": {"recovery": recovery, "persisting": pauses, "restore": restore},
    }


def print_table(found):
    journal, recovery = found["journal"], found["recovery"]
    persisting_, restore = found["persisting"], found["restore"]
    print(f"""
journal: {journal["journal_cpu_ns_per_byte"]:.2f} ns of CPU a byte, \
{journal["ratio"]:.2f} x a plain write + crc32c + fdatasync (goal: 1.5)
recovery: {recovery["events"]:,} events, {recovery["events_per_second"]:,} a second \
(goal: 1,000,000)
persisting {persisting_["state_mib"]:,} MiB of state ({persisting_["file_mib"]:,} MiB on disk) \
at 200,000 events/s, once in {persisting_["seconds"]:.0f} s:
  a round takes {persisting_["round_ms"]:,.0f} ms, the plan stands still for \
{persisting_["pause_ms"]:.1f} ms
  event to result p99.9 {persisting_["p999_ms"]:.1f} ms, \
{persisting_["p999_added_ms"]:+.1f} with persisting (goal: 20)
  of that until it is acknowledged {persisting_["commit_p999_ms"]:.1f} ms, \
{persisting_["commit_p999_added_ms"]:+.1f}; from there on {persisting_["apply_p999_ms"]:.1f} ms, \
and while a round is under way {persisting_["round_apply_p999_added_ms"]:+.1f}
  {persisting_["cpu_us_per_event"]:.3f} us of CPU an event, \
{persisting_["cpu_added_percent"]:+.1f} % with persisting (goal: 10)
restore: {restore["state_bytes"] / 2**20:,.0f} MiB of state, {restore["state_mb_per_second"]:,} \
MB/s (goal: 500); its file is read at {restore["disk_mb_per_second"]:,} MB/s""")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench persistence", allow_abbrev=False)
    parser.add_argument("--bench", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--journal-bench", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    sizes = {"rounds": 5, "seconds": 70, "window_rows": 9_300_000, "events": 10_000_000}
    if options.quick:
        sizes = {"rounds": 3, "seconds": 10, "window_rows": 500_000, "events": 2_000_000}
    vars(options).update(sizes)
    return options


def main(arguments):
    options = parse(arguments)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # also of what is started
    with tempfile.TemporaryDirectory(prefix="pollux-bench-") as folder:
        found = measure(options, pathlib.Path(folder))
    print_table(found)
    if options.json:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BenchFailed, OSError, subprocess.TimeoutExpired) as failed:
        sys.exit(f"scripts/bench persistence: {failed}")
