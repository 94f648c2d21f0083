"""What is sent."""

import json
import struct
import tempfile
import unittest
from pathlib import Path

from serving.protocols import Protocol
from serving.questions import Names, Questions, likeliest
from serving.servers import OURS


class Bodies(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.pixels = bytes(index % 256 for index in range(200 * 784))
        (self.folder / "t10k-images-idx3-ubyte").write_bytes(bytes(16) + self.pixels)
        (self.folder / "t10k-labels-idx1-ubyte").write_bytes(bytes(8) + bytes([7, 2]))
        self.questions = Questions.of(self.folder, self.folder / "bodies")

    def test_the_tutorials_are_what_its_client_sends(self) -> None:
        one = self.questions.ask(Protocol.TUTORIAL, OURS)
        many = self.questions.ask(Protocol.TUTORIAL, OURS, 32)
        self.assertEqual((len(one.bodies), len(many.bodies)), (16, 4))
        second = json.loads(many.bodies[1].read_text())["imgs"]
        self.assertEqual((len(second), len(second[0]), len(second[0][0])), (32, 28, 28))
        self.assertEqual(second[0][0][1], self.pixels[32 * 784 + 1] / 255)
        self.assertTrue(one.bodies[0].read_text().startswith('{"imgs": [[[0.0, '))

    def test_v2_sends_the_same_images_by_the_names_of_each_server(self) -> None:
        names = Names("mnist", "input", (784,), "output")
        images = [[pixel / 255 for pixel in self.pixels[start : start + 784]] for start in (0, 784)]

        question = self.questions.ask(Protocol.V2_JSON, names)
        body = json.loads(question.bodies[1].read_text())
        self.assertEqual(question.path, "/v2/models/mnist/infer")
        self.assertEqual(body["inputs"][0]["shape"], [1, 784])
        self.assertEqual(body["inputs"][0]["data"], images[1])
        self.assertEqual(body["outputs"], [{"name": "output"}])

        question = self.questions.ask(Protocol.V2_BINARY, names)
        length = int(question.headers[1].removeprefix("inference-header-content-length: "))
        for image, path in zip(images, question.bodies, strict=False):
            head, elements = path.read_bytes()[:length], path.read_bytes()[length:]
            self.assertEqual(json.loads(head)["inputs"][0]["parameters"], {"binary_data_size": 4 * 784})
            self.assertEqual(elements, struct.pack("<784f", *image))

        question = self.questions.ask(Protocol.V2_GRPC, names)
        message = question.bodies[1].read_bytes()
        # As `protoc --encode=inference.ModelInferRequest` writes it.
        head = b"\n\x05mnist*\x12\n\x05input\x12\x04FP32\x1a\x03\x01\x90\x062\x08\n\x06output:\xc0\x18"
        self.assertEqual(message, head + struct.pack("<784f", *images[1]))
        self.assertEqual(question.form, "grpc")

    def test_the_likeliest_class_is_found_in_either_answer(self) -> None:
        probabilities = [0.0, 0.1, 0.9, *[0.0] * 7]
        v2 = {"outputs": [{"name": "output", "shape": [1, 10], "data": probabilities}]}
        self.assertEqual(likeliest(json.dumps(v2).encode()), 2)
        self.assertEqual(likeliest(json.dumps({"probabilities": [probabilities]}).encode()), 2)
