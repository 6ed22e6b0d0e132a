"""Sends generated traffic through a polluxd and compares its alerts and statistics with the ledger.

usage: demo.py BINARIES PLANS_DIR EVENTS.csv LEDGER.jsonl

Prints each alert as `pollux tail` shows it, then a table: every attack and how many alerts named
it, near-misses, statistics out of the record stores, latencies, events per second.
Exit 0 when each attack was named by exactly one alert, nothing else raised any, the statistics
count what the ledger counts, and polluxd ended cleanly; 1 otherwise.
"""
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from demo_server import DemoFailed, Server, Tail
from demo_verdict import Alert, Verdict, print_verdict, show_alert

INPUT = "OverallAuthentication"
# Kind of attack -> stream of its alerts.
ALERTS = {
    "suspicious-login": "SuspiciousLoginAlert",
    "brute-force": "BruteForceAlert",
    "password-spraying": "PasswordSprayingAlert",
    "new-country": "NewCountryAlert",
}
TABLES = {
    "ORG_WSO2_IS_ANALYTICS_STREAM_SPAUTHSTATPERMINUTE":
        ("authSuccessCount", "authFailureCount", "authStepSuccessCount", "authFirstSuccessCount"),
    "ORG_WSO2_IS_ANALYTICS_STREAM_USERSTOREAUTHSTATPERMINUTE":
        ("authSuccessCount", "authFailureCount", "authStepSuccessCount"),
}
IN_LEDGER = {"authSuccessCount": "overallSuccesses", "authFailureCount": "stepFailures",
             "authStepSuccessCount": "stepSuccesses", "authFirstSuccessCount": "firstLogins"}
# The plans' time is that of the rows: a day of traffic passes as fast as it is sent.
REPLAY = "@app:playback\n"
QUIET_MS = 10 * 60_000  # longer than statistics wait for the end of a minute
PROBES = 100
PROBE_SECONDS_MAX = 30


def copy_plans_for_replay(plans, folder):
    os.mkdir(folder)
    for name in sorted(os.listdir(plans)):
        if name.endswith(".siddhi"):
            with open(os.path.join(plans, name), encoding="utf-8") as file:
                text = file.read()
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(REPLAY + text)


class Alerts:
    """What the tails show; alerts of probes apart."""

    def __init__(self, server):
        self.alerts = []
        self.probes = {}  # user -> when the line came
        self.came = threading.Condition()
        self.tails = [Tail(server, stream, self._taker(kind)) for kind, stream in ALERTS.items()]

    def _taker(self, kind):
        def take(data, came):
            with self.came:
                if data.get("username", "").startswith("probe-"):
                    self.probes[data["username"]] = came
                else:
                    self.alerts.append(Alert(kind, data))
                    show_alert(self.alerts[-1])
                self.came.notify_all()
        return take

    def wait_for_probe(self, user):
        with self.came:
            if not self.came.wait_for(lambda: user in self.probes, PROBE_SECONDS_MAX):
                raise DemoFailed(f"no alert of {user}")
            return self.probes[user]

    def stop(self):
        for tail in self.tails:
            tail.stop()


class Probes:
    """Attacks of users of their own, one after the other, into a `pollux send` that stays."""

    def __init__(self, server, example, last_ms):
        self.server = server
        self.example = example
        self.now_ms = last_ms + QUIET_MS
        self.sent = 0

    def __enter__(self):
        self.process = self.server.start("send", INPUT, "-", "--format", "csv", "--header", "yes",
                                         "--json", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.writer = csv.writer(self.process.stdin, lineterminator="\n")
        self.writer.writerow(self.example)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def event(self, **values):
        """What is not said is as in a login of the traffic."""
        self.sent += 1
        self.now_ms += 1000
        row = {**self.example, "eventId": f"probe-{self.sent}", "_timestamp": self.now_ms, **values}
        self.writer.writerow(row.values())
        self.process.stdin.flush()

    def quiet(self):
        """An event that counts nothing, later than all: the last minute of statistics ends."""
        self.event(eventType="none", authenticationSuccess="false", username="nobody")

    def attack(self, user, address):
        """When the last line was written."""
        for number in range(6):
            self.event(eventType="step", authenticationSuccess="false", username=user,
                       remoteIp=address,
                       authStepSuccess="true" if number == 5 else "false")
        return time.monotonic()


def check_statistics(server, summary):
    """Prints what differs; True when nothing does."""
    good = True
    for table, columns in TABLES.items():
        sums = ", ".join(f"sum({column}) as {column}" for column in columns)
        answer = server.ask("query", f"from {table} select {sums}")
        for column, total in zip(columns, answer["rows"][0] if answer["rows"] else [0] * 4):
            if total != summary[IN_LEDGER[column]]:
                print(f"{table}.{column} sums to {total:,}, "
                      f"the ledger says {summary[IN_LEDGER[column]]:,}")
                good = False
    return good


def measure_alert_latency(probes, alerts):
    """Milliseconds, of each probe."""
    latencies = []
    for number in range(PROBES):
        user = f"probe-{number}"
        written = probes.attack(user, f"198.51.100.{number}")
        latencies.append((alerts.wait_for_probe(user) - written) * 1000)
    return latencies


def run(server, events, summary):
    alerts = Alerts(server)
    try:
        with open(events, encoding="utf-8", newline="") as file:
            example = next(csv.DictReader(file))
        started = time.monotonic()
        sent = server.ask("send", INPUT, events)
        with Probes(server, example, summary["lastTimestamp"]) as probes:
            probes.quiet()
            server.wait_until_idle(sent["acked"] + 1)
            seconds = time.monotonic() - started
            statistics_good = check_statistics(server, summary)
            latencies = measure_alert_latency(probes, alerts)
    finally:
        alerts.stop()
    return alerts.alerts, sent, seconds, statistics_good, latencies


def main(binaries, plans, events, ledger_path):
    with open(ledger_path, encoding="utf-8") as file:
        ledger = [json.loads(line) for line in file]
    summary = ledger[-1]
    with tempfile.TemporaryDirectory() as folder:
        copy_plans_for_replay(plans, os.path.join(folder, "plans"))
        server = Server(binaries, folder)
        try:
            alerts, sent, seconds, statistics_good, latencies = run(server, events, summary)
            server.stop()
        finally:
            server.kill()
    verdict = Verdict(ledger, alerts)
    print_verdict(verdict)
    named = sum(1 for attack in verdict.attacks if verdict.named[attack["id"]] == 1)
    percent = statistics.quantiles(latencies, n=100)
    ack = sent["ack_ms"]
    print(f"\nattacks named by exactly one alert: {named} of {len(verdict.attacks)}\n"
          f"near-misses that raised an alert:   {len(verdict.alerted_near_misses())} of "
          f"{len(verdict.near_misses)}\n"
          f"other alerts:                       {len(verdict.unexplained)}\n"
          f"statistics:                         {summary['overallSuccesses']:,} logins, "
          f"{summary['stepFailures']:,} failures, "
          f"{'all in the stores' if statistics_good else 'NOT AS THE LEDGER SAYS'}\n"
          f"events:                             {sent['acked']:,} acknowledged, through 5 plans "
          f"into 8 tables in {seconds:.1f} s\n"
          f"events/s:                           {sent['acked'] / seconds:,.0f} "
          "(from the first sent to the last row stored)\n"
          f"ack latency at full speed:          p50 {ack['p50']:,.1f} ms, p99 {ack['p99']:,.1f} ms "
          "(batches of 1000, 32 on the way)\n"
          f"alert latency:                      p50 {percent[49]:,.1f} ms, p99 {percent[98]:,.1f} "
          f"ms ({len(latencies)} attacks: last line into send, alert out of tail)")
    good = verdict.good() and statistics_good and sent["acked"] == summary["events"]
    return 0 if good else 1


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except (DemoFailed, OSError, subprocess.TimeoutExpired) as failed:
        sys.exit(f"scripts/demo: {failed}")
