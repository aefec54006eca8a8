"""What holds for every command: flags, streams, JSON, exit codes, failures (CLI-1 to CLI-4)."""

import errno
import io
import json
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Terminal, Waiaas
from waiaas import __version__
from waiaas.cli import commands, status
from waiaas.cli.flags import Flags, take_apart
from waiaas.cli.main import main
from waiaas.cli.output import Output
from waiaas.cli.overview import EXIT_CODES
from waiaas.cli.progress import Progress
from waiaas.core.errors import Busy, Exit, WaiaasError
from waiaas.host.program import Program


@pytest.mark.parametrize(
    "argv",
    [
        ("--json", "-q", "--data-dir", "/d", "status"),
        ("status", "--data-dir=/d", "-q", "--json"),
        ("-q", "status", "--json", "--data-dir", "/d"),
    ],
)
def test_global_flags_stand_before_or_after_the_command(argv: tuple[str, ...]) -> None:
    line = take_apart(argv)
    assert (line.command, line.arguments) == ("status", [])
    assert (line.flags.json, line.flags.quiet, line.flags.data_dir) == (True, True, "/d")


def test_verbose_may_be_repeated_and_joined() -> None:
    assert take_apart(["-vv", "status", "--verbose", "-qv"]).flags.verbose == 4


def test_what_follows_two_dashes_is_left_alone() -> None:
    line = take_apart(["config", "set", "upgrade.pin", "--", "--json"])
    assert line.arguments == ["set", "upgrade.pin", "--", "--json"]
    assert not line.flags.json


def test_flag_without_its_value_is_a_usage_error(waiaas: Waiaas) -> None:
    ran = waiaas("status", "--data-dir")
    assert ran.code == Exit.USAGE
    assert "--data-dir needs a value" in ran.err


@pytest.mark.parametrize("argv", [("--version",), ("status", "--version"), ("--quiet", "--version")])
def test_version_is_one_line(waiaas: Waiaas, argv: tuple[str, ...]) -> None:
    ran = waiaas(*argv)
    assert (ran.code, ran.out, ran.err) == (0, f"{__version__}\n", "")


def test_version_and_health_import_nothing_heavy__PRF_1() -> None:
    """Each of these costs more than the whole answer may take."""
    heavy = (
        "argparse",
        "tomllib",
        "tuf",
        "sqlite3",
        "urllib.request",
        "ssl",
        "subprocess",
        "dataclasses",
        "json",
        "typing",
        "waiaas.cli.parser",
    )
    code = (
        "import sys; from waiaas.cli.main import main\n"
        "main(sys.argv[1:], {}, None, open('/dev/null', 'w'), open('/dev/null', 'w'))\n"
        f"print(*[name for name in {heavy!r} if name in sys.modules])"
    )
    for argv in (("--version",), ("health", "--data-dir", "/nonexistent")):
        done = subprocess.run(
            [sys.executable, "-S", "-c", code, *argv],  # -S: without what site-packages start, like coverage
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert done.stdout.strip() == "", argv


def test_alone_it_says_what_it_is_how_it_stands_and_what_is_next(waiaas: Waiaas) -> None:
    before = waiaas()
    assert before.code == 0
    assert "not initialised" in before.out
    assert "waiaas init" in before.out
    waiaas("init")
    after = waiaas("--json").document
    assert (after["state"], after["next"]) == ("stopped", "waiaas start --detach")


def test_unknown_command_is_answered_with_the_nearest(waiaas: Waiaas) -> None:
    ran = waiaas("stauts")
    assert ran.code == Exit.USAGE
    assert "did you mean `waiaas status`?" in ran.err
    assert ran.out == ""
    error = waiaas("stauts", "--json").error
    assert error["code"] == "unknown-command"
    assert "hint: `waiaas --help` lists the commands" in waiaas("nope").err, "stop is no near word"


def test_help_is_a_word_too__CLI_2(waiaas: Waiaas) -> None:
    assert waiaas("help").out == waiaas("--help").out
    assert waiaas("help", "backup").out == waiaas("backup", "--help").out
    assert waiaas("help", "nope").code == Exit.USAGE


def test_a_command_without_its_action_names_them__CLI_2(waiaas: Waiaas) -> None:
    ran = waiaas("backup")
    assert ran.code == Exit.USAGE
    assert "hint: waiaas backup ACTION, one of create, list, verify, restore, prune\n" in ran.err


@pytest.mark.parametrize(
    "argv",
    [("backup",), ("backup", "nonsense"), ("audit", "--limit", "x"), ("status", "--nope"), ("--nope",)],
)
def test_bad_arguments_print_no_usage_dump_on_stdout(waiaas: Waiaas, argv: tuple[str, ...]) -> None:
    ran = waiaas(*argv)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "hint: waiaas" in ran.err
    assert waiaas(*argv, "--json").error["code"] == "bad-arguments"


def test_help_names_every_command_and_every_exit_code__CLI_3(waiaas: Waiaas) -> None:
    ran = waiaas("--help")
    assert ran.code == 0
    for name in ("init", "start", "upgrade", "kill-switch", "doctor"):
        assert re.search(rf"^  {name} ", ran.out, re.MULTILINE)
    for code in Exit:
        assert re.search(rf"^  {int(code)} ", ran.out, re.MULTILINE)
    assert "step" not in ran.out.split()
    assert set(EXIT_CODES) == {int(code) for code in Exit}


@pytest.mark.parametrize("name", commands.SENTENCES)
def test_every_command_has_help_and_knows_the_global_flags(waiaas: Waiaas, name: str) -> None:
    ran = waiaas(name, "--help")
    assert ran.code == 0
    assert f"waiaas {name}" in ran.out
    assert "--data-dir" in ran.out
    assert waiaas(name, "--help", "--json").document["help"]


@pytest.mark.parametrize(
    "argv",
    [
        ("status",), ("stop",), ("restart",), ("backup", "list"), ("db", "status"), ("config", "path"),
        ("doctor",), ("kill-switch", "status"), ("wallets", "list"), ("audit",), ("health",), ("start",),
    ],
)  # fmt: skip
def test_uninitialised_directory_is_said_and_left_alone__DIR_3(
    waiaas: Waiaas, data_dir: Path, argv: tuple[str, ...]
) -> None:
    ran = waiaas(*argv, "--json")
    assert ran.code == Exit.NOT_READY
    assert ran.error["code"] == "not-initialised"
    assert not data_dir.exists()


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


@pytest.mark.parametrize(
    ("argv", "near"),
    [(("backup", "crate"), "create"), (("completion", "fsh"), "fish"), (("kill-switch", "onn"), "on")],
)
def test_an_unknown_action_is_answered_with_the_nearest(
    waiaas: Waiaas, argv: tuple[str, ...], near: str
) -> None:
    ran = waiaas(*argv)
    assert ran.code == Exit.USAGE
    assert f"hint: did you mean `{near}`?" in ran.err
    assert "did you mean" not in waiaas("backup", "zzz").err


def test_a_number_that_is_none_is_told_in_words(waiaas: Waiaas) -> None:
    assert (
        "argument --limit: must be a whole number above zero, not '0'" in waiaas("audit", "--limit", "0").err
    )


def test_the_help_of_an_action_begins_with_its_sentence(waiaas: Waiaas) -> None:
    told = waiaas("backup", "restore", "--help").out
    assert "replace database and settings by those of a backup" in told
    assert told.count("--help") == 1


def test_columns_line_up_whatever_script_a_name_is_in() -> None:
    from waiaas.cli.table import table

    lines = table(
        ("name", "x"), [("plain", 1), ("한글", 1), ("財布", 1), ("e\u0301", 1), ("\x1b[2J", 1)]
    ).splitlines()
    assert lines[1:4] == ["plain  1", "한글   1", "財布   1"]
    assert lines[4] == "e\u0301      1"
    assert lines[5] == "?[2J   1"
