"""The log: forms, bounds, secrets, and streams that break."""

import errno
import io
import json
import os
import socket
import stat
from pathlib import Path

import pytest

from tests.daemon.daemon_kit import Lines, text_log
from tests.fakes import FakeClock
from waiaas.daemon.log import Log, StreamSink, stream_log
from waiaas.daemon.logfile import RotatingFile, file_log
from waiaas.daemon.notify import READY, notify
from waiaas.host.files import Files


def test_text_is_one_line_with_its_fields__DMN_1() -> None:
    log, stream = text_log()
    log.info("start: http", port=3100, name="a b")
    assert stream.getvalue() == '2026-11-20T00:00:00Z INFO    start: http port=3100 name="a b"\n'


def test_json_is_one_document_a_line__DMN_1() -> None:
    log, stream = text_log(form="json")
    log.warning("größer\n", number=1)
    document = json.loads(stream.getvalue())
    assert document == {
        "time": "2026-11-20T00:00:00Z",
        "level": "warning",
        "message": "größer\n",
        "number": 1,
    }


def test_the_journal_gets_a_priority_and_no_time__SRV_01() -> None:
    log, stream = text_log(form="journal")
    log.error("broken")
    assert stream.getvalue() == "<3>broken\n"


@pytest.mark.parametrize(("level", "lines"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_the_least_that_is_logged(level: str, lines: int) -> None:
    log, stream = text_log(level)
    for method in (log.debug, log.info, log.warning, log.error):
        method("x")
    assert len(stream.getvalue().splitlines()) == lines


def test_nobody_can_forge_a_line_or_move_the_cursor__DMN_6() -> None:
    log, stream = text_log()
    log.info("name\n2026 ERROR forged\x1b[2J\x9b", field="a\nb")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_a_hidden_value_never_appears__DMN_6() -> None:
    for form in ("text", "json"):
        log, stream = text_log(form=form)
        log.hide("s3cret")
        log.error("failed with s3cret", header="Bearer s3cret")
        assert "s3cret" not in stream.getvalue()
        assert "[hidden]" in stream.getvalue()


def test_a_closed_reader_does_not_kill_the_daemon__DMN_2() -> None:
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    os.close(reader)
    log = Log(FakeClock(), StreamSink(stream))
    for _ in range(3):
        log.info("nobody listens")
    stream.close()  # what Python does at its end; were it to fail, the exit code would be 120


def test_a_closed_stream_and_one_that_knows_only_ascii__DMN_2() -> None:
    closed = io.StringIO()
    log = Log(FakeClock(), StreamSink(closed))
    closed.close()
    log.info("x")
    raw = io.BytesIO()
    ascii_only = io.TextIOWrapper(raw, "ascii")
    log = Log(FakeClock(), StreamSink(ascii_only))
    log.info("1.8.0 → 1.9.0")
    log.info("still here")
    assert raw.getvalue().count(b"\n") == 2


def test_auto_means_text_on_a_terminal_and_json_otherwise__DMN_1() -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    stream_log(FakeClock(), terminal, {}).info("x")
    assert terminal.getvalue().startswith("2026")
    pipe = io.StringIO()
    stream_log(FakeClock(), pipe, {}).info("x")
    assert json.loads(pipe.getvalue())["message"] == "x"


def test_auto_means_the_journal_where_the_stream_is_the_journal__SRV_01() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("w") as stream:
        found = os.fstat(stream.fileno())
        stream_log(FakeClock(), stream, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}).info("x")
        assert theirs.recv(100) == b"<6>x\n"
        stream_log(FakeClock(), stream, {"JOURNAL_STREAM": "1:2"}).info("x")
        assert theirs.recv(100).startswith(b"{")


# --- the file ---------------------------------------------------------------------------------------


def test_the_file_rotates_and_keeps_a_few__DMN_5(tmp_path: Path) -> None:
    path = tmp_path / "waiaas.log"
    sink = RotatingFile(path, max_bytes=100, keep=2)
    for number in range(20):
        sink.write(f"line {number:02} " + "x" * 30)
    sink.close()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["waiaas.log", "waiaas.log.1", "waiaas.log.2"]
    assert "line 19" in path.read_text()
    assert all(item.stat().st_size <= 100 for item in tmp_path.iterdir())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_standard_streams_follow_the_file__DMN_2(tmp_path: Path) -> None:
    path = tmp_path / "waiaas.log"
    followed = os.open("/dev/null", os.O_WRONLY)
    sink = RotatingFile(path, max_bytes=20, redirect=(followed,))
    sink.write("a" * 15)
    sink.write("b" * 15)
    os.write(followed, b"traceback\n")
    sink.close()
    os.close(followed)
    assert path.read_text() == "b" * 15 + "\ntraceback\n"


def test_a_line_larger_than_the_file_is_still_written(tmp_path: Path) -> None:
    sink = RotatingFile(tmp_path / "l", max_bytes=10)
    sink.write("x" * 50)
    sink.close()
    assert (tmp_path / "l").stat().st_size == 51


def test_a_file_that_can_no_longer_be_written_costs_lines_only__DMN_2(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    sink = RotatingFile(tmp_path / "logs" / "l")
    (tmp_path / "logs" / "l").unlink()
    (tmp_path / "logs").rmdir()
    sink.write("x")
    sink.close()
    full = RotatingFile(Path("/dev/full"))
    full.write("x")
    full.close()


def numbered(folder: Path) -> dict[str, list[str]]:
    """The files of the log, and which lines they have."""
    return {path.name: [line[:7] for line in path.read_text().splitlines()] for path in folder.iterdir()}


@pytest.mark.parametrize("lacking", ["open", "rename"])
def test_a_rotation_that_fails_for_a_moment_costs_neither_lines_nor_old_files__DMN_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    """For want of descriptors, say: the lines go on into the file that is open, and it is tried again."""
    sink = RotatingFile(tmp_path / "l", max_bytes=80, keep=4)
    for number in range(10):
        sink.write(f"line {number:02} " + "x" * 30)
    before = numbered(tmp_path)

    def short(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as lack:
        lack.setattr(os, *(("open", short) if lacking == "open" else ("rename", short)))
        if lacking == "rename":
            lack.setattr(Path, "rename", short)
        for number in range(10, 16):
            sink.write(f"line {number:02} " + "x" * 30)
    for number in range(16, 19):
        sink.write(f"line {number:02} " + "x" * 30)
    sink.close()
    after = numbered(tmp_path)
    assert sorted(line for lines in after.values() for line in lines)[-11:] == [
        f"line {number:02}" for number in range(8, 19)
    ]
    assert len(after) <= 5
    assert before["l.1"] in after.values()


def test_a_log_that_was_deleted_or_moved_by_hand_is_made_anew__DMN_5(tmp_path: Path) -> None:
    path = tmp_path / "l"
    sink = RotatingFile(path, max_bytes=200)
    sink.write("first")
    path.unlink()
    sink.write("second")
    path.rename(tmp_path / "moved")
    sink.write("third")
    sink.close()
    assert numbered(tmp_path) == {"moved": ["second"], "l": ["third"]}


def test_what_others_write_into_the_file_counts__DMN_5(tmp_path: Path) -> None:
    """A traceback on the standard streams, which follow it."""
    sink = RotatingFile(tmp_path / "l", max_bytes=100)
    sink.write("first")
    with (tmp_path / "l").open("a") as other:
        other.write("x" * 100)
    sink.write("second")
    sink.close()
    assert numbered(tmp_path)["l"] == ["second"]


def test_a_link_is_not_followed__UPGR_14(tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="l"):
        RotatingFile(tmp_path / "l")
    assert not (tmp_path / "victim").exists()


def test_the_log_file_is_made_with_its_folder__DIR_1(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "waiaas.log"
    log = file_log(FakeClock(), Files(), path, detached=False)
    log.info("x")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text().endswith("INFO    x\n")


def test_lines_are_kept_in_order() -> None:
    sink = Lines()
    log = Log(FakeClock(), sink)
    for number in range(3):
        log.info(str(number))
    assert [line[-1] for line in sink.lines] == ["0", "1", "2"]


# --- notify -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("abstract", [True, False])
def test_the_service_manager_is_told__DMN_1(tmp_path: Path, abstract: bool) -> None:
    name = f"@waiaas-test-{os.getpid()}" if abstract else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        assert notify({"NOTIFY_SOCKET": name}, READY)
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all", "@" + "x" * 200])
def test_without_a_manager_nothing_happens__DMN_1(address: str) -> None:
    assert notify({"NOTIFY_SOCKET": address}, READY) is False
