"""A sender in a process whose threads and sockets gevent replaced."""

from __future__ import annotations

import pytest

from tests.support.processes import run_python

CODE = """
from gevent import monkey
monkey.patch_all()

import gevent
import tenacity
from currents_export import Hooks, Sender
from tests.support.currents import custom
from tests.support.events import event
from tests.support.servers import keep_alive_server, read_request

requests, delivered = [], []

def serve(connection):
    while read_request(connection):
        requests.append(connection)
        status = 503 if len(requests) % 5 == 2 else 200
        connection.sendall(b"HTTP/1.1 %d X\\r\\ncontent-length: 0\\r\\n\\r\\n" % status)

with keep_alive_server(serve) as url:
    hooks = Hooks(on_delivered=lambda _, ids: delivered.extend(ids))
    sender = Sender(
        custom(url), batch_size=10, max_pending_events=100, hooks=hooks,
        wait=tenacity.wait_fixed(0.01),
    )
    def work(number):
        for first in range(0, 200, 10):
            sender.send([event(1_000 * number + first + each) for each in range(10)])
    gevent.joinall([gevent.spawn(work, number) for number in range(4)], raise_error=True)
    flushed = sender.flush(timeout=30)
    closed = sender.close()
assert flushed.delivered == closed.delivered == len(delivered) == len(set(delivered)) == 800
assert closed.retries > 0
print("delivered")
"""


def test_greenlets_send() -> None:
    pytest.importorskip("gevent")
    run = run_python(CODE)
    assert (run.returncode, run.stdout, run.stderr) == (0, "delivered\n", "")
