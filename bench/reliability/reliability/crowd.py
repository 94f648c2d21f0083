"""Many connections at once that do nothing."""

from __future__ import annotations

import resource
import selectors
import socket
import time


def allow_descriptors() -> None:
    """As many descriptors as the system lets this process have; the programs that it starts inherit that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Crowd:
    """Connections that are opened as fast as they can be, and stay."""

    def __init__(self, address: tuple[str, int], count: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.open: dict[int, socket.socket] = {}
        for _ in range(count):
            connection = socket.socket()
            connection.settimeout(5)
            try:
                connection.connect(address)
            except OSError:
                connection.close()
                continue
            connection.setblocking(False)
            self.open[connection.fileno()] = connection
            self.selector.register(connection, selectors.EVENT_READ)

    def watch(self, seconds: float) -> None:
        """Looks for the ends of connections."""
        end = time.monotonic() + seconds
        while self.open and (left := end - time.monotonic()) > 0:
            for key, _ in self.selector.select(min(left, 0.1)):
                assert isinstance(key.fileobj, socket.socket)
                self._look_at(key.fileobj)

    def leave(self) -> None:
        for connection in list(self.open.values()):
            self._close(connection)

    def _look_at(self, connection: socket.socket) -> None:
        try:
            # An answer such as 408 is no end; the end comes behind it.
            if not connection.recv(4096):
                self._close(connection)
        except BlockingIOError:
            pass
        except OSError:
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        self.selector.unregister(connection)
        del self.open[connection.fileno()]
        connection.close()
