"""Tests of the benchmark itself: `python3 -m unittest discover -s bench/training/tests -t bench/training`."""
