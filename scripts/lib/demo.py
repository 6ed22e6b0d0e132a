"""Sends generated traffic through a pair of polluxd, of which one is killed on the way, and
compares alerts and statistics with the ledger of what was generated.

usage: demo.py BINARIES PLANS_DIR [--seed N] [--attacks N] [--events-per-day N]

See scripts/demo.
"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from demo_server import DemoFailed, Servers, Tail
from demo_traffic import BATCH, Traffic
from demo_verdict import Alert, Verdict, print_verdict, show_alert
from failover_ledger import Journal, batches_in
from failover_pair import FailoverFailed

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

    def __init__(self, servers):
        self.alerts = []
        self.probes = {}  # user -> when the line came
        self.came = threading.Condition()
        self.tails = [Tail(servers, stream, self._taker(kind)) for kind, stream in ALERTS.items()]

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

    def __init__(self, servers, example, last_ms):
        self.servers = servers
        self.example = example
        self.now_ms = last_ms + QUIET_MS
        self.sent = 0

    def __enter__(self):
        self.process = self.servers.start("send", INPUT, "-", "--format", "csv", "--header", "yes",
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


def check_statistics(servers, summary):
    """Of each node's stores. Prints what differs; True when nothing does."""
    good = True
    for member in servers.pair.members:
        for table, columns in TABLES.items():
            sums = ", ".join(f"sum({column}) as {column}" for column in columns)
            answer = servers.ask("query", f"from {table} select {sums}", "--server", member.url)
            for column, total in zip(columns, answer["rows"][0] if answer["rows"] else [0] * 4):
                if total != summary[IN_LEDGER[column]]:
                    print(f"{table}.{column} of {member.name} sums to {total:,}, "
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


def tell(text):
    print(f"==> {text}", flush=True)


class Blows:
    """What the pair goes through while the traffic is sent, and how long it took; milliseconds."""

    def __init__(self, servers):
        self.servers = servers
        self.failover = self.rejoin = self.switchover = None

    def kill_active(self, traffic, alerts):
        pair = self.servers.pair
        active = pair.wait_until_whole()
        epoch = active.pair()["epoch"]
        traffic.go_on()
        began = time.monotonic()
        active.kill()
        tell(f"kill -9 of {active.name}, which leads, in the middle of the traffic")
        self.failover = (traffic.wait_for_epoch_behind(epoch) - began) * 1000
        tell(f"{pair.other(active).name} leads: {self.failover:.0f} ms behind the blow it "
             f"acknowledged its first batch; {len(alerts.alerts)} alerts so far")
        return active

    def bring_back(self, killed):
        tell(f"{killed.name} is started again")
        began = time.monotonic()
        killed.start()
        self.servers.pair.wait_until_whole()
        self.rejoin = (time.monotonic() - began) * 1000
        tell(f"{killed.name} has caught up, {self.rejoin / 1000:.1f} s behind its start")

    def switch_over(self, to):
        began = time.monotonic()
        # The one that leads is asked.
        with self.servers.start("switchover", stdout=subprocess.DEVNULL) as ordered:
            if ordered.wait() != 0:
                raise DemoFailed("pollux switchover was refused")
        self.servers.pair.wait_until_leads(to)
        self.switchover = (time.monotonic() - began) * 1000
        tell(f"pollux switchover: {to.name} leads again, {self.switchover:.0f} ms behind the order")


class Recount:
    """What was acknowledged, against the journals of both nodes; events."""

    def __init__(self, servers, traffic, folder):
        self.acked = sum(traffic.acked.values())
        self.lost = self.doubled = 0
        for member in servers.pair.members:
            journal = Journal(folder, f"entries.{member.name}")
            journal.take(member, member.pair()["committed"])
            found = batches_in(journal.path)
            for number, events in traffic.acked.items():
                times = found.get((traffic.producer, number), 0)
                self.lost += events if times == 0 else 0
                self.doubled += events * max(0, times - 1)


def run(servers, events, summary, folder):
    tell(f"{servers.begin().name} leads, the other follows")
    alerts = Alerts(servers)
    blows = Blows(servers)
    at_first = summary["events"] // 4
    started = time.monotonic()
    traffic = Traffic(servers, INPUT, events, at_first)
    try:
        with open(events, encoding="utf-8", newline="") as file:
            example = next(csv.DictReader(file))
        # What is no whole batch waits for what follows.
        traffic.wait_until_acked(at_first - BATCH)
        killed = blows.kill_active(traffic, alerts)
        traffic.wait_until_acked(summary["events"] // 2)
        blows.bring_back(killed)
        blows.switch_over(killed)
        traffic.finish()
        with Probes(servers, example, summary["lastTimestamp"]) as probes:
            probes.quiet()
            servers.wait_until_idle()
            seconds = time.monotonic() - started
            recount = Recount(servers, traffic, folder)
            statistics_good = check_statistics(servers, summary)
            latencies = measure_alert_latency(probes, alerts)
    finally:
        traffic.stop()
        alerts.stop()
    return alerts.alerts, blows, traffic.summary, recount, seconds, statistics_good, latencies


def generate(binaries, options, folder):
    """Paths of the events and of the ledger."""
    events, ledger = (os.path.join(folder, name) for name in ("events.csv", "ledger.jsonl"))
    tell("generate two days of traffic")
    subprocess.run([os.path.join(binaries, "pollux"), "generate", "--days", "2", "--seed",
                    str(options.seed), "--attacks", str(options.attacks), "--events-per-day",
                    str(options.events_per_day), "--out", events, "--ledger", ledger], check=True)
    return events, ledger


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("plans")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--attacks", type=int, default=5)
    parser.add_argument("--events-per-day", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        events, ledger_path = generate(options.binaries, options, folder)
        with open(ledger_path, encoding="utf-8") as file:
            ledger = [json.loads(line) for line in file]
        summary = ledger[-1]
        plans = os.path.join(folder, "plans")
        copy_plans_for_replay(options.plans, plans)
        tell("send it through two nodes that are a pair")
        servers = Servers(options.binaries, folder, plans)
        try:
            alerts, blows, sent, recount, seconds, statistics_good, latencies = run(
                servers, events, summary, folder)
            servers.pair.stop()
        finally:
            servers.pair.kill_all()
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
          f"{'all in the stores of both' if statistics_good else 'NOT AS THE LEDGER SAYS'}\n"
          f"events:                             {sent['acked']:,} acknowledged, through all "
          f"plans into their tables in {seconds:.1f} s\n"
          f"events/s:                           {sent['acked'] / seconds:,.0f} "
          "(from the first sent to the last row stored by both nodes, on one machine)\n"
          f"ack latency at full speed:          p50 {ack['p50']:,.1f} ms, p99 {ack['p99']:,.1f} ms "
          "(batches of 1000, 32 on the way)\n"
          f"alert latency:                      p50 {percent[49]:,.1f} ms, p99 {percent[98]:,.1f} "
          f"ms ({len(latencies)} attacks: last line into send, alert out of tail)\n"
          f"the active killed:                  {blows.failover:,.0f} ms until the other one had "
          f"acknowledged a batch; back in {blows.rejoin / 1000:,.1f} s; "
          f"switchover {blows.switchover:,.0f} ms\n"
          f"acknowledged, lost, doubled:        {recount.acked:,}, {recount.lost}, "
          f"{recount.doubled} (events, in the journals of both)")
    good = (verdict.good() and statistics_good and recount.lost == recount.doubled == 0
            and recount.acked == summary["events"])
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DemoFailed, FailoverFailed, OSError, subprocess.SubprocessError) as failed:
        sys.exit(f"scripts/demo: {failed}")
