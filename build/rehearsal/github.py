"""What GitHub gives, here: a repository, releases with assets, artefacts of a run, Pages.

`origin` is a real bare repository, which source.py makes. The real `gh` asks for the assets, over the Unix
socket that it can be configured for. Pages serves the branch `feed` of that repository, and nothing else.
"""

import hashlib
import json
import re
import shutil
import socketserver
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

REPOSITORY = "example/origin"
API = "https://api.github.com"


class GitHub:
    """Everything lies in `folder`, so that a copy of it is another world."""

    def __init__(self, folder: Path, socket: Path) -> None:
        self.folder = folder
        self.origin = folder / f"{REPOSITORY}.git"
        self.assets = folder / "assets"
        self.socket = socket
        for place in (self.origin.parent, self.assets):
            place.mkdir(parents=True)
        self._pages = ThreadingHTTPServer(("127.0.0.1", 0), _Pages.of(self))
        self._api = _OverUnix(str(socket), _Api.of(self))
        for server in (self._pages, self._api):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def feed_url(self) -> str:
        return f"http://127.0.0.1:{self._pages.server_port}/"

    def release(self, tag: str) -> None:
        """Somebody makes a GitHub Release of a tag (gate 1 does)."""
        (self.assets / tag).mkdir(exist_ok=True)

    def attached(self, tag: str) -> dict[str, str]:
        """The assets of a release: name, sha256."""
        return {
            p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((self.assets / tag).iterdir())
        }

    def head(self, branch: str) -> str:
        """The commit of a branch."""
        argv = ["git", "-C", str(self.origin), "rev-parse", f"refs/heads/{branch}"]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def newest(self, role: str) -> bytes:
        """The newest `N.role` of the feed."""
        names = [name for name in self._listed("metadata") if name.endswith(f".{role}")]
        return self.feed_file("metadata/" + max(names, key=lambda name: int(name.partition(".")[0]))) or b""

    def payloads(self) -> list[str]:
        """The artefacts in the feed, by their digests."""
        return self._listed("targets")

    def _listed(self, folder: str) -> list[str]:
        argv = ["git", "-C", str(self.origin), "ls-tree", "--name-only", "refs/heads/feed", f"{folder}/"]
        names = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()
        return [Path(name).name for name in names]

    def feed_file(self, name: str) -> bytes | None:
        """A file of the branch `feed` as it is now."""
        done = subprocess.run(
            ["git", "-C", str(self.origin), "cat-file", "blob", f"refs/heads/feed:{name}"],
            capture_output=True,
            check=False,
        )
        return None if done.returncode else done.stdout

    def save(self, folder: Path) -> None:
        """Keep this world as it is now."""
        shutil.copytree(self.folder, folder, symlinks=True)

    def restore(self, folder: Path) -> None:
        """Back to a world that was kept."""
        shutil.rmtree(self.folder)
        shutil.copytree(folder, self.folder, symlinks=True)

    def close(self) -> None:
        for server in (self._pages, self._api):
            server.shutdown()
            server.server_close()


class _OverUnix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    """Quiet, and of one world."""

    github: GitHub

    @classmethod
    def of(cls, github: GitHub) -> type[BaseHTTPRequestHandler]:
        return type(cls.__name__, (cls,), {"github": github})

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Pages(_Handler):
    def do_GET(self) -> None:
        found = self.github.feed_file(unquote(urlsplit(self.path).path).lstrip("/"))
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")


class _Api(_Handler):
    """The few routes that `gh release download` and `upload` take."""

    def address_string(self) -> str:
        return "unix"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if found := re.fullmatch(rf"/repos/{REPOSITORY}/releases/tags/([^/]+)", path):
            self._release(unquote(found[1]))
        elif found := re.fullmatch(rf"/repos/{REPOSITORY}/releases/assets/([^/]+)/([^/]+)", path):
            self._answer(200, (self.github.assets / unquote(found[1]) / unquote(found[2])).read_bytes())
        else:
            self._answer(404, b'{"message": "Not Found"}')

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/graphql":  # `gh` also looks for a draft of that name: there is none
            self.rfile.read(int(self.headers["Content-Length"]))
            return self._answer(200, b'{"data": {"repository": {"release": null}}}')
        found = re.fullmatch(r"/uploads/([^/]+)", parts.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not found:
            return self._answer(404, b'{"message": "Not Found"}')
        place = self.github.assets / unquote(found[1]) / parse_qs(parts.query)["name"][0]
        if place.exists():
            return self._answer(422, b'{"message": "already_exists"}')
        place.write_bytes(body)
        return self._answer(201, json.dumps(_asset(place)).encode())

    def _release(self, tag: str) -> None:
        folder = self.github.assets / tag
        if not folder.is_dir():
            return self._answer(404, b'{"message": "Not Found"}')
        document = {
            "id": 1,
            "tag_name": tag,
            "upload_url": f"{API}/uploads/{tag}{{?name,label}}",
            "assets": [_asset(path) for path in sorted(folder.iterdir())],
        }
        return self._answer(200, json.dumps(document).encode())

    def _answer(self, status: int, body: bytes) -> None:
        with suppress(BrokenPipeError):  # `gh` asks two things at once, and leaves with the first answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


def _asset(path: Path) -> dict[str, object]:
    url = f"{API}/repos/{REPOSITORY}/releases/assets/{path.parent.name}/{path.name}"
    return {"id": 1, "name": path.name, "size": path.stat().st_size, "state": "uploaded", "url": url}
