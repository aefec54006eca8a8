"""Which tags an image takes, and that they are copied by digest, once (DOCK-02, RLSE-05)."""

from pathlib import Path

import pytest
from bench import Bench
from deployments import Yard
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.version import Version
from waiaas.release.deploy import feed, image
from waiaas.release.deploy.deployment import DONE, THERE, WOULD

pytestmark = pytest.mark.real_time  # git and the stand-in of skopeo really run

VERSIONS = st.builds(
    Version, st.integers(1, 3), st.integers(0, 2), st.integers(0, 2), st.none() | st.integers(1, 2)
)


@pytest.fixture
def yard(bench: Bench) -> Yard:
    """1.9.0 is public, its image is built."""
    made = Yard(bench)
    feed.feed(made.deployment())
    build(made, "the image of 1.9.0")
    return made


def build(yard: Yard, manifest: str) -> None:
    folder = yard.folder / "image"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(manifest)


def release(yard: Yard, version: str) -> None:
    yard.assemble(version)
    feed.feed(yard.deployment())
    build(yard, f"the image of {version}")
    image.image(yard.deployment())


@pytest.mark.parametrize(
    ("version", "others", "expected"),
    [
        ("2.1.0", ["2.0.0"], "2.1.0 latest 2 2.1"),
        ("1.8.0", [], "1.8.0 latest 1 1.8"),
        ("2.1.0-rc.1", ["2.0.0"], "2.1.0-rc.1"),
        ("1.8.5", ["1.8.4", "1.9.0"], "1.8.5 1.8"),
        ("1.9.1", ["1.9.0", "2.0.0"], "1.9.1 1 1.9"),
        ("1.8.4", ["1.8.5", "1.9.0"], "1.8.4"),
        ("1.9.0", ["2.0.0-rc.1"], "1.9.0 latest 1 1.9"),
    ],
)
def test_the_tags_of_a_version__DOCK_02(version: str, others: list[str], expected: str) -> None:
    assert image.tags(Version.parse(version), map(Version.parse, others)) == expected.split()


@given(VERSIONS, st.lists(VERSIONS))
def test_a_moving_tag_always_means_the_newest_stable_one__DOCK_02(
    version: Version, others: list[Version]
) -> None:
    """Releasing in any order ends with the same tags as releasing in order of versions."""
    order = [*others, version]
    ends = []
    for released in (order, sorted(order)):
        tags: dict[str, Version] = {}
        for number, one in enumerate(released):
            tags.update(dict.fromkeys(image.tags(one, released[:number]), one))
        ends.append(tags)
    assert ends[0] == ends[1]
    assert not any(tag != str(v) and v.is_rc for tag, v in ends[0].items())


def test_the_second_time_copies_nothing__RLSE_05(yard: Yard) -> None:
    assert image.image(yard.deployment()).outcome == DONE
    assert set(yard.images()) == {"1.9.0", "1.9", "1", "latest"}
    log = yard.store / "skopeo.log"
    copies = log.read_text().count("copy ")
    assert image.image(yard.deployment()).outcome == THERE
    assert log.read_text().count("copy ") == copies


def test_moving_tags_follow_and_the_tag_of_a_version_stays__DOCK_02(yard: Yard) -> None:
    image.image(yard.deployment())
    release(yard, "1.10.0")
    release(yard, "1.9.1")
    expected = {"1.9.0": "1.9.0", "1.9": "1.9.1", "1.9.1": "1.9.1"}
    expected |= dict.fromkeys(("1.10.0", "1.10", "1", "latest"), "1.10.0")
    assert yard.images() == {tag: f"the image of {version}" for tag, version in expected.items()}


def test_the_tag_of_a_version_is_never_moved__RLSE_05(yard: Yard) -> None:
    image.image(yard.deployment())
    build(yard, "another image")
    with pytest.raises(WaiaasError) as refused:
        image.image(yard.deployment())
    assert refused.value.code == "image-taken"
    assert set(yard.images().values()) == {"the image of 1.9.0"}


def test_a_copy_that_did_not_arrive_is_no_success__RLSE_05(yard: Yard) -> None:
    """What is recorded is what was looked at afterwards, not the exit code of the tool."""
    tool = yard.bench.folder / "tools" / "skopeo"
    tool.write_text(tool.read_text().replace("cp ", "true "))
    with pytest.raises(WaiaasError) as failed:
        image.image(yard.deployment())
    assert failed.value.code == "image-differs"


def test_a_registry_that_fails_is_not_an_absent_image__RLSE_05(yard: Yard) -> None:
    tool = yard.bench.folder / "tools" / "skopeo"
    tool.write_text("#!/bin/sh\necho 'unauthorized: authentication required' >&2\nexit 1\n")
    with pytest.raises(WaiaasError) as failed:
        image.image(yard.deployment())
    assert failed.value.code == "registry-failed"


def test_a_dry_run_prints_every_command_and_runs_none__RLSE_04(yard: Yard) -> None:
    done = image.image(yard.deployment(WAIAAS_RELEASE_PUBLISH=""))
    assert done.outcome == WOULD
    name = "docker://registry.example/waiaas/daemon"
    for tag in ("1.9.0", "1.9", "1", "latest"):
        line = f"dry run: would run skopeo copy --all --preserve-digests dir:{yard.folder}/image {name}:{tag}"
        assert line in yard.said
    assert not (yard.store / "skopeo.log").exists()


def test_logins_are_in_a_private_file_for_as_long_as_they_are_needed__RLSE_05(
    yard: Yard, tmp_path: Path
) -> None:
    tool = yard.bench.folder / "tools" / "skopeo"
    look = 'for word; do [ "$last" = --authfile ] && stat -c "%a %n" "$word" >>"$STORE/auth" && '
    look += 'cat "$word" >>"$STORE/auth"; last=$word; done\n'
    tool.write_text(tool.read_text().replace("verb=$1\n", look + "verb=$1\n"))
    image.image(yard.deployment(WAIAAS_REGISTRY_LOGINS="registry.example robot s3cret-word\n\n"))
    mode, path = (yard.store / "auth").read_text().splitlines()[0].split()
    assert mode == "600"
    assert not Path(path[: path.index(".json") + 5]).exists()
    assert "cm9ib3Q6czNjcmV0LXdvcmQ=" in (yard.store / "auth").read_text()
    assert "s3cret" not in (yard.store / "skopeo.log").read_text()


@pytest.mark.parametrize("text", ["registry.example robot", "a b c d"])
def test_a_login_that_is_none_is_refused_without_showing_it__CLI_2(text: str, yard: Yard) -> None:
    with pytest.raises(UsageError) as refused:
        image.image(yard.deployment(WAIAAS_REGISTRY_LOGINS=text))
    assert refused.value.code == "bad-logins"
    assert "robot" not in refused.value.message


def test_without_an_image_it_says_so__CLI_2(yard: Yard) -> None:
    (yard.folder / "image" / "manifest.json").unlink()
    with pytest.raises(WaiaasError) as refused:
        image.image(yard.deployment())
    assert refused.value.code == "no-image"


def test_without_skopeo_it_fails_instead_of_skipping__RLSE_05(yard: Yard, tmp_path: Path) -> None:
    """An image that was not pushed is no success."""
    only_git = tmp_path / "git-alone"
    only_git.mkdir()
    (only_git / "git").symlink_to("/usr/bin/git")
    with pytest.raises(WaiaasError) as missing:
        image.image(yard.deployment(PATH=str(only_git)))
    assert missing.value.code == "tool-missing"
