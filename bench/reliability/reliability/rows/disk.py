"""The disk fills up under registry and log."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from reliability import model
from reliability.bench import Bench
from reliability.row import Row
from reliability.server import Server

TEST = "disk full while uploading and logging (tmpfs of 8 MB)"
TARGET = "serving goes on; clear error; registry whole"


def disk(bench: Bench) -> list[Row]:
    if os.geteuid() != 0:
        return [Row(TEST, TARGET, "not tried: only root may mount a tmpfs", None)]
    folder = bench.folder / "disk"
    folder.mkdir()
    with _small_disk(folder) as mounted:
        if not mounted:
            return [Row(TEST, TARGET, "not tried: a tmpfs cannot be mounted here", None)]
        with bench.server("disk", {}, log=folder / "server.log") as server:
            return [_row(bench, server, folder)]


def _row(bench: Bench, server: Server, folder: Path) -> Row:
    # Room for later, given back at the end.
    (folder / "filler").write_bytes(bytes(2_000_000))
    # Each another one: the registry keeps the same bytes once.
    uploads = [_upload(server, model.artifact(1, seed)) for seed in range(1, 13)]
    refusals = [(status, message) for status, message in uploads if status != 201]
    # What uploads leave, the log takes.
    with (folder / "filler").open("ab", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
    for _ in range(100):
        _upload(server, b"no artifact")
    tally = bench.measure(server.address, 2, rate=500)
    full, message = _upload(server, model.artifact(2, 13))
    (folder / "filler").unlink()
    n_broken = _broken(server)
    again = _upload(server, model.artifact(2, 13))[0]
    statuses = sorted({status for status, _ in refusals} | {full})
    is_clear = all(status in (503, 507) for status in statuses) and bool(refusals)
    return Row(
        TEST,
        TARGET,
        f"{len(uploads) - len(refusals)} uploads, then {', '.join(map(str, statuses))} ({message}); predictions: "
        f"{tally.failed_text()} of {tally.n(200)}; {n_broken} broken versions; an upload with room again: {again}",
        is_clear and tally.n_failed == 0 and n_broken == 0 and again == 201,
    )


def _upload(server: Server, artifact: bytes) -> tuple[int, str]:
    try:
        status, _, answer = server.ask("POST", "/api/models/mnist/versions", artifact)
    except (OSError, HTTPException) as error:
        return 0, f"no answer, {type(error).__name__}"
    return status, json.loads(answer).get("information", {}).get("message", "")


def _broken(server: Server) -> int:
    """Listed versions whose artifact is not there as it was uploaded."""
    _, _, listed = server.ask("GET", "/api/models/mnist/versions")
    n_broken = 0
    for version in json.loads(listed):
        number = version["model"].split(":")[1]
        status, _, artifact = server.ask("GET", f"/api/models/mnist/versions/{number}/artifact")
        is_whole = status == 200 and hashlib.sha256(artifact).hexdigest() in json.dumps(version)
        n_broken += not is_whole
    return n_broken


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "slipway-bench", str(folder)]
    mounted = subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)
