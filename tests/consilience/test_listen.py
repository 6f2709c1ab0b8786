"""How the web process listens."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from consilience.up import listen


def test_an_accepted_connection_sends_small_packets_at_once() -> None:
    """With Nagle on, headers and body of a page are sent 40 ms apart on a connection
    that is kept.
    """

    async def option() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(
                writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            )
            writer.close()

        with listen("127.0.0.1", 0) as listener:
            server = await asyncio.start_server(accepted, sock=listener)
            with socket.create_connection(listener.getsockname()):
                value = await asyncio.wait_for(found, 5)
            server.close()
        return value

    with ThreadPoolExecutor(1) as elsewhere:  # a browser's event loop may be running in this thread
        assert elsewhere.submit(lambda: asyncio.run(option())).result(20)
