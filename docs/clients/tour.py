"""Trains a small model, deploys it, asks it about test images, and draws what it answers.

    pip install numpy matplotlib 'tritonclient[http]'
    python3 docs/clients/tour.py

It wants a server, and the images that `pipeline up` has fetched. Nothing of it is ours: the programs are called as in a
shell, the model is published and deployed with two requests, and the questions are those of Triton's client.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

import matplotlib
import numpy as np
import tritonclient.http as triton

matplotlib.use("Agg")
import matplotlib.pyplot as plt

N_IMAGES = 200
N_DRAWN = 20


def train(programs: Path, images: Path, steps: int) -> bytes:
    """The artifact of a model that has seen `images` for so many steps."""
    with tempfile.TemporaryDirectory() as models:
        folders = {"MNIST_DATA_DIR": str(images), "MNIST_MODELS_DIR": models}
        command = [programs / "trainer", "--recipe", "tutorial", "--steps", str(steps), "--seed", "7"]
        gates = ["--accuracy-min", "0", "--noisy-accuracy-min", "0"]
        subprocess.run(command + gates, env=os.environ | folders, check=True)
        return Path(models, "mnist.safetensors").read_bytes()


def send(method: str, url: str, body: bytes, media_type: str) -> dict:
    request = Request(url, body, {"Content-Type": media_type}, method=method)
    with urlopen(request) as answer:
        return json.load(answer)


def deploy(server: str, artifact: bytes) -> str:
    """Publishes the artifact as a version of `tour`, and lets the application `tour` answer with it."""
    versions = f"http://{server}/api/models/tour/versions"
    version = send("POST", versions, artifact, "application/octet-stream")["model"]
    spec = {"name": "tour", "stages": [{"variants": [{"model": version, "weight": 100}]}]}
    send("PUT", f"http://{server}/api/applications/tour", json.dumps(spec).encode(), "application/json")
    return version


def read_idx(path: Path) -> np.ndarray:
    """An array in the format of MNIST: its kind and number of dimensions, their lengths, its bytes."""
    content = path.read_bytes()
    n_dimensions = content[3]
    lengths = np.frombuffer(content, ">u4", n_dimensions, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dimensions).reshape(lengths)


def ask(server: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class of each image, and how sure the model is of it. Pixels are 0 to 1."""
    pixels = triton.InferInput("imgs", images.shape, "FP32")
    pixels.set_data_from_numpy(images.astype(np.float32) / 255)
    answer = triton.InferenceServerClient(server).infer("tour", [pixels])
    return answer.as_numpy("class_ids")[:, 0], answer.as_numpy("probabilities").max(axis=1)


def draw(images: np.ndarray, labels: np.ndarray, classes: np.ndarray, sureness: np.ndarray, path: Path) -> None:
    figure, places = plt.subplots(2, N_DRAWN // 2, figsize=(12, 3.2))
    for place, image, label, found, sure in zip(places.flat, images, labels, classes, sureness):
        place.imshow(image, cmap="gray_r")
        place.set_title(f"{found} ({sure:.0%})", color="black" if found == label else "red", fontsize=9)
        place.axis("off")
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="127.0.0.1:8080")
    parser.add_argument("--programs", type=Path, default=Path("target/release"))
    parser.add_argument("--images", type=Path, default=Path("data/mnist"))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--output", type=Path, default=Path("tour.png"))
    given = parser.parse_args()

    version = deploy(given.server, train(given.programs, given.images, given.steps))
    images = read_idx(given.images / "t10k-images-idx3-ubyte")[:N_IMAGES]
    labels = read_idx(given.images / "t10k-labels-idx1-ubyte")[:N_IMAGES]
    classes, sureness = ask(given.server, images)
    draw(images[:N_DRAWN], labels, classes, sureness, given.output)
    print(f"{version} is right about {np.mean(classes == labels):.1%} of {N_IMAGES} images, see {given.output}")


main()
