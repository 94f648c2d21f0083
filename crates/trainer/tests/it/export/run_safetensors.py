"""Loads a safetensors file and computes its layers with numpy: FILE IMAGES N_PIXELS, where IMAGES holds float32 numbers."""

import json
import sys

import numpy
from safetensors import safe_open

file, images, n_pixels = sys.argv[1:]
values = numpy.fromfile(images, "<f4").reshape(-1, int(n_pixels))
with safe_open(file, "numpy") as tensors:
    metadata = tensors.metadata()
    n_layers = len(tensors.keys()) // 2
    for layer in range(n_layers):
        # As `torch.nn.Linear` does.
        values = values @ tensors.get_tensor(f"layers.{layer}.weight").T + tensors.get_tensor(f"layers.{layer}.bias")
        if layer + 1 < n_layers:
            values = numpy.maximum(values, 0)
print(json.dumps({"logits": values.tolist(), "format": metadata["format"], "origin": metadata["slipway.export"]}))
