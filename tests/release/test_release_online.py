"""The two online keys: all that the daily job needs, all that it reads, and all that it can do; and the
alarm that `status` raises in time."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench, artefact
from desk import Desk

from waiaas.release import ceremony, publish
from waiaas.release.look_commands import SOON
from waiaas.release.repository import verify
from waiaas.release.root import LIFETIME

DAY = 86400
ONLINE = ("snapshot-1.pem", "timestamp-1.pem")


class Watch:
    """Every file that was opened, told by the interpreter itself."""

    def __init__(self) -> None:
        self.opened: list[Path] = []
        self.on = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and event == "open" and isinstance(arguments[0], str | bytes | Path):
            name = arguments[0]
            self.opened.append(Path(name.decode() if isinstance(name, bytes) else name))

    @property
    def keys(self) -> set[str]:
        return {path.name for path in self.opened if path.suffix == ".pem"}


WATCH = Watch()  # an audit hook stays until the end of the process, so there is one


@pytest.fixture
def watch() -> Iterator[Watch]:
    WATCH.opened.clear()
    WATCH.on = True
    yield WATCH
    WATCH.on = False


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


@pytest.fixture
def online(bench: Bench, desk: Desk) -> Path:
    """The folder of the daily job; every other key is gone from this machine."""
    bench.clock.time = desk.clock.time
    bench.publish("1.8.0", "1.9.0")
    folder = bench.folder / "online"
    folder.mkdir()
    for name in ONLINE:
        shutil.move(bench.keys / name, folder / name)
    shutil.rmtree(bench.keys)
    return folder


def run(desk: Desk, bench: Bench, *argv: str | Path) -> tuple[int, list[str]]:
    said = desk([str(word) for word in argv], bench.folder, "no passphrase")
    return said.code, said.lines


def test_refresh_needs_and_reads_the_two_online_keys_only__FEED_1(
    bench: Bench, desk: Desk, online: Path, watch: Watch
) -> None:
    first = bench.first_root
    for days in range(1, 61):
        desk.clock.time += DAY
        assert run(desk, bench, "refresh", "--feed", "feed", "--keys", "online")[0] == 0, days
        verify(bench.feed, first)
    assert watch.keys == set(ONLINE)
    assert {path.parent for path in watch.opened if path.suffix == ".pem"} <= {Path("online"), online}


@pytest.mark.real_time  # a withdrawal looks at what is at hand, and waiting for a process sleeps
@pytest.mark.parametrize(
    "argv",
    [
        ("publish", "--feed", "feed", "--keys", "online", "waiaas-1.9.1.pyz"),
        ("rollout", "--feed", "feed", "--keys", "online", "1.9.0", "50"),
        ("withdraw", "--feed", "feed", "--keys", "online", "1.9.0", "--reason", "x", "--yes"),
        ("rotate", "--feed", "feed", "--keys", "online", "timestamp", "--plain"),
        ("rotate", "--feed", "feed", "--keys", "online", "root", "--plain"),
        ("publish", "--feed", "feed", "--online", "online"),
    ],
    ids=lambda argv: "-".join(argv[:1]),
)
def test_with_the_two_online_keys_nothing_else_can_be_signed__FEED_1(
    argv: tuple[str, ...], bench: Bench, desk: Desk, online: Path
) -> None:
    artefact(bench.folder, "1.9.1")
    if argv[:1] == ("publish",) and len(argv) == 5:
        assert run(desk, bench, "prepare-renewal", "--feed", "feed", "targets")[0] == 0
    before = bench.listing()
    code, lines = run(desk, bench, *argv)
    assert code != 0
    assert "of the 2 signatures it needs" in " ".join(lines)
    assert bench.listing() == before
    assert sorted(path.name for path in online.iterdir()) == list(ONLINE)


def test_a_new_root_is_signed_by_root_keys_only__FEED_1(bench: Bench, desk: Desk, online: Path) -> None:
    assert run(desk, bench, "prepare-renewal", "--feed", "feed", "root")[0] == 0
    before = bench.listing()
    for argv in (("publish", "--feed", "feed"), ("publish", "--feed", "feed", "--online", "online")):
        code, lines = run(desk, bench, *argv)
        assert (code, lines[0]) == (1, "error: root carries 0 of the 2 signatures it needs")
    assert bench.listing() == before


@pytest.mark.parametrize("role", SOON)
def test_status_alarms_before_each_role_expires__FEED_1(role: str, bench: Bench, desk: Desk) -> None:
    """To the second: at the last moment that is early enough, just after it, and when it is over."""
    bench.clock.time = desk.clock.time
    bench.publish("1.8.0")
    states = {state.role: state for state in bench.maker.repository(bench.feed).roles()}
    end = states[role].expires.timestamp()
    assert role == "root" or end == desk.clock.time + LIFETIME[role] * DAY
    for offset, code, word in (
        (-SOON[role] * DAY, 0, f"{SOON[role]} days left"),
        (-SOON[role] * DAY + 1, 1, f"{SOON[role] - 1} days left  expires soon"),
        (-1, 1, "0 days left  expires soon"),
        (0, 1, "0 days left  EXPIRED"),
        (1, 1, "-1 days left  EXPIRED"),
    ):
        desk.clock.time = end + offset
        keep_others_alive(bench, desk, role)
        found, lines = run(desk, bench, "status", "--feed", "feed")
        [line] = [line for line in lines if line.startswith(f"{role} ")]
        assert line.endswith(word), offset
        assert found == code, (offset, lines)
        assert ("hint: " in " ".join(lines)) == bool(code)


def keep_others_alive(bench: Bench, desk: Desk, role: str) -> None:
    """Sign all but `role` anew, so that the exit code is about `role` alone."""
    bench.clock.time = desk.clock.time
    if role == "root":
        renew(bench, "targets")
    if role in ("root", "targets"):
        publish.refresh(bench.maker, bench.feed, bench.ring)
    elif role == "snapshot":
        bench.maker.repository(bench.feed).refresh(bench.ring, -LIFETIME[role])  # only the timestamp


def renew(bench: Bench, role: str) -> None:
    ceremony.prepare_renewal(bench.maker, bench.feed, role)
    publish.publish_pending(bench.maker, bench.feed, bench.ring)
