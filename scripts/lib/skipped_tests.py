"""Lists the skipped tests of a ctest JUnit file, each with the reason that its output gives.

usage: skipped_tests.py TESTS.xml
"""
import re
import sys
import xml.etree.ElementTree as tree

# GoogleTest writes "file:line: Skipped" and the reason below; other tests write "SKIP: reason".
REASONS = [re.compile(r"^\S+:\d+: Skipped\n(.+)$", re.M), re.compile(r"^SKIP: (.+)$", re.M)]


def reason_of(case):
    output = case.findtext("system-out") or ""
    for pattern in REASONS:
        found = pattern.search(output)
        if found:
            return found.group(1).strip()
    return case.find("skipped").get("message") or "no reason given"


def main():
    cases = tree.parse(sys.argv[1]).getroot().iter("testcase")
    skipped = [(case.get("name"), reason_of(case)) for case in cases
               if case.find("skipped") is not None]
    if skipped:
        print(f"SKIPPED, so not checked by this run: {len(skipped)}")
    for name, reason in skipped:
        print(f"  {name}: {reason}")


if __name__ == "__main__":
    main()
