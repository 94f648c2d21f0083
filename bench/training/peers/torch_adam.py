"""The job in PyTorch with its fused Adam, variant `eager` or `compiled`."""

from __future__ import annotations

import time
from itertools import pairwise

import torch
from torch import Tensor, nn

import mnist


def network(n_pixels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    widths = [n_pixels, *mnist.HIDDEN_UNITS, mnist.N_CLASSES]
    for n_inputs, n_outputs in pairwise(widths):
        linear = nn.Linear(n_inputs, n_outputs)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def main() -> None:
    job = mnist.parse_job()
    torch.set_num_threads(mnist.n_cores())
    torch.manual_seed(job.seed)
    train, test = mnist.load(job.data_dir, "train"), mnist.load(job.data_dir, "t10k")
    pixels, labels = torch.from_numpy(train.pixels), torch.from_numpy(train.labels).long()
    batches = torch.from_numpy(mnist.shuffled_rows(len(train.labels), job)).unbind()

    model = network(pixels.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=job.learning_rate, fused=True)

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(model(images), labels)

    started = time.perf_counter()
    if job.variant == "compiled":
        # The forward pass and its gradient are what PyTorch compiles; the fused Adam is one call as it is.
        loss = torch.compile(loss)
    # The first pass compiles or, in eager mode, chooses kernels; it changes no weight, and no step takes its gradient.
    loss(pixels[batches[0]], labels[batches[0]]).backward()
    preparation_s = time.perf_counter() - started

    started = time.perf_counter()
    for batch in batches:
        optimizer.zero_grad(set_to_none=True)
        loss(pixels[batch], labels[batch]).backward()
        optimizer.step()
    steps_s = time.perf_counter() - started

    with torch.no_grad():
        predicted = model(torch.from_numpy(test.pixels)).argmax(dim=1).numpy()
    accuracy = float((predicted == test.labels).mean())
    mnist.report(
        steps_s=steps_s, preparation_s=preparation_s, accuracy=accuracy, version=f"PyTorch {torch.__version__}"
    )


if __name__ == "__main__":
    main()
