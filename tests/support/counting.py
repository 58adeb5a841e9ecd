"""A server that counts what arrives, whatever happens to its clients."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections import Counter
from collections.abc import Iterator

import attrs
import orjson

__all__ = ["Arrivals", "counting_server"]


@attrs.define
class Arrivals:
    """The events that a server received.

    Attributes:
        ids: how many times each id arrived.
        total: how many events arrived.
    """

    ids: Counter[str] = attrs.field(factory=Counter)
    total: int = 0

    @property
    def again(self) -> int:
        """How many events arrived that had arrived before."""
        return self.total - len(self.ids)


@contextlib.contextmanager
def counting_server(delay: float = 0.0) -> Iterator[tuple[str, Arrivals]]:
    """Serve 200 to every request, after a delay in seconds, and count the events first."""
    arrivals, lock = Arrivals(), threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            body = self.rfile.read(size)
            if len(body) == size:
                ids = [each["id"] for each in orjson.loads(body)["events"]]
                with lock:
                    arrivals.ids.update(ids)
                    arrivals.total += len(ids)
                time.sleep(delay)
                with contextlib.suppress(OSError):  # the client is gone
                    self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", arrivals
        finally:
            server.shutdown()
            thread.join()
