"""What holds for every command line: flags, help, and words that are none (CLI-1, 2, 3)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas import __version__
from waiaas.cli import commands
from waiaas.cli.flags import take_apart
from waiaas.cli.overview import EXIT_CODES
from waiaas.core.errors import Exit


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
