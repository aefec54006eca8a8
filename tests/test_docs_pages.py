"""Tests and commands that the pages name exist (rule 15)."""

import re
from pathlib import Path

import pytest

from waiaas.cli.commands import ALIASES, COMMANDS

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")])
TEST = re.compile(r"`(test_\w+)`")


def _sources() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in REPOSITORY.glob("tests/**/*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_a_page_names_exist(page: Path) -> None:
    source = _sources()
    named = TEST.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if f"def {name}(" not in source] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_code_are_commands(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    code = re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
    said = {
        word
        for line in "\n".join(code).splitlines()
        for word in re.findall(r"^\s*(?:\$ |sudo )*waiaas ([a-z][a-z-]+)", line)
    }
    assert said - {*COMMANDS, *ALIASES} == set()
