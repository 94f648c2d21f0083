"""A chart of bars: one for each median, with a line from the lowest to the highest run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH = 880
LEFT = 275  # where the bars begin; the labels end a little before
RIGHT = 750  # where the longest run ends; the figures need what remains
TOP = 78
PITCH = 34
BAR = 20

FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
OURS, PEER, RANGE, INK, QUIET = "#6366f1", "#cbd5e1", "#475569", "#1e293b", "#64748b"


@dataclass(frozen=True)
class Bar:
    label: str
    median: float
    lowest: float
    highest: float
    figure: str  # what is written behind the bar
    is_ours: bool


def write(path: Path, title: str, conditions: str, bars: list[Bar]) -> None:
    """Draws `bars` from top to bottom."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_svg(title, conditions, bars))


def _svg(title: str, conditions: str, bars: list[Bar]) -> str:
    height = TOP + PITCH * len(bars) + 20
    figures = ", ".join(f"{bar.label} {bar.figure}" for bar in bars)
    longest = max((bar.highest for bar in bars), default=1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
        f'     role="img" aria-labelledby="title" font-family="{FONT}">',
        f'  <title id="title">{escape(title)}: {escape(figures)}</title>',
        f'  <rect width="{WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
        _text(24, 36, title, f'font-size="17" font-weight="600" fill="{INK}"'),
        _text(24, 57, conditions, f'font-size="13" fill="{QUIET}"'),
        *(part for row, bar in enumerate(bars) for part in _bar(bar, TOP + PITCH * row, longest)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bar(bar: Bar, y: float, longest: float) -> list[str]:
    def x(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * value / longest

    middle = y + BAR / 2
    lowest, highest = x(bar.lowest), x(bar.highest)
    colour, weight = (OURS, 600) if bar.is_ours else (PEER, 400)
    label_style = f'font-size="14" font-weight="{weight}" fill="{INK}" text-anchor="end"'
    return [
        _text(LEFT - 12, middle + 5, bar.label, label_style),
        f'  <rect x="{LEFT}" y="{y}" width="{x(bar.median) - LEFT:.1f}" height="{BAR}" rx="4" fill="{colour}"/>',
        f'  <path d="M{lowest:.1f} {middle}H{highest:.1f}" stroke="{RANGE}" stroke-width="2"/>',
        _text(highest + 10, middle + 5, bar.figure, f'font-size="13" fill="{INK}"'),
    ]


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'  <text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
