"""Tests of the measurement itself; they start no server."""
