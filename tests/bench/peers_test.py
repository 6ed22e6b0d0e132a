"""Tests of the checks and sums behind scripts/bench."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import peers_checks
import peers_driver


def event(username="a", success=True, region="r", ts=0):
    return (username, success, region, ts)


class BruteForce(unittest.TestCase):
    def test_counts_failures(self):
        events = [event(success=False), event(), event(success=False)]
        self.assertEqual(peers_checks.count_failures(events), 2)

    def test_counts_users_with_more_than_five_events_in_a_minute(self):
        events = [event(ts=t) for t in range(7)]
        self.assertEqual(peers_checks.count_busy_users(events), 2)

    def test_an_event_leaves_the_window_a_minute_later(self):
        five = [event(ts=t) for t in range(5)]
        self.assertEqual(peers_checks.count_busy_users(five + [event(ts=59_999)]), 1)
        self.assertEqual(peers_checks.count_busy_users(five + [event(ts=60_000)]), 0)

    def test_counts_a_success_right_after_three_failures_of_one_user(self):
        failures = [event(success=False, ts=t) for t in range(4)]
        self.assertEqual(
            peers_checks.count_three_failures_and_a_success(failures + [event(ts=5)]), 1)
        self.assertEqual(
            peers_checks.count_three_failures_and_a_success(failures[:2] + [event(ts=5)]), 0)
        self.assertEqual(
            peers_checks.count_three_failures_and_a_success(failures + [event("b", ts=5)]), 0)

    def test_the_limit_of_within_is_inside(self):
        failures = [event(success=False, ts=t) for t in range(3)]
        self.assertEqual(
            peers_checks.count_three_failures_and_a_success(failures + [event(ts=60_000)]), 1)
        self.assertEqual(
            peers_checks.count_three_failures_and_a_success(failures + [event(ts=60_001)]), 0)

    def test_a_minute_counts_once_a_later_event_came(self):
        events = [event(region="a", ts=0), event(region="b", ts=1), event(region="a", ts=2)]
        self.assertEqual(peers_checks.count_regions_of_full_minutes(events), 0)
        self.assertEqual(
            peers_checks.count_regions_of_full_minutes(events + [event(ts=60_000)]), 2)


class Comparison(unittest.TestCase):
    def compare(self, workload, a, b):
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder) / name for name in ("a", "b")]
            for path, rows in zip(paths, (a, b)):
                path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
            return peers_checks.compare_files(workload, "a", paths[0], "b", paths[1])

    def assert_differs(self, workload, a, b, row):
        with self.assertRaisesRegex(peers_checks.CheckFailed, f"row {row} differs"):
            self.compare(workload, a, b)

    def test_equal_rows_are_counted(self):
        self.assertEqual(self.compare("W1", ["0\tx", "0\ty"], ["0\tx", "0\ty"]), 2)

    def test_another_value_a_missing_row_and_another_order_differ(self):
        self.assert_differs("W1", ["0\tx", "0\ty"], ["0\tx", "0\tz"], 2)
        self.assert_differs("W1", ["0\tx", "0\ty"], ["0\tx"], 2)
        self.assert_differs("W1", ["0\tx", "0\ty"], ["0\ty", "0\tx"], 1)

    def test_doubles_may_differ_in_their_last_digit_only(self):
        self.compare("W2", ["0\tx\t1.23456789e-01"], ["0\tx\t1.23456790e-01"])
        self.assert_differs("W2", ["0\tx\t1.23456789e-01"], ["0\tx\t1.23456889e-01"], 1)

    def test_whole_numbers_may_not_differ_at_all(self):
        self.assert_differs("W2", ["0\t1000000000001"], ["0\t1000000000002"], 1)

    def test_groups_have_no_order_within_a_flush_only(self):
        first, second = ["0\ta\t1", "0\tb\t2"], ["0\ta\t3", "0\tb\t4"]
        self.compare("W6", first + second, first[::-1] + second[::-1])
        self.assert_differs("W6", first + second, second + first, 1)
        self.assert_differs("W3", first + second, first[::-1] + second, 1)

    def test_rows_of_different_queries_have_no_order(self):
        self.compare("W7", ["1\ta", "10\tb", "2\tc"], ["2\tc", "1\ta", "10\tb"])
        self.assert_differs("W7", ["1\ta", "1\tb"], ["1\tb", "1\ta"], 1)


class Measurement(unittest.TestCase):
    def test_the_ratio_is_to_the_better_peer(self):
        result = peers_driver.add_ratio({"ours": 30.0, "siddhi": 2.0, "esper": 6.0})
        self.assertEqual((result["better_peer"], result["ratio_to_better_peer"]), ("esper", 5.0))

    def test_without_us_or_without_a_peer_there_is_no_ratio(self):
        self.assertIsNone(peers_driver.add_ratio({"siddhi": 2.0})["ratio_to_better_peer"])
        self.assertIsNone(peers_driver.add_ratio({"ours": 2.0})["ratio_to_better_peer"])

    def test_a_section_is_a_whole_number_of_batches(self):
        for batch in (1, 7, 64, 1000, 1024, 16 * 1024):
            self.assertEqual(peers_driver.section_events(batch) % batch, 0)
            self.assertGreater(peers_driver.section_events(batch), 0)

    def test_options_that_make_no_sense_are_refused(self):
        for wrong in (["--batches", "0"], ["--batches", "x"], ["--workloads", "W9"],
                      ["--rounds", "0"], ["--seconds", "-1"], ["--engines", "other"]):
            with self.subTest(wrong), contextlib.redirect_stderr(io.StringIO()):
                with self.assertRaises(SystemExit) as stopped:
                    peers_driver.parse_options(wrong)
                self.assertEqual(stopped.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
