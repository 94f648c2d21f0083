"""The part of a document that a command writes: what stands between its two marks, and nothing else."""

from __future__ import annotations

from harness import paths


def write(begin: str, end: str, figures: str) -> None:
    """Puts `figures` between the marks in docs/benchmarks.md."""
    text = paths.DOCUMENT.read_text()
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{paths.DOCUMENT} has lost the marks `{begin}` and `{end}`")
    paths.DOCUMENT.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}")
