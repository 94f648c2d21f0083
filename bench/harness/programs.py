"""Our own programs, built, and what they make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness import paths


def build(*arguments: str) -> None:
    """Builds what `cargo build --release` with these arguments does."""
    subprocess.run([paths.CARGO, "build", "--release", *arguments], cwd=paths.ROOT, check=True)


def program(name: str) -> str:
    """One that was built."""
    return str(paths.target() / "release" / name)


def mnist(source: str | None) -> Path:
    """The folder with the images of MNIST; they are downloaded where they are missing."""
    data_dir = paths.workshop("training") / "mnist"
    command = [program("mnist-data"), "download", f"--data-dir={data_dir}"]
    subprocess.run(command + ([f"--source={source}"] if source else []), check=True, stdout=sys.stderr)
    return data_dir
