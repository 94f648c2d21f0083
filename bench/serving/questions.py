"""What is sent: the test images as the tutorial's client writes them, and by the Open Inference Protocol V2.

By the latter everybody is asked for the same: one image in, the ten probabilities out.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

from serving.protocols import Protocol

SIDE = 28
HEADER_BYTES = 16  # of an IDX file of images
LABELS_HEADER_BYTES = 8
N_ONE, N_MANY = 16, 4  # bodies, sent by turns
MANY = 32  # images in one


@dataclass(frozen=True)
class Names:
    """What a server calls its model, the images and the probabilities, and the shape of one image."""

    model: str
    image: str
    shape: tuple[int, ...]
    probabilities: str


@dataclass(frozen=True)
class Question:
    """What the load is told to send."""

    path: str
    bodies: list[Path]  # by turns
    headers: list[str] = field(default_factory=list)
    form: str = "http1"


@dataclass(frozen=True)
class Questions:
    """The images, and where what is made of them is kept."""

    pixels: bytes
    labels: bytes
    folder: Path

    @classmethod
    def of(cls, data_dir: Path, folder: Path) -> Questions:
        """Of the test images in `data_dir`."""
        pixels = (data_dir / "t10k-images-idx3-ubyte").read_bytes()[HEADER_BYTES:]
        labels = (data_dir / "t10k-labels-idx1-ubyte").read_bytes()[LABELS_HEADER_BYTES:]
        return cls(pixels, labels, folder)

    def ask(self, protocol: Protocol, names: Names, n_images: int = 1) -> Question:
        """Writes the bodies."""
        match protocol:
            case Protocol.TUTORIAL:
                return self._tutorial(n_images)
            case Protocol.V2_JSON:
                bodies = [_json_body(self._flat(index), names) for index in range(N_ONE)]
                return Question(_infer(names), self._write(protocol, names, bodies), ["content-type: application/json"])
            case Protocol.V2_BINARY:
                pairs = [_binary_body(self._flat(index), names) for index in range(N_ONE)]
                bodies = [head + elements for head, elements in pairs]
                headers = [
                    "content-type: application/octet-stream",
                    f"inference-header-content-length: {len(pairs[0][0])}",
                ]
                return Question(_infer(names), self._write(protocol, names, bodies), headers)
            case Protocol.V2_GRPC:
                bodies = [_message(self._flat(index), names) for index in range(N_ONE)]
                call = "/inference.GRPCInferenceService/ModelInfer"
                return Question(call, self._write(protocol, names, bodies), form="grpc")

    def _tutorial(self, n_images: int) -> Question:
        count = N_ONE if n_images == 1 else N_MANY
        name = "one" if n_images == 1 else "many"
        bodies = []
        for index in range(count):
            images = [self._rows(n_images * index + image) for image in range(n_images)]
            bodies.append(_write(self.folder / f"{name}-{index}.json", json.dumps({"imgs": images}).encode()))
        path = "/gateway/applications/mnist-app/predict"
        return Question(path, bodies, ["content-type: application/json"])

    def _write(self, protocol: Protocol, names: Names, bodies: list[bytes]) -> list[Path]:
        folder = self.folder / names.model / protocol.name.lower()
        return [_write(folder / f"{index}.body", body) for index, body in enumerate(bodies)]

    def _flat(self, index: int) -> list[float]:
        start = index * SIDE * SIDE
        return [pixel / 255 for pixel in self.pixels[start : start + SIDE * SIDE]]

    def _rows(self, index: int) -> list[list[float]]:
        flat = self._flat(index)
        return [flat[row * SIDE : (row + 1) * SIDE] for row in range(SIDE)]


def likeliest(answer: bytes) -> int:
    """The class that an answer in JSON holds for the likeliest, of its first image."""
    said = json.loads(answer)
    probabilities = said["outputs"][0]["data"] if "outputs" in said else said["probabilities"][0]
    return max(range(len(probabilities)), key=lambda index: probabilities[index])


def _infer(names: Names) -> str:
    return f"/v2/models/{names.model}/infer"


def _json_body(image: list[float], names: Names) -> bytes:
    given = {"name": names.image, "datatype": "FP32", "shape": [1, *names.shape], "data": image}
    return json.dumps({"inputs": [given], "outputs": [{"name": names.probabilities}]}).encode()


def _binary_body(image: list[float], names: Names) -> tuple[bytes, bytes]:
    """The JSON, and what stands behind it."""
    elements = struct.pack(f"<{len(image)}f", *image)
    size = {"binary_data_size": len(elements)}
    given = {"name": names.image, "datatype": "FP32", "shape": [1, *names.shape], "parameters": size}
    wanted = {"name": names.probabilities, "parameters": {"binary_data": True}}
    return json.dumps({"inputs": [given], "outputs": [wanted]}).encode(), elements


def _message(image: list[float], names: Names) -> bytes:
    """A `ModelInferRequest`, by the numbers of its fields."""
    shape = b"".join(_number(length) for length in (1, *names.shape))
    given = _bytes(1, names.image.encode()) + _bytes(2, b"FP32") + _bytes(3, shape)
    wanted = _bytes(1, names.probabilities.encode())
    elements = struct.pack(f"<{len(image)}f", *image)
    return _bytes(1, names.model.encode()) + _bytes(5, given) + _bytes(6, wanted) + _bytes(7, elements)


def _bytes(field_number: int, content: bytes) -> bytes:
    """A field of a message of protocol buffers that has a length."""
    return _number(field_number << 3 | 2) + _number(len(content)) + content


def _number(value: int) -> bytes:
    """Seven bits a byte, the least first; the highest bit says that another byte follows."""
    digits = []
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
