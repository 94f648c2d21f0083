"""The chart of the document: a bar for each contender's median, with a line from its fastest to its slowest run."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from training.results import Line, Results

WIDTH = 880
LEFT = 275  # where the bars begin; the labels end a little before
RIGHT = 750  # where the longest run ends; the figures need what remains
TOP = 78
PITCH = 34
BAR = 20

FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
OURS, PEER, RANGE, INK, QUIET = "#6366f1", "#cbd5e1", "#475569", "#1e293b", "#64748b"


def write(results: Results, path: Path) -> None:
    """Draws what was measured, fastest first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_svg(results))


def _svg(results: Results) -> str:
    lines = sorted(results.measured(), key=lambda line: line.steps_s)
    height = TOP + PITCH * len(lines) + 20
    title = f"Time of {results.job.steps:,} steps of {results.job.batch_size} images"
    figures = ", ".join(f"{line.label} {line.steps_s:.2f} s" for line in lines)
    longest = max((line.steps_max_s for line in lines), default=1.0)
    ours = results.line("native")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
        f'     role="img" aria-labelledby="title" font-family="{FONT}">',
        f'  <title id="title">{escape(title)}: {escape(figures)}</title>',
        f'  <rect width="{WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
        _text(24, 36, title, f'font-size="17" font-weight="600" fill="{INK}"'),
        _text(24, 57, _conditions(results), f'font-size="13" fill="{QUIET}"'),
        *(part for row, line in enumerate(lines) for part in _bar(line, TOP + PITCH * row, longest, ours)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _conditions(results: Results) -> str:
    runs = "one run" if results.rounds == 1 else f"median of {results.rounds} runs, line from fastest to slowest"
    return f"{runs}, {results.machine.cores} cores, {results.machine.processor}"


def _bar(line: Line, y: float, longest: float, ours: Line | None) -> list[str]:
    def x(seconds: float) -> float:
        return LEFT + (RIGHT - LEFT) * seconds / longest

    middle = y + BAR / 2
    fastest, slowest = x(line.steps_min_s), x(line.steps_max_s)
    is_ours = line.name.startswith("native")
    colour, weight = (OURS, 600) if is_ours else (PEER, 400)
    ratio = f" · {line.steps_s / ours.steps_s:.1f}×" if ours and line is not ours else ""
    label_style = f'font-size="14" font-weight="{weight}" fill="{INK}" text-anchor="end"'
    return [
        _text(LEFT - 12, middle + 5, line.label, label_style),
        f'  <rect x="{LEFT}" y="{y}" width="{x(line.steps_s) - LEFT:.1f}" height="{BAR}" rx="4" fill="{colour}"/>',
        f'  <path d="M{fastest:.1f} {middle}H{slowest:.1f}" stroke="{RANGE}" stroke-width="2"/>',
        _text(slowest + 10, middle + 5, f"{line.steps_s:.2f} s{ratio}", f'font-size="13" fill="{INK}"'),
    ]


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'  <text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
