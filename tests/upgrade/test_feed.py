"""The client against an honest feed: what it reads, what it costs, what it remembers."""

from pathlib import Path

import pytest

from tests.simulator import BUILT, Simulator, release
from waiaas.core.errors import Busy, TrustRefused, WaiaasError
from waiaas.core.release import Withdrawal
from waiaas.core.value import replace
from waiaas.core.version import Version
from waiaas.host.locks import Lock
from waiaas.host.problems import NetworkProblem


def test_releases_are_listed_newest_first_as_they_were_signed__FEED_3(
    feed: Simulator, tmp_path: Path
) -> None:
    older = feed.publish(release("1.9.0"), b"nine")
    newer = feed.publish(release("1.10.0", withdrawn=Withdrawal(BUILT, "bad", "high", None)), b"ten")
    catalogue = feed.client(tmp_path).refresh(5.0)
    assert catalogue.releases == (newer, older)
    assert catalogue.warnings == ()
    assert catalogue.targets_version == feed.targets.version
    assert catalogue.expires["timestamp"] == feed.clock.now() + 14 * 86400


def test_an_empty_feed_lists_nothing(feed: Simulator, tmp_path: Path) -> None:
    assert feed.client(tmp_path).refresh(5.0).releases == ()


def test_other_files_in_the_feed_are_no_releases(feed: Simulator, tmp_path: Path) -> None:
    feed.publish(release("1.9.0"))
    feed.publish_custom("sbom.json", b"{}", None)
    catalogue = feed.client(tmp_path).refresh(5.0)
    assert [str(r.version) for r in catalogue.releases] == ["1.9.0"]
    assert catalogue.warnings == ()


def test_a_release_of_a_later_format_is_left_out_with_a_warning__FEED_3(
    feed: Simulator, tmp_path: Path
) -> None:
    feed.publish(release("1.9.0"))
    feed.publish_custom("waiaas-3.0.0.pyz", b"new", {"format": 2})
    catalogue = feed.client(tmp_path).refresh(5.0)
    assert [str(r.version) for r in catalogue.releases] == ["1.9.0"]
    assert "format 2" in catalogue.warnings[0]


def test_a_feed_of_nothing_but_later_formats_is_refused__FEED_3(feed: Simulator, tmp_path: Path) -> None:
    feed.publish_custom("waiaas-3.0.0.pyz", b"new", {"format": 2})
    with pytest.raises(TrustRefused) as refused:
        feed.client(tmp_path).refresh(5.0)
    assert refused.value.code == "bad-release-data"


def test_the_steady_state_is_two_requests__FEED_6(feed: Simulator, tmp_path: Path) -> None:
    feed.publish(release("1.9.0"))
    feed.client(tmp_path).refresh(5.0)
    feed.requests.clear()
    assert feed.client(tmp_path).refresh(5.0).releases
    assert feed.requests == ["metadata/2.root.json", "metadata/timestamp.json"]


def test_a_resigned_timestamp_costs_two_requests_as_well__FEED_6(feed: Simulator, tmp_path: Path) -> None:
    feed.client(tmp_path).refresh(5.0)
    feed.publish_timestamp()
    feed.requests.clear()
    feed.client(tmp_path).refresh(5.0)
    assert len(feed.requests) == 2


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_keys_of_each_role_can_be_replaced__FEED_1(feed: Simulator, tmp_path: Path, role: str) -> None:
    feed.publish(release("1.9.0"))
    feed.client(tmp_path).refresh(5.0)
    feed.rotate(role)
    feed.publish(release("1.9.1"))
    assert len(feed.client(tmp_path).refresh(5.0).releases) == 2


def test_one_of_three_keys_can_be_replaced__FEED_1(feed: Simulator, tmp_path: Path) -> None:
    for role in ("root", "targets"):
        feed.rotate(role, keep=2)
    assert feed.client(tmp_path).refresh(5.0)


def test_a_client_that_skipped_twenty_rotations_catches_up__FEED_1(feed: Simulator, tmp_path: Path) -> None:
    for role in ("root", "targets", "snapshot", "timestamp") * 5:
        feed.rotate(role)
    feed.publish(release("1.9.0"))
    assert feed.client(tmp_path).refresh(5.0).releases


def test_threshold_changes_hold_for_clients_that_were_away__FEED_1(feed: Simulator, tmp_path: Path) -> None:
    feed.rotate("targets", count=5)
    feed.rotate("targets", count=2)
    feed.publish(release("1.9.0"))
    assert feed.client(tmp_path).refresh(5.0).releases


def test_a_check_that_ran_out_of_time_goes_on_where_it_stopped__FEED_10(
    feed: Simulator, tmp_path: Path
) -> None:
    for _ in range(6):
        feed.rotate("root")
    feed.broken["metadata/5.root.json"] = NetworkProblem("network-timeout", "the feed did not answer in time")
    with pytest.raises(NetworkProblem) as problem:
        feed.client(tmp_path).refresh(5.0)
    assert problem.value.code == "network-timeout"
    feed.broken.clear()
    feed.requests.clear()
    feed.client(tmp_path).refresh(5.0)
    assert feed.requests[0] == "metadata/5.root.json"


def test_no_request_is_made_after_the_deadline__VCHK_03(feed: Simulator, tmp_path: Path) -> None:
    with pytest.raises(NetworkProblem):
        feed.client(tmp_path).refresh(0.0)
    assert feed.requests == []


def test_the_network_s_own_words_reach_the_user__CLI_2(feed: Simulator, tmp_path: Path) -> None:
    told = NetworkProblem("network-dns", "the name feed.example.test could not be found (DNS)", "a hint")
    feed.broken["metadata/timestamp.json"] = told
    with pytest.raises(NetworkProblem) as problem:
        feed.client(tmp_path).refresh(5.0)
    assert problem.value is told


def test_an_absent_feed_is_a_matter_of_the_network_not_of_trust(feed: Simulator, tmp_path: Path) -> None:
    feed.served.clear()
    with pytest.raises(NetworkProblem) as problem:
        feed.client(tmp_path).refresh(5.0)
    assert problem.value.code == "network-status"


def test_without_an_address_nothing_is_asked(feed: Simulator, tmp_path: Path) -> None:
    with pytest.raises(WaiaasError) as problem:
        feed.client(tmp_path, url="").refresh(5.0)
    assert problem.value.code == "no-feed"


def test_a_cache_that_cannot_be_written_is_said_plainly(feed: Simulator, tmp_path: Path) -> None:
    (tmp_path / "metadata").write_text("a file where the folder should be")
    with pytest.raises(WaiaasError) as problem:
        feed.client(tmp_path).refresh(5.0)
    assert problem.value.code == "feed-cache"


@pytest.mark.parametrize("damage", [b"", b"\0" * 300, b'{"signed": {'])
@pytest.mark.parametrize("name", ["root.json", "timestamp.json", "snapshot.json", "targets.json"])
def test_a_torn_cache_mends_itself__FEED_10(
    feed: Simulator, tmp_path: Path, name: str, damage: bytes
) -> None:
    feed.publish(release("1.9.0"))
    feed.client(tmp_path).refresh(5.0)
    (tmp_path / "metadata" / name).write_bytes(damage)
    assert feed.client(tmp_path).refresh(5.0).releases


def test_a_feed_on_disk_is_read_like_any_other__BNDL_2(feed: Simulator, tmp_path: Path) -> None:
    from waiaas.host.http import Network

    feed.publish(release("1.9.0"), b"payload")
    url = feed.write(tmp_path / "feed")
    client = feed.client(tmp_path, url=url, network=Network({}, feed.clock, offline=True))
    (found,) = client.refresh(5.0).releases
    client.download(found, tmp_path / "staged", 5.0, lambda _done, _total: None)
    assert (tmp_path / "staged").read_bytes() == b"payload"


def test_two_refreshes_never_share_a_cache(feed: Simulator, tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "metadata").mkdir()
    lock = tmp_path / "metadata" / "lock"
    script = (
        "import sys; from pathlib import Path; from waiaas.host.locks import Lock\n"
        "with Lock.acquire(Path(sys.argv[1]), 'check'): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(Busy):
            feed.client(tmp_path).refresh(5.0)
        other.communicate()
    assert Lock.acquire(lock, "check")


def test_a_release_keeps_what_a_changed_withdrawal_says__FEED_5(feed: Simulator, tmp_path: Path) -> None:
    first = feed.publish(release("1.9.0"), b"same")
    feed.client(tmp_path).refresh(5.0)
    feed.publish(
        replace(first, withdrawn=Withdrawal(BUILT, "loses data", "high", Version.parse("1.8.0"))), b"same"
    )
    (seen,) = feed.client(tmp_path).refresh(5.0).releases
    assert seen.withdrawn is not None and seen.withdrawn.to == Version.parse("1.8.0")
