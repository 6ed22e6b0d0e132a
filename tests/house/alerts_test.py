"""The alerts: the rules are right, each has its page, and they name only metrics that there are."""
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path(".")
RULES = ROOT / "conf/prometheus/alerts.yml"
PAGE = ROOT / "docs/alerts.md"
METRICS = ROOT / "docs/metrics.md"
CASES = ROOT / "tests/house/alerts.test.yml"


def promtool(*words):
    return subprocess.run(["promtool", *map(str, words)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


class AlertsTest(unittest.TestCase):

    def setUp(self):
        self.rules = RULES.read_text(encoding="utf-8")
        self.names = re.findall(r"- alert: (\w+)", self.rules)

    def test_each_alert_has_its_page_and_each_page_its_alert(self):
        pages = re.findall(r"^## (Pollux\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(sorted(self.names), sorted(pages))
        runbooks = re.findall(r"runbook: docs/alerts\.md#(\w+)", self.rules)
        self.assertEqual([name.lower() for name in self.names], runbooks)

    def test_rules_and_pages_name_metrics_that_there_are(self):
        metrics = set(re.findall(r"^\| `(pollux_\w+)`", METRICS.read_text(encoding="utf-8"),
                                 re.MULTILINE))
        metrics |= {name + "_bucket" for name in metrics}
        for text in (self.rules, PAGE.read_text(encoding="utf-8")):
            self.assertEqual(set(re.findall(r"\bpollux_\w+", text)) - metrics, set())

    def test_prometheus_takes_the_rules(self):
        self.assertIsNotNone(shutil.which("promtool"), "promtool is not installed")
        checked = promtool("check", "rules", RULES)
        self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_alerts_fire_when_they_should_and_not_otherwise(self):
        tested = promtool("test", "rules", CASES)
        self.assertEqual(tested.returncode, 0, tested.stdout)
        cases = CASES.read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"alertname: (\w+)", cases)), set(self.names),
                         "each alert has a case")


if __name__ == "__main__":
    unittest.main()
