"""Tables of text: for a terminal and for a document. The first column holds words, the others figures."""

from __future__ import annotations


def text(headings: list[str], rows: list[list[str]]) -> str:
    """With aligned columns."""
    table = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(_aligned(row, widths)) for row in table)


def markdown(headings: list[str], rows: list[list[str]]) -> str:
    """The same for a document."""
    alignment = ["---"] + ["---:"] * (len(headings) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, alignment, *rows])


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    label, *figures = row
    return [label.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True))]
