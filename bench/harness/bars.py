"""Promises, held against what was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A promise, with the figure that keeps it or breaks it."""

    words: str
    figure: str
    holds: bool


def text(bars: list[Bar]) -> str:
    """A line for each promise."""
    return "\n".join(f"{'PASS' if bar.holds else 'FAIL'}  {bar.words}: {bar.figure}" for bar in bars)


def markdown(bars: list[Bar]) -> str:
    """The same for a document."""
    lines = ["| promise | measured | holds |", "|---|---:|---|"]
    lines += [f"| {bar.words} | {bar.figure} | {'yes' if bar.holds else 'no'} |" for bar in bars]
    return "\n".join(lines)
