"""Kills a polluxd again and again while it is sent events, and looks whether anything is amiss.

See scripts/crash-test.
"""
import argparse
import json
import os
import random
import sys
import tempfile
import time

from crash_producer import Producer
from crash_server import CrashServer

PLAN = """
@app:name('Crash')
define stream Logins (producer string, seq long, row int, user string, ok bool);

@sink(type='file', path='{results}/Sums')
define stream Sums (user string, events long, rows long);
@sink(type='file', path='{results}/PerBatch')
define stream PerBatch (ok bool, events long);
@sink(type='file', path='{results}/Recovered')
define stream Recovered (user string, failed long, succeeded long);
@sink(type='file', path='{results}/Silent')
define stream Silent (user string, seq long, row int);
@sink(type='file', path='{results}/PerUser')
define stream PerUser (user string, events long, top long);
@sink(type='file', path='{results}/Known')
define stream Known (user string, tries long);

@primaryKey('user')
define table Users (user string, tries long);

from Logins[row == 0]#window.time(700 millisec)
select user, count() as events, sum(row) as rows group by user
insert all events into Sums;

from Logins#window.timeBatch(500 millisec) select ok, count() as events group by ok
insert into PerBatch;

from every e1=Logins[not ok] -> e2=Logins[ok and user == e1.user] within 2 sec
select e1.user as user, e1.seq as failed, e2.seq as succeeded
insert into Recovered;

from every e1=Logins[not ok and row < 3] -> not Logins[ok and user == e1.user] for 100 millisec
select e1.user as user, e1.seq as seq, e1.row as row
insert into Silent;

partition with (user of Logins)
begin
  from Logins#window.lengthBatch(20) select user, count() as events, max(seq) as top
  insert into PerUser;
end;

from Logins select user, 1L as tries
update or insert into Users set Users.tries = Users.tries + 1L on Users.user == user;

from Logins[row == 1] join Users on Logins.user == Users.user
select Users.user as user, Users.tries as tries
insert into Known;
"""

PRODUCERS = 2


def export_of(server, folder):
    path = os.path.join(folder, "entries.jsonl")
    server.pollux("journal", "export", server.data, "-o", path)
    return path


def batches_of(export):
    """(producer, number) -> how often it stands there, and its rows."""
    found = {}
    with open(export, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["type"] != "events":
                continue
            key = (entry["producer"], entry["number"])
            times, _ = found.get(key, (0, None))
            found[key] = (times + 1, entry["rows"])
    return found


def values_of(row):
    """The values of an exported row; its time comes first."""
    return row[1:]


def compare_batches(producers, found):
    lost = duplicated = 0
    acked = 0
    for producer in producers:
        for number, rows in producer.acked.items():
            acked += len(rows)
            times, exported = found.get((producer.name, number), (0, []))
            if times == 0 or [values_of(row) for row in exported] != rows:
                lost += len(rows)
            duplicated += len(rows) * max(times - 1, 0)
    return acked, lost, duplicated


def lines_by_id(paths):
    """Lines of results by id; and how many came again, and came again as something else."""
    lines, repeated, conflicts = {}, 0, 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                result = json.loads(line)["id"]
                if result in lines:
                    repeated += 1
                    conflicts += lines[result] != line
                lines[result] = line
    return lines, repeated, conflicts


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def kill_again_and_again(server, kills, chance, say):
    recovery_ms = []
    for kill in range(kills):
        # A random moment: anything may be under way.
        time.sleep(chance.uniform(0.05, 1.2))
        server.kill()
        recovery_ms.append(server.start())
        if (kill + 1) % 10 == 0:
            say(f"{kill + 1} kills")
    return recovery_ms


def crash_test(options, folder):

    def say(text):
        print(text, flush=True)

    chance = random.Random(options.seed)
    say(f"seed {options.seed}")
    results = os.path.join(folder, "results")
    os.makedirs(results)
    server = CrashServer(options.binaries, folder)
    producers = []
    try:
        server.start()
        server.deploy(PLAN.replace("{results}", results))
        producers = [Producer(server, f"producer-{each}", random.Random(chance.random()))
                     for each in range(PRODUCERS)]
        for producer in producers:
            producer.start()
        recovery_ms = kill_again_and_again(server, options.kills, chance, say)
        for producer in producers:
            producer.finish()
        server.stop()
    finally:
        for producer in producers:
            producer.abandon()
        server.kill()

    export = export_of(server, folder)
    acked, lost, duplicated = compare_batches(producers, batches_of(export))
    replayed_path = os.path.join(folder, "replayed.jsonl")
    with open(replayed_path, "wb") as out:
        server.pollux("run", "--entries", export, stdout=out)
    live, repeated, conflicts = lines_by_id(
        os.path.join(results, name) for name in sorted(os.listdir(results)))
    replayed, twice, _ = lines_by_id([replayed_path])
    missing = sorted(set(replayed) - set(live))
    unknown = sorted(set(live) - set(replayed))
    different = sorted(each for each in live if each in replayed and live[each] != replayed[each])
    say(f"{sum(len(producer.acked) for producer in producers)} batches, "
        f"{sum(producer.resent for producer in producers)} sent again, {len(replayed)} results, "
        f"{repeated} of them delivered again after a kill; "
        f"{server.fallbacks} states passed over")
    for name, ids in (("missing", missing), ("unknown", unknown), ("different", different)):
        if ids:
            say(f"{len(ids)} results are {name}, such as {ids[:3]}")
    if conflicts:
        say(f"{conflicts} results came again with another content")
    print(json.dumps({"kills": options.kills, "acked": acked, "lost": lost,
                      "duplicated": duplicated + twice,
                      "recovery_ms": {"p50": percentile(recovery_ms, 0.5),
                                      "p99": percentile(recovery_ms, 0.99)}}))
    good = (lost == duplicated == twice == conflicts == 0 and acked > 0 and replayed
            and not (missing or unknown or different))
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--keep", metavar="FOLDER")
    options = parser.parse_args()
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
        return crash_test(options, options.keep)
    with tempfile.TemporaryDirectory() as folder:
        return crash_test(options, folder)


if __name__ == "__main__":
    sys.exit(main())
