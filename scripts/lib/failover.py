"""Hits the active of a pair again and again while events are sent, and recounts everything.

See scripts/failover.
"""
import argparse
import json
import os
import signal
import sys
import tempfile
import time

from failover_arbiter import ARBITERS
from failover_ledger import ROWS, Journal, Producer, Webhook, batches_in
from failover_network import Loopback, Namespaces
from failover_pair import FailoverFailed, Pair, deploy, free_ports, get_json, wait_for

PLAN = """
@app:name('Ledger')
define stream Sent (producer string, seq long, row int);

@sink(type='http', url='{webhook}', batch='200', retry.attempts='0')
@sink(type='store', store='EVENT_STORE', table='COUNTED')
define stream Counted (producer string, seq long, row int, nth long);

from Sent select producer, seq, row, count() as nth group by producer insert into Counted;
"""

PRODUCERS = 3
STOPPED_SECONDS = 3
NOT_TESTED = 77


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else None


class Exchange:
    """Between the release before this one and this one, to and fro."""

    def __init__(self, binaries, previous):
        self.previous = previous or os.path.join(binaries, "polluxd_previous")
        self._present = os.path.join(binaries, "polluxd")
        self._told = previous is None  # by which version of the protocol it speaks
        self.spoken = set()

    def begin(self, pair):
        for member in pair.members:
            member.program = self.previous

    def turn(self, member):
        to_present = member.program == self.previous
        member.program = self._present if to_present else self.previous
        member.start()

    def note(self, pair):
        """The version that a pair speaks which is whole."""
        self.spoken.add(pair.members[0].pair()["peer"].get("protocol_version"))

    def check(self, kills):
        if self._told and kills > 1 and len(self.spoken) != 2:
            raise FailoverFailed(f"the nodes spoke versions {self.spoken} of the protocol")


def strike(pair, network, exchange, active, mode):
    """Brings the active down: when that began, from when on it takes nothing, and what brings it
    back. By order, it takes events until another does."""
    blow = time.monotonic()
    if mode == "kill":
        active.kill()
        return blow, time.monotonic(), active.start
    if mode == "stop":
        active.signal(signal.SIGSTOP)
        return blow, time.monotonic(), lambda: active.signal(signal.SIGCONT)
    if mode == "partition":
        network.cut(active.number)
        return blow, time.monotonic(), lambda: network.heal(active.number)
    if mode == "upgrade":
        active.stop()
        return blow, blow, lambda: exchange.turn(active)
    if get_json(active.url + "/v1/cluster/switchover", b"", "POST") is None:
        raise FailoverFailed(f"{active.name} did not take the order to switch over")
    return blow, blow, lambda: pair.wait_until_leads(pair.other(active))


def hit_again_and_again(pair, network, exchange, journal, producers, webhook, options, say):
    failover_ms, rejoin_ms = [], []
    for hit in range(options.kills):
        active = pair.wait_until_whole()
        exchange.note(pair)
        webhook.watch()
        blow, down, bring_back = strike(pair, network, exchange, active, options.mode)
        arrived = wait_for(lambda: webhook.first_sent_behind(down, producers),
                           f"a result behind blow {hit + 1}")
        failover_ms.append((arrived - blow) * 1000)
        if options.mode in ("stop", "partition"):
            time.sleep(max(0, blow + STOPPED_SECONDS - time.monotonic()))
        back = time.monotonic()
        bring_back()
        now_active = pair.wait_until_whole()
        rejoin_ms.append((time.monotonic() - back) * 1000)
        if now_active is active:
            raise FailoverFailed(f"{active.name} leads again behind blow {hit + 1}")
        if (hit + 1) % 10 == 0:
            journal.take(now_active, now_active.pair()["committed"])
            say(f"{hit + 1} blows; the last one took {failover_ms[-1]:.0f} ms")
    exchange.note(pair)
    return failover_ms, rejoin_ms


def count_webhook(webhook, replayed_path):
    """Every result by its id, beside those that the journal gives when it is replayed."""
    expected = {}
    with open(replayed_path, encoding="utf-8") as file:
        for line in file:
            result = json.loads(line)
            if result["stream"] == "Counted":
                expected[result["id"]] = result["data"]
    seen, repeated, conflicting = {}, set(), set()
    with open(webhook.path, encoding="utf-8") as file:
        for line in file:
            result = json.loads(line)
            number, data = result["id"], result["data"]
            if number in seen:
                repeated.add(number)
            if seen.setdefault(number, data) != data or expected.get(number) != data:
                conflicting.add(number)
    return {"repeated_ids": len(repeated), "conflicting_ids": len(conflicting),
            "missing_ids": len(set(expected) - set(seen))}


def rows_in_store(member, folder):
    """(producer, number, row) -> how often it stands there."""
    path = os.path.join(folder, f"store.{member.name}.json")
    with open(path, "wb") as out:
        member.pollux("query", "from COUNTED select producer, seq, row", "--json", "--server",
                      member.url, stdout=out)
    with open(path, encoding="utf-8") as file:
        answer = json.load(file)
    found = {}
    for row in answer["rows"]:
        key = tuple(row.values()) if isinstance(row, dict) else tuple(row)
        found[key] = found.get(key, 0) + 1
    return found


def failover_test(options, folder):

    def say(text):
        print(text, flush=True)

    network = Namespaces() if options.mode == "partition" else Loopback()
    webhook = Webhook(folder, network.host)
    arbiter = ARBITERS[options.arbiter](folder, network.host, free_ports)
    settings = dict(arbiter.settings)
    if options.duplicated:
        settings["PAIR__DUPLICATED_STREAMS"] = "Sent"
    pair = Pair(options.binaries, folder, network, settings)
    pollux = os.path.join(options.binaries, "pollux")
    exchange = Exchange(options.binaries, options.previous)
    journal = Journal(folder)
    producers = []
    try:
        if options.arbiter in ("postgresql", "mysql"):
            pair.members[0].pollux("arbiter", "create-table", env=pair.members[0].environment)
        if options.mode == "upgrade":
            exchange.begin(pair)
        active = pair.start()
        deploy(active, PLAN.replace("{webhook}", webhook.url))
        servers = [member.url for member in pair.members]
        producers = [Producer(pollux, servers, f"producer-{each}", folder, options.duplicated)
                     for each in range(PRODUCERS)]
        for producer in producers:
            producer.start()
        # A `pollux send` that finds no server at its start ends at once.
        wait_for(lambda: all(producer.is_under_way() for producer in producers),
                 "the first acknowledgements")
        failover_ms, rejoin_ms = hit_again_and_again(pair, network, exchange, journal, producers,
                                                     webhook, options, say)
        for producer in producers:
            producer.finish()
        pair.wait_until_whole()
        acked = {(producer.name, number) for producer in producers for number in producer.acked}
        wait_for(lambda: acked <= webhook.arrived, "the last results")
        rows = {(name, number, row) for name, number in acked for row in range(ROWS)}
        wait_for(lambda: all(rows <= set(rows_in_store(member, folder))
                             for member in pair.members), "the last rows in the stores")
        stores = [rows_in_store(member, folder) for member in pair.members]
        last = pair.stop()
        journal.take(last)
    finally:
        for producer in producers:
            producer.abandon()
        pair.kill_all()
        arbiter.close()
        webhook.close()
        network.close()

    batches = batches_in(journal.path)
    replayed = os.path.join(folder, "replayed.jsonl")
    with open(replayed, "wb") as out:
        last.pollux("run", "--entries", journal.path, stdout=out)
    lost = sum(ROWS for batch in acked if batches.get(batch, 0) != 1)
    for store in stores:
        lost += len(rows - set(store))
    doubled = sum(times - 1 for store in stores for times in store.values())
    doubled += sum(times - 1 for times in batches.values())
    said = count_webhook(webhook, replayed)
    say(f"{len(acked)} batches; {sum(producer.duplicates for producer in producers)} events were "
        "acknowledged when they came again")
    if options.mode == "upgrade":
        exchange.check(options.kills)
    print(json.dumps({
        "kills": options.kills, "acked": len(acked) * ROWS, "lost": lost,
        "duplicated_in_store": doubled, "webhook": said,
        "failover_ms": {"p50": round(percentile(failover_ms, 0.5), 1),
                        "max": round(max(failover_ms), 1)},
        "rejoin_ms": {"p50": round(percentile(rejoin_ms, 0.5), 1),
                      "max": round(max(rejoin_ms), 1)}}))
    good = (lost == doubled == said["conflicting_ids"] == said["missing_ids"] == 0 and acked)
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--mode", choices=("kill", "stop", "partition", "switchover", "upgrade"),
                        required=True)
    parser.add_argument("--arbiter", choices=sorted(ARBITERS))
    parser.add_argument("--duplicated", action="store_true")
    parser.add_argument("--previous", metavar="POLLUXD")
    parser.add_argument("--keep", metavar="FOLDER")
    options = parser.parse_args()
    if options.arbiter is None:
        options.arbiter = "etcd" if options.mode == "partition" else "file"
    if options.mode == "partition" and options.arbiter == "file":
        parser.error("nodes in two networks share no folder: --arbiter postgresql, mysql or etcd")
    if options.mode == "partition" and os.geteuid() != 0:
        print("SKIPPED: only root can make network namespaces")
        return NOT_TESTED
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
        return failover_test(options, options.keep)
    with tempfile.TemporaryDirectory() as folder:
        return failover_test(options, folder)


if __name__ == "__main__":
    sys.exit(main())
