"""The README is compared with the program: commands, exit codes, settings (ARCHITECTURE rule 15).

`python -m tests.test_docs` writes the compared parts.
"""

import re
from pathlib import Path

import pytest

from waiaas.cli.commands import ALIASES, COMMANDS, SENTENCES
from waiaas.cli.flags import HELP
from waiaas.cli.overview import EXIT_CODES
from waiaas.core.errors import Exit
from waiaas.core.settings import KEYS
from waiaas.core.settings_rules import shown

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
REQUIRED = (
    "Two commands", "Use", "Commands", "Verify a download", "Upgrade", "Air gap", "Roll back",
    "Exit codes", "Settings",
)  # fmt: skip


def commands() -> str:
    rows = [f"| `{name}` | {said} |" for name, said in SENTENCES.items()]
    return "\n".join(("| command | what it does |", "|---|---|", *rows))


def exit_codes() -> str:
    rows = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(("| code | meaning |", "|---|---|", *rows))


def settings() -> str:
    rows = [
        f"| `[{key.section}] {key.name}` | {key.rule.sentence} | {key.rule.bounds or key.rule.kind} | "
        f"{key.rule.unit} | `{shown(key.default)}` |"
        for key in KEYS.values()
    ]
    return "\n".join(("| setting | what it is | values | unit | default |", "|---|---|---|---|---|", *rows))


def global_options() -> str:
    return f"```text\n{HELP.partition(chr(10))[2].rstrip()}\n```"


PARTS = {
    "global options": global_options,
    "commands": commands,
    "exit codes": exit_codes,
    "settings": settings,
}


def _part(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}: begin -->\n)(.*?)(<!-- {name}: end -->)", re.DOTALL)


@pytest.mark.parametrize("name", PARTS)
def test_readme_says_what_the_program_does(name: str) -> None:
    found = _part(name).search(README.read_text(encoding="utf-8"))
    assert found, f"README has no part “{name}”"
    assert found[2].strip() == PARTS[name](), "write it with: .venv/bin/python -m tests.test_docs"


def test_every_exit_code_has_a_meaning__CLI_3() -> None:
    assert set(EXIT_CODES) == {int(code) for code in Exit}


@pytest.mark.parametrize("title", REQUIRED)
def test_readme_has_its_sections(title: str) -> None:
    assert f"\n## {title}\n" in README.read_text(encoding="utf-8")


def test_commands_named_in_the_documents_exist() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for name in re.findall(r"(?:^|`)waiaas ([a-z][a-z-]+)", text, re.MULTILINE):
            assert name in {*COMMANDS, *ALIASES}, f"{document.name} names `waiaas {name}`"


def test_settings_named_in_the_documents_exist() -> None:
    for document in DOCUMENTS:
        for dotted in re.findall(r"config set ([a-z_.]+)", document.read_text(encoding="utf-8")):
            assert dotted in KEYS, f"{document.name} names {dotted}"


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_tests_that_a_document_names_exist() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    for document in DOCUMENTS:
        for name in re.findall(r"`(test_\w+)`", document.read_text(encoding="utf-8")):
            assert f"def {name}(" in source, f"{document.name} names {name}"


def test_every_setting_has_sentence_and_range() -> None:
    for key in KEYS.values():
        assert key.rule.sentence, key.dotted
        if key.rule.kind == "int":
            assert key.rule.bounds, f"{key.dotted} has no range"


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    for part, written in PARTS.items():
        before, found, after = text.partition(f"<!-- {part}: begin -->\n")
        text = before + found + written() + "\n" + after[after.index(f"<!-- {part}: end -->") :]
    README.write_text(text, encoding="utf-8")
