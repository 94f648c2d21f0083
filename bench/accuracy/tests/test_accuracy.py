"""What is read from a report, and how it is judged and written."""

import unittest

import accuracy
from accuracy import RECIPES, Score
from harness.machine import Machine

MACHINE = Machine("a processor", 2, [], 8, "Linux", "3.11", "rustc", "abc", "2026-01-01 00:00")


class Accuracies(unittest.TestCase):
    def test_a_report_gives_shares_and_seconds(self) -> None:
        counts = {"clean": {"correct": 99, "total": 100}, "noisy": {"correct": 1, "total": 4}}
        score = accuracy.score("best", 2, {"training": counts, "training_ms": 1500})
        self.assertEqual(score, Score("best", 2, 0.99, 0.25, 1.5))

    def test_both_accuracies_have_to_reach_what_is_promised(self) -> None:
        default = next(recipe for recipe in RECIPES if recipe.name == "default")
        for clean, noisy, keeps in [(0.989, 0.975, True), (0.9889, 0.99, False), (0.999, 0.9749, False)]:
            self.assertIs(Score("default", 1, clean, noisy, 1.0).keeps(default), keeps)

    def test_the_table_says_who_broke_a_promise(self) -> None:
        scores = [Score("tutorial", 1, 0.97, 0.3, 1.0), Score("best", 1, 0.99, 0.99, 9.0)]
        table = accuracy.figures(scores, MACHINE).splitlines()
        self.assertEqual(table[2], "| tutorial | 1 | 97.00 % | 30.00 % | – | – |")
        self.assertEqual(table[3], "| best | 1 | 99.00 % | 99.00 % | 99.20 % and 98.30 % | no |")


if __name__ == "__main__":
    unittest.main()
