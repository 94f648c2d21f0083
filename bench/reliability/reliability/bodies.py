"""Bodies of predict requests."""

from __future__ import annotations

import random

SIDE = 28


def tutorial() -> bytes:
    """One image as the tutorial's client sends it: 6 KB, most of it zeros, the ink with sixteen digits."""
    draw = random.Random(7)

    def pixel(row: int, column: int) -> str:
        has_ink = 6 <= row < 22 and 9 <= column < 19
        return repr(draw.randrange(1, 256) / 255) if has_ink else "0.0"

    rows = (", ".join(pixel(row, column) for column in range(SIDE)) for row in range(SIDE))
    return ('{"imgs": [[' + ", ".join(f"[{row}]" for row in rows) + "]]}").encode()


def dense(n_images: int) -> bytes:
    """Images without a zero, in as few bytes as possible: much to compute, little to read."""
    image = "[" + ",".join(["1"] * SIDE * SIDE) + "]"
    return ('{"imgs":[' + ",".join([image] * n_images) + "]}").encode()


def padded(length: int) -> bytes:
    """A body that is right and has exactly this many bytes."""
    body = tutorial()
    return body + b" " * (length - len(body))
