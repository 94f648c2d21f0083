"""A plain TCP balancer: `python3 -m reliability.balancer PORT…` passes each connection on to one of these ports.

It prints its own port first. As every balancer, it asks each server whether it is ready, five times a second, and gives
a new connection to the next one that is; what goes through a connection, it does not look at.
"""

from __future__ import annotations

import asyncio
import sys

CHECK_EVERY_S = 0.2
CHECK_MAX_S = 1.0
CHUNK_BYTES = 64 << 10


class Balancer:
    def __init__(self, ports: list[int]) -> None:
        self.ready = {port: False for port in ports}
        self.n_connections = 0

    async def watch(self, port: int) -> None:
        while True:
            try:
                self.ready[port] = await asyncio.wait_for(_is_ready(port), CHECK_MAX_S)
            except (OSError, TimeoutError):
                self.ready[port] = False
            await asyncio.sleep(CHECK_EVERY_S)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await self._connect()
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, server_writer), _pass_on(server_reader, writer))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the next server that is ready, or else the next one that can be reached."""
        self.n_connections += 1
        ports = list(self.ready)
        turn = self.n_connections % len(ports)
        ports = ports[turn:] + ports[:turn]
        ports.sort(key=lambda port: not self.ready[port])
        error: OSError = ConnectionRefusedError()
        for port in ports:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError as refused:
                self.ready[port] = False
                error = refused
        raise error


async def _is_ready(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n")
        return b" 200 " in await reader.readline()
    finally:
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the end of what comes; then the other side is told that it is the end."""
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main() -> None:
    balancer = Balancer([int(port) for port in sys.argv[1:]])
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(*(balancer.watch(port) for port in balancer.ready), server.serve_forever())


if __name__ == "__main__":
    asyncio.run(main())
