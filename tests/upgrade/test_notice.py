"""The box on stderr: when it is due, and that it never disturbs (VCHK-05 to VCHK-07)."""

import io
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeClock
from waiaas import __version__
from waiaas.cli.main import main
from waiaas.core.layout import Layout
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.program import Program
from waiaas.store.keyvalue import StoredCheck
from waiaas.upgrade.box import EVERY, box, judge

NOW = 1_800_000_000
NEWER = "99.0.0"
WITHDRAWN = {"reason": "it loses data", "to": "1.8.1", "severity": "critical"}


def stored(latest: str | None = NEWER, notified: int | None = None, withdrawn: Any = None) -> StoredCheck:
    return StoredCheck(latest, NOW, notified, None, withdrawn)


def test_box_is_the_one_users_know__VCHK_05() -> None:
    assert box(("Update available: 1.8.0 → 1.9.0", "Run: waiaas upgrade")) == (
        "\n"
        "╭──────────────────────────────────────────╮\n"
        "│                                          │\n"
        "│   Update available: 1.8.0 → 1.9.0        │\n"
        "│   Run: waiaas upgrade                    │\n"
        "│   WAIAAS_NO_UPDATE_NOTIFY=1 hides this   │\n"
        "│                                          │\n"
        "╰──────────────────────────────────────────╯\n"
    )


@given(st.text(max_size=300))
def test_box_stays_a_box_whatever_a_feed_says(text: str) -> None:
    lines = box((text,)).splitlines()
    assert len({len(line) for line in lines if line}) == 1
    assert "\x1b" not in box((text,))


@pytest.mark.parametrize("latest", [None, "1.8.0", "1.7.9", "nonsense", ""])
def test_nothing_newer_is_nothing_to_tell(latest: str | None) -> None:
    assert judge(stored(latest), None, "1.8.0", NOW) is None


def test_newer_version_is_told_once_a_day__VCHK_06() -> None:
    about = f"newer {NEWER}"
    assert judge(stored(), None, "1.8.0", NOW) is not None
    assert judge(stored(notified=NOW - EVERY + 1), about, "1.8.0", NOW) is None
    assert judge(stored(notified=NOW - EVERY), about, "1.8.0", NOW) is not None
    assert judge(stored(notified=NOW + 5), about, "1.8.0", NOW) is not None, "a clock that was set back"


def test_withdrawal_of_the_installed_version_is_told_at_once__VCHK_06() -> None:
    due = judge(stored(notified=NOW - 1, withdrawn=WITHDRAWN), f"newer {NEWER}", "1.8.0", NOW)
    assert due is not None
    assert due.urgent
    assert "1.8.1" in due.lines[0]
    assert "it loses data" in due.lines
    again = stored(notified=NOW, withdrawn=WITHDRAWN)
    assert judge(again, due.about, "1.8.0", NOW) is None
    assert judge(again, due.about, "1.8.0", NOW + EVERY) is not None


def test_withdrawal_is_not_told_to_the_version_that_replaces_it() -> None:
    assert judge(stored(None, withdrawn=WITHDRAWN), None, "1.8.1", NOW) is None


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    folder = tmp_path / "data"
    assert run(folder, "init")[0] == 0
    layout = Layout(folder, folder / "data/waiaas.db", folder / "config.toml")
    store(layout, "version_check_latest", NEWER)
    return layout


def run(folder: Path, *argv: str, environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    values = {"WAIAAS_DATA_DIR": str(folder), **(environ or {})}
    code = main(argv, values, Program(None), out, err)
    return int(code), out.getvalue(), err.getvalue()


def store(layout: Layout, key: str, value: str) -> None:
    with closing(sqlite3.connect(layout.database)) as connection:
        connection.execute("INSERT OR REPLACE INTO key_value_store VALUES (?, ?, ?)", (key, value, 1))
        connection.commit()


def notified(layout: Layout) -> int | None:
    with closing(sqlite3.connect(layout.database)) as connection:
        row = connection.execute(
            "SELECT value FROM key_value_store WHERE key = 'version_check_notified_at'"
        ).fetchone()
    return int(row[0]) if row else None


def test_notice_is_on_stderr_only_and_recorded__VCHK_05(layout: Layout) -> None:
    _, out, err = run(layout.data_dir, "config", "path")
    assert f"Update available: {__version__} → {NEWER}" in err
    assert "Run: waiaas upgrade" in err
    assert out == f"{layout.config}\n"
    assert notified(layout)
    assert run(layout.data_dir, "config", "path")[2] == ""


def test_notice_comes_after_a_failed_command_too(layout: Layout) -> None:
    code, _, err = run(layout.data_dir, "wallets", "show", "x")
    assert code == 1
    assert "Update available" in err


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (("status", "--quiet"), {}),
        (("status", "--json"), {}),
        (("status",), {"WAIAAS_NO_UPDATE_NOTIFY": "1"}),
        (("status",), {"WAIAAS_DAEMON_UPDATE_CHECK": "false"}),
        (("status", "--offline"), {}),
        (("status",), {"WAIAAS_OFFLINE": "1"}),
        (("health",), {}),
        (("completion", "bash"), {}),
        (("upgrade", "--history"), {}),
        (("--version",), {}),
        (("--help",), {}),
        (("status", "--help"), {}),
    ],
)
def test_notice_is_muted__VCHK_07(layout: Layout, argv: tuple[str, ...], environ: dict[str, str]) -> None:
    _, out, err = run(layout.data_dir, *argv, environ=environ)
    assert "Update available" not in err + out
    assert notified(layout) is None


def test_notice_does_not_wait_for_the_database__DIR_5(layout: Layout) -> None:
    with Gate(layout.gate, Clock()).exclusive():
        assert "Update available" not in run(layout.data_dir, "config", "path")[2]


def test_notice_is_not_shown_where_it_cannot_be_recorded(layout: Layout) -> None:
    with closing(sqlite3.connect(layout.database)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert "Update available" not in run(layout.data_dir, "config", "path")[2]
        writer.rollback()
    assert "Update available" in run(layout.data_dir, "config", "path")[2]


def test_notice_never_writes_to_a_database_that_is_not_ours_to_serve__MIG_06(layout: Layout) -> None:
    with closing(sqlite3.connect(layout.database)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (62, 1, 'far ahead')")
        connection.commit()
    content = layout.database.read_bytes()
    assert "Update available" not in run(layout.data_dir, "config", "path")[2]
    assert layout.database.read_bytes() == content


def test_damaged_database_is_not_the_notices_business(layout: Layout) -> None:
    layout.database.write_bytes(b"garbage" * 1000)
    code, _, err = run(layout.data_dir, "config", "path")
    assert (code, err) == (0, "")


def test_old_directory_gets_no_key_from_a_notice__MIG_07(tmp_path: Path) -> None:
    from waiaas.store import schema

    database = tmp_path / "data/waiaas.db"
    database.parent.mkdir()
    schema.create(Files(), FakeClock(), database)
    (tmp_path / "config.toml").write_text("[daemon]\nport = 1\n")
    layout = Layout(tmp_path, database, tmp_path / "config.toml")
    store(layout, "version_check_latest", NEWER)
    for argv in (("status",), ("init",)):
        assert "Update available" not in run(tmp_path, *argv)[2]
    assert notified(layout) is None
    assert "Update available" in run(tmp_path, "config", "path")[2]
