"""Downloading an artefact: the signed bytes or nothing (FEED-2)."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator import Simulator, release
from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.release import Release
from waiaas.host.files import Files
from waiaas.host.problems import HttpStatus, NetworkProblem

PAYLOAD = bytes(range(256)) * 20


def quiet(_done: int, _total: int) -> None:
    return


def place_of(found: Release) -> str:
    return f"targets/{found.sha256}.{found.target}"


def test_the_staged_file_is_whole_executable_and_reported_on__CLI_4(feed: Simulator, tmp_path: Path) -> None:
    found = feed.publish(release(), PAYLOAD)
    seen: list[tuple[int, int]] = []
    old = os.umask(0o077)
    try:
        feed.client(tmp_path).download(found, tmp_path / "staged", 5.0, lambda *now: seen.append(now))
    finally:
        os.umask(old)
    assert (tmp_path / "staged").read_bytes() == PAYLOAD
    assert stat.S_IMODE((tmp_path / "staged").stat().st_mode) == 0o755
    assert seen[-1] == (len(PAYLOAD), len(PAYLOAD))
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    "tampered",
    [
        PAYLOAD[:-1] + b"!",
        PAYLOAD[:-1],
        PAYLOAD + b"!",
        b"",
        b"\0" * len(PAYLOAD),
        PAYLOAD * 100,
    ],
    ids=["one bit", "short", "long", "empty", "other", "endless"],
)
def test_tampered_artefact_is_refused_and_removed__FEED_2(
    feed: Simulator, tmp_path: Path, tampered: bytes
) -> None:
    found = feed.publish(release(), PAYLOAD)
    feed.served[place_of(found)] = tampered
    with pytest.raises(TrustRefused) as refused:
        feed.client(tmp_path).download(found, tmp_path / "staged", 5.0, quiet)
    assert refused.value.code == "wrong-bytes"
    assert not (tmp_path / "staged").exists()


def test_a_missing_artefact_leaves_nothing_behind(feed: Simulator, tmp_path: Path) -> None:
    found = feed.publish(release(), PAYLOAD)
    del feed.served[place_of(found)]
    with pytest.raises(HttpStatus):
        feed.client(tmp_path).download(found, tmp_path / "staged", 5.0, quiet)
    assert not (tmp_path / "staged").exists()


def test_a_broken_download_leaves_nothing_behind(feed: Simulator, tmp_path: Path) -> None:
    found = feed.publish(release(), PAYLOAD)

    def breaks_off(_url: str, _deadline: float, _budget: int) -> Iterator[bytes]:
        yield PAYLOAD[:1000]
        raise NetworkProblem("network-broken", "the server broke off")

    feed.fetch = breaks_off  # type: ignore[method-assign]
    with pytest.raises(NetworkProblem):
        feed.client(tmp_path).download(found, tmp_path / "staged", 5.0, quiet)
    assert not (tmp_path / "staged").exists()


def test_leftovers_of_an_interrupted_run_are_replaced(feed: Simulator, tmp_path: Path) -> None:
    found = feed.publish(release(), PAYLOAD)
    (tmp_path / "staged").write_bytes(b"half")
    feed.client(tmp_path).download(found, tmp_path / "staged", 5.0, quiet)
    assert (tmp_path / "staged").read_bytes() == PAYLOAD


def test_a_planted_link_is_never_written_through__UPGR_14(feed: Simulator, tmp_path: Path) -> None:
    found = feed.publish(release(), PAYLOAD)
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "staged").symlink_to(tmp_path / "precious")
    feed.client(tmp_path).download(found, tmp_path / "staged", 5.0, quiet)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "staged").is_symlink()


def test_a_folder_that_is_not_there_is_said_plainly(feed: Simulator, tmp_path: Path) -> None:
    found = feed.publish(release(), PAYLOAD)
    with pytest.raises(WaiaasError) as problem:
        feed.client(tmp_path).download(found, tmp_path / "absent" / "staged", 5.0, quiet)
    assert problem.value.code == "cannot-stage"


def test_the_file_is_synced_before_anybody_may_rename_it__UPGR_06(
    feed: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points: list[str] = []
    synced = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (points.append("fsync"), synced(number))[1])
    found = feed.publish(release(), PAYLOAD)
    feed.client(tmp_path, files=Files(points.append)).download(found, tmp_path / "staged", 5.0, quiet)
    assert points == ["stage:write", "fsync", "stage:fsync-directory", "fsync"]
