"""Withdrawn versions, stepping stones and shares of a roll-out, with real signed feeds (FEED-4, 5)."""

import shutil
from pathlib import Path

from tests.journeys.api import contents, eventually, health, schema
from tests.journeys.workshop import Feed, Site, Workshop, site


def withdraw(feed: Feed, version: str, to: str) -> None:
    feed.workshop.maker(
        *("withdraw", "--keys", str(feed.workshop.keys), "--feed", str(feed.folder), version),
        *("--reason", "it loses mail", "--severity", "critical", "--to", to, "--yes"),
    )


def test_a_withdrawn_version_is_told_everywhere_and_left__FEED_5(installed: Site, feed: Feed) -> None:
    """Same schema on both sides: one command, nothing asked, nothing lost."""
    installed.ok("upgrade")
    withdraw(feed, "1.8.1", "1.8.0")
    check = installed.json("upgrade", "--check")
    assert check["withdrawn"] == {"reason": "it loses mail", "severity": "critical", "to": "1.8.0"}
    installed.ok("restart")
    eventually(lambda: health(installed)["withdrawn"] is not None)
    told = installed.ok("status")
    assert "it loses mail" in told.out + told.err
    done = installed.ok("upgrade")
    assert "1.8.1 → 1.8.0" in done.out
    assert health(installed)["version"] == "1.8.0"
    assert "Already up to date" in installed.ok("upgrade").out


def test_a_roll_back_to_a_withdrawn_version_is_warned_of_and_made__FEED_5_UPGR_04(
    installed: Site, feed: Feed
) -> None:
    """Known from the last look at the feed: no network is needed, and nothing is refused."""
    installed.ok("upgrade")
    assert "warning" not in installed.ok("upgrade", "--rollback").err
    installed.ok("upgrade")
    withdraw(feed, "1.8.1", "1.8.0")
    installed.ok("upgrade")
    done = installed.ok("upgrade", "--rollback", "--offline")
    assert "1.8.0 → 1.8.1" in done.out
    assert "warning: 1.8.1 was withdrawn: it loses mail; `waiaas upgrade" in done.err


def test_leaving_a_withdrawn_version_over_a_migration_says_what_is_lost__FEED_5(
    workshop: Workshop, tmp_path: Path
) -> None:
    """1.9.0 migrated the data: going back needs --yes, and the data of before come back."""
    feed = workshop.feed(tmp_path / "feed-19", workshop.current, workshop.minor)
    with site(tmp_path / "site-19", workshop.current, feed.url) as made:
        made.ok("init")
        before = contents(made.database)
        made.ok("upgrade", "--no-start")
        assert schema(made.database) == 17
        withdraw(feed, "1.9.0", "1.8.0")
        refused = made.run("upgrade")
        assert refused.code == 2
        assert "would be lost" in refused.err
        assert schema(made.database) == 17
        made.ok("upgrade", "--yes", "--no-start")
        assert made.ok("--version").out.strip() == "1.8.0"
        assert contents(made.database) == before
        assert [kept["kind"] for kept in made.json("backup", "list")] == ["rollback", "upgrade"]
    feed.close()


def test_a_stepping_stone_is_crossed_by_one_command__FEED_4(workshop: Workshop, tmp_path: Path) -> None:
    """1.8.0 → 1.8.1 → 1.9.0, because 1.9.0 is installable from 1.8.1 only; an interrupted way goes on."""
    feed = workshop.feed(tmp_path / "feed-via", workshop.current, workshop.patch)
    feed.publish(workshop.minor, min_from="1.8.1", via="1.8.1")
    for name, first in (("at-once", ()), ("in-two", (("upgrade", "--to", "1.8.1", "--no-start"),))):
        with site(tmp_path / name, workshop.current, feed.url) as made:
            made.ok("init")
            if not first:
                assert made.json("upgrade", "--check")["path"] == ["1.8.1", "1.9.0"]
            for words in first:
                made.ok(*words)
            made.ok("upgrade", "--no-start")
            runs = made.json("upgrade", "--history")
            assert [(run["from"], run["to"]) for run in runs] == [("1.8.1", "1.9.0"), ("1.8.0", "1.8.1")]
            assert schema(made.database) == 17
    feed.close()


def test_a_stepping_stone_is_crossed_from_a_feed_carried_as_a_folder__FEED_4(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Both hops come from the folder, with `--offline`, and the daemon goes on as it was started."""
    feed = workshop.feed(tmp_path / "feed-via", workshop.current, workshop.patch)
    feed.publish(workshop.minor, min_from="1.8.1", via="1.8.1")
    carried = tmp_path / "stick"
    shutil.copytree(feed.folder, carried)
    feed.close()
    with site(tmp_path / "carried", workshop.current) as made:
        made.ok("init")
        made.ok("--offline", "start", "--detach")
        made.ok("--offline", "upgrade", "--from", str(carried))
        runs = made.json("upgrade", "--history")
        assert [(run["from"], run["to"]) for run in runs] == [("1.8.1", "1.9.0"), ("1.8.0", "1.8.1")]
        assert (health(made)["version"], health(made)["schemaVersion"]) == ("1.9.0", 17)
        assert started_offline(made)
        made.ok("upgrade", "--rollback")
        assert started_offline(made)
        made.ok("stop")
        made.ok("start", "--detach")
        made.ok("--offline", "upgrade", "--from", str(carried))
        assert not started_offline(made), "the daemon before it was not"


def started_offline(site: Site) -> bool:
    words = Path(f"/proc/{site.daemon['pid']}/cmdline").read_bytes().split(b"\0")
    return b"--offline" in words


def test_outside_of_the_share_nothing_is_offered_unless_critical_or_asked_for__FEED_4(
    workshop: Workshop, tmp_path: Path
) -> None:
    feed = workshop.feed(tmp_path / "feed-share", workshop.current)
    feed.publish(workshop.patch, rollout="0")
    with site(tmp_path / "share", workshop.current, feed.url) as made:
        made.ok("init")
        check = made.json("upgrade", "--check")
        assert check["updateAvailable"] is False
        assert "rolled out" in check["reason"]
        assert made.json("upgrade", "--check", "--to", "1.8.1")["updateAvailable"] is True
    feed.close()
    urgent = workshop.feed(tmp_path / "feed-urgent", workshop.current)
    urgent.workshop.maker(
        *("publish", "--feed", str(urgent.folder), "--keys", str(workshop.keys), "--rollout", "0"),
        *("--critical", str(workshop.patch)),
    )
    with site(tmp_path / "urgent", workshop.current, urgent.url) as made:
        made.ok("init")
        assert made.json("upgrade", "--check")["updateAvailable"] is True
    urgent.close()
