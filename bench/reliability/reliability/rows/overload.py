"""Five times as many requests as can be answered, at a steady rate whatever becomes of them."""

from __future__ import annotations

import gzip
import time

from reliability import bodies
from reliability.bench import Bench
from reliability.row import Row

IN_FLIGHT = 16
TIMES = 5
# So many that a connection whose request is worked on is not the one whose turn is next.
CONNECTIONS = 512
# So many that they are worked on beside the thread that reads. Shorter requests are done before the next is looked at,
# so none would be refused.
N_IMAGES = 200
MEMORY_MAX_MB = 20.0


def overload(bench: Bench) -> list[Row]:
    seconds = bench.choose(30, 3)
    # Compressed, so that the server has much to do for little that is sent: its work is overloaded, not the network.
    body = bench.body("dense", gzip.compress(bodies.dense(N_IMAGES)))
    each = {"body": body, "encoding": "gzip"}
    flags = {"--requests-in-flight-max": IN_FLIGHT}
    with bench.server("overload", flags) as server:
        bench.measure(server.address, 1, **each, connections=IN_FLIGHT)
        server.forget_peak()
        peak = bench.measure(server.address, bench.choose(10, 2), **each, connections=IN_FLIGHT)
        memory_at_peak = server.memory_peak_mb()
        half = peak.rate / 2
        before = bench.measure(server.address, bench.choose(5, 2), **each, connections=IN_FLIGHT, rate=half)
        server.forget_peak()
        asked = TIMES * peak.rate
        during = bench.measure(server.address, seconds, **each, connections=CONNECTIONS, rate=asked)
        growth = server.memory_peak_mb() - memory_at_peak
        time.sleep(1)
        after = bench.measure(server.address, bench.choose(5, 2), **each, connections=IN_FLIGHT, rate=half)
    goodput = during.rate / peak.rate
    others = during.n_failed - during.n(503)
    is_normal = after.n_failed == 0 and after.p99_ms() <= 2 * before.p99_ms()
    refusals = f"{during.n(503)} × 503" + (f" with p99 {during.p99_ms(503):.1f} ms" if during.n(503) else "")
    return [
        Row(
            f"{TIMES} × overload for {seconds} s: {asked:.0f} requests/s by {CONNECTIONS} connections, {IN_FLIGHT} in "
            f"flight at most, {N_IMAGES} images each, compressed",
            "goodput ≥ 90 % of peak; the rest 503 with p99 < 10 ms; memory flat; normal within 2 s",
            f"{100 * goodput:.0f} % of {peak.rate:.0f} req/s; {refusals}; {others} others; memory {growth:+.1f} MB; "
            f"p99 {before.p99_ms():.1f} ms before, {after.p99_ms():.1f} ms after",
            goodput >= 0.9
            and (during.n(503) == 0 or during.p99_ms(503) < 10)
            and others == 0
            and growth < MEMORY_MAX_MB
            and is_normal,
        )
    ]
