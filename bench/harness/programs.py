"""Our own programs, built, and what they make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness import paths


_optimized = True


def build(*examples: str, optimized: bool = True) -> None:
    """Builds the programs and these examples of the server. Where they are not `optimized` they are those of the tests,
    which say nothing about speed and are there as soon as the tests are."""
    global _optimized
    _optimized = optimized
    if optimized:
        # Examples are built apart: libraries for tests would give the programs features that are not delivered.
        _cargo_build("--release")
        if examples:
            _cargo_build("--release", "--package=server", *(f"--example={example}" for example in examples))
    else:
        _cargo_build("--workspace", "--bins", "--examples")


def program(name: str) -> str:
    """One that was built last."""
    return str(paths.target() / ("release" if _optimized else "debug") / name)


def example(name: str) -> str:
    """One of the examples that were built last."""
    return program(f"examples/{name}")


def mnist(source: str | None) -> Path:
    """The folder with the images of MNIST; they are downloaded where they are missing."""
    data_dir = paths.workshop("training") / "mnist"
    command = [program("mnist-data"), "download", f"--data-dir={data_dir}"]
    subprocess.run(command + ([f"--source={source}"] if source else []), check=True, stdout=sys.stderr)
    return data_dir


def _cargo_build(*arguments: str) -> None:
    subprocess.run([paths.CARGO, "build", *arguments], cwd=paths.ROOT, check=True)
