"""The maker's bench of the journeys: real keys, real artefacts, a real feed over loopback HTTP."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.journeys import measured
from tests.tars import extract

REPOSITORY = Path(__file__).parents[2]
PYTHON = sys._base_executable  # type: ignore[attr-defined] # no virtual environment is active
PLACEHOLDER = "http://127.0.0.1:9/"  # the feed of every artefact, until a test names its own


class Workshop:
    """Builds each artefact once. `keys` is a folder of plain keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        self._built: dict[str, Path] = {}
        self.maker("keys", "--dir", str(self.keys), "--plain")

    def maker(self, *arguments: str) -> str:
        """Run the maker's tool; raises with what it said."""
        argv = [sys.executable, "-m", "waiaas.release", *arguments]
        done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def build(self, version: str, overlay: dict[str, str] | None = None, name: str = "") -> Path:
        """The artefact of this tree as `version`; `overlay` adds or replaces files by path."""
        key = name or version
        if key not in self._built:
            self._built[key] = self._build(version, overlay or measured.overlay(REPOSITORY), key)
        return self._built[key]

    def _build(self, version: str, overlay: dict[str, str], key: str) -> Path:
        dist = self.folder / f"dist-{key}"
        arguments = ["build", "--root", str(self.keys / "root.json"), "--feed-url", PLACEHOLDER]
        arguments += ["-o", str(dist), "--version", version]
        if overlay:
            folder = self.folder / f"overlay-{key}"
            for path, text in overlay.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text)
            arguments += ["--overlay", str(folder)]
        self.maker(*arguments)
        return dist / f"waiaas-{version}.pyz"

    @cached_property
    def current(self) -> Path:
        """The version that the tests install first."""
        return self.build("1.8.0")

    @cached_property
    def patch(self) -> Path:
        """The next version without a migration."""
        return self.build("1.8.1")

    @cached_property
    def minor(self) -> Path:
        """The next version, with migration 17."""
        return self.build("1.9.0", migration_17())

    def feed(self, folder: Path, *artefacts: Path, **options: str) -> "Feed":
        """A published feed in `folder`, served from memory of its disk until `close`."""
        feed = Feed(self, folder)
        if artefacts:
            feed.publish(*artefacts, **options)
        return feed


def migration_17() -> dict[str, str]:
    """An overlay that adds migration 17: a new column with a constant default."""
    migrations = REPOSITORY / "waiaas/store/migrations/__init__.py"
    compat = REPOSITORY / "waiaas/core/compat.py"
    return {
        "waiaas/store/migrations/m17.py": M17,
        "waiaas/store/migrations/__init__.py": _add_17(migrations.read_text()),
        "waiaas/core/compat.py": _schema_17(compat.read_text()),
    }


M17 = '''"""17: a label for wallets (test overlay)."""

from waiaas.host.sqlite import Connection

VERSION = 17
DESCRIPTION = "Add label to wallets"


def apply(connection: Connection, now: int) -> None:
    connection.execute("ALTER TABLE wallets ADD COLUMN label TEXT DEFAULT ''")
'''


def _add_17(text: str) -> str:
    changed = text.replace("m16", "m16, m17")
    assert changed != text
    return changed


def _schema_17(text: str) -> str:
    changed = text.replace("LATEST_SCHEMA_VERSION = 16", "LATEST_SCHEMA_VERSION = 17")
    assert changed != text
    return changed


class Feed:
    """A feed on disk behind a real HTTP server that notes each request and can misbehave."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.workshop = workshop
        self.folder = folder
        self.requests: list[str] = []
        self.agents: set[str] = set()
        self.mode = "ok"  # ok | 503 | hang | lie | cut
        self.where = ""  # misbehaves only at addresses with this in them
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def publish(self, *artefacts: Path, keys: Path | None = None, **options: str) -> None:
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        chosen = str(keys or self.workshop.keys)
        files = [str(artefact) for artefact in artefacts]
        self.workshop.maker("publish", "--feed", str(self.folder), "--keys", chosen, *words, *files)

    def downloads(self) -> list[str]:
        return [path for path in self.requests if "/targets/" in path]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[SimpleHTTPRequestHandler]:
        feed = self

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments, directory=str(feed.folder))

            def do_GET(self) -> None:
                feed.requests.append(self.path)
                feed.agents.add(self.headers.get("User-Agent", ""))
                with suppress(ConnectionError):  # a client that is killed
                    self._answer()

            def _answer(self) -> None:
                if feed.where not in self.path:
                    super().do_GET()
                elif feed.mode == "hang":
                    feed.released.wait(30)
                elif feed.mode == "503":
                    self.send_error(503)
                elif feed.mode == "lie":
                    body = b"<html>please log in</html>"
                    self.send_response(200)
                    self.send_header("Content-Type", "text/html")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                elif feed.mode == "cut":
                    self.send_response(200)
                    self.send_header("Content-Length", "1000000")
                    self.end_headers()
                    self.wfile.write(b"PK" * 5000)
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    super().do_GET()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


class Done:
    """A finished command."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> Any:
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Site:
    """One installation: a program file, a data directory, an environment without a HOME."""

    def __init__(self, folder: Path, artefact: Path, feed_url: str = PLACEHOLDER) -> None:
        self.folder = folder
        self.python = PYTHON
        self.program = folder / "bin" / "waiaas"
        self.data = folder / "data"
        self.program.parent.mkdir(parents=True)
        shutil.copyfile(artefact, self.program)
        self.program.chmod(0o755)
        self.environ = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "WAIAAS_DAEMON_PORT": "0",
            "WAIAAS_UPGRADE_FEED_URL": feed_url,
            "WAIAAS_UPGRADE_MODE": "self",  # so that the journeys pass in a container, too
            "WAIAAS_UPGRADE_PROBATION": "1",
            "WAIAAS_UPGRADE_HEALTH_TIMEOUT": "15",
        }

    def run(self, *arguments: str, program: Path | None = None, **environ: str) -> Done:
        argv = [self.python, "-I", str(program or self.program), "--data-dir", str(self.data), *arguments]
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=110,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *arguments: str, **environ: str) -> Done:
        done = self.run(*arguments, **environ)
        assert done.code == 0, done
        return done

    def json(self, *arguments: str, **environ: str) -> Any:
        return self.ok("--json", *arguments, **environ).json()

    @property
    def database(self) -> Path:
        return self.data / "data" / "waiaas.db"

    @property
    def daemon(self) -> dict[str, Any]:
        return json.loads((self.data / "daemon.json").read_text())

    @property
    def token(self) -> str:
        return (self.data / "admin.token").read_text().strip()

    def log(self) -> str:
        return (self.data / "logs" / "waiaas.log").read_text()

    def close(self) -> None:
        self.run("stop")


def unpack(archive: Path, data: Path) -> None:
    """A data directory that a real old version wrote becomes `data`."""
    with tarfile.open(archive) as tar:
        extract(tar, data.parent / "unpacked")
    [inside] = (data.parent / "unpacked").iterdir()
    inside.rename(data)


@contextmanager
def site(folder: Path, artefact: Path, feed_url: str = PLACEHOLDER) -> Iterator[Site]:
    made = Site(folder, artefact, feed_url)
    try:
        yield made
    finally:
        made.close()
