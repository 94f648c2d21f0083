"""JSON that somebody wrote to do harm."""

from __future__ import annotations

import json
import time

from reliability.bench import Bench
from reliability.row import Row
from reliability.server import Server

TIME_MAX_MS = 50.0


def hostile(bench: Bench) -> list[Row]:
    with bench.server("hostile") as server:
        server.predict(bench.tutorial.read_bytes())
        outcomes = {name: _try(server, body) for name, body in _bodies(bench.tutorial.read_bytes()).items()}
        alive = server.predict(bench.tutorial.read_bytes())[0] == 200
    wrong = [f"{name}: {mistake}" for name, (mistake, _) in outcomes.items() if mistake]
    slowest = max(took_ms for _, took_ms in outcomes.values())
    return [
        Row(
            f"hostile JSON, {len(outcomes)} kinds",
            f"4xx with the place in < {TIME_MAX_MS:.0f} ms, never 5xx",
            f"{len(outcomes) - len(wrong)} of {len(outcomes)} refused with their place; slowest {slowest:.1f} ms"
            + "".join(f"; {mistake}" for mistake in wrong)
            + ("" if alive else "; then no answer"),
            not wrong and slowest < TIME_MAX_MS and alive,
        )
    ]


def _bodies(right: bytes) -> dict[str, bytes]:
    row = b"[" + b",".join([b"0"] * 28) + b"]"
    short = b"[" + b",".join([b"0"] * 27) + b"]"
    return {
        "150,000 nested brackets": b'{"imgs":' + b"[" * 150_000,
        "150,000 nested objects": b'{"a":' * 150_000,
        "150,000 nested brackets under another key": b'{"a":' + b"[" * 150_000,
        "1e400": right.replace(b"0.0", b"1e400", 1),
        "a number of 100,000 digits": right.replace(b"0.0", b"9" * 100_000, 1),
        "NaN": right.replace(b"0.0", b"NaN", 1),
        "the key twice": right[:-1] + b"," + right[1:],
        "ragged": b'{"imgs":[[' + b",".join([row] * 27 + [short]) + b"]]}",
        "empty": b"",
        "no images": b'{"imgs":[]}',
        "an empty image": b'{"imgs":[[]]}',
        "2,000,000 numbers": b'{"imgs":[' + b",".join([b"0"] * 2_000_000) + b"]}",
        "300,000 images of one number": b'{"imgs":[' + b",".join([b"[[0]]"] * 300_000) + b"]}",
        "invalid UTF-8": right.replace(b"imgs", b"im\xffgs", 1),
        "a NUL": right.replace(b"0.0", b"0.0\0", 1),
        "cut off": right[: len(right) // 2],
        "two bodies": right + right,
        "a text of 1 MB": b'{"imgs":"' + b"x" * 1_000_000 + b'"}',
    }


def _try(server: Server, body: bytes) -> tuple[str, float]:
    """What is wrong with the answer, and how long it took in milliseconds."""
    started = time.perf_counter()
    status, answer = server.predict(body)
    took_ms = (time.perf_counter() - started) * 1000
    if not 400 <= status < 500:
        return f"answered {status}", took_ms
    information = json.loads(answer).get("information", {})
    has_place = information.get("path") or "line" in information.get("message", "")
    return ("" if has_place else f"no place in {information}"), took_ms
