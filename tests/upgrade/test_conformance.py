"""The public TUF conformance suite over our client, and our own small part of it (FEED-9)."""

import functools
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.simulator import Simulator, release

CLIENT = Path(__file__).parents[1] / "conformance_client.py"
SUITE = os.environ.get("TUF_CONFORMANCE_DIR", "")


@pytest.mark.skipif(
    not SUITE, reason="TUF_CONFORMANCE_DIR names no copy of theupdateframework/tuf-conformance"
)
@pytest.mark.timeout(900)
def test_the_public_suite_passes__FEED_9(tmp_path: Path) -> None:
    entry = tmp_path / "client"  # the suite splits its entry point at blanks: it must be one path
    entry.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{CLIENT}" "$@"\n')
    entry.chmod(0o755)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tuf_conformance"]
    done = subprocess.run(
        [*command, "--entrypoint", str(entry)], cwd=SUITE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


@dataclass
class Server:
    """A real web server over a folder; `paths` is what it was asked for."""

    folder: Path
    paths: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    served = Server(tmp_path / "feed")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            served.paths.append(self.path)

    handler = functools.partial(Handler, directory=str(served.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        served.url = f"http://127.0.0.1:{web.server_port}"
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        web.shutdown()
        thread.join()


@pytest.fixture
def feed() -> Simulator:
    """Signed now: the client under test is another process and knows the machine's time alone."""
    return Simulator(FakeClock(datetime.now(UTC).timestamp()))


class Client:
    """`conformance_client.py`, called as the suite calls it."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.metadata, self.artifacts = folder / "client", folder / "artifacts"
        self._server = server
        self._root = folder / "initial_root.json"

    def init(self, root: bytes) -> int:
        self._root.write_bytes(root)
        return self._run("init", str(self._root))

    def refresh(self) -> int:
        return self._run("--metadata-url", f"{self._server.url}/metadata", "refresh")

    def download(self, *names: str) -> int:
        where = ["--target-dir", str(self.artifacts), "--target-base-url", f"{self._server.url}/targets"]
        wanted = [word for name in names for word in ("--target-name", name)]
        return self._run("--metadata-url", f"{self._server.url}/metadata", *wanted, *where, "download")

    def _run(self, *words: str) -> int:
        command = [sys.executable, str(CLIENT), "--metadata-dir", str(self.metadata), *words]
        return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.fixture
def client(tmp_path: Path, server: Server) -> Client:
    return Client(tmp_path, server)


def test_init_uses_no_network(client: Client, feed: Simulator, server: Server) -> None:
    assert client.init(feed.trusted) == 0
    assert server.paths == []
    assert (client.metadata / "root.json").read_bytes() == feed.trusted


def test_init_refuses_what_is_no_root(client: Client) -> None:
    assert client.init(b"{}") == 1


def test_refresh_asks_in_the_order_of_the_specification(
    client: Client, feed: Simulator, server: Server
) -> None:
    feed.write(server.folder)
    assert client.init(feed.trusted) == 0
    assert client.refresh() == 0
    assert server.paths == [
        *["/metadata/2.root.json"] * 2,  # this server notes an error twice
        "/metadata/timestamp.json",
        "/metadata/1.snapshot.json",
        "/metadata/1.targets.json",
    ]
    names = {path.name for path in client.metadata.glob("*.json")}
    assert names == {"root.json", "timestamp.json", "snapshot.json", "targets.json"}


def test_download_fetches_verified_targets_once(client: Client, feed: Simulator, server: Server) -> None:
    found = feed.publish(release("1.9.0"), b"payload")
    feed.write(server.folder)
    client.init(feed.trusted)
    assert client.download(found.target) == 0
    assert [path.read_bytes() for path in client.artifacts.iterdir()] == [b"payload"]
    server.paths.clear()
    assert client.download(found.target) == 0
    assert not any("targets/" in path for path in server.paths)


def test_download_stops_at_a_tampered_target(client: Client, feed: Simulator, server: Server) -> None:
    found = feed.publish(release("1.9.0"), b"payload")
    feed.served[f"targets/{found.sha256}.{found.target}"] = b"tampered"
    feed.write(server.folder)
    client.init(feed.trusted)
    assert client.download(found.target) == 1
    assert client.download("absent.pyz") == 1


def test_refresh_fails_on_a_feed_of_other_keys(client: Client, feed: Simulator, server: Server) -> None:
    Simulator(feed.clock).write(server.folder)
    client.init(feed.trusted)
    assert client.refresh() == 1
