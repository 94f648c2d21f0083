"""The outcome of one test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured, beside what was promised; `holds` is None where it could not be tried."""

    test: str
    target: str
    figure: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        return "skipped" if self.holds is None else "holds" if self.holds else "fails"
