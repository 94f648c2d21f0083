"""What the benchmark sends: an artifact is a safetensors file, and a body has the length that was asked for."""

import hashlib
import json
import struct
import unittest

from reliability import bodies, model
from reliability.row import Row


class Model(unittest.TestCase):
    def test_an_artifact_has_its_tensors_where_its_head_says(self) -> None:
        file = model.artifact(3)
        (length,) = struct.unpack("<Q", file[:8])
        head, data = json.loads(file[8 : 8 + length]), file[8 + length :]
        header = json.loads(head.pop("__metadata__")["slipway"])
        self.assertEqual(header["tensors"], hashlib.sha256(data).hexdigest())
        places = sorted(place["data_offsets"] for place in head.values())
        self.assertEqual([end for _, end in places], [start for start, _ in places[1:]] + [len(data)])
        bias = head["layers.2.bias"]["data_offsets"]
        values = struct.unpack("<10f", data[slice(*bias)])
        self.assertEqual(values.index(max(values)), 3)


class Bodies(unittest.TestCase):
    def test_a_body_has_images_of_28_by_28(self) -> None:
        for body in (bodies.tutorial(), bodies.padded(20_000)):
            (image,) = json.loads(body)["imgs"]
            self.assertEqual({len(row) for row in image}, {28})
            self.assertEqual(len(image), 28)
        self.assertEqual({len(image) for image in json.loads(bodies.dense(3))["imgs"]}, {28 * 28})
        self.assertEqual(len(bodies.padded(20_000)), 20_000)


class Rows(unittest.TestCase):
    def test_what_could_not_be_tried_neither_holds_nor_fails(self) -> None:
        verdicts = [Row("", "", "", holds).verdict for holds in (True, False, None)]
        self.assertEqual(verdicts, ["holds", "fails", "skipped"])


if __name__ == "__main__":
    unittest.main()
