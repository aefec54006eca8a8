"""The real release-please on our configuration: which commits make which version and which files.

In process, against local git repositories, with no GitHub at all. `-s` prints the table.
"""

import json
import re
import subprocess
import sys

import pytest
from packaging.version import Version as Packaged

from tests.release_please.cases import BREAKING, CASES, Case, Outcome, outcomes, table
from tests.release_please.scratch import CHANGELOG, LITERAL, MANIFEST, MODULE, ROOT, stated
from waiaas.core.version import Version

pytestmark = pytest.mark.journey

BUMPED = {CHANGELOG, MANIFEST, MODULE}
RELEASING = [case for case in CASES if case.makes]


def _name(case: Case) -> str:
    return f"{case.release} + {' + '.join(case.shown)}"


LINK = "https://github.com/example/waiaas"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Outcome]:
    """One run of release-please for all cases."""
    made = outcomes(tmp_path_factory.mktemp("cases"))
    print(f"\n{table(CASES, made)}")
    return dict(zip(CASES, made, strict=True))


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_commits_make_this_version_and_no_other__RLSE_01(found: dict[Case, Outcome], case: Case) -> None:
    proposal = found[case].proposal
    assert (proposal["version"] if proposal else None) == case.makes


@pytest.mark.parametrize("case", RELEASING, ids=_name)
def test_three_files_change_and_each_exactly_so__RLSE_01(found: dict[Case, Outcome], case: Case) -> None:
    outcome = found[case]
    before, after = outcome.before, outcome.after
    assert outcome.changed == BUMPED
    assert after[MODULE] == LITERAL.sub(
        f'__version__ = "{case.makes}"  # x-release-please-version', before[MODULE]
    )
    assert json.loads(after[MANIFEST]) == {".": case.makes}
    entry = _entry(case, outcome.shas)
    place = before[CHANGELOG].index("## 1.7 and earlier")
    expected = before[CHANGELOG][:place] + entry + "\n\n" + before[CHANGELOG][place:]
    assert re.sub(r"\(\d{4}-\d\d-\d\d\)", "(DATE)", after[CHANGELOG]) == expected


@pytest.mark.parametrize("case", RELEASING, ids=_name)
def test_every_version_in_the_tree_agrees_and_is_one_of_ours__SHP_4(
    found: dict[Case, Outcome], case: Case
) -> None:
    proposal = found[case].proposal
    assert proposal
    assert set(stated(found[case].after).values()) == {case.makes}
    assert proposal["title"] == f"chore(main): release {case.makes}"
    version = Version.parse(str(case.makes))
    assert Packaged(str(case.makes)) == Packaged(version.pep440)
    assert version > Version.parse(case.base)


def test_the_reviewer_of_the_pull_request_reads_what_merging_does__RLSE_02(
    found: dict[Case, Outcome],
) -> None:
    proposal = found[CASES[0]].proposal
    assert proposal
    assert proposal["body"].startswith("Merging this makes the tag and the GitHub Release (gate 1).")
    assert "### Fixed" in proposal["body"]


def test_this_tree_states_one_version__SHP_4() -> None:
    """Of the newest release: or, before the first, of that one."""
    here = {path: (ROOT / path).read_text(encoding="utf-8") for path in BUMPED}
    if "\n## [" in here[CHANGELOG]:
        assert len(set(stated(here).values())) == 1
    else:
        assert json.loads(here[MANIFEST]) == {".": "1.7.0"}
        assert LITERAL.findall(here[MODULE]) == ["1.8.0"]


def test_an_unknown_key_in_our_configuration_would_be_noticed__RLSE_01() -> None:
    """release-please ignores what it does not know; the schema that it ships does not (make lint)."""
    schema = ROOT / ".cache/npm/node_modules/release-please/schemas/config.json"
    text = (ROOT / "release-please-config.json").read_text(encoding="utf-8")
    for wrong in (text, text.replace("bump-minor-pre-major", "bump-minor-premajor")):
        argv = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), "-"]
        done = subprocess.run(argv, input=wrong, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is (wrong == text), done.stdout


def _entry(case: Case, shas: tuple[str, ...]) -> str:
    """The changelog entry of a case, with its links."""
    text = f"## [{case.makes}]({LINK}/compare/v{case.base}...v{case.makes}) (DATE)\n\n"
    for heading, items in case.entry.items():
        text += f"\n### {heading}\n\n"
        for item in items:
            sha = next(sha for sha, message in zip(shas, case.commits, strict=True) if _says(message, item))
            text += f"* {item}\n" if heading == BREAKING else f"* {item} ([{sha[:7]}]({LINK}/commit/{sha}))\n"
        text += "" if heading == BREAKING else "\n"
    return text.rstrip()


def _says(message: str, item: str) -> bool:
    return item.rpartition(":** ")[2] in message
