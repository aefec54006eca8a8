"""Commands that are told to a user act on the directory he is at (CLI-2)."""

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli.again import in_document, spoken
from waiaas.cli.where import chosen

NONE = {"WAIAAS_DATA_DIR": ""}
D = " --data-dir /d"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run `waiaas db check`, then try", "run `waiaas db check --data-dir /d`, then try"),
        ("`waiaas status`; `waiaas stop`", "`waiaas status --data-dir /d`; `waiaas stop --data-dir /d`"),
        ("`sudo -u bob waiaas start`", "`sudo -u bob waiaas start --data-dir /d`"),
        ("`sudo /opt/waiaas/waiaas upgrade`", "`sudo /opt/waiaas/waiaas upgrade --data-dir /d`"),
        ("`waiaas init --data-dir DIR`", "`waiaas init --data-dir DIR`"),
        ("`waiaas --help` and `waiaas COMMAND`", "`waiaas --help` and `waiaas COMMAND`"),
        ("`waiaas statuses`", "`waiaas statuses`"),
        ("Run: waiaas upgrade", "Run: waiaas upgrade --data-dir /d"),
        (
            "  undo     waiaas upgrade --rollback\nend",
            "  undo     waiaas upgrade --rollback --data-dir /d\nend",
        ),
        ("hint: waiaas restart  # now", "hint: waiaas restart --data-dir /d  # now"),
        ("in /var/lib/waiaas stop is a word, and waiaas upgrade is one too",) * 2,
    ],
)
def test_every_command_that_is_told_names_the_data_directory__CLI_2(text: str, said: str) -> None:
    assert spoken(text, D) == said
    assert spoken(said, D) == said
    assert spoken(text, "") == text


def test_every_command_in_a_hint_is_one_to_type__CLI_2() -> None:
    assert spoken("stop it; or: waiaas config set daemon.port PORT", chosen("/a b", None), hint=True) == (
        "stop it; or: waiaas config set daemon.port PORT --data-dir '/a b'"
    )
    assert spoken("waiaas upgrade && waiaas restart", D, hint=True) == (
        "waiaas upgrade --data-dir /d && waiaas restart --data-dir /d"
    )
    for untouched in ("in /srv/waiaas stop it", "waiaas backup --help"):
        assert spoken(untouched, D, hint=True) == untouched


def test_in_a_document_only_hints_are_rewritten__CLI_2() -> None:
    given = {"error": {"message": "`waiaas stop`", "hint": "waiaas stop"}, "rows": [{"hint": "", "n": 1}]}
    wanted = {"error": {"message": "`waiaas stop`", "hint": "waiaas stop --data-dir /d"}}
    assert in_document(given, D) == {**given, **wanted}


@pytest.mark.parametrize("flag", [True, False])
def test_following_a_hint_stays_in_the_directory_of_the_flag__CLI_2(
    waiaas: Waiaas, tmp_path: Path, flag: bool
) -> None:
    """A directory from the environment is in force in the next command too, and needs no flag."""
    folder = tmp_path / "wallets of mine"
    where = ("--data-dir", str(folder)) if flag else ()
    environ = NONE if flag else {"WAIAAS_DATA_DIR": str(folder)}
    named = f" --data-dir {shlex.quote(str(folder))}" if flag else ""
    assert f"`waiaas init{named}` creates it" in waiaas("status", *where, environ=environ).err
    assert f"waiaas start --detach{named}  " in waiaas("init", *where, environ=environ).out
    assert f"hint: waiaas start --detach{named}\n" in waiaas("health", *where, environ=environ).err
    (folder / "data/waiaas.db").unlink()
    ran = waiaas("db", "status", *where, environ=environ)
    assert f"hint: run `waiaas doctor{named}`\n" in ran.err
    assert waiaas("db", "status", "--json", *where, environ=environ).error["hint"] == (
        f"run `waiaas doctor{named}`"
    )


def test_following_a_hint_keeps_the_settings_of_the_flag__CLI_2(ready: Waiaas, tmp_path: Path) -> None:
    """Without them the next command would act on another port, feed or database."""
    settings = tmp_path / "of mine.toml"
    settings.write_text("[daemon]\nport = 3199\n")
    named = f" --config {shlex.quote(str(settings))}"
    assert f"hint: waiaas start --detach{named}\n" in ready("health", "--config", str(settings)).err
    assert f"`waiaas start --detach{named}`" in ready("status", "--config", str(settings)).out
    assert spoken("`waiaas stop`", chosen("/d", "c")) == "`waiaas stop --data-dir /d --config c`"
    settings.write_text("[daemon]\nport = 'x'\n")
    assert f"`waiaas config validate{named}`" in ready("status", "--config", str(settings)).out


def test_the_notice_box_names_the_data_directory__CLI_2_VCHK_05(waiaas: Waiaas, tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 90)
    assert waiaas("init", "--data-dir", str(folder), environ=NONE).code == 0
    with closing(sqlite3.connect(folder / "data/waiaas.db")) as connection, connection:
        row = ("version_check_latest", "99.0.0", 1)
        connection.execute("INSERT INTO key_value_store (key, value, updated_at) VALUES (?, ?, ?)", row)
    ran = waiaas("wallets", "list", "--data-dir", str(folder), environ=NONE)
    assert f"│   Run: waiaas upgrade --data-dir {folder}   │" in ran.err
    assert len({len(line) for line in ran.err.splitlines() if line[:1] in "╭│╰"}) <= 2
