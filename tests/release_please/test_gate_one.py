"""Gate 1 with the real command line of release-please: nothing is released before a person merges.

It speaks to a small GitHub on loopback over a real repository, by the same client as its Action does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.release_please.scratch import CHANGELOG, git
from tests.release_please.world import World

pytestmark = pytest.mark.journey

NAMED = "import waiaas; from waiaas.core.version import Version; print(Version.parse(waiaas.__version__))"
SAMPLE = ("tests/core/test_core_compat.py", "tests/core/test_core_version.py", "tests/test_docs.py")
PENDING, TAGGED = "autorelease: pending", "autorelease: tagged"


@contextmanager
def world(folder: Path, version: str, released: str, *, whole: bool = False) -> Iterator[World]:
    made = World(folder, version, released, whole=whole)
    try:
        yield made
    finally:
        made.github.close()


@contextmanager
def at(folder: Path, version: str, *, whole: bool = False) -> Iterator[World]:
    """A repository whose newest release is `version`."""
    with world(folder, version, version, whole=whole) as made:
        made.released_already(version)
        yield made


def test_the_first_release_is_1_8_0_and_waits_for_gate_1__SHP_4_RLSE_02(tmp_path: Path) -> None:
    with world(tmp_path, "1.8.0", "1.7.0") as made:
        made.release_please("release-pr")
        (pull,) = made.github.open_pulls()
        assert pull["title"] == "chore(main): release 1.8.0"
        assert made.github.labels(pull["number"]) == [PENDING]
        before = made.origin.commit_of("main")

        made.release_please("github-release")
        assert (made.tags(), made.github.releases) == ({}, []), "nothing before the merge"
        assert made.origin.commit_of("main") == before

        merged = made.github.merge(pull["number"])
        assert (made.tags(), made.github.releases) == ({}, [])
        made.release_please("github-release")
        assert made.tags() == {"v1.8.0": merged}
        (release,) = made.github.releases
        assert (release["name"], release["draft"], release["prerelease"]) == ("v1.8.0", False, False)
        assert release["body"] in made.origin.read("main", CHANGELOG)
        assert "### Added" in release["body"]
        assert made.github.labels(pull["number"]) == [TAGGED]
        assert "v1.8.0" in made.github.comments[-1][1]
        assert set(made.stated().values()) == {"1.8.0"}


def test_a_second_call_changes_nothing__RLSE_02(tmp_path: Path) -> None:
    with at(tmp_path, "1.8.0") as made:
        made.commit("fix: close the file")
        made.release_please("release-pr")
        head = made.origin.refs("heads")
        made.release_please("release-pr")
        assert (made.origin.refs("heads"), len(made.github.pulls)) == (head, 1)
        assert made.release() == "v1.8.1"
        after = made.origin.refs("heads"), made.tags()
        for command in ("github-release", "release-pr", "github-release"):
            made.release_please(command)
        assert (made.origin.refs("heads"), made.tags()) == after
        assert (len(made.github.pulls), len(made.github.releases)) == (1, 2)


def test_one_pull_request_grows_until_it_is_merged_and_then_the_next_begins__RLSE_01(tmp_path: Path) -> None:
    with at(tmp_path, "1.8.0") as made:
        made.commit("docs: a word")
        made.release_please("release-pr")
        assert made.github.pulls == []
        for message, version in (("fix: close the file", "1.8.1"), ("feat: a page", "1.9.0")):
            made.commit(message)
            made.release_please("release-pr")
            (pull,) = made.github.open_pulls()
            assert pull["title"] == f"chore(main): release {version}"
            assert set(made.stated(pull["head"]["ref"]).values()) == {version}
        assert made.release() == "v1.9.0"
        made.commit("feat!: another page")
        assert made.release() == "v2.0.0"
        assert sorted(made.tags()) == ["v1.8.0", "v1.9.0", "v2.0.0"]
        headings = [line for line in made.origin.read("main", CHANGELOG).splitlines() if line[:3] == "## "]
        assert [line.split("]")[0] for line in headings] == ["## [2.0.0", "## [1.9.0", "## 1.7 and earlier"]


def test_the_rc_line_is_entered_and_left_by_one_switch__RLSE_06(tmp_path: Path) -> None:
    with at(tmp_path, "1.8.0") as made:
        made.scratch.set_rc_line(True)
        made.commit("build: enter the rc line")
        made.release_please("release-pr")
        assert made.github.pulls == [], "entering releases nothing"
        made.commit("feat: a page")
        assert made.release() == "v1.9.0-rc.1"
        made.commit("fix: close the file")
        assert made.release() == "v1.9.0-rc.2"
        made.scratch.set_rc_line(False)
        made.commit("chore: 1.9.0-rc.2 becomes 1.9.0\n\nRelease-As: 1.9.0")
        assert made.release() == "v1.9.0"
        made.commit("fix: close the other file")
        assert made.release() == "v1.9.1"
        marked = {release["tag_name"]: release.get("prerelease") for release in made.github.releases[1:]}
        assert marked == {"v1.9.0-rc.1": True, "v1.9.0-rc.2": True, "v1.9.0": False, "v1.9.1": False}


def test_a_merged_pull_request_that_is_not_yet_released_stops_the_next__RLSE_02(tmp_path: Path) -> None:
    """Why release-please.yml releases first and proposes then: the other way round nothing happens, and
    the exit code is 0 all the same."""
    with at(tmp_path, "1.8.0") as made:
        made.commit("fix: close the file")
        made.release_please("release-pr")
        made.github.merge(1)
        made.commit("feat: a page")
        assert "aborting" in made.release_please("release-pr")
        assert made.github.open_pulls() == []
        made.release_please("github-release")
        assert made.release() == "v1.9.0"


def test_after_a_bad_release_the_next_has_a_number_of_its_own__WDR_2(tmp_path: Path) -> None:
    """Its tag, its release and its place in the manifest stay; the reverted change is a patch."""
    with at(tmp_path, "1.8.0") as made:
        made.commit("feat: a page")
        assert made.release() == "v1.9.0"
        bad = made.tags()["v1.9.0"]
        made.commit("revert: feat: a page")
        assert made.release() == "v1.9.1"
        assert made.tags()["v1.9.0"] == bad


def test_deleting_a_release_would_give_its_number_away_again__WDR_2(tmp_path: Path) -> None:
    """Why nobody may: the same number for other bytes."""
    with at(tmp_path, "1.8.0") as made:
        made.commit("feat: a page")
        assert made.release() == "v1.9.0"
        git(made.origin.folder, "update-ref", "-d", "refs/tags/v1.9.0")
        made.github.releases.pop()
        git(made.scratch.folder, "pull", "-q", "origin", "main")
        git(made.scratch.folder, "revert", "--no-commit", "HEAD")
        made.commit("revert: release 1.9.0")
        assert made.release() == "v1.9.0"


@pytest.mark.parametrize(
    ("message", "tag"),
    [("fix: close the file", "v1.8.1"), ("feat: a page", "v1.9.0"), ("feat!: a page", "v2.0.0")],
)
def test_the_tree_of_a_release_passes_its_own_tests__RLSE_01_CMPT_01(
    tmp_path: Path, message: str, tag: str
) -> None:
    """A release pull request is green: which schemas are served follows the version by itself."""
    with at(tmp_path, "1.8.0", whole=True) as made:
        made.commit(message)
        assert made.release() == tag
        git(made.scratch.folder, "pull", "-q", "origin", "main")
        assert made.inside("-c", NAMED).strip() == tag.removeprefix("v")
        made.inside("-m", "pytest", "-p", "no:cacheprovider", *SAMPLE)
