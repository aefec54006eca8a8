"""What `gh` is told: against the help of the real `gh`, where it is installed (WDR-3)."""

import re
import shutil
import subprocess
from pathlib import Path

import fake_gh
import pytest

from waiaas.core.version import Version
from waiaas.release.withdrawal import feedback, github

pytestmark = pytest.mark.real_time
R, V, FILE = "acme/waiaas", Version.parse("1.8.1"), Path("text.md")
COMMANDS = {
    "signed_in": github.signed_in(),
    "labels": github.labels(R),
    "make_label": github.make_label(R, "critical"),
    "issues": github.issues(R, "all", "number,title"),
    "feedback": github.issues(R, "open", feedback.FIELDS),
    "issue": github.issue(R, 7),
    "make_issue": github.make_issue(R, "a title", FILE),
    "edit_issue": github.edit_issue(R, 7, "a title", FILE),
    "comment": github.comment(R, 7, FILE),
    "release": github.release(R, V),
    "edit_release": github.edit_release(R, V, "a title", FILE),
    "make_latest": github.make_latest(R, V),
    "runs": github.runs(R, "release.yml"),
    "run_log": github.run_log(R, 5),
}


def real(*words: str) -> str:
    """What the real `gh` says, in an environment without any account."""
    gh = shutil.which("gh", path="/usr/bin:/usr/local/bin:/bin")
    if gh is None:
        pytest.skip("gh is not installed")
    argv = [gh, *words]
    environ = {
        "PATH": "/usr/bin:/bin",
        "GH_CONFIG_DIR": "/nonexistent",
        "GH_TOKEN": "none",
        "HOME": "/nonexistent",
    }
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_field_is_known_to_the_real_gh__WDR_3(name: str) -> None:
    argv = COMMANDS[name]
    assert argv[0] == "gh"
    known = set(re.findall(r"(--[a-z-]+)", real(*argv[1:3], "--help")))
    assert {word for word in argv if word.startswith("--")} <= known
    if "--json" in argv:
        fields = set(argv[argv.index("--json") + 1].split(","))
        listed = set(re.findall(r"^  ([A-Za-z]+)$", real(*argv[1:3], "--repo", R, "--json"), re.MULTILINE))
        assert fields <= listed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_stand_in_knows_no_more_than_that__WDR_3(name: str) -> None:
    argv = COMMANDS[name]
    words, options = fake_gh.parsed(list(argv[1:]))
    assert set(options) == {word for word in argv if word.startswith("--")}
    assert all("--" not in word for word in words)


def test_a_stand_in_refuses_what_the_real_one_refuses__WDR_3() -> None:
    with pytest.raises(SystemExit, match="unknown flag: --status"):
        fake_gh.parsed(["run", "list", "--status", "failure"])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("a\nb\n", "a\r\nb", True), ("  a", "a\n\n", True), ("a b", "a  b", False), ("a", "b", False)],
)
def test_texts_are_compared_as_github_gives_them_back__WDR_3(one: str, other: str, same: bool) -> None:
    assert github.same_text(one, other) is same
