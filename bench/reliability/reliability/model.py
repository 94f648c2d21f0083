"""Artifacts without a training: networks of random weights that always answer with one class."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from itertools import pairwise

LAYERS = [784, 256, 64, 10]


def artifact(answer: int, seed: int = 0) -> bytes:
    """The file of a network of the tutorial's size whose answer is `answer`, whatever the image."""
    draw = random.Random(seed)
    tensors: dict[str, tuple[list[int], bytes]] = {}
    for index, (n_inputs, n_outputs) in enumerate(pairwise(LAYERS)):
        weights = [draw.uniform(-0.05, 0.05) for _ in range(n_inputs * n_outputs)]
        bias = [0.0] * n_outputs
        if n_outputs == LAYERS[-1]:
            # Far beyond what weights of this size can add up to.
            bias[answer] = 1000.0
        tensors[f"layers.{index}.weight"] = ([n_inputs, n_outputs], _floats(weights))
        tensors[f"layers.{index}.bias"] = ([n_outputs], _floats(bias))
    places: dict[str, object] = {}
    data = b""
    for name in sorted(tensors):
        shape, content = tensors[name]
        places[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    places["__metadata__"] = {"slipway": json.dumps(_header(data))}
    head = json.dumps(places).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + data


def _floats(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def _header(data: bytes) -> dict[str, object]:
    def field(name: str, element: str, *inner: int) -> dict[str, object]:
        return {"name": name, "element": element, "shape": [-1, *inner]}

    accuracy = {"correct": 1, "total": 10}
    outputs = [
        field("class_ids", "int64", 1),
        field("classes", "string", 1),
        field("logits", "float32", 10),
        field("probabilities", "float32", 10),
    ]
    return {
        "format": 2,
        "signature": {"name": "predict", "inputs": [field("imgs", "float32", 28, 28)], "outputs": outputs},
        "layers": LAYERS,
        "tensors": hashlib.sha256(data).hexdigest(),
        "training": {
            "engine": "none",
            "steps": 1,
            "batch_size": 1,
            "learning_rate": 0.01,
            "schedule": "constant",
            "seed": 1,
            "final_loss": 1.0,
            "clean": accuracy,
            "noisy": accuracy,
        },
        "profile": {
            "n_images": 0,
            "class_counts": [0] * 10,
            "pixel_histogram": [0] * 16,
            "pixel_mean": 0.0,
            "pixel_std": 0.0,
            "ink_histogram": [0] * 16,
            "ink_std": 0.0,
            "mean_image": [0.0] * 49,
        },
    }
