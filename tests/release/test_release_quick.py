"""What the artefact's `__main__` answers by itself, and what it leaves to the command line."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from waiaas.release.archive import pack
from waiaas.release.entry import modules

SLOW_WAY = b"def run(archive=None, pin=None):\n    print('the command line')\n    return 5\n"
BODY = b'{"status": "ok", "version": "1.8.0"}'
FULL = (5, "the command line\n")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "waiaas"
    path.write_bytes(pack(modules("1.9.0") | {"waiaas/__init__.py": b"", "waiaas/__main__.py": SLOW_WAY}, 0))
    return path


@contextmanager
def daemon(folder: Path, answer: bytes, drip: float = 0.0) -> Iterator[list[bytes]]:
    """Listens on the private socket that `daemon.json` names; gives what it was asked. `drip`: seconds
    between two bytes that go on coming after the answer."""
    path, asked, done = folder / "s", [], threading.Event()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    (folder / "daemon.json").write_text(json.dumps({"pid": 1, "port": 3100, "socket": str(path)}))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(4096))
            connection.sendall(answer)
            with suppress(OSError):
                while drip and not done.wait(drip):
                    connection.sendall(b"x")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        done.set()
        listener.close()


def ask(file: Path, *argv: str, **environ: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", file, *argv], env=environ, capture_output=True, text=True, cwd="/", timeout=60
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def test_version_is_told_before_anything_is_imported__PRF_1(file: Path) -> None:
    assert ask(file, "--version") == (0, "1.9.0\n")


@pytest.mark.parametrize("argv", [("--version", "--json"), ("status", "--version"), (), ("health", "--json")])
def test_what_is_not_plain_is_left_to_the_command_line__PRF_1(file: Path, argv: tuple[str, ...]) -> None:
    assert ask(file, *argv, HOME="/nonexistent") == FULL


def test_health_of_a_daemon_that_is_well_is_its_own_words__PRF_2(file: Path, tmp_path: Path) -> None:
    with daemon(tmp_path, whole(BODY)) as asked:
        assert ask(file, "health", WAIAAS_DATA_DIR=str(tmp_path)) == (0, BODY.decode() + "\n")
    assert asked[0].startswith(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")


def test_health_takes_the_data_directory_as_a_flag_too__PRF_2(file: Path, tmp_path: Path) -> None:
    with daemon(tmp_path, whole(BODY)):
        assert ask(file, "--data-dir", str(tmp_path), "health", HOME="/") == (0, BODY.decode() + "\n")


@pytest.mark.parametrize(
    "answer",
    [
        whole(BODY, b"503 Service Unavailable"),
        whole(BODY)[:-1],
        whole(BODY) + b"more",
        whole(b"hello"),
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_an_answer_that_is_not_whole_and_well_is_asked_for_again__PRF_2(
    file: Path, tmp_path: Path, answer: bytes
) -> None:
    with daemon(tmp_path, answer):
        assert ask(file, "health", WAIAAS_DATA_DIR=str(tmp_path)) == FULL


@pytest.mark.parametrize(
    "known", ["", "{}", '{"socket": ""}', '{"socket": "/\\u0000"}', "\x00", '{"socket": "']
)
def test_a_strange_daemon_json_is_left_to_the_command_line__PRF_2(
    file: Path, tmp_path: Path, known: str
) -> None:
    (tmp_path / "daemon.json").write_text(known)
    assert ask(file, "health", WAIAAS_DATA_DIR=str(tmp_path)) == FULL


def test_a_daemon_that_drips_is_left_to_the_command_line_in_time__PRF_2(file: Path, tmp_path: Path) -> None:
    """It would have the budget of bytes to say before anybody gave up: hours."""
    with daemon(tmp_path, b"HTTP/1.1 200 OK\r\n", drip=0.1):
        assert ask(file, "health", WAIAAS_DATA_DIR=str(tmp_path)) == FULL


@pytest.mark.parametrize("held", [False, True])
def test_a_pipe_or_a_link_for_a_daemon_json_is_left_to_the_command_line__PRF_2(
    file: Path, tmp_path: Path, held: bool
) -> None:
    os.mkfifo(tmp_path / "daemon.json")
    writer = os.open(tmp_path / "daemon.json", os.O_RDWR) if held else None
    assert ask(file, "health", WAIAAS_DATA_DIR=str(tmp_path)) == FULL
    if writer is not None:
        os.close(writer)
    (tmp_path / "daemon.json").unlink()
    with daemon(tmp_path, whole(BODY)) as asked:
        (tmp_path / "daemon.json").rename(tmp_path / "elsewhere")
        (tmp_path / "daemon.json").symlink_to("elsewhere")
        assert ask(file, "health", WAIAAS_DATA_DIR=str(tmp_path)) == FULL
        assert asked == []


def test_a_closed_stdout_is_left_to_the_command_line__PRF_1(file: Path) -> None:
    shell = 'exec "$@" >&-'
    done = subprocess.run(["/bin/sh", "-c", shell, "sh", sys.executable, "-I", file, "--version"])
    assert done.returncode == 5
