"""The bodies of requests: MNIST's test images as the tutorial's client writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

SIDE = 28
HEADER_BYTES = 16  # of an IDX file of images


@dataclass(frozen=True)
class Bodies:
    """Files with one JSON body each, sent by turns."""

    one: list[Path]  # an image each
    many: list[Path]  # 32 images each


def write(data_dir: Path, folder: Path) -> Bodies:
    """Writes the bodies of the first test images into `folder`."""
    pixels = (data_dir / "t10k-images-idx3-ubyte").read_bytes()[HEADER_BYTES:]
    folder.mkdir(parents=True, exist_ok=True)
    one = [_body(folder / f"one-{index}.json", pixels, index, 1) for index in range(16)]
    many = [_body(folder / f"many-{index}.json", pixels, 32 * index, 32) for index in range(4)]
    return Bodies(one, many)


def _body(path: Path, pixels: bytes, first: int, count: int) -> Path:
    path.write_text(json.dumps({"imgs": [_image(pixels, index) for index in range(first, first + count)]}))
    return path


def _image(pixels: bytes, index: int) -> list[list[float]]:
    start = index * SIDE * SIDE
    rows = (pixels[start + row * SIDE : start + (row + 1) * SIDE] for row in range(SIDE))
    return [[pixel / 255 for pixel in row] for row in rows]
