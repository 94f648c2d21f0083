"""A server under test: started on a free port, asked, watched from outside, stopped."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from harness import programs

PREDICT = "/gateway/applications/mnist-app/predict"
START_MAX_S = 20.0


@cache
def offered_flags() -> frozenset[str]:
    """The flags that this server knows."""
    text = subprocess.run([programs.program("server"), "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return frozenset(re.findall(r"--[a-z0-9-]+", text))


class Server:
    """A running server; leaving the `with` block kills it."""

    def __init__(
        self,
        folder: Path,
        flags: Mapping[str, str | int] = {},
        *,
        registry: Path | None = None,
        port: int = 0,
        cores: set[int] | None = None,
        environment: Mapping[str, str] = {},
        log: Path | None = None,
    ) -> None:
        """Flags that the server does not know are left out: `lacks` names them, and the test shows what that costs."""
        self.lacks = sorted(set(flags) - offered_flags())
        known = {flag: value for flag, value in flags.items() if flag in offered_flags()}
        folder.mkdir(parents=True, exist_ok=True)
        self.log = log or folder / "server.log"
        command = [
            programs.program("server"),
            f"--listen=127.0.0.1:{port}",
            f"--registry={registry or folder / 'registry'}",
        ]
        command += [f"{flag}={value}" for flag, value in known.items()]
        with self.log.open("ab") as output:
            start = output.tell()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
                preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
            )
        try:
            self.port = self._port(start)
            wait_for("the server to be ready", lambda: self.ask("GET", "/readyz")[0] == 200)
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer, over a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def predict(self, body: bytes) -> tuple[int, bytes]:
        status, _, answer = self.ask("POST", PREDICT, body, content_type="application/json")
        return status, answer

    def publish(self, artifact: bytes) -> str:
        """The new version, such as `mnist:1`."""
        status, _, answer = self.ask("POST", "/api/models/mnist/versions", artifact)
        if status != 201:
            raise RuntimeError(f"publishing gave {status}: {answer!r}")
        return str(json.loads(answer)["model"])

    def deploy(self, version: str) -> None:
        variants = [{"model": version, "weight": 100}]
        spec = json.dumps({"name": "mnist-app", "stages": [{"variants": variants}]}).encode()
        status, _, answer = self.ask("PUT", "/api/applications/mnist-app", spec, content_type="application/json")
        if status not in (200, 201):
            raise RuntimeError(f"deploying {version} gave {status}: {answer!r}")

    def memory_mb(self) -> float:
        return self._status("VmRSS") * 1024 / 1e6

    def memory_peak_mb(self) -> float:
        """The most since `forget_peak`."""
        return self._status("VmHWM") * 1024 / 1e6

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def threads(self) -> int:
        return self._status("Threads")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def terminate(self) -> tuple[int, float]:
        """Exit code after SIGTERM, and the seconds that it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        return code, time.monotonic() - started

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _status(self, key: str) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1])
        raise RuntimeError(f"the server has ended, and left in its log:\n{self._said(0)}")

    def _port(self, start: int) -> int:
        def found() -> int | None:
            match = re.search(r"listening on http://127\.0\.0\.1:(\d+)", self._said(start))
            if self.process.poll() is not None:
                raise RuntimeError(f"the server does not start:\n{self._said(start)}")
            return int(match.group(1)) if match else None

        return wait_for("the server to listen", found)

    def _said(self, start: int) -> str:
        return self.log.read_bytes()[start:].decode(errors="replace")


Answer = TypeVar("Answer")


def wait_for(what: str, ask: Callable[[], Answer | None], seconds: float = START_MAX_S) -> Answer:
    """The first answer of `ask` that is not nothing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if answer := ask():
                return answer
        except OSError:
            pass  # nobody listens yet
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.01)
