"""A client that asks and does not read."""

from __future__ import annotations

import socket
import time

from reliability.bench import Bench
from reliability.row import Row
from reliability.rows.slow import lacking

RATE = 1000.0
WRITE_MS = 2000
GRACE_S = 3.0
COUNT = 20
# An answer of 900 KB each, so that no buffer of the system holds them all.
REQUEST = b"GET /api/models/mnist/versions/1/artifact HTTP/1.1\r\nHost: reader\r\n\r\n"
N_REQUESTS = 50


def reader(bench: Bench) -> list[Row]:
    with bench.server("reader", {"--write-timeout-ms": WRITE_MS}) as server:
        baseline = bench.measure(server.address, bench.choose(10, 2), rate=RATE)
        start = server.descriptors()
        limit_s = WRITE_MS / 1000 + GRACE_S
        readers = [_connect(server.address) for _ in range(COUNT)]
        for connection in readers:
            connection.sendall(REQUEST * N_REQUESTS)
        began = time.monotonic()
        load = bench.load(server.address, limit_s, rate=RATE, connections=16)
        tally = load.tally()
        while (left := server.descriptors() - start) > 4 and time.monotonic() < began + limit_s + 1:
            # Not more often: to look takes the load's core.
            time.sleep(0.5)
        for connection in readers:
            connection.close()
        lacks = server.lacks
    slower = tally.p99_ms() / baseline.p99_ms()
    return [
        Row(
            f"{COUNT} readers that stop",
            f"dropped within {limit_s:.0f} s; others unaffected",
            f"{max(left, 0)} left; others: {tally.failed_text()} of {tally.n(200)}, p99 {tally.p99_ms():.2f} ms, "
            f"{slower:.2f} × baseline" + lacking(lacks),
            left <= 4 and tally.n_failed == 0 and slower < 2,
        )
    ]


def _connect(address: tuple[str, int]) -> socket.socket:
    connection = socket.socket()
    # A small window, so that answers pile up at the server.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(address)
    return connection
