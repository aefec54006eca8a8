"""The manual page: complete, since it comes from the parsers, and without a warning of the formatters."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from waiaas import __version__
from waiaas.cli.overview import EXIT_CODES
from waiaas.cli.vocabulary import global_options, words
from waiaas.core.settings import KEYS

SCRIPT = Path(__file__).parents[1] / "build" / "man.py"


@pytest.fixture(scope="module")
def man() -> ModuleType:
    """The script as a module; `build/` is no package."""
    spec = importlib.util.spec_from_file_location("build_man", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("man") / "waiaas.1"
    subprocess.run([sys.executable, SCRIPT, "-o", path], check=True, capture_output=True)
    return path


def shown(page: Path) -> str:
    """As a reader sees it."""
    if shutil.which("mandoc"):
        argv = ["mandoc", "-T", "utf8", "-O", "width=1000", str(page)]
    elif shutil.which("man"):
        argv = ["man", "-E", "UTF-8", "-l", str(page)]
    else:
        pytest.skip("neither mandoc nor man is here: Debian's packages mandoc, man-db")
    done = subprocess.run(
        argv, capture_output=True, text=True, check=True, env={"MANWIDTH": "1000", "PATH": "/usr/bin:/bin"}
    )
    return "".join(c for i, c in enumerate(done.stdout) if c != "\b" and done.stdout[i + 1 : i + 2] != "\b")


def test_groff_mandoc_and_man_have_no_objection(man: ModuleType, page: Path) -> None:
    there = [name for name, *_ in man.CHECKERS if shutil.which(name)]
    if not there:
        pytest.skip("no formatter here: Debian's packages groff, mandoc, man-db")
    assert man.objections(page) == []


def test_a_broken_page_is_objected_to(man: ModuleType, page: Path, tmp_path: Path) -> None:
    if not any(shutil.which(name) for name, *_ in man.CHECKERS):
        pytest.skip("no formatter here: Debian's packages groff, mandoc, man-db")
    broken = tmp_path / "broken.1"
    broken.write_text(page.read_text() + ".SH\n.NONSENSE \\fXx\n.RE\n.RE\n")
    assert man.objections(broken)


def test_every_command_option_exit_code_and_setting_is_in_it(page: Path) -> None:
    text = shown(page)
    for word in words():
        assert f"waiaas {word.name}" in text
        for each in (word, *word.actions):
            for option in each.options:
                assert option.names[-1] in text, (word.name, option.names)
    assert all(option.names[-1] in text for option in global_options())
    for code, meaning in EXIT_CODES.items():
        assert str(code) in text
        assert meaning.lower().rstrip(".") in text.lower()
    assert all(dotted in text for dotted in KEYS)
    assert __version__ in text


def test_it_is_plain_and_the_same_every_time(man: ModuleType, page: Path) -> None:
    text = page.read_text(encoding="ascii")
    assert text == man.page(man.committed())
    assert "\t" not in text
    assert "step" not in {word.name for word in words()}


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        ("--a-b", "\\-\\-a\\-b"),
        ("a\\b", "a\\eb"),
        ("it's `x`", "it\\(aqs \\(gax\\(ga"),
        ("→ ~", "\\[u2192] \\(ti"),
    ],
)
def test_characters_that_mean_something_to_roff_are_shown_as_they_are(
    man: ModuleType, text: str, roff: str
) -> None:
    assert man.escaped(text) == roff
    assert man.said(".config") == "\\&.config"
