"""The model that everybody serves: the tutorial's, trained once, in the formats of all."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness import programs


@dataclass(frozen=True)
class Model:
    artifact: Path
    onnx: Path


def make(data_dir: Path, folder: Path) -> Model:
    """Trains in `folder`, where that has not been done."""
    model = Model(folder / "mnist.safetensors", folder / "mnist.onnx")
    if not model.onnx.is_file():
        trainer = programs.program("trainer")
        training = [
            "--recipe=tutorial",
            "--seed=1",
            "--no-download",
            f"--data-dir={data_dir}",
            f"--models-dir={folder}",
        ]
        subprocess.run([trainer, *training], check=True, capture_output=True)
        export = ["export", str(model.artifact), "--format=onnx", f"--output={model.onnx}"]
        subprocess.run([trainer, *export], check=True, capture_output=True)
    return model
