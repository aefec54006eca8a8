"""What pointed at a withdrawn release: git tags, image tags, the public feed; and nothing else (WDR-2)."""

import pytest
from withdrawal_kit import IMAGE, Office

pytestmark = pytest.mark.journey
Capture = pytest.CaptureFixture[str]


def test_the_roll_back_tag_is_on_the_commit_of_the_good_version__WDR_2(office: Office) -> None:
    """Elsewhere it was made at HEAD, the newest code (§2.1)."""
    day = office.bench.clock.utc().strftime("%Y%m%d")
    main = office.git("rev-parse", "main", where=office.origin)
    assert office.withdraw() == 0
    name = f"v1.8.0-rollback-{day}"
    assert office.commit(name) == office.commit("v1.8.0") != office.commit("HEAD")
    assert office.git("cat-file", "-t", name, where=office.origin) == "tag", "annotated"
    message = office.git("tag", "--list", "--format=%(contents)", name, where=office.origin)
    assert message == "Roll back from 1.9.0 to 1.8.0: it loses mail"
    assert office.git("rev-parse", "main", where=office.origin) == main, "main is not rewritten"


def test_only_the_roll_back_tag_is_pushed__WDR_2(office: Office) -> None:
    """Elsewhere `git push --tags` took every local tag along (§2.1)."""
    office.git("tag", "-a", "private", "-m", "mine")
    office.git("config", "push.followTags", "true")
    before = office.remote_tags()
    assert office.withdraw() == 0
    [new] = office.remote_tags() - before
    assert new.startswith("v1.8.0-rollback-")


def test_a_tag_that_is_somewhere_else_is_never_moved__WDR_2(office: Office) -> None:
    name = f"v1.8.0-rollback-{office.bench.clock.utc():%Y%m%d}"
    office.git("tag", "-a", name, "-m", "of somebody else", "HEAD")
    office.git("push", "-q", "origin", name)
    assert office.withdraw() == 1
    assert office.outcomes()["tag"] == "failed"
    assert office.git("rev-parse", f"{name}^{{commit}}", where=office.origin) == office.commit("HEAD")


def test_a_release_tag_that_was_moved_is_not_believed__WDR_2(office: Office) -> None:
    """The feed says, signed, from which commit the good version was built."""
    office.git("tag", "-f", "v1.8.0", "HEAD")
    assert office.withdraw() == 1
    assert "v1.8.0 is on" in office.observed("tag")
    assert not any("rollback" in tag for tag in office.remote_tags())


def test_nothing_is_pushed_to_another_repository__WDR_2(office: Office) -> None:
    office.git("remote", "set-url", "origin", str(office.folder / "elsewhere.git"))
    assert office.withdraw() == 1
    assert "is not acme/waiaas" in office.observed("tag")


def test_a_newer_good_release_keeps_latest_and_its_tags__WDR_2(office: Office) -> None:
    office.publish("1.9.1", "2.0.0")
    assert office.withdraw() == 0
    assert office.state("github")["latest"] == "v2.0.0"
    assert [office.serves(tag) for tag in ("latest", "2", "1", "1.9")] == ["2.0.0", "2.0.0", "1.9.1", "1.9.1"]
    assert "go to v2.0.0" in office.state("github")["issues"][0]["title"], "where `waiaas upgrade` leads"
    assert "go to 1.8.0" in office.observed("feed"), "what is signed"


def test_a_tag_that_has_no_other_good_version_gets_the_target__WDR_2(office: Office) -> None:
    """2.0 has nothing else to mean, and must not go on serving what was withdrawn."""
    office.publish("2.0.0")
    assert office.withdraw("2.0.0") == 0
    assert [office.serves(tag) for tag in ("latest", "2", "2.0", "1", "1.9")] == ["1.9.0"] * 5
    assert office.serves("2.0.0") == "2.0.0", "its own tag stays: nothing is deleted"


def test_one_registry_that_fails_keeps_no_other_from_being_seen_to__WDR_2(office: Office) -> None:
    other = "other.example/waiaas"
    registry = office.state("registry")
    registry |= {name.replace(IMAGE, other): manifest for name, manifest in registry.items()}
    del registry[f"{IMAGE}:1.8.0"]
    office.keep("registry", registry)
    assert office.withdraw("1.9.0", "--image", other) == 1
    assert office.outcomes()["images"] == "failed"
    assert f"there is no {IMAGE}:1.8.0" in office.observed("images")
    after = office.state("registry")
    assert after[f"{other}:latest"] == after[f"{other}:1.8.0"]
    assert office.serves("latest") == "1.9.0"


def test_a_candidate_has_no_moving_tags_to_give_back__WDR_2(office: Office) -> None:
    assert office.withdraw("1.9.0-rc.1") == 0
    assert office.outcomes("1.9.0-rc.1")["images"] == "not-needed"
    assert office.serves("latest") == "1.9.0"
    assert office.state("github")["latest"] == "v1.9.0"


def public(office: Office) -> str:
    """The feed becomes a clone of the branch `feed` of our origin, as `fetch` makes it."""
    branch = f"{office.origin}#feed"
    office.feed.rename(office.folder / "made")
    assert office.run("fetch", "--feed", office.feed, "--branch", branch) == 0
    for part in ("metadata", "targets"):
        (office.folder / "made" / part).rename(office.feed / part)
    assert office.run("push", "--feed", office.feed, "--branch", branch) == 0
    return branch


def test_the_feed_is_made_public_before_anybody_is_told__WDR_2(office: Office) -> None:
    branch = public(office)
    before = office.git("rev-parse", "feed", where=office.origin)
    assert office.withdraw("1.9.0", "--branch", branch) == 0
    head = office.git("rev-parse", "feed", where=office.origin)
    assert head != before
    assert office.observed("feed").endswith(f"; public as {head[:12]}")
    names = office.git("ls-tree", "-r", "--name-only", "feed", where=office.origin).split()
    newest = max(int(n.split("/")[1].split(".")[0]) for n in names if n.endswith(".targets.json"))
    assert "it loses mail" in office.git("show", f"feed:metadata/{newest}.targets.json", where=office.origin)
    assert office.withdraw("1.9.0", "--branch", branch) == 0, "again: nothing new to push"
    assert office.git("rev-parse", "feed", where=office.origin) == head


def test_nobody_is_told_while_the_feed_is_not_public__WDR_2(office: Office, capsys: Capture) -> None:
    """Somebody else has pushed since it was fetched: a failure, and the same commands help."""
    branch = public(office)
    assert office.run("fetch", "--feed", office.folder / "other", "--branch", branch) == 0
    assert office.run("refresh", "--feed", office.folder / "other", "--keys", office.keys) == 0
    assert office.run("push", "--feed", office.folder / "other", "--branch", branch) == 0
    assert office.withdraw("1.9.0", "--branch", branch) == 1
    assert office.outcomes() == {"feed": "failed"}
    assert not office.state("github")["issues"]
    assert office.state("github")["latest"] == "v1.9.0"
    assert office.run("fetch", "--feed", office.feed, "--branch", branch) == 0
    assert office.withdraw("1.9.0", "--branch", branch) == 0
    assert office.state("github")["latest"] == "v1.8.0"


def test_signatures_are_kept_until_the_feed_is_public__WDR_2(office: Office) -> None:
    """Two holders were called at night; a refresh that was pushed meanwhile must not call them again."""
    branch = public(office)
    online = office.folder / "online"
    online.mkdir()
    for role in ("snapshot", "timestamp"):
        (online / f"{role}-1.pem").write_bytes((office.keys / f"{role}-1.pem").read_bytes())
    assert office.run("prepare-withdrawal", "--feed", office.feed, "1.9.0", "--reason", "it loses mail") == 0
    waiting = office.folder / "feed.pending"
    for number in (1, 2):
        words = ("--key", office.keys / f"targets-{number}.pem", "--pending", waiting)
        assert office.run("sign", *words, "--root", office.keys / "root.json") == 0
    assert office.run("fetch", "--feed", office.folder / "other", "--branch", branch) == 0
    assert office.run("refresh", "--feed", office.folder / "other", "--keys", online) == 0
    assert office.run("push", "--feed", office.folder / "other", "--branch", branch) == 0
    words = ("withdraw", "--feed", office.feed, "1.9.0", "--online", online, "--yes", "--branch", branch)
    assert office.run(*words) == 1
    assert len(list(waiting.glob("*.sig.json"))) == 2
    assert office.run("fetch", "--feed", office.feed, "--branch", branch) == 0
    assert office.run(*words) == 0
    assert office.outcomes()["feed"] == "done"
    assert not waiting.exists()
