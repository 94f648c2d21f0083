"""Tests of what all benchmarks share."""
