"""Progress on a real terminal, plain lines elsewhere, silence where that was asked for (CLI-4)."""

import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.journeys.terminal import Shown, on_terminal
from tests.journeys.workshop import REPOSITORY, Feed, Site, Workshop, site, unpack

TRIES = 6  # a busy machine may draw too few pictures of what is over soon
ROWS = 60_000  # of a thousand bytes: a database that takes some tenths of a second to copy


@pytest.fixture(scope="module")
def eager(workshop: Workshop) -> Path:
    """The same program, but it shows progress from the first moment on, not from the first second."""
    name = "waiaas/cli/progress.py"
    text = (REPOSITORY / name).read_text()
    changed = text.replace("QUIET_FOR = 1.0", "QUIET_FOR = 0.0").replace("REDRAW = 0.1", "REDRAW = 0.01")
    assert changed.count("= 0.0") > text.count("= 0.0")
    return workshop.build("1.8.0", {name: changed}, name="eager")


@pytest.fixture(scope="module")
def large(eager: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation with something to read."""
    with site(tmp_path_factory.mktemp("large"), eager) as made:
        made.ok("init")
        with closing(sqlite3.connect(made.database)) as connection, connection:
            connection.executemany(
                "INSERT INTO audit_log (timestamp, event_type, actor, details, severity) VALUES (?,?,?,?,?)",
                ((i, "X", "y", "z" * 1000, "info") for i in range(ROWS)),
            )
        made.ok("backup", "create")
        yield made


def terminal(installed: Site, *arguments: str, **environ: str) -> Shown:
    return on_terminal(
        [installed.python, "-I", str(installed.program), "--data-dir", str(installed.data), *arguments],
        {**installed.environ, **environ},
    )


def rises(percents: list[int]) -> bool:
    """From the first half into the second one. Where a busy machine has drawn too few pictures of it, that
    cannot be told."""
    assert percents == sorted(percents)
    assert not percents or percents[-1] <= 100
    return len(percents) >= 3 and percents[0] < 50 < percents[-1]


def seen_rising(command: Callable[[], Shown], *labels: str) -> Shown:
    """The command, run again until each bar was seen to rise."""
    for _ in range(TRIES):
        shown = command()
        if all(rises(shown.percents(label)) for label in labels):
            return shown
    raise AssertionError(shown.pictures)


def test_backup_verify_restore_and_check_show_a_bar_that_rises_and_goes__CLI_4(large: Site) -> None:
    made = seen_rising(lambda: terminal(large, "backup", "create"), "backup")
    assert (made.code, len([line for line in made.screen if line])) == (0, 1)
    assert "[" not in made.screen[0]
    seen_rising(lambda: terminal(large, "backup", "verify"), "verify")
    seen_rising(lambda: terminal(large, "backup", "list", "--verify"), "verify")
    seen_rising(lambda: terminal(large, "db", "check"), "check")
    name = Path(made.screen[0].partition(" ")[0]).name
    restore = partial(terminal, large, "backup", "restore", name, "--yes")
    restored = seen_rising(restore, "verify", "backup", "restore")
    assert [line for line in restored.screen if line] == [
        line for line in restored.screen if line.startswith(f"restored {name}")
    ]


def test_elsewhere_progress_is_a_few_plain_lines_and_stdout_is_data__CLI_4(large: Site) -> None:
    told: list[str] = []
    for _ in range(TRIES):
        done = large.ok("backup", "verify")
        assert done.out.endswith(" is whole\n")
        assert done.out.count("\n") == 1
        told = max(told, done.err.splitlines(), key=len)
        assert set(told) <= {f"verify: {percent} %" for percent in (25, 50, 75, 100)}
    assert len(told) >= 3
    assert told == sorted(set(told), key=lambda line: int(line.split()[1]))


@pytest.mark.parametrize("flag", ["--quiet", "--json"])
def test_quiet_and_json_show_none__CLI_4(large: Site, flag: str) -> None:
    assert large.ok("backup", "verify", flag).err == ""
    shown = terminal(large, "backup", "verify", flag)
    assert shown.code == 0
    assert shown.percents("verify") == []
    assert "\x1b" not in shown.written


def test_a_dumb_terminal_gets_plain_lines__CLI_4(large: Site) -> None:
    for _ in range(TRIES):
        shown = terminal(large, "backup", "verify", TERM="dumb")
        assert "\x1b" not in shown.written
        if "verify: 50 %" in shown.screen:
            break
    assert "verify: 50 %" in shown.screen


@pytest.mark.parametrize(
    ("environ", "flags", "coloured"),
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({}, ("--no-color",), False),
        ({"TERM": "dumb"}, (), False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, (), True),
    ],
)
def test_colours_on_a_real_terminal_follow_the_conventions__CLI_4(
    large: Site, environ: dict[str, str], flags: tuple[str, ...], coloured: bool
) -> None:
    shown = terminal(large, "stauts", *flags, **environ)
    assert ("\x1b[31m" in shown.written) is coloured
    assert shown.screen[0].startswith("waiaas: error: there is no command")


def test_colours_in_a_pipe_only_where_forced__CLI_4(large: Site) -> None:
    assert "\x1b" not in large.run("stauts").err
    assert "\x1b[31m" in large.run("stauts", FORCE_COLOR="1").err


def test_interrupting_a_backup_takes_the_bar_away_and_leaves_nothing__CLI_4(large: Site) -> None:
    sent: list[subprocess.Popen[bytes]] = []

    def interrupt(written: str, child: subprocess.Popen[bytes]) -> None:
        if " %" in written and child not in sent:
            sent.append(child)
            child.send_signal(signal.SIGINT)

    argv = [large.python, "-I", str(large.program), "--data-dir", str(large.data), "backup", "create"]
    for _ in range(TRIES):
        before = sorted(path.name for path in (large.data / "backups").glob("*"))
        shown = on_terminal(argv, large.environ, interrupt)
        if shown.code == 130:  # else it was finished before it could be interrupted
            break
    assert shown.code == 130
    assert [line for line in shown.screen if line] == ["waiaas: error: interrupted", "hint: run it again"]
    assert sorted(path.name for path in (large.data / "backups").glob("*")) == before


def test_migrating_tells_the_time_and_each_step__CLI_4(
    workshop: Workshop, eager: Path, legacy: Path, tmp_path: Path
) -> None:
    with site(tmp_path / "old", eager) as made:
        unpack(legacy / "waiaas-1.5.3.tar.gz", made.data)
        shown = terminal(made, "db", "migrate")
    assert shown.code == 0, shown
    assert any(picture.startswith("migrate 0 s") for picture in shown.pictures)
    assert any(line.startswith("migration 16: ") for line in shown.screen)


def test_a_download_and_a_long_step_show_a_bar_after_a_second__CLI_4(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real program and its second of silence: a feed that drips, and probation that lasts."""
    feed = Dripping(workshop, tmp_path / "feed")
    feed.publish(workshop.current, workshop.patch)
    try:
        with site(tmp_path / "site", workshop.current, feed.url) as made:
            made.ok("init")
            shown = terminal(made, "upgrade", WAIAAS_UPGRADE_PROBATION="3")
            assert shown.code == 0, shown
            assert rises(shown.percents("      download"))
            assert any(picture.startswith("      working 2 s") for picture in shown.pictures)
            steps = [line for line in shown.screen if line.startswith("[")]
            assert [line[:5] for line in steps] == [f"[{n}/7]" for n in range(1, 8)]
            assert "Upgraded: 1.8.0 → 1.8.1" in shown.screen
            bundle = str(made.folder / "b.tgz")
            assert rises(terminal(made, "bundle", "create", "-o", bundle).percents("download"))
    finally:
        feed.close()


class Dripping(Feed):
    """Sends a payload in pieces, over two seconds or so."""

    def _handler(self) -> type:
        plain = super()._handler()

        class Slow(plain):  # type: ignore[misc, valid-type]
            def copyfile(self, source: object, outputfile: object) -> None:
                if "/targets/" not in self.path:
                    return shutil.copyfileobj(source, outputfile)  # type: ignore[type-var, arg-type]
                while chunk := source.read(1 << 16):  # type: ignore[attr-defined]
                    outputfile.write(chunk)  # type: ignore[attr-defined]
                    time.sleep(0.1)
                return None

        return Slow
