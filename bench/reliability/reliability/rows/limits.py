"""Bodies around their limit."""

from __future__ import annotations

import socket
import zlib

from reliability import bodies
from reliability.bench import Bench
from reliability.row import Row
from reliability.server import PREDICT, Server

LIMIT = 2 << 20
EXPECTED = [200, 200, 413, 413, 413]


def limits(bench: Bench) -> list[Row]:
    n_zeros = bench.choose(10**9, 10**8)
    bomb = _zeros(n_zeros)
    with bench.server("limits", {"--body-max-bytes": LIMIT}) as server:
        for _ in range(3):
            server.predict(bodies.padded(LIMIT))
        before = server.memory_mb()
        server.forget_peak()
        statuses = [server.predict(bodies.padded(length))[0] for length in (LIMIT - 1, LIMIT, LIMIT + 1)]
        statuses.append(_chunked(server, bodies.padded(LIMIT + 1)))
        status, _, _ = server.ask("POST", PREDICT, bomb, content_type="application/json", content_encoding="gzip")
        statuses.append(status)
        growth = server.memory_peak_mb() - before
    return [
        Row(
            f"body limit − 1, exact, + 1; chunked without length; {n_zeros // 10**6} MB of zeros gzipped",
            f"{', '.join(map(str, EXPECTED))}; memory growth < {2 * LIMIT / 1e6:.1f} MB (twice the limit)",
            f"{', '.join(map(str, statuses))}; memory {growth:+.1f} MB",
            statuses == EXPECTED and growth < 2 * LIMIT / 1e6,
        )
    ]


def _zeros(count: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    chunk = bytes(10**6)
    packed = b"".join(packer.compress(chunk) for _ in range(count // len(chunk)))
    return packed + packer.flush()


def _chunked(server: Server, body: bytes) -> int:
    """The status of a body whose length is not announced; 0 where there is none."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    size = 64 << 10
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    with socket.create_connection(server.address, timeout=10) as connection:
        try:
            connection.sendall(head.encode())
            for chunk in chunks:
                connection.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # refused before the end; the answer is there nevertheless
        try:
            said = connection.recv(4096)
        except OSError:
            return 0
    return int(said[9:12]) if said.startswith(b"HTTP/1.1 ") else 0
