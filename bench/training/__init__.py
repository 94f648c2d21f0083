"""Runs all contenders by turns, and says who needs how long. Only what Python brings; the peers have environments."""
