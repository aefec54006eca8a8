"""What the lines of the workflows call: refusals before anything is built, keys from the environment."""

import os
import subprocess
from pathlib import Path

import pytest
from bench import Bench
from deployments import Yard

from waiaas.core.release import Release
from waiaas.core.version import Version
from waiaas.release.__main__ import main
from waiaas.release.deploy import client, feed

pytestmark = pytest.mark.real_time  # git really runs

Capture = pytest.CaptureFixture[str]
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree at 1.9.0, tagged."""
    made = tmp_path / "tree"
    (made / "waiaas").mkdir(parents=True)
    (made / "waiaas" / "__init__.py").write_text('__version__ = "1.9.0"\n')
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"], ["tag", "v1.9.0"]):
        subprocess.run([*GIT, *command], cwd=made, check=True)
    return made


def assemble(tree: Path, tag: str, output: Path) -> int:
    words = [
        "assemble",
        "--tag",
        tag,
        "-o",
        str(output),
        "--source",
        str(tree),
        "--feed-url",
        "http://127.0.0.1:9/",
    ]
    return int(main([*words, "--feed-branch", f"{tree}#feed"]))


@pytest.mark.parametrize("tag", ["v1.9.1", "1.9.0", "v1.9.0-rc.1", "main"])
def test_a_tag_that_is_not_the_trees_version_is_refused__RLSE_03(
    tree: Path, tmp_path: Path, tag: str, capsys: Capture
) -> None:
    assert assemble(tree, tag, tmp_path / "release") == 2
    assert "the tree is 1.9.0" in capsys.readouterr().err
    assert not (tmp_path / "release").exists()


def test_a_tree_that_is_not_at_its_tag_is_refused__RLSE_03(
    tree: Path, tmp_path: Path, capsys: Capture
) -> None:
    """The version is right and the commit is another: what was tested is not what the tag names."""
    (tree / "later").write_text("x")
    subprocess.run([*GIT, "add", "."], cwd=tree, check=True)
    subprocess.run([*GIT, "commit", "-q", "-m", "y"], cwd=tree, check=True)
    assert assemble(tree, "v1.9.0", tmp_path / "release") == 2
    assert "check out v1.9.0" in capsys.readouterr().err


def test_a_folder_with_something_else_is_never_cleared__RLSE_05(
    tree: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "thesis").write_text("mine")
    assert assemble(tree, "v1.9.0", tmp_path) == 2
    assert "holds something else" in capsys.readouterr().err
    assert (tmp_path / "thesis").read_text() == "mine"


def test_keys_come_from_the_environment_as_private_files__RLSE_05(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The refresh knows the two online keys; what is not given is not written."""
    monkeypatch.setenv("WAIAAS_RELEASE_KEY_SNAPSHOT", "-----BEGIN A-----\nb\n-----END A-----")
    monkeypatch.setenv("WAIAAS_RELEASE_KEY_TIMESTAMP", "t")
    monkeypatch.setenv("WAIAAS_RELEASE_KEY_TARGETS", "")
    before = os.umask(0)
    try:
        assert main(["unpack-keys", "--dir", str(tmp_path / "K")]) == 0
    finally:
        os.umask(before)
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "K").iterdir()}
    assert found == {"snapshot-1.pem": 0o600, "timestamp-1.pem": 0o600}
    assert (tmp_path / "K").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "K" / "snapshot-1.pem").read_text().endswith("-----END A-----\n")
    assert "BEGIN" not in capsys.readouterr().out


@pytest.mark.parametrize(("said", "mode"), [("true", "true"), ("", "false"), ("no", "false")])
def test_the_mode_is_an_output_of_a_step__RLSE_04(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: Capture, said: str, mode: str
) -> None:
    monkeypatch.setenv("WAIAAS_RELEASE_PUBLISH", said)
    assert main(["deploy", "--mode", "--release", str(Yard(bench).folder)]) == 0
    assert capsys.readouterr().out == f"publish={mode}\n"


def test_a_step_that_is_none_is_refused__CLI_2(bench: Bench, capsys: Capture) -> None:
    assert main(["deploy", "publish-everything", "--release", str(Yard(bench).folder)]) == 2
    assert "of check, documents, signatures, feed, desktop, verify, image, assets" in capsys.readouterr().err


def test_fetch_and_push_make_a_refresh_public__FEED_1(bench: Bench, capsys: Capture) -> None:
    yard = Yard(bench)
    feed.feed(yard.deployment())
    copy, branch = str(bench.folder / "copy"), ["--branch", f"{yard.origin}#feed"]
    assert main(["fetch", "--feed", copy, *branch]) == 0
    assert main(["refresh", "--feed", copy, "--keys", str(bench.keys)]) == 0
    assert main(["push", "--feed", copy, *branch]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == yard.public("rev-parse", "feed")
    assert yard.public("rev-list", "--count", "feed") == "2"


def releases(bench: Bench, *versions: str) -> list[Release]:
    bench.publish(*versions)
    return list(bench.maker.repository(bench.feed).releases())


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.9.0", "1.8.1"),
        ("1.9.1", "1.9.0"),
        ("1.8.0", None),
        ("1.9.0-rc.2", "1.9.0-rc.1"),
        ("2.0.0", "1.9.0"),
    ],
)
def test_the_predecessor_is_what_users_have__RLSE_05(
    bench: Bench, version: str, expected: str | None
) -> None:
    """A stable release is proved with a stable one before it; a withdrawn one proves nothing."""
    found = releases(bench, "1.8.0", "1.8.1", "1.8.2", "1.9.0-rc.1", "1.9.0")
    bench.withdraw("1.8.2", "1.8.1")
    found = list(bench.maker.repository(bench.feed).releases())
    before = client.predecessor(found, Version.parse(version))
    assert (str(before.version) if before else None) == expected
