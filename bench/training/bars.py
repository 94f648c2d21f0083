"""What the training promises, held against what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from harness.bars import Bar
from training.results import Results


@dataclass(frozen=True)
class _TimesFaster:
    ours: str
    peer: str
    at_least: float
    words: str


_TIMES_FASTER = [
    _TimesFaster("native", "jax", 4.0, "faster than JAX on two cores"),
    _TimesFaster("native-1", "jax-1", 3.5, "faster than JAX on one core"),
    _TimesFaster("native-avx2", "jax", 2.5, "faster than JAX on two cores, with AVX2 only"),
    _TimesFaster("native", "torch-eager", 8.0, "faster than PyTorch, eager"),
    _TimesFaster("native", "torch-compiled", 8.0, "faster than PyTorch, compiled"),
    _TimesFaster("native", "tensorflow", 10.0, "faster than TensorFlow"),
]
_DEFAULT_RECIPE_MAX = 2.5
_BESIDE_STEPS_MAX_S = 0.6
_MEMORY_MAX_MB = 150.0


def bars(results: Results) -> list[Bar]:
    """Every promise; one that lacks a contender does not hold."""
    return [
        *(_times_faster(results, promise) for promise in _TIMES_FASTER),
        _default_recipe(results),
        _beside_steps(results),
        _memory(results),
    ]


def _times_faster(results: Results, promise: _TimesFaster) -> Bar:
    ours, peer = results.line(promise.ours), results.line(promise.peer)
    ratio = peer.steps_s / ours.steps_s if ours and peer else None
    return Bar(
        f"at least {promise.at_least:g} times {promise.words}",
        "not measured" if ratio is None else f"{ratio:.2f} times",
        ratio is not None and ratio >= promise.at_least,
    )


def _default_recipe(results: Results) -> Bar:
    default, tutorial = results.line("native-default"), results.line("native")
    ratio = default.steps_s / tutorial.steps_s if default and tutorial else None
    return Bar(
        f"the default recipe takes at most {_DEFAULT_RECIPE_MAX:g} times the tutorial's time",
        "not measured" if ratio is None else f"{ratio:.2f} times",
        ratio is not None and ratio <= _DEFAULT_RECIPE_MAX,
    )


def _beside_steps(results: Results) -> Bar:
    line = results.line("native")
    return Bar(
        f"the whole program takes at most {_BESIDE_STEPS_MAX_S:g} s more than its steps",
        "not measured" if line is None else f"{line.beside_steps_s:.2f} s",
        line is not None and line.beside_steps_s <= _BESIDE_STEPS_MAX_S,
    )


def _memory(results: Results) -> Bar:
    line = results.line("native")
    return Bar(
        f"at most {_MEMORY_MAX_MB:g} MB of memory",
        "not measured" if line is None else f"{line.memory_mb:.0f} MB",
        line is not None and line.memory_mb <= _MEMORY_MAX_MB,
    )
