"""Runs the shipped plans over generated traffic and compares the alerts with the ledger.

usage: demo.py POLLUX PLANS_DIR EVENTS.csv LEDGER.jsonl

Prints each alert as it comes, then a table: every attack and how many alerts named it,
Prints each alert as it comes, then a table: every attack and how many alerts named it,
events per second.
Exit 0 when each attack was named by exactly one alert, nothing else raised any, and the statistics
count what the ledger counts; 1 otherwise.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

# Kind of attack -> plan and stream of its alerts.
ALERTS = {
    "suspicious-login": "SuspiciousLoginAlert",
    "brute-force": "BruteForceAlert",
    "password-spraying": "PasswordSprayingAlert",
    "new-country": "NewCountryAlert",
}
STATISTICS = ["SpAuthStatPerMinute", "UserstoreAuthStatPerMinute"]
# Longer than the statistics wait for the end of a minute.
FLUSH = "10min"

Alert = collections.namedtuple("Alert", "kind data")
Run = collections.namedtuple("Run", "name results seconds")


class DemoFailed(Exception):
    pass


def run_plan(pollux, plan, events, streams, on_result):
    """Feeds each result to on_result as it comes; gives the seconds it took."""
    command = [pollux, "run", plan, "--in", f"OverallAuthentication={events}", "--advance", FLUSH]
    for stream in streams:
        command += ["--out", stream]
    started = time.monotonic()
    # What pollux says goes to our stderr only when it fails: a bar would tear the alerts apart.
    with tempfile.TemporaryFile() as said:
        count = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process:
            for line in process.stdout:
                on_result(json.loads(line))
                count += 1
        if process.returncode != 0:
            said.seek(0)
            raise DemoFailed(f"{' '.join(command)} ended with {process.returncode}:\n"
                             + said.read().decode(errors="replace"))
    name = os.path.basename(plan).removesuffix(".siddhi")
    return Run(name, count, time.monotonic() - started)


def show_alert(alert):
    data = alert.data
    ids = data["eventIds"].split(",")
    where = sorted(set(data.get("addresses", data.get("remoteIp", "")).split(",")))
    print(f"{data['userReadableTime']}  {alert.kind:<18} {data['tenantDomain']:<16} {data['msg']}"
          f"  [{len(ids)} events, {', '.join(where)}]", flush=True)


class Verdict:
    """Which alerts named what."""

    def __init__(self, ledger, alerts):
        self.attacks = [line for line in ledger if line["type"] == "attack"]
        self.near_misses = [line for line in ledger if line["type"] == "near-miss"]
        self.named = collections.Counter()
        self.unexplained = []
        by_event = {event: line for line in self.attacks + self.near_misses
                    for event in line["eventIds"]}
        for alert in alerts:
            events = alert.data["eventIds"].split(",")
            lines = {by_event[event]["id"]: by_event[event]
                     for event in events if event in by_event}
            for identity in lines:
                self.named[identity] += 1
            imitated = any(line["type"] == "near-miss" for line in lines.values())
            if not imitated and not self._is_named(alert, events, by_event):
                self.unexplained.append(alert)

    @staticmethod
    def _is_named(alert, events, by_event):
        """True when all the alert's events are of one attack of the alert's kind and tenant."""
        line = by_event.get(events[0])
        return (line is not None and line["type"] == "attack" and line["kind"] == alert.kind
                and alert.data["meta_tenantId"] in line["tenants"]
                and all(by_event.get(event) is line for event in events))

    def alerted_near_misses(self):
        return [line for line in self.near_misses if self.named[line["id"]]]

    def good(self):
        return (all(self.named[attack["id"]] == 1 for attack in self.attacks)
                and not self.alerted_near_misses() and not self.unexplained)


def print_verdict(verdict):
    print(f"\n{'attack':<13}{'kind':<20}{'tenant':<18}{'whom':<28}{'alerts':>6}")
    for attack in verdict.attacks:
        users, count = attack["users"], verdict.named[attack["id"]]
        whom = users[0] if len(users) == 1 else f"{len(users)} users"
        mark = "" if count == 1 else "  <-- MISSED" if count == 0 else "  <-- REPEATED"
        print(f"{attack['id']:<13}{attack['kind']:<20}{','.join(attack['tenantDomains']):<18}"
              f"{whom:<28}{count:>6}{mark}")
    print(f"\n{'near-miss':<22}{'imitates':<32}{'made':>6}{'alerted':>9}")
    kinds = sorted({line["kind"] for line in verdict.near_misses})
    for kind in kinds:
        lines = [line for line in verdict.near_misses if line["kind"] == kind]
        imitated = ", ".join(sorted({line["imitates"] for line in lines}))
        alerted = sum(1 for line in lines if verdict.named[line["id"]])
        print(f"{kind:<22}{imitated:<32}{len(lines):>6}{alerted:>9}")
    for alert in verdict.unexplained:
        print("an alert that no attack explains:", json.dumps(alert.data))


class Sums:
    """Adds up statistics rows by stream."""

    COLUMNS = {"authSuccessCount": "overallSuccesses", "authFailureCount": "stepFailures",
               "authStepSuccessCount": "stepSuccesses", "authFirstSuccessCount": "firstLogins"}

    def __init__(self):
        self.by_stream = {stream: collections.Counter() for stream in STATISTICS}

    def add(self, result):
        sums = self.by_stream[result["stream"]]
        for column in self.COLUMNS:
            if column in result["data"]:
                sums[column] += result["data"][column]

    def check_against(self, summary):
        """Prints what differs; True when nothing does."""
        good = True
        for stream, sums in self.by_stream.items():
            if not sums:
                print(f"{stream} has no rows")
                good = False
            for column, total in sums.items():
                if total != summary[self.COLUMNS[column]]:
                    print(f"{stream}.{column} sums to {total:,}, "
                          f"the ledger says {summary[self.COLUMNS[column]]:,}")
                    good = False
        return good


def main(pollux, plans, events, ledger_path):
    with open(ledger_path, encoding="utf-8") as file:
        ledger = [json.loads(line) for line in file]
    summary = ledger[-1]
    alerts, runs, sums = [], [], Sums()
    for kind, stream in ALERTS.items():
        def take(result, kind=kind):
            alerts.append(Alert(kind, result["data"]))
            show_alert(alerts[-1])
        runs.append(run_plan(pollux, f"{plans}/{kind}.siddhi", events, [stream], take))
    runs.append(run_plan(pollux, f"{plans}/login-statistics.siddhi", events, STATISTICS, sums.add))

    verdict = Verdict(ledger, alerts)
    print_verdict(verdict)
    statistics_good = sums.check_against(summary)
    print(f"\n{'plan':<22}{'results':>9}{'seconds':>9}{'events/s':>13}")
    for run in runs:
        print(f"{run.name:<22}{run.results:>9,}{run.seconds:>9.2f}"
              f"{summary['events'] / run.seconds:>13,.0f}")
    named = sum(1 for attack in verdict.attacks if verdict.named[attack["id"]] == 1)
    seconds = sum(run.seconds for run in runs)
    print(f"\nattacks named by exactly one alert: {named} of {len(verdict.attacks)}\n"
          f"near-misses that raised an alert:   {len(verdict.alerted_near_misses())} of "
          f"{len(verdict.near_misses)}\n"
          f"other alerts:                       {len(verdict.unexplained)}\n"
          f"statistics:                         {summary['overallSuccesses']:,} logins, "
          f"{summary['stepFailures']:,} failures, "
          f"{'all counted' if statistics_good else 'NOT COUNTED AS THE LEDGER SAYS'}\n"
          f"events:                             {summary['events']:,}, through {len(runs)} plans "
          f"one after the other in {seconds:.1f} s\n"
          f"events/s:                           {summary['events'] * len(runs) / seconds:,.0f} "
          f"(files read, rows parsed and plans run by one thread)")
    return 0 if verdict.good() and statistics_good else 1


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except DemoFailed as failed:
        sys.exit(str(failed))
