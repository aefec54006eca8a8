"""What reaches the streams, whatever they are and whatever goes wrong (CLI-2, CLI-3, CLI-4)."""

import errno
import io
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Terminal, Waiaas
from waiaas.cli import status
from waiaas.cli.flags import Flags
from waiaas.cli.main import main
from waiaas.cli.output import Output
from waiaas.cli.progress import Progress
from waiaas.core.errors import Busy, Exit, WaiaasError
from waiaas.host.program import Program


def test_interrupt_ends_with_130(ready: Waiaas, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "run", interrupted)
    ran = ready("status", "--json")
    assert ran.code == Exit.INTERRUPTED
    assert ran.error["code"] == "interrupted"
    assert ran.error["hint"]


@pytest.mark.parametrize("argv", [("restart",), ("start", "--detach")], ids=str)
def test_who_interrupts_a_start_is_told_that_it_may_go_on__CLI_2(
    ready: Waiaas, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    for module in ("start", "restart"):
        monkeypatch.setattr(f"waiaas.cli.{module}.run", interrupted)
    ran = ready(*argv)
    assert ran.code == Exit.INTERRUPTED
    assert "interrupted; the daemon may still be starting" in ran.err
    assert "hint: `waiaas status` shows it" in ran.err


def test_bug_leaves_a_private_report_without_secrets(
    ready: Waiaas, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("hunter2hunter2")

    monkeypatch.setattr(status, "run", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = ready("status", "--json", environ={"MY_PASSWORD": "hunter2hunter2"})
    assert ran.code == Exit.BUG
    (report,) = tmp_path.glob("waiaas-bug-*")
    assert f"(ZeroDivisionError: <MY_PASSWORD>); the report is in {report}" in ran.error["message"]
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    assert "ZeroDivisionError" in text
    assert "hunter2" not in text


def test_system_error_is_no_traceback(ready: Waiaas, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr(status, "run", refused)
    ran = ready("status")
    assert ran.code == Exit.FAILED
    assert "Permission denied: /somewhere" in ran.err
    assert "Traceback" not in ran.err


class Broken(io.StringIO):
    """A stdout that takes nothing."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, _text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("json_asked", [False, True])
@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC])
def test_a_stdout_that_takes_nothing_hides_no_exit_code__CLI_3(
    data_dir: Path, ready: Waiaas, monkeypatch: pytest.MonkeyPatch, json_asked: bool, number: int
) -> None:
    """A reader that went away is no failure; an answer that is lost on a full disk is one."""

    def code(*words: str) -> int:
        words = (*words, "--json") if json_asked else words
        environ = {"WAIAAS_DATA_DIR": str(data_dir)}
        return int(main(words, environ, Program(None), Broken(number), io.StringIO()))

    assert ready("config", "path").code == Exit.OK
    assert code("config", "path") == code("--version") == (Exit.OK if number == errno.EPIPE else Exit.FAILED)
    assert code("health") == Exit.NOT_READY
    assert code("stop") == Exit.NOT_READY
    assert code("stauts") == Exit.USAGE
    monkeypatch.setattr(status, "run", lambda *_: (_ for _ in ()).throw(Busy("busy", "busy")))
    assert code("status") == Exit.BUSY


@pytest.mark.parametrize("words", [("--json", "health"), ("health",), ("--json", "--version"), ("--help",)])
def test_a_full_stdout_is_told_without_a_traceback__CLI_2(data_dir: Path, words: tuple[str, ...]) -> None:
    argv = [sys.executable, "-m", "waiaas", "--data-dir", str(data_dir), *words]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == (Exit.NOT_READY if "health" in words else Exit.FAILED)
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr


def test_quiet_keeps_errors_and_data(ready: Waiaas) -> None:
    assert ready("-q", "status").out
    assert "error:" in ready("-q", "stop").err


@pytest.mark.parametrize(
    ("environ", "flags", "coloured"),
    [
        ({}, Flags(), True),
        ({"NO_COLOR": "1"}, Flags(), False),
        ({"TERM": "dumb"}, Flags(), False),
        ({}, Flags(no_color=True), False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, Flags(), False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, Flags(), True),
    ],
)
def test_colours_are_for_capable_terminals__CLI_4(
    environ: dict[str, str], flags: Flags, coloured: bool
) -> None:
    err = Terminal()
    Output(io.StringIO(), err, flags, environ).error(WaiaasError("x", "message"))
    assert ("\x1b[" in err.getvalue()) == coloured


def test_text_that_the_terminal_cannot_show_is_replaced() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Output(stream, None, Flags()).line("1.8.0 → 1.9.0")
    assert raw.getvalue() == b"1.8.0 ? 1.9.0\n"


def test_progress_shows_only_what_takes_a_while__CLI_4() -> None:
    from tests.fakes import FakeClock

    clock, shown = FakeClock(), list[str]()
    progress = Progress(shown.append, "download", 200, True, False, clock)
    progress.update(50)
    assert shown == []
    clock.sleep(2)
    for done in (100, 110, 160, 200):
        progress.update(done)
    assert shown == ["download: 50 %", "download: 75 %", "download: 100 %"]
    bar = Progress(shown.append, "download", 200, True, True, clock)
    clock.sleep(2)
    bar.update(100)
    assert shown[-1].startswith("download [###############...")
    bar.done()
    assert shown[-1] == ""


def test_error_document_is_the_contract(waiaas: Waiaas) -> None:
    assert json.loads(waiaas("status", "--json").out).keys() == {"error"}


class Gone(io.StringIO):
    """A stream whose reader, or terminal, has gone."""

    def write(self, _text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_who_does_not_listen_stops_nothing__UPGR_10() -> None:
    """An upgrade outlives the terminal, and the service, that it was started from."""
    out = Output(Gone(), Gone(), Flags())
    out.say("[1/7] Check")
    out.redraw("50 %")
    out.warn("mind")
    out.line("{}")
    out.error(WaiaasError("x", "y", "z"))
    out.say("[2/7] Stop")


def test_the_journal_is_told_what_is_an_error__SRV_01() -> None:
    """Each line of it; a stream that is not the journal's gets no marks."""
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("w", encoding="utf-8") as stream:
        found = os.fstat(stream.fileno())
        for named in (f"{found.st_dev}:{found.st_ino}", "1:2"):
            out = Output(None, stream, Flags(), {"JOURNAL_STREAM": named})
            out.say("said")
            out.warn("mind")
            out.error(WaiaasError("x", "two\nlines", "so"))
        said = theirs.recv(1000).decode()
    marked = "said\n<4>warning: mind\n<3>waiaas: error: two\n<3>lines\n<3>hint: so\n"
    assert said == marked + "said\nwarning: mind\nwaiaas: error: two\nlines\nhint: so\n"


def test_columns_line_up_whatever_script_a_name_is_in() -> None:
    from waiaas.cli.table import table

    lines = table(
        ("name", "x"), [("plain", 1), ("한글", 1), ("財布", 1), ("e\u0301", 1), ("\x1b[2J", 1)]
    ).splitlines()
    assert lines[1:4] == ["plain  1", "한글   1", "財布   1"]
    assert lines[4] == "e\u0301      1"
    assert lines[5] == "?[2J   1"
