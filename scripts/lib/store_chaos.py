"""Takes a database away from a server in all ways, again and again, and counts its rows.

See scripts/store-chaos.
"""
import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

from databases import DATABASES, PASSWORD, STORES, settings_text
from failover_network import Loopback
from failover_pair import FailoverFailed, Pair, deploy, wait_for
from free_ports import free_ports
from tcp_proxy import Cut, TcpProxy

NAMES = 7
DISK_MIB = 600
CATCH_UP_SECONDS = 120
PLAN = """
@app:name('Chaos')
define stream Sent (nth long, name string);

@sink(type='store', store='EVENT_STORE', table='CHAOS_ROWS', retry.max='300 ms')
define stream Kept (nth long, name string);

@sink(type='store', store='EVENT_STORE_WO', table='CHAOS_SUMS', primary.key='name',
    retry.max='300 ms')
define stream Sums (name string, total long, events long);

@store(type='store', store='PROCESSED_DATA_STORE', table.name='CHAOS_LAST', retry.max='300 ms')
@PrimaryKey('name')
define table Last (name string, nth long);

from Sent select nth, name insert into Kept;
from Sent select name, sum(nth) as total, count() as events group by name insert into Sums;
from Sent select name, nth update or insert into Last on Last.name == name;
from Sent[nth % 3L == 0L] delete Last on Last.name == name;
"""


class Sender:
    """Events numbered from 1 on, at a steady rate; `pollux send` sends each until it is taken."""

    def __init__(self, pollux, server, rate):
        self._process = subprocess.Popen(
            [pollux, "send", "Sent", "-", "--format", "csv", "--header", "no", "--rate", str(rate),
             "--retry-for", "600", "--acks", "--server", server],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.sent = self.acked = 0
        self._stopping = False
        self._threads = [threading.Thread(target=each, daemon=True)
                         for each in (self._write, self._read)]
        for each in self._threads:
            each.start()

    def _write(self):
        with contextlib.suppress(BrokenPipeError):
            while not self._stopping:
                self._process.stdin.write(f"{self.sent + 1},name{(self.sent + 1) % NAMES}\n")
                self.sent += 1
            self._process.stdin.close()

    def _read(self):
        for line in self._process.stdout:
            if line.startswith("{"):
                self.acked += json.loads(line).get("events", 0)

    def finish(self):
        self._stopping = True
        for each in self._threads:
            each.join()
        if self._process.wait() != 0 or self.acked != self.sent:
            raise FailoverFailed(f"{self.acked} of {self.sent} events were acknowledged")

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


class Chaos:
    """One fault after the other; each is over when it returns, and rows come through again."""

    def __init__(self, database, proxy, node, dice):
        self.database, self.proxy, self.node, self.dice = database, proxy, node, dice

    def rows(self):
        """None: the database does not answer."""
        try:
            return int(self.database.ask("SELECT count(*) FROM chaos_rows;")[0][0])
        except OSError:
            return None

    def wait_until_it_goes_on(self):
        before = wait_for(self.rows, "the database's answer", CATCH_UP_SECONDS)
        wait_for(lambda: (self.rows() or 0) > before, "the next row", CATCH_UP_SECONDS)

    def killed(self):
        self.database.kill()
        self.database.start()

    def node_killed(self):
        self.node.kill()
        self.node.start()
        wait_for(lambda: self.node.role().startswith("active"), "the node")

    def cut_at_commit(self):
        cuts = self.proxy.cuts
        self.proxy.cut_at(b"COMMIT", self.dice.choice(list(Cut)))
        wait_for(lambda: self.proxy.cuts > cuts, "a commit")

    def all_cut(self):
        self.proxy.cut_all()

    def no_sessions_left(self):
        """Others have all there are, as soon as the server's are ended."""
        def is_cut_off():
            self.proxy.cut_all()
            return self.is_retrying()

        with self.database.all_sessions_taken():
            wait_for(is_cut_off, "an attempt that fails")

    def disk_full(self):
        with self.database.full_disk():
            wait_for(self.is_retrying, "an attempt that fails")
        self.database.revive()

    def locked(self):
        with self.database.locked("chaos_rows"):
            before = self.lag()
            wait_for(lambda: self.lag() > before, "rows that wait")

    def slow(self):
        self.proxy.slow_down(self.dice.choice([0.01, 0.05]))
        before = self.lag()
        wait_for(lambda: self.lag() != before, "rows that wait")
        self.proxy.slow_down(0)

    def frozen(self):
        self.proxy.freeze()
        before = self.lag()
        wait_for(lambda: self.lag() > before, "rows that wait")
        self.proxy.thaw()

    def sinks(self):
        done = self.node.pollux("status", "--json", "--server", self.node.url,
                                stdout=subprocess.PIPE)
        return json.loads(done.stdout)["sinks"]

    def lag(self):
        return sum(sink["lag_rows"] for sink in self.sinks())

    def is_retrying(self):
        return any(sink["state"] == "retrying" for sink in self.sinks())

    FAULTS = (killed, node_killed, cut_at_commit, all_cut, no_sessions_left, disk_full, locked,
              slow, frozen)


def differences(database, sent):
    """What is not as it would be had nothing ever happened."""
    found = []

    def expect(what, sql, expected):
        rows = database.ask(sql)
        if rows != expected:
            found.append(f"{what}: {rows}, expected {expected}")

    expect("rows", "SELECT count(*), count(DISTINCT nth), min(nth), max(nth) FROM chaos_rows;",
           [[str(sent), str(sent), "1", str(sent)]])
    sums, last = {}, {}
    for nth in range(1, sent + 1):
        name = f"name{nth % NAMES}"
        total, events = sums.get(name, (0, 0))
        sums[name] = (total + nth, events + 1)
        last[name] = nth
        if nth % 3 == 0:
            del last[name]
    expect("sums", "SELECT name, total, events FROM chaos_sums ORDER BY name;",
           [[name, str(total), str(events)] for name, (total, events) in sorted(sums.items())])
    expect("table", "SELECT name, nth FROM chaos_last ORDER BY name;",
           [[name, str(nth)] for name, nth in sorted(last.items())])
    return found


def run(options, folder):
    dice = random.Random(options.seed)
    port, = free_ports(1)
    is_root = os.geteuid() == 0
    database = DATABASES[options.backend](folder, "127.0.0.1", port, sessions=20,
                                          disk_mib=DISK_MIB if is_root else None)
    proxy = TcpProxy(("127.0.0.1", port))
    pair = Pair(options.binaries, folder, Loopback(), {"PAIR__ENABLED": "false"})
    node = pair.members[0]
    sender = None
    try:
        settings = os.path.join(folder, "settings.yaml")
        with open(settings, "w", encoding="utf-8") as file:
            url = f"{options.backend}://pollux@127.0.0.1:{proxy.port}/pollux"
            file.write(settings_text(options.backend, url, STORES, "timeout: 5 s"))
        node.arguments = ["--config", settings]
        node.environment["DATABASE_PASSWORD"] = PASSWORD
        node.start()
        wait_for(lambda: node.role().startswith("active"), "the node")
        deploy(node, PLAN)
        sender = Sender(os.path.join(options.binaries, "pollux"), node.url, options.rate)
        chaos = Chaos(database, proxy, node, dice)
        wait_for(lambda: (chaos.rows() or 0) > 0, "the first row")
        faults = [each for each in chaos.FAULTS if options.fault in (None, each.__name__)]
        if not is_root:
            print("only root has a disk that can be filled: disk_full is left out")
            faults = [each for each in faults if each is not Chaos.disk_full]
        for number in range(options.rounds):
            fault = dice.choice(faults)
            begun = time.monotonic()
            fault(chaos)
            chaos.wait_until_it_goes_on()
            print(f"{number + 1:3} {fault.__name__:16} {time.monotonic() - begun:5.1f} s",
                  flush=True)
        sender.finish()
        wait_for(lambda: chaos.lag() == 0, "the last row", CATCH_UP_SECONDS)
        return sender.sent, differences(database, sender.sent)
    except BaseException:
        print(node.log()[-3000:], file=sys.stderr)
        raise
    finally:
        if sender is not None:
            sender.kill()
        pair.kill_all()
        proxy.close()
        database.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--backend", choices=sorted(DATABASES), required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--fault", choices=sorted(each.__name__ for each in Chaos.FAULTS))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        events, wrong = run(options, folder)
    for line in wrong:
        print(line)
    print(json.dumps({"backend": options.backend, "rounds": options.rounds, "events": events,
                      "differences": len(wrong)}))
    return 0 if not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
