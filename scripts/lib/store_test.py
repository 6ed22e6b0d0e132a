"""Sends the recorded logins to servers whose stores are in a database, and adds the tables up.

See scripts/store-test.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import store_numbers
from databases import DATABASES, PASSWORD, STORES, settings_text
from failover_network import Loopback
from failover_pair import FailoverFailed, Pair, deploy, wait_for
from free_ports import free_ports

PLANS = ("login-events", "login-rollups")
STREAM = "OverallAuthentication"
EVENTS_PER_BATCH = 100
PATIENCE_SECONDS = 150
WAYS = ("plain", "database-killed", "node-killed", "failover")
NOT_TESTED = 77


class Asked:
    """A member that answers `pollux`."""

    def __init__(self, member):
        self.member = member

    def ask(self, *words):
        return self.member.pollux(*words, "--server", self.member.url,
                                  stdout=subprocess.PIPE).stdout


class Servers:
    """One node, or a pair, with plans; and perhaps a database that has their stores."""

    def __init__(self, binaries, plans, folder, backend, paired):
        self.database = None
        arguments = []
        if backend in DATABASES:
            port, = free_ports(1)
            self.database = DATABASES[backend](folder, "127.0.0.1", port)
            arguments = ["--config", self._write_settings(folder, backend)]
        arbiter = os.path.join(folder, "arbiter")
        os.mkdir(arbiter)
        self._pair = Pair(binaries, folder, Loopback(), {
            "PAIR__ARBITER": f"file:{arbiter}", **({} if paired else {"PAIR__ENABLED": "false"})})
        self.members = self._pair.members if paired else self._pair.members[:1]
        for member in self.members:
            member.arguments = arguments
            member.environment["DATABASE_PASSWORD"] = PASSWORD
        if paired:
            active = self._pair.start()
        else:
            active = self.members[0]
            active.start()
            self.wait_until_ready()
        for name in PLANS:
            with open(os.path.join(plans, f"{name}.siddhi"), encoding="utf-8") as file:
                deploy(active, file.read())

    def _write_settings(self, folder, backend):
        path = os.path.join(folder, "settings.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(settings_text(backend, self.database.url, STORES))
        return path

    def wait_until_ready(self):
        wait_for(lambda: self.members[0].role().startswith("active"), "the node")

    def active(self):
        return next((each for each in self.members if each.role().startswith("active")), None)

    def strike(self, way):
        """Takes something away in the middle of it all, and brings it back."""
        if way == "database-killed":
            self.database.kill()
            self.database.start()
        elif way == "node-killed":
            self.members[0].kill()
            self.members[0].start()
            self.wait_until_ready()
        elif way == "failover":
            active = wait_for(self.active, "an active")
            active.kill()
            active.start()
            self._pair.wait_until_whole()

    def differences(self):
        """What is not as it must be once all rows have come, or after some patience."""
        asked = ([store_numbers.Sql(self.database)] if self.database is not None else
                 [store_numbers.Queries(Asked(member)) for member in self.members])
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = [each for tables in asked for each in store_numbers.differences(tables)]
            if not found or time.monotonic() > until:
                return found
            time.sleep(0.2)

    def close(self):
        self._pair.kill_all()
        if self.database is not None:
            self.database.close()


def send(servers, data, way):
    """Each event once; strikes when half of them are acknowledged."""
    with open(data, encoding="utf-8") as file:
        events = sum(1 for _ in file)
    half = events // 2
    command = [os.path.join(os.path.dirname(servers.members[0].program), "pollux"), "send", STREAM,
               data, "--set", "meta_tenantId=-1234", "--batch", str(EVENTS_PER_BATCH), "--window",
               "4", "--acks", "--server", ",".join(member.url for member in servers.members)]
    if way != "plain":
        command += ["--rate", "5000"]  # so that there is a middle
    acked = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        for line in sender.stdout:
            if not line.startswith("{"):
                continue  # the summary, for people
            ack = json.loads(line)
            before, acked = acked, acked + ack["events"]
            if before < half <= acked:
                servers.strike(way)
    if sender.returncode != 0 or acked != events:
        raise FailoverFailed(f"pollux send ended with {sender.returncode}, {acked} events acked")


def run(options, way, folder):
    servers = Servers(options.binaries, options.plans, folder, options.backend, way == "failover")
    try:
        begun = time.monotonic()
        send(servers, options.data, way)
        found = servers.differences()
        return found, time.monotonic() - begun
    except BaseException:
        for member in servers.members:
            print(member.log()[-3000:], file=sys.stderr)
        raise
    finally:
        servers.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("plans")
    parser.add_argument("--data", required=True)
    parser.add_argument("--backend", choices=("postgresql", "mysql", "rocksdb"), required=True)
    parser.add_argument("--way", choices=WAYS, action="append")
    options = parser.parse_args()
    if not os.path.exists(options.data):
        print(f"SKIPPED: no recorded logins: {options.data} is not there")
        return NOT_TESTED
    ways = options.way or [way for way in WAYS
                           if options.backend in DATABASES or way != "database-killed"]
    wrong = {}
    for way in ways:
        with tempfile.TemporaryDirectory() as folder:
            found, seconds = run(options, way, folder)
        print(f"{options.backend}, {way}: {len(found)} differences, {seconds:.1f} s", flush=True)
        for difference in found:
            print(f"  {difference}")
        wrong[way] = len(found)
    print(json.dumps({"backend": options.backend, "differences": wrong}))
    return 0 if not any(wrong.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
