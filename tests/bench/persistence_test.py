"""Tests of what scripts/bench persistence makes of its samples."""

import unittest

import persistence_driver


def sample(persist, cpu, p999, **more):
    return {"persist": persist, "cpu_us_per_event": cpu, "p50_ms": 0.1, "p999_ms": p999,
            "commit_p999_ms": p999 / 2, "apply_p999_ms": p999, "seconds": 80.0, **more}


def persisted(cpu, p999, in_round):
    return sample(True, cpu, p999, state_bytes=2**30, file_bytes=2**28, round_ms=4000,
                  pause_ms=5.0, round_apply_p999_ms=in_round)


class PersistingTest(unittest.TestCase):

    def test_sums_up_by_pairs(self):
        samples = [sample(False, 1.0, 2.0), persisted(1.1, 3.0, 7.0),
                   sample(False, 2.0, 4.0), persisted(2.1, 4.5, 8.0),
                   sample(False, 1.0, 1.0), persisted(1.3, 9.0, 30.0)]
        found = persistence_driver.persisting(samples)
        self.assertEqual(found["cpu_added_percent"], 10.0)
        self.assertEqual(found["p999_added_ms"], 1.0)
        self.assertEqual(found["round_apply_p999_added_ms"], 5.0)
        self.assertEqual(found["state_mib"], 1024)
        self.assertEqual(found["file_mib"], 256)

    def test_refuses_what_is_not_in_pairs(self):
        samples = [persisted(1.1, 3.0, 7.0), sample(False, 1.0, 2.0)]
        with self.assertRaises(persistence_driver.BenchFailed):
            persistence_driver.persisting(samples)


if __name__ == "__main__":
    unittest.main()
