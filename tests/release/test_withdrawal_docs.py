"""docs/withdraw.md says what is true: causes, quick reference, and for each requirement its proof (WDR-2)."""

import re
from pathlib import Path

import pytest

from waiaas.release import build
from waiaas.release.arguments import parser
from waiaas.release.commands import COMMANDS
from waiaas.release.withdrawal import causes, checklist, quick, roots, settings, story

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "withdraw.md").read_text(encoding="utf-8")
IDS = [f"W-{number:02}" for number in range(1, 25)]
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def part(name: str) -> str:
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def rows(name: str) -> list[list[str]]:
    lines = part(name).splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_every_requirement_has_one_row__WDR_2() -> None:
    assert [row[0] for row in rows("requirements")] == IDS
    assert all(len(row) == 4 for row in rows("requirements"))


@pytest.mark.parametrize("row", rows("requirements"), ids=IDS)
def test_each_row_names_what_exists__WDR_2(row: list[str]) -> None:
    for name in re.findall(r"`([^`]+)`", row[2]):
        assert name in COMMANDS or (ROOT / name).is_file(), name
    tests = re.findall(r"`([^`]+)`", row[3])
    assert tests
    assert set(tests) <= TESTS


def test_the_causes_on_the_page_are_those_of_the_program__WDR_1() -> None:
    when = {"RED": "RED, withdraw within 24 h", "YELLOW": "YELLOW, decide between 24 and 72 h"}
    expected = [[f"`{c.name}`", when[c.urgency], c.sentence] for c in causes.CAUSES.values()]
    assert rows("causes") == expected
    assert causes.HOURS == {"RED": (0, 24), "YELLOW": (24, 72)}


def test_the_quick_reference_is_in_the_help_and_on_the_page__WDR_2() -> None:
    assert quick.TEXT in parser().format_help()
    assert part("quick") == f"```\n{quick.TEXT}```\n"
    for name in re.findall(r"waiaas\.release ([a-z-]+)", quick.TEXT):
        assert name in COMMANDS


def test_the_steps_on_the_page_are_those_of_the_story__WDR_2() -> None:
    table = re.findall(r"^\| `([a-z]+)` \| .* \| .* \|$", PAGE[: PAGE.index("If `feed` fails")], re.MULTILINE)
    steps = [name for name in table if name not in causes.CAUSES]
    assert steps == ["feed", *story.STEPS]


def test_the_settings_on_the_page_are_read__WDR_2(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    path = tmp_path / "F.toml"
    path.write_text(found[1])
    read = settings.read(path, needed=True)
    assert read.missing_contacts == []
    assert all((read.repository, read.branch, read.images, read.checkout, read.package, read.index))


def test_what_the_page_names_exists__WDR_4() -> None:
    for name in roots.CLASSES:
        assert f"`{name}`" in PAGE
    assert "checklist V --tick team" in PAGE
    assert checklist.ITEMS["team"].check is None
    for option in ("--fixed-in", "--eta", "--issue", "--nowhere", "--records", "--close", "--online"):
        assert option in PAGE


def test_the_first_ten_lines_are_what_to_type__WDR_2() -> None:
    first = PAGE.splitlines()[:10]
    assert first[1] == "```sh"
    assert first[9] == "```"
    for line in first[2:9]:
        assert line.startswith(("alias release=", "release "))


def test_nothing_of_this_is_in_the_artefact__WDR_2() -> None:
    """W-23: local only."""
    names = ["release", "core", "__pycache__"]
    assert build.NOT_SHIPPED("waiaas", names) == {"release", "__pycache__"}
    assert Path(story.__file__).relative_to(ROOT).parts[:2] == ("waiaas", "release")
