"""A client that asks and does not read."""

from __future__ import annotations

import socket
import time

from reliability.bench import Bench
from reliability.beside import N_ROUNDS, SLOWER_MAX, Beside, ordinary_rate
from reliability.row import Row
from reliability.rows.slow import lacking

WRITE_MS = 2000
GRACE_S = 3.0
COUNT = 20
# An answer of 900 KB each, so that no buffer of the system holds them all.
REQUEST = b"GET /api/models/mnist/versions/1/artifact HTTP/1.1\r\nHost: reader\r\n\r\n"
N_REQUESTS = 50


def reader(bench: Bench) -> list[Row]:
    limit_s = WRITE_MS / 1000 + GRACE_S
    rounds, left, lacks = [], 0, list[str]()
    for number in range(bench.choose(N_ROUNDS, 1)):
        with bench.server(f"reader-{number}", {"--write-timeout-ms": WRITE_MS}) as server:
            rate = ordinary_rate(bench, server)
            baseline = bench.measure(server.address, limit_s, rate=rate)
            start = server.descriptors()
            readers = [_connect(server.address) for _ in range(COUNT)]
            for connection in readers:
                connection.sendall(REQUEST * N_REQUESTS)
            began = time.monotonic()
            tried = bench.measure(server.address, limit_s, rate=rate)
            while (open_now := server.descriptors() - start) > 0 and time.monotonic() < began + limit_s + 1:
                time.sleep(0.1)
            for connection in readers:
                connection.close()
            rounds.append((baseline, tried))
            left = max(left, open_now)
            lacks = server.lacks
    others = Beside(rounds)
    return [
        Row(
            f"{COUNT} readers that stop; {rate:.0f} req/s by others",
            f"dropped within {limit_s:.0f} s; p99 of others < {SLOWER_MAX:.0f} × baseline",
            f"{left} left; {others.text()}" + lacking(lacks),
            left == 0 and others.holds,
        )
    ]


def _connect(address: tuple[str, int]) -> socket.socket:
    connection = socket.socket()
    # A small window, so that answers pile up at the server.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(address)
    return connection
