"""Starting: commands, the artefact itself, the daemon's first answer (PRF-1 to PRF-5)."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from table import Row, Shop, clocked, command, milliseconds, ratio, turns

from tests.journeys.workshop import Site

OFTEN = 31
COMMANDS = (
    ("status",),
    ("backup", "list"),
    ("db", "status"),
    ("config", "show"),
    ("upgrade", "--history"),
    ("kill-switch", "status"),
    ("wallets", "list"),
    ("completion", "bash"),
    ("--help",),
)
WITH_SETTINGS = (("status",), ("db", "status"))


def version(shop: Shop) -> Iterator[Row]:
    for name, python in shop.pythons.items():
        limit = 1.8 if name == "3.11" else 1.5
        yield _against_bare(python, f"`--version`, {name}", ["--version"], limit, shop.workshop.current)


def health(shop: Shop) -> Iterator[Row]:
    with serving(shop) as site:
        for name, python in shop.pythons.items():
            words = ["--data-dir", str(site.data), "health"]
            yield _against_bare(python, f"`health`, {name}", words, 2.0, shop.workshop.current)


def other_commands(shop: Shop) -> Iterator[Row]:
    """With the settings that `init` makes, then with one that somebody set: those are parsed."""
    with serving(shop) as site:
        for name, python in shop.pythons.items():
            yield from (_command(shop, site, python, words, name) for words in COMMANDS)
        site.ok("config", "set", "daemon.threads", "8")
        for name, python in shop.pythons.items():
            of = f"one setting changed, {name}"
            yield from (_command(shop, site, python, words, of) for words in WITH_SETTINGS)


def _command(shop: Shop, site: Site, python: str, words: tuple[str, ...], of: str) -> Row:
    argv = ["--data-dir", str(site.data), *words]
    return _against_bare(python, f"`{' '.join(words)}`, {of}", argv, 6.0, shop.workshop.current, n=11)


def artefact(shop: Shop) -> Iterator[Row]:
    file, home = shop.workshop.current, shop.folder / "empty-home"
    home.mkdir()
    python = next(iter(shop.pythons.values()))
    for words in (["--version"], ["--help"], ["status"]):
        environ = {"HOME": str(home), "TMPDIR": str(home)}
        subprocess.run([python, "-I", file, *words], env=environ, cwd=home, capture_output=True)
    written = len(list(home.rglob("*")))
    size = file.stat().st_size / 1e6
    yield Row("artefact", f"{size:.2f} MB", "–", size, 2.5, "≤ 2.5 MB", 1)
    yield Row("files written at start", str(written), "–", float(written), 0.0, "0", 3)


def first_answer(shop: Shop) -> Iterator[Row]:
    site = shop.site()
    site.ok("init")
    port = free_port()
    bare = command([site.python, "-I", "-c", "import http.server, sqlite3"])
    ours, theirs = [], []
    for _ in range(11):
        ours.append(_until_answered(site, port))
        theirs.append(clocked(bare))
    yardstick = f"`import http.server, sqlite3` {milliseconds(theirs)}"
    yield Row("daemon start → first 200", milliseconds(ours), yardstick, ratio(ours, theirs), 3.0, "≤ 3×", 11)


@contextlib.contextmanager
def serving(shop: Shop) -> Iterator[Site]:
    """An initialised site whose daemon runs."""
    site = shop.site()
    site.ok("init")
    site.ok("start", "--detach", WAIAAS_DAEMON_UPDATE_CHECK="false")
    try:
        yield site
    finally:
        site.close()


def ask(port: int) -> bool:
    """One `GET /health`; whether it was answered with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _against_bare(python: str, what: str, words: list[str], limit: float, file: Path, n: int = OFTEN) -> Row:
    ours, bare = turns(n, command([python, file, *words]), command([python, "-c", "pass"]))
    theirs = f"`-c pass` {milliseconds(bare)}"
    return Row(what, milliseconds(ours), theirs, ratio(ours, bare), limit, f"≤ {limit:g}×", n)


def _until_answered(site: Site, port: int) -> float:
    """Seconds from the start of the process to its first answer; its end is not measured with it."""
    argv = [site.python, "-I", str(site.program), "--data-dir", str(site.data), "start"]
    environ = {**site.environ, "WAIAAS_DAEMON_PORT": str(port), "WAIAAS_DAEMON_UPDATE_CHECK": "false"}
    begun = time.perf_counter()
    process = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not ask(port):
            assert process.poll() is None
        return time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
