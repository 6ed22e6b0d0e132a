"""The checks of scripts/bench: what the first events of each workload must give, and whether all
engines gave it.

Rows are text files, one row a line: the number of the query, then its values, between tabs; doubles
have nine significant digits. Raises CheckFailed with the first row that differs.
"""

import collections
import itertools
import math
import re

CHECKED_EVENTS = 300_001
WINDOW_MS = 60_000

# Both peers' sums and ours may round differently; beyond this they are different numbers.
RELATIVE_TOLERANCE = 1e-8
DOUBLE = re.compile(rb"-?\d\.\d{8}e[+-]\d\d+\Z")

# Esper gives the groups of one flush in an order of its own.
ANY_ORDER_IN_A_FLUSH = {"W6"}
# Several queries: only the rows of one query have an order.
SEVERAL_QUERIES = {"W7"}


class CheckFailed(Exception):
    pass


def read_events(path, count):
    """The first `count` events as (username, success, region, ts)."""
    events = []
    with open(path, encoding="utf-8") as lines:
        for line in itertools.islice(lines, count):
            username, _, success, region, ts, _ = line.rstrip("\n").split("\t")
            events.append((username, success == "true", region, int(ts)))
    if len(events) != count:
        raise CheckFailed(f"{path} has only {len(events)} events")
    return events


def count_failures(events):
    return sum(not success for _, success, _, _ in events)


def count_busy_users(events):
    """Events whose user has more than 5 events in the window that ends with them."""
    window, counts, rows = collections.deque(), collections.Counter(), 0
    for username, _, _, ts in events:
        while window and window[0][1] <= ts - WINDOW_MS:
            counts[window.popleft()[0]] -= 1
        window.append((username, ts))
        counts[username] += 1
        rows += counts[username] > 5
    return rows


def count_three_failures_and_a_success(events):
    last_three, rows = {}, 0
    for username, success, _, ts in events:
        failures = last_three.setdefault(username, collections.deque(maxlen=3))
        if not success:
            failures.append(ts)
            continue
        rows += len(failures) == 3 and ts - failures[0] <= WINDOW_MS
        failures.clear()
    return rows


def count_regions_of_full_minutes(events):
    """A minute is given out when an event of a later one comes."""
    minutes = collections.defaultdict(set)
    for _, _, region, ts in events:
        minutes[ts // WINDOW_MS].add(region)
    last = events[-1][3] // WINDOW_MS
    return sum(len(regions) for minute, regions in minutes.items() if minute != last)


def brute_force_counts(events):
    """Number of rows that the workloads must give; a workload that is not named is not counted."""
    return {
        "W0": len(events),
        "W1": count_failures(events),
        "W2": count_busy_users(events),
        "W3": len(events),
        "W4": count_three_failures_and_a_success(events),
        "W5": len(events),
        "W6": count_regions_of_full_minutes(events),
    }


def flushes(rows):
    """Splits rows where a group comes again: each group stands once in a flush."""
    flush, seen = [], set()
    for row in rows:
        group = row.split(b"\t", 2)[1]
        if group in seen:
            yield flush
            flush, seen = [], set()
        flush.append(row)
        seen.add(group)
    if flush:
        yield flush


def comparable(workload, rows):
    """The rows in an order in which equal results are equal lists."""
    if workload in ANY_ORDER_IN_A_FLUSH:
        return [row for flush in flushes(rows) for row in sorted(flush)]
    if workload in SEVERAL_QUERIES:
        return sorted(rows, key=lambda row: int(row.split(b"\t", 1)[0]))
    return rows


def same_value(a, b):
    if a == b:
        return True
    if not (DOUBLE.match(a) and DOUBLE.match(b)):
        return False
    return math.isclose(float(a), float(b), rel_tol=RELATIVE_TOLERANCE)


def same_row(a, b):
    if a == b:
        return True
    values_a, values_b = a.split(b"\t"), b.split(b"\t")
    return len(values_a) == len(values_b) and all(map(same_value, values_a, values_b))


def read_rows(path):
    with open(path, "rb") as file:
        return file.read()


def compare_files(workload, name_a, path_a, name_b, path_b):
    """Raises CheckFailed with the first difference; returns the number of rows."""
    text_a, text_b = read_rows(path_a), read_rows(path_b)
    if text_a == text_b:
        return text_a.count(b"\n")
    rows_a = comparable(workload, text_a.splitlines())
    rows_b = comparable(workload, text_b.splitlines())
    for number, (a, b) in enumerate(itertools.zip_longest(rows_a, rows_b), start=1):
        if a is None or b is None or not same_row(a, b):
            raise CheckFailed(
                f"{workload}: row {number} differs\n"
                f"  {name_a}: {shown(a)}\n  {name_b}: {shown(b)}\n"
                f"  ({name_a} gave {len(rows_a)} rows, {name_b} {len(rows_b)})")
    return len(rows_a)


def shown(row):
    return "no row" if row is None else row.decode("utf-8", "replace")
