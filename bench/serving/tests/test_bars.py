"""Which promises hold."""

import unittest

from harness.machine import Machine
from serving.bars import bars
from serving.results import Line, Load, Results

MACHINE = Machine("Abacus", 2, ["AVX2"], 8, "Linux 6", "3.11.7", "rustc 1.95.0", "0123456789ab", "2026-11-24 03:00")


def load(requests_s: float, p99_ms: float = 1.0, errors: int = 0) -> Load:
    return Load(1000, errors, requests_s, p99_ms / 2, p99_ms)


def all_at_their_bars() -> Results:
    ours = Line("ours", "Slipway", starts_ms=[10.0, 30.0, 90.0], memory_mb=[15.0])
    ours.loads = {
        "one": [load(60_000, p99_ms=2.5)],
        "one-64": [load(60_000)],
        "one-256": [load(57_000)],
        "many": [load(1800)],
        "v2-json": [load(40_000)],
        "v2-binary": [load(60_000)],
        "v2-grpc": [load(20_000)],
    }
    fixed = Line("fixed", "axum", loads={"one": [load(100_000)]})
    peer = Line("fastapi", "FastAPI", loads={"one": [load(6000)], "many": [load(300)]})
    furnace = Line("furnace", "Furnace")
    furnace.loads = {"v2-json": [load(10_000)], "v2-binary": [load(15_000)], "v2-grpc": [load(10_000)]}
    return Results(1, 1.0, MACHINE, 12.0, [ours, fixed, peer, furnace])


def broken(results: Results) -> list[str]:
    return [bar.words for bar in bars(results) if not bar.holds]


class Bars(unittest.TestCase):
    def test_a_promise_holds_at_its_very_bar(self) -> None:
        self.assertEqual(broken(all_at_their_bars()), [])

    def test_a_promise_breaks_just_beyond_its_bar(self) -> None:
        for name, scenario, just_beyond, words in [
            ("fastapi", "one", load(6001), "at least 10 times FastAPI with orjson and onnxruntime"),
            ("fixed", "one", load(100_100), "at least 60 % of axum's fixed reply"),
            (
                "fixed",
                "one",
                load(100_000, p99_ms=0.99),
                "the 99th percentile with 16 connections is at most 2.5 times the fixed reply's",
            ),
            ("fastapi", "many", load(301), "at least 6 times FastAPI's, 32 images in a request"),
            ("furnace", "v2-json", load(10_001), "at least 4 times Furnace's, by V2 JSON"),
            ("furnace", "v2-binary", load(15_001), "at least 4 times Furnace's, by V2 binary tensors"),
            ("furnace", "v2-grpc", load(10_001), "at least 2 times Furnace's, by V2 gRPC"),
            (
                "ours",
                "one-256",
                load(56_900),
                "no fewer with 64 and with 256 connections than with 16, but for noise of 5 %",
            ),
            ("ours", "one-64", load(60_000, errors=1), "every request is answered"),
        ]:
            results = all_at_their_bars()
            line = results.line(name)
            assert line is not None
            line.loads[scenario] = [just_beyond]
            self.assertEqual(broken(results), [words])

    def test_start_memory_and_size_have_bars(self) -> None:
        results = all_at_their_bars()
        ours = results.line("ours")
        assert ours is not None
        ours.starts_ms, ours.memory_mb, results.binary_mb = [31.0], [1.0, 15.1], 12.1
        self.assertEqual(
            broken(results),
            [
                "the first answer within 30 ms of the start",
                "at most 15 MB of memory with 16 connections",
                "a program of at most 12 MB",
            ],
        )

    def test_a_promise_without_its_figure_does_not_hold(self) -> None:
        results = all_at_their_bars()
        for line in results.lines:
            line.absent_because = "ended with code 1"
        held = [bar.words for bar in bars(results) if bar.holds]
        self.assertEqual(held, ["a program of at most 12 MB"])

    def test_a_peer_that_cannot_be_had_breaks_its_promises_and_no_other(self) -> None:
        results = all_at_their_bars()
        results.lines[-1].absent_because = "`cargo build` failed"
        figures = {bar.words: bar.figure for bar in bars(results) if not bar.holds}
        self.assertEqual(set(figures.values()), {"not measured"})
        self.assertEqual([words for words in figures if "Furnace" not in words], [])
        self.assertEqual(len(figures), 3)
