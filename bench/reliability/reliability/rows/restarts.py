"""One of three replicas is restarted again and again, behind a balancer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reliability.bench import LOAD_CORES, Bench
from reliability.row import Row
from reliability.server import PREDICT, Server, wait_for

RATE = 500.0
EXIT_MAX_S = 10.0
# By default a server goes on for 5 s, and waits for stalled clients until the 9th; a quick run has no time for that.
QUICK_FLAGS = {"--drain-delay-ms": 500, "--drain-max-ms": 2000}


def restarts(bench: Bench) -> list[Row]:
    n_restarts = bench.choose(50, 3)
    with ExitStack() as stack:
        replicas = [stack.enter_context(_replica(bench, index, 0)) for index in range(3)]
        replicas[0].publish(bench.artifacts[0])
        replicas[0].deploy("mnist:1")
        port = stack.enter_context(_balancer([replica.port for replica in replicas]))
        # The others see what the first one deployed when they look at the registry next.
        for replica in replicas:
            _wait_until_deployed(bench, replica)
        load = bench.load(("127.0.0.1", port), bench.choose(3600, 600), rate=RATE, connections=24)
        exits = []
        for turn in range(n_restarts):
            index = turn % len(replicas)
            exits.append(_end(replicas[index]))
            replicas[index] = stack.enter_context(_replica(bench, index, replicas[index].port))
        load.stop()
        tally = load.tally()
    slowest = max(seconds for _, seconds in exits)
    codes = sorted({code for code, _ in exits})
    kept = tally.n_failed == 0 and slowest <= EXIT_MAX_S and codes == [0]
    return [
        Row(
            f"{n_restarts} SIGTERM restarts of one of three replicas behind a TCP balancer, {RATE:.0f} req/s",
            f"0 failed; exit ≤ {EXIT_MAX_S:.0f} s, beside an idle and a stalled client",
            f"{tally.failed_text()} of {tally.n(200)}, {tally.retries} sent twice; slowest exit {slowest:.1f} s, "
            f"codes {', '.join(map(str, codes))}",
            kept,
        )
    ]


def _replica(bench: Bench, index: int, port: int) -> Server:
    flags = QUICK_FLAGS if bench.quick else {}
    return Server(bench.folder / f"replica-{index}", flags, registry=bench.folder / "replicas", port=port)


def _wait_until_deployed(bench: Bench, replica: Server) -> None:
    body = bench.tutorial.read_bytes()
    wait_for("the application at a replica", lambda: replica.predict(body)[0] == 200)


def _end(replica: Server) -> tuple[int, float]:
    """Exit code and seconds, with a client that says nothing any more and one that stops in the middle of a request."""
    idle = socket.create_connection(replica.address)
    idle.sendall(b"GET /livez HTTP/1.1\r\nHost: idle\r\n\r\n")
    idle.recv(4096)
    stalled = socket.create_connection(replica.address)
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: stalled\r\nContent-Type: application/json\r\nContent-Length: 6000\r\n\r\n"
    stalled.sendall(head.encode() + b'{"imgs": [[')
    try:
        return replica.terminate()
    finally:
        idle.close()
        stalled.close()


@contextmanager
def _balancer(ports: list[int]) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "reliability.balancer", *map(str, ports)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
        preexec_fn=lambda: os.sched_setaffinity(0, LOAD_CORES),
    )
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
