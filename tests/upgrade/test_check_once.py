"""One look at the feed for the daemon: an answer or a sentence, never an exception (VCHK-03, VCHK-04)."""

from pathlib import Path
from typing import Any

import pytest

from tests.simulator import BUILT, URL, Simulator, release
from waiaas import __version__
from waiaas.core.check import CheckOutcome
from waiaas.core.layout import Layout
from waiaas.core.release import Rollout, Withdrawal
from waiaas.core.settings import Settings, UpgradeSettings
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.problems import NetworkProblem
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.upgrade.check import check_once

INSTALLED = Version.parse(__version__)
NEWER = f"{INSTALLED.major}.{INSTALLED.minor + 1}.0"
OLDER = f"{INSTALLED.major - 1}.99.0"


def look(feed: Simulator, folder: Path, **upgrade: Any) -> CheckOutcome:
    (folder / "root.json").write_bytes(feed.trusted)
    wanted = {"feed_url": URL, "trusted_root": str(folder / "root.json")} | upgrade
    host = Host(feed.clock, Files(), feed, Processes({}), Program(None), {})
    layout = Layout(folder / "home", folder / "home/data/waiaas.db", folder / "home/config.toml")
    return check_once(host, layout, Settings(upgrade=UpgradeSettings(**wanted)), "an-installation")


def test_the_newest_eligible_version_is_found__VCHK_04(feed: Simulator, tmp_path: Path) -> None:
    feed.publish(release(__version__))
    feed.publish(release(NEWER))
    assert look(feed, tmp_path) == CheckOutcome(NEWER, None, None)


def test_the_installed_version_counts_as_the_latest__VCHK_04(feed: Simulator, tmp_path: Path) -> None:
    feed.publish(release(__version__))
    assert look(feed, tmp_path) == CheckOutcome(__version__, None, None)
    feed.publish(release(NEWER, rollout=Rollout(BUILT, ((0, 0),))))
    assert look(feed, tmp_path) == CheckOutcome(__version__, None, None)


def test_a_candidate_is_news_on_its_channel_alone__FEED_4(feed: Simulator, tmp_path: Path) -> None:
    feed.publish(release(f"{NEWER}-rc.1"))
    assert look(feed, tmp_path).latest == __version__
    assert look(feed, tmp_path, channel="rc").latest == f"{NEWER}-rc.1"


def test_a_withdrawn_installation_is_told_where_to_go__FEED_5(feed: Simulator, tmp_path: Path) -> None:
    gone = Withdrawal(BUILT, "it loses wallets", "high", Version.parse(OLDER))
    feed.publish(release(__version__, withdrawn=gone))
    feed.publish(release(OLDER))
    found = look(feed, tmp_path)
    assert found.withdrawn == {"reason": "it loses wallets", "to": OLDER, "severity": "high"}
    assert (found.latest, found.error) == (OLDER, None)


def test_a_withdrawn_installation_with_nowhere_to_go_is_told_too__FEED_5(
    feed: Simulator, tmp_path: Path
) -> None:
    feed.publish(release(__version__, withdrawn=Withdrawal(BUILT, "bad", "high", None)))
    found = look(feed, tmp_path)
    assert found.withdrawn == {"reason": "bad", "to": None, "severity": "high"}
    assert found.error is None


def test_a_failed_check_is_one_sentence__VCHK_03(feed: Simulator, tmp_path: Path) -> None:
    feed.broken["metadata/timestamp.json"] = NetworkProblem("network-dns", "the name could not be found")
    assert look(feed, tmp_path) == CheckOutcome(None, None, "the name could not be found")


@pytest.mark.parametrize("change", [{"trusted_root": ""}, {"trusted_root": "/absent"}, {"feed_url": ""}])
def test_a_check_that_cannot_start_is_one_sentence__VCHK_03(
    feed: Simulator, tmp_path: Path, change: dict[str, str]
) -> None:
    found = look(feed, tmp_path, **change)
    assert found.latest is None
    assert found.error


def test_a_bug_is_a_failed_check__VCHK_03(
    feed: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("waiaas.upgrade.check.open_feed", bug)
    assert look(feed, tmp_path).error == "the check failed: ZeroDivisionError: a bug"


def test_what_was_verified_is_kept_in_the_data_directory(feed: Simulator, tmp_path: Path) -> None:
    feed.publish(release(NEWER))
    look(feed, tmp_path)
    assert (tmp_path / "home" / "feed" / "targets.json").exists()
    feed.requests.clear()
    look(feed, tmp_path)
    assert len(feed.requests) == 2
