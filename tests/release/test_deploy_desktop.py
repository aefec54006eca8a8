"""The desktop channel beside the public feed: signed once, pushed once, gone with a bad release (DSK-1)."""

import json
import shutil
from pathlib import Path

import pytest
from bench import Bench
from deployments import Yard
from desktops import LINUX, bundles

from waiaas.release.deploy import feed, shell
from waiaas.release.deploy.deployment import DONE, THERE, WOULD, Deployment

pytestmark = pytest.mark.real_time  # git really runs


@pytest.fixture
def yard(bench: Bench, key: Path) -> Yard:
    """1.9.0 is public with a bundle for one platform; the minisign key lies beside the others."""
    made = Yard(bench)
    made.assemble("1.9.0", shells=list(bundles(bench, "1.9.0", LINUX).items()))
    feed.feed(made.deployment())
    shutil.copyfile(key, bench.keys / "minisign.key")
    return made


def latest(yard: Yard) -> dict[str, object]:
    """What is public."""
    said: dict[str, object] = json.loads(yard.public("show", "feed:desktop/latest.json"))
    return said


def test_the_second_time_changes_nothing__RLSE_05(yard: Yard) -> None:
    assert shell.channel(yard.deployment()).outcome == DONE
    assert latest(yard)["version"] == "1.9.0"
    commit = yard.public("rev-parse", "feed")
    assert shell.channel(yard.deployment()).outcome == THERE
    assert yard.public("rev-parse", "feed") == commit


def test_a_withdrawn_release_is_offered_no_longer__WDR_2(yard: Yard) -> None:
    shell.channel(yard.deployment())
    deployment = yard.deployment()
    yard.bench.feed = deployment.feed
    yard.assemble("1.8.0")
    feed.feed(yard.deployment())
    yard.bench.withdraw("1.9.0", "1.8.0")
    deployment.branch.push(deployment.feed, "withdrawn")
    assert shell.channel(yard.deployment()).observed["offers"] == "nothing"
    assert yard.public("ls-tree", "--name-only", "feed", "desktop/latest.json") == ""


def test_a_dry_run_signs_nothing__RLSE_04(yard: Yard) -> None:
    commit = yard.public("rev-parse", "feed")
    assert shell.channel(yard.deployment(WAIAAS_RELEASE_PUBLISH="")).outcome == WOULD
    assert yard.public("rev-parse", "feed") == commit


def test_without_a_key_there_is_no_channel_and_no_failure__DSK_1(yard: Yard) -> None:
    (yard.bench.keys / "minisign.key").unlink()
    bare = yard.deployment()
    for keys in (yard.bench.keys, None):
        done = shell.channel(Deployment(bare.bench, bare.folder, bare.plan, bare.source, keys))
        assert done.outcome == THERE
        assert "no minisign key" in done.observed["desktop channel"]
