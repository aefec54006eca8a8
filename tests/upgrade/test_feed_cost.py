"""What a look at the feed costs on the wire (FEED-6)."""

import socket
from datetime import UTC, datetime
from pathlib import Path

from tests.fakes import FakeClock
from tests.simulator import Simulator, release
from tests.wire import Server
from waiaas.host.clock import Clock
from waiaas.host.http import Network

LIMIT = 4096  # bytes


def test_a_steady_state_check_is_two_requests_and_four_kilobytes__FEED_6(tmp_path: Path) -> None:
    feed = Simulator(FakeClock(datetime.now(UTC).timestamp()))
    for minor in range(20):
        feed.publish(release(f"1.{minor}.0"))

    def talk(connection: socket.socket, head: bytes) -> None:
        path = head.split(b" ")[1].decode().lstrip("/")
        body = feed.served.get(path)
        status = "404 Not Found" if body is None else "200 OK"
        length = len(body or b"")
        answer = f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode() + (body or b"")
        server.sent += len(answer)
        connection.sendall(answer)

    server = Server(talk)
    client = feed.client(tmp_path, url=server.url, network=Network({}, Clock()), clock=Clock())
    assert len(client.refresh(5.0).releases) == 20
    feed.publish_timestamp()
    server.heads.clear()
    server.sent = 0
    assert len(client.refresh(5.0).releases) == 20
    assert len(server.heads) == 2
    assert server.received + server.sent <= LIMIT
    server.close()
