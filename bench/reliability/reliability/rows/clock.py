"""The wall clock goes back an hour."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

from reliability.bench import Bench
from reliability.row import Row
from reliability.server import Server

SOURCE = Path(__file__).resolve().parents[2] / "clock.c"
TEST = "clock set back an hour"
TARGET = "nothing times out wrongly"
BACK_S = -3600
RATE = 1000.0


def clock(bench: Bench) -> list[Row]:
    compiler = shutil.which("cc")
    if compiler is None:
        return [Row(TEST, TARGET, "not tried: there is no C compiler", None)]
    library, offset = bench.folder / "clock.so", bench.folder / "clock.offset"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SOURCE], check=True)
    offset.write_text("0")
    environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(offset)}
    seconds = bench.choose(20, 3)
    with bench.server("clock", environment=environment) as server:
        load = bench.load(server.address, seconds, rate=RATE)
        time.sleep(seconds / 3)
        offset.write_text(str(BACK_S))
        time.sleep(0.1)
        # Deploys are noticed by their own server and written with a time.
        server.deploy("mnist:2")
        tally = load.tally()
        moved = _revised_at_ms(server) < time.time() * 1000 + BACK_S * 1000 / 2
        code, took_s = server.terminate()
    return [
        Row(
            TEST,
            TARGET,
            f"{tally.failed_text()} of {tally.n(200)}, p99 {tally.p99_ms():.2f} ms, slowest "
            f"{tally.answers['200']['max_ms']:.0f} ms; exit {code} after {took_s:.1f} s"
            + ("" if moved else "; the server did not see the clock move"),
            tally.n_failed == 0 and moved and len(tally.versions) == 2 and code == 0 and took_s < 10,
        )
    ]


def _revised_at_ms(server: Server) -> int:
    """When the newest revision was made, by the server's clock."""
    _, _, answer = server.ask("GET", "/api/applications/mnist-app")
    revision = json.loads(answer)
    return int(next(value for key, value in revision.items() if key.endswith("_at_ms")))
