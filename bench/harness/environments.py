"""Python environments with pinned packages, made once for each list of requirements."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

# The last Python that TensorFlow with Estimator runs on, so all peers run on it.
PYTHON = "3.11"


class CannotInstall(Exception):
    """Why a peer cannot take part."""


def python_with(pinned: Path, workshop: Path) -> Path:
    """The interpreter of the environment with the packages of the file `pinned`."""
    folder = workshop / "python" / pinned.stem
    installed = folder / "installed.txt"  # written last: an environment without it is half-made
    python = folder / "bin/python"
    if not installed.is_file() or installed.read_text() != pinned.read_text():
        print(f"installing {pinned.stem} …", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run([_interpreter(), "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", str(pinned)])
        installed.write_text(pinned.read_text())
    return python


def _interpreter() -> str:
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON:
        return sys.executable
    found = shutil.which(f"python{PYTHON}")
    if found is None:
        raise CannotInstall(f"needs Python {PYTHON}, which is not here")
    return found


def _run(command: list[str]) -> None:
    outcome = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if outcome.returncode != 0:
        last = outcome.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise CannotInstall(f"`{' '.join(command[1:4])}` failed: {last[0]}")
