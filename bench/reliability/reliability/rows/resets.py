"""HTTP/2 streams that are reset as soon as they are opened (CVE-2023-44487, "rapid reset")."""

from __future__ import annotations

import socket
import struct
import time

from reliability.bench import Bench
from reliability.row import Row
from reliability.server import PREDICT

GROWTH_MAX_MB = 20.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, GOAWAY = 1, 3, 4, 7
END_HEADERS = 4
CANCEL = 8
BATCH = 100


def resets(bench: Bench) -> list[Row]:
    count = bench.choose(100_000, 20_000)
    with bench.server("resets") as server:
        bench.measure(server.address, 1)
        before = server.memory_mb()
        server.forget_peak()
        n_sent, ended = _flood(server.address, count)
        growth = server.memory_peak_mb() - before
        tally = bench.measure(server.address, 1, rate=500)
    return [
        Row(
            f"{count} HTTP/2 streams, each reset at once",
            f"connection closed; memory growth < {GROWTH_MAX_MB:.0f} MB",
            f"{'closed' if ended else 'still open'} after {n_sent} streams; memory {growth:+.1f} MB; "
            f"then {tally.failed_text()} of {tally.n(200)}",
            ended and growth < GROWTH_MAX_MB and tally.n_failed == 0,
        )
    ]


def _flood(address: tuple[str, int], count: int) -> tuple[int, bool]:
    """How many streams were opened and reset, and whether the server ended the connection."""
    with socket.create_connection(address, timeout=10) as connection:
        try:
            connection.sendall(PREFACE + _frame(SETTINGS, 0, 0, b""))
            block = _head()
            for first in range(0, count, BATCH):
                streams = range(2 * first + 1, 2 * (first + BATCH) + 1, 2)
                connection.sendall(b"".join(_opened_and_reset(stream, block) for stream in streams))
                if _has_ended(connection, 0):
                    return first + BATCH, True
            return count, _has_ended(connection, 2)
        except OSError:
            return first + BATCH, True


def _opened_and_reset(stream: int, block: bytes) -> bytes:
    reset = _frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))
    return _frame(HEADERS, END_HEADERS, stream, block) + reset


def _has_ended(connection: socket.socket, wait_s: float) -> bool:
    """Whether the server has closed the connection, or has said that it will (GOAWAY)."""
    deadline = time.monotonic() + wait_s
    said = b""
    while True:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            part = connection.recv(65536)
        except TimeoutError:
            return _says_goaway(said)
        said += part
        if not part or _says_goaway(said):
            return True


def _says_goaway(said: bytes) -> bool:
    while len(said) >= 9:
        length = int.from_bytes(said[:3], "big")
        if said[3] == GOAWAY:
            return True
        said = said[9 + length :]
    return False


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _head() -> bytes:
    """A header block (HPACK, without Huffman codes): `:method POST`, `:scheme http`, `:path`, `:authority`."""
    path, authority = PREDICT.encode(), b"slipway"
    return b"\x83\x86" + b"\x04" + bytes([len(path)]) + path + b"\x01" + bytes([len(authority)]) + authority
