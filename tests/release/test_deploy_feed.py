"""Publishing into the public feed: resumable, idempotent, never with other bytes (RLSE-05, FEED-1)."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bench import Bench
from deployments import Yard

from waiaas.core.errors import TrustRefused, UsageError, WaiaasError
from waiaas.release import keys
from waiaas.release.deploy import branch, client, feed, signatures
from waiaas.release.deploy.deployment import DONE, THERE, WOULD, Deployment
from waiaas.release.repository import Repository

pytestmark = pytest.mark.real_time  # git really runs, and waiting for a process sleeps


@pytest.fixture
def yard(bench: Bench) -> Yard:
    return Yard(bench)


def only(yard: Yard, *names: str) -> Path:
    """A folder with these keys alone."""
    folder = yard.bench.folder / "some-keys"
    folder.mkdir()
    for name in names:
        shutil.copyfile(yard.bench.keys / f"{name}.pem", folder / f"{name}.pem")
    return folder


def with_keys(deployment: Deployment, folder: Path) -> Deployment:
    return Deployment(deployment.bench, deployment.folder, deployment.plan, deployment.source, folder)


def listed(deployment: Deployment) -> list[str]:
    deployment.branch.fetch(deployment.feed)
    return [str(release.version) for release in deployment.repository.releases()]


def test_the_second_time_changes_nothing__RLSE_05(yard: Yard) -> None:
    first = feed.feed(yard.deployment())
    commit = yard.public("rev-parse", "feed")
    assert (first.outcome, first.observed["feed commit"]) == (DONE, commit)
    assert listed(yard.deployment()) == ["1.9.0"]
    again = feed.feed(yard.deployment())
    assert (again.outcome, again.observed) == (THERE, first.observed)
    assert yard.public("rev-parse", "feed") == commit


def test_a_dry_run_changes_nothing_and_says_what_it_would_do__RLSE_04(yard: Yard) -> None:
    done = feed.feed(yard.deployment(WAIAAS_RELEASE_PUBLISH="false"))
    assert done.outcome == WOULD
    assert yard.public("branch", "--list") == ""
    assert any("would run git push" in line for line in yard.said)


def test_signatures_of_holders_and_the_two_online_keys_are_enough__FEED_1(yard: Yard) -> None:
    """No targets key is where the deployment runs: two holders have attached their partial signatures."""
    deployment = with_keys(yard.deployment(), only(yard, "snapshot-1", "timestamp-1"))
    with pytest.raises(WaiaasError) as missing:
        feed.feed(deployment)
    assert missing.value.code == "signatures-missing"
    assert yard.public("branch", "--list") == ""
    made = yard.bench.sign(deployment.pending, "targets-1", "targets-3")
    attached = yard.store / "assets" / "v1.9.0"
    attached.mkdir(parents=True)
    for path in made:
        path.rename(attached / path.name)
    taken = signatures.signatures(deployment)
    assert taken.outcome == DONE
    assert taken.observed["signatures"].count(",") == 1
    assert feed.feed(deployment).outcome == DONE
    assert listed(deployment) == ["1.9.0"]


def test_one_key_of_the_environment_and_one_holder_are_enough__FEED_1(yard: Yard) -> None:
    deployment = with_keys(yard.deployment(), only(yard, "targets-2", "snapshot-1", "timestamp-1"))
    with pytest.raises(WaiaasError):
        feed.feed(deployment)
    yard.bench.sign(deployment.pending, "targets-1")
    assert feed.feed(deployment).outcome == DONE


def test_a_push_that_failed_is_done_again__RLSE_05(yard: Yard) -> None:
    """Everything was signed and nothing was public: the frozen change is still there."""
    hook = yard.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(WaiaasError) as refused:
        feed.feed(yard.deployment())
    assert refused.value.code == "git-failed"
    hook.unlink()
    assert feed.feed(yard.deployment()).outcome == DONE
    assert listed(yard.deployment()) == ["1.9.0"]


def test_a_refresh_between_fetch_and_push_is_not_lost__RLSE_05(yard: Yard) -> None:
    feed.feed(yard.deployment())
    yard.assemble("1.9.1")
    rival = yard.bench.folder / "rival"
    refreshing = yard.deployment()
    refreshing.branch.fetch(rival)
    before = Repository(rival, refreshing.maker.files, refreshing.maker.clock)
    before.refresh(keys.load_folder(yard.bench.keys, bytes), 20)
    theirs = before.roles()[-1].version
    command = f"cd {rival} && git add -A && git -c user.name=r -c user.email=r@example.org commit -qm refresh"
    command += f" && git push -q {yard.origin} HEAD:feed"
    assert feed.feed(yard.deployment(rival=[command])).outcome == DONE
    assert any("once more" in line for line in yard.said)
    assert listed(yard.deployment()) == ["1.9.0", "1.9.1"]
    assert yard.deployment().repository.roles()[-1].version > theirs


def test_a_version_is_never_published_with_other_bytes__RLSE_05(yard: Yard) -> None:
    feed.feed(yard.deployment())
    commit = yard.public("rev-parse", "feed")
    with pytest.raises(WaiaasError) as taken:
        yard.assemble("1.9.0", extra=b"other")
    assert taken.value.code == "version-taken"
    with pytest.raises(WaiaasError) as refused:
        feed.feed(yard.deployment())
    assert refused.value.code == "version-taken"
    assert yard.public("rev-parse", "feed") == commit


def test_a_withdrawn_version_is_not_released_again__WDR_2(yard: Yard) -> None:
    feed.feed(yard.deployment())
    yard.assemble("1.9.1")
    feed.feed(yard.deployment())
    deployment = yard.deployment()
    yard.bench.feed = deployment.feed
    yard.bench.withdraw("1.9.1")
    deployment.branch.push(deployment.feed, "withdrawn")
    with pytest.raises(WaiaasError) as refused:
        feed.feed(deployment)
    assert refused.value.code == "version-withdrawn"


def test_without_keys_it_says_so__CLI_2(yard: Yard) -> None:
    bare = yard.deployment()
    with pytest.raises(UsageError) as refused:
        feed.feed(Deployment(bare.bench, bare.folder, bare.plan, bare.source, None))
    assert refused.value.code == "no-keys"


def test_only_a_copy_of_the_branch_is_ever_replaced__RLSE_05(yard: Yard, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "feed").write_text("mine")
    with pytest.raises(UsageError) as refused:
        yard.deployment().branch.fetch(precious)
    assert refused.value.code == "not-a-copy"
    assert (precious / "feed").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "#", "here#", "#feed", "--upload-pack=evil#feed", "here#--mirror"])
def test_a_branch_that_is_none_is_refused__CLI_2(text: str, yard: Yard) -> None:
    with pytest.raises(UsageError) as refused:
        branch.parse(text, yard.deployment().bench.processes)
    assert refused.value.code == "bad-branch"


def test_git_gets_the_token_from_the_environment_and_no_command_line_holds_it__RLSE_05() -> None:
    argv = [
        "git",
        "-c",
        "credential.helper=",
        "-c",
        f"credential.helper={branch.HELPER}",
        "credential",
        "fill",
    ]
    asked = "protocol=https\nhost=example.org\n\n"
    environ = {"PATH": "/usr/bin:/bin", branch.TOKEN: "the-token"}
    done = subprocess.run(argv, input=asked, env=environ, capture_output=True, text=True, check=True)
    assert "username=x-access-token\npassword=the-token" in done.stdout
    assert "the-token" not in " ".join(argv)


def overwritten(yard: Yard, change: Callable[[Path], None]) -> str:
    """Somebody who may push, and holds no key, changes the branch; returns the commit."""
    folder = yard.bench.folder / "attacker"
    yard.deployment().branch.fetch(folder)
    change(folder)
    return yard.deployment().branch.push(folder, "nothing to see here")


def test_a_forged_list_on_the_branch_is_never_signed__FEED_1(yard: Yard) -> None:
    """The workflow holds keys, and the branch belongs to whoever can push."""
    feed.feed(yard.deployment())
    yard.assemble("1.9.1")

    def forge(folder: Path) -> None:
        listed = folder / "metadata" / "1.targets.json"
        listed.write_text(listed.read_text().replace('"critical":false', '"critical":true'))

    commit = overwritten(yard, forge)
    with pytest.raises(TrustRefused) as refused:
        feed.feed(yard.deployment())
    assert refused.value.code == "feed-refused"
    assert yard.public("rev-parse", "feed") == commit


def test_an_artefact_changed_on_the_branch_is_never_run__RLSE_05(yard: Yard) -> None:
    """`verify` runs the previous release from the public feed: it is read as a client does first."""
    feed.feed(yard.deployment())
    [payload] = [n for n in yard.public("ls-tree", "-r", "--name-only", "feed").split() if n.endswith(".pyz")]
    overwritten(yard, lambda folder: (folder / payload).write_text("#!/bin/sh\ntouch /tmp/owned\n"))
    with pytest.raises(TrustRefused):
        client.verify(yard.deployment())


def test_a_feed_that_is_gone_does_not_begin_again__FEED_1(yard: Yard) -> None:
    """A feed begun anew would list this version alone, and forget what was withdrawn."""
    feed.feed(yard.deployment())
    commit = overwritten(yard, lambda folder: shutil.rmtree(folder / "metadata"))
    for _ in range(2):  # also from a shallow copy of a longer history
        with pytest.raises(WaiaasError) as refused:
            feed.feed(yard.deployment())
        assert refused.value.code == "feed-gone"
    assert yard.public("rev-parse", "feed") == commit


def test_a_feed_begins_on_an_empty_branch__RLSE_05(bench: Bench) -> None:
    """As docs/release.md has it made, so that Pages can be pointed at it."""
    yard = Yard(bench)
    subprocess.run(["git", "-C", yard.origin, "hash-object", "-wt", "tree", "/dev/null"], check=True)
    git = ["git", "-C", yard.origin, "-c", "user.name=t", "-c", "user.email=t@example.org"]
    empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    made = subprocess.run(
        [*git, "commit-tree", empty, "-m", "the feed"], capture_output=True, text=True, check=True
    )
    subprocess.run([*git, "update-ref", "refs/heads/feed", made.stdout.strip()], check=True)
    assert feed.feed(yard.deployment()).outcome == DONE
    assert listed(yard.deployment()) == ["1.9.0"]
