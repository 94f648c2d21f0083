"""How clients fare beside others that behave badly."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from reliability.bench import Bench
from reliability.load import Tally
from reliability.server import Server

# Times what is judged, and what it is compared with: the machine itself is slow for a moment now and then.
N_ROUNDS = 3
SLOWER_MAX = 2.0


def ordinary_rate(bench: Bench, server: Server) -> float:
    """Requests a second: an eighth of what a server answers at most, so that what holds one up is seldom another."""
    return bench.half_load(server) / 4


@dataclass(frozen=True)
class Beside:
    """What became of ordinary requests: for each round, without the others (or with them elsewhere) and with them."""

    rounds: list[tuple[Tally, Tally]]

    @property
    def slower(self) -> float:
        """How many times longer the slowest hundredth takes."""
        return median(tried.p99_ms() / baseline.p99_ms() for baseline, tried in self.rounds)

    @property
    def holds(self) -> bool:
        return all(tried.n_failed == 0 for _, tried in self.rounds) and self.slower < SLOWER_MAX

    def text(self) -> str:
        failed = {tried.failed_text() for _, tried in self.rounds if tried.n_failed} or {"0 failed"}
        n_answered = sum(tried.n(200) for _, tried in self.rounds)
        p99_ms = median(tried.p99_ms() for _, tried in self.rounds)
        rounds = "one round" if len(self.rounds) == 1 else f"medians of {len(self.rounds)} rounds"
        return (
            f"others: {', '.join(sorted(failed))} of {n_answered}, p99 {p99_ms:.2f} ms, {self.slower:.2f} × baseline "
            f"({rounds})"
        )
