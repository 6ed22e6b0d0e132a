"""Tests of what scripts/bench pair makes of its samples."""

import unittest

import pair_driver

INF = float("inf")


class MedianTest(unittest.TestCase):

    def test_lies_within_its_bucket(self):
        before = {0.001: 5, 0.002: 5, INF: 5}
        self.assertAlmostEqual(
            pair_driver.median_us(before, {0.001: 5, 0.002: 15, INF: 15}), 1500)
        self.assertAlmostEqual(
            pair_driver.median_us(before, {0.001: 15, 0.002: 15, INF: 15}), 500)
        self.assertAlmostEqual(
            pair_driver.median_us(before, {0.001: 9, 0.002: 15, INF: 15}), 1000 + 1000 / 6)

    def test_nothing_has_no_median(self):
        same = {0.001: 5, INF: 5}
        with self.assertRaises(pair_driver.BenchFailed):
            pair_driver.median_us(same, same)


class SumUpTest(unittest.TestCase):

    @staticmethod
    def sample(events, cpu, commit):
        return {"events": events, "seconds": 1.0, "cpu_us_per_event": cpu,
                "commit_p50_us": commit, "ack_p50_us": 100}

    def test_ratios_are_of_each_round_by_itself(self):
        rounds = []
        for factor in (1, 2, 10):
            rounds.append({
                "lone": self.sample(1000 * factor, [1.0 / factor], 0),
                "pair": self.sample(500 * factor, [1.2 / factor, 1.0], 0),
                "raw": self.sample(9000, [], 0), "raw_one": self.sample(1, [], 0),
                "lone_one": self.sample(1, [], 200), "pair_one": self.sample(1, [], 600),
                "sync_us": 100})
        found = pair_driver.sum_up(rounds, [self.sample(7, [], 0), self.sample(9, [], 0)])
        self.assertEqual(found["pair_to_lone"], 0.5)
        self.assertEqual(found["active_to_lone_cpu"], 1.2)
        self.assertEqual(found["commit_to_limits"], 3.0)
        self.assertEqual(found["interval_events_per_second_best"], 9)
        pair_driver.print_table(found)


if __name__ == "__main__":
    unittest.main()
