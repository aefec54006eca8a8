"""`waiaas logs`: the end of the log, over rotation, and where else to look."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli.logs import CHUNK, follow, tail
from waiaas.core.errors import Exit
from waiaas.daemon.logfile import KEEP, RotatingFile


@pytest.fixture
def log(data_dir: Path) -> Path:
    return data_dir / "logs" / "waiaas.log"


def test_the_last_lines_come_in_order_and_are_data(ready: Waiaas, log: Path) -> None:
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    assert ready("logs", "-n", "2").out == "line 98\nline 99\n"
    document = ready("logs", "-n", "3", "--json").document
    assert document == {"path": str(log), "lines": ["line 97", "line 98", "line 99"]}
    assert len(ready("logs").out.splitlines()) == 50


def test_rotated_files_are_read_where_the_newest_is_too_short(tmp_path: Path) -> None:
    path = tmp_path / "waiaas.log"
    sink = RotatingFile(path, max_bytes=40)
    for number in range(20):
        sink.write(f"line {number:02}")
    sink.close()
    assert path.with_name("waiaas.log.3").exists()
    assert tail(path, 15) == [f"line {number:02}" for number in range(5, 20)]
    kept = len(tail(path, 1000))
    assert kept == sum(len(each.read_text().splitlines()) for each in [path, *tmp_path.glob("waiaas.log.?")])
    assert not path.with_name(f"waiaas.log.{KEEP + 1}").exists()


@pytest.mark.parametrize("length", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_long_lines_are_not_torn(tmp_path: Path, length: int) -> None:
    path = tmp_path / "waiaas.log"
    path.write_text("a" * length + "\n" + "b" * length + "\n")
    assert tail(path, 1) == ["b" * length]
    assert tail(path, 9) == ["a" * length, "b" * length]


def test_what_was_logged_does_not_move_the_cursor(ready: Waiaas, log: Path) -> None:
    log.write_bytes(b"evil \x1b[2J \xff line\n")
    assert ready("logs").out == "evil ?[2J \ufffd line\n"


def test_following_sees_more_lines_halves_and_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "waiaas.log"
    path.write_text("old\n")

    def write() -> Iterator[None]:
        with path.open("a") as stream:
            stream.write("one\ntw")
        yield
        with path.open("a") as stream:
            stream.write("o\n")
        path.rename(path.with_name("waiaas.log.1"))
        yield
        path.write_text("three\n")
        yield

    class Clock:
        """Each time that somebody waits, something happens."""

        events = write()

        def sleep(self, _: float) -> None:
            next(self.events)

    class Context:
        class host:  # noqa: N801
            clock = Clock()

    found = list(itertools.islice(follow(Context(), path), 3))  # type: ignore[arg-type]
    assert found == ["one", "two", "three"]


def test_without_a_log_it_says_who_writes_one(ready: Waiaas, log: Path) -> None:
    ran = ready("logs", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.FAILED, "no-log")
    assert ran.error["hint"] == "`waiaas start --detach`"


@pytest.mark.parametrize("argv", [("-n", "0"), ("-n", "x"), ("more",), ("-f", "--json")])
def test_wrong_arguments_are_exit_2(ready: Waiaas, argv: tuple[str, ...]) -> None:
    assert ready("logs", *argv).code == Exit.USAGE
