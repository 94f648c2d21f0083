"""What the gateway promises, held against what was measured."""

from __future__ import annotations

from statistics import median

from harness.bars import Bar
from serving.results import Results

# A throughput of the same program differs by this from one run to the next.
NOISE = 0.05

# By the Open Inference Protocol: the load, what it is called, how many times Furnace's requests.
V2 = [("v2-json", "V2 JSON", 4.0), ("v2-binary", "V2 binary tensors", 4.0), ("v2-grpc", "V2 gRPC", 2.0)]


def bars(results: Results) -> list[Bar]:
    """Every promise; one that lacks a figure does not hold."""
    ours, fixed, peer, furnace = (results.line(name) for name in ["ours", "fixed", "fastapi", "furnace"])
    one, many = (ours.requests_s(name) if ours else None for name in ["one", "many"])
    fewest = [ours.requests_s(name) if ours else None for name in ["one-64", "one-256"]]
    return [
        _at_least("times FastAPI with orjson and onnxruntime", 10.0, one, peer.requests_s("one") if peer else None),
        _at_least("of axum's fixed reply", 0.6, one, fixed.requests_s("one") if fixed else None, share=True),
        _at_most(
            "the 99th percentile with 16 connections is at most 2.5 times the fixed reply's",
            2.5,
            _ratio(ours.p99_ms("one") if ours else None, fixed.p99_ms("one") if fixed else None),
            "times",
        ),
        _at_least("times FastAPI's, 32 images in a request", 6.0, many, peer.requests_s("many") if peer else None),
        *(
            _at_least(
                f"times Furnace's, by {words}",
                bar,
                ours.requests_s(name) if ours else None,
                furnace.requests_s(name) if furnace else None,
            )
            for name, words, bar in V2
        ),
        _no_fall(one, fewest),
        _at_most("the first answer within 30 ms of the start", 30.0, _median(ours.starts_ms if ours else []), "ms"),
        _at_most(
            "at most 15 MB of memory with 16 connections",
            15.0,
            max(ours.memory_mb, default=None) if ours else None,
            "MB",
        ),
        _at_most("a program of at most 12 MB", 12.0, results.binary_mb, "MB"),
        _no_errors(results),
    ]


def _at_least(words: str, bar: float, ours: float | None, other: float | None, share: bool = False) -> Bar:
    ratio = _ratio(ours, other)
    scale, unit = (100, " %") if share else (1, " times")
    words = f"at least {bar * scale:g}{' %' if share else ''} {words}"
    figure = "not measured" if ratio is None else f"{ratio * scale:.1f}{unit}"
    return Bar(words, figure, ratio is not None and ratio >= bar)


def _at_most(words: str, bar: float, value: float | None, unit: str) -> Bar:
    figure = "not measured" if value is None else f"{value:.1f} {unit}"
    return Bar(words, figure, value is not None and value <= bar)


def _no_fall(with_16: float | None, with_more: list[float | None]) -> Bar:
    ratios = [_ratio(more, with_16) for more in with_more]
    least = min((ratio for ratio in ratios if ratio is not None), default=None) if None not in ratios else None
    return Bar(
        f"no fewer with 64 and with 256 connections than with 16, but for noise of {100 * NOISE:g} %",
        "not measured" if least is None else f"{100 * least:.1f} %",
        least is not None and least >= 1 - NOISE,
    )


def _no_errors(results: Results) -> Bar:
    line = results.line("ours")
    n_errors = line.errors() if line and line.loads else None
    return Bar("every request is answered", "not measured" if n_errors is None else f"{n_errors} errors", n_errors == 0)


def _ratio(value: float | None, other: float | None) -> float | None:
    return value / other if value is not None and other else None


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
