"""What is measured of a process."""

import sys
import unittest

from harness import processes

PROGRAM = """
import os, sys
block = bytes(50_000_000)
block = block.replace(b"\\0", b"\\1")
print(len(os.sched_getaffinity(0)))
print("a complaint", file=sys.stderr)
sys.exit(3)
"""


class Processes(unittest.TestCase):
    def test_a_process_is_pinned_and_its_end_time_and_memory_are_told(self) -> None:
        outcome = processes.run([sys.executable, "-c", PROGRAM], processes.cores(1))
        self.assertEqual((outcome.code, outcome.stdout, outcome.stderr), (3, "1\n", "a complaint\n"))
        self.assertGreater(outcome.memory_mb, 50.0)
        self.assertLess(outcome.memory_mb, 500.0)
        self.assertGreater(outcome.wall_s, 0.0)
