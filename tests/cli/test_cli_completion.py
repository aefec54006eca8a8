"""Completion in the real shells (SPEC §4): bash always, zsh and fish where Debian's packages are there."""

import os
import pty
import select
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli.commands import ALIASES, SENTENCES
from waiaas.cli.vocabulary import global_options, words
from waiaas.core.settings import KEYS

SHELLS = ("bash", "zsh", "fish")
ASK_BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_waiaas
printf '%s\n' "${COMPREPLY[@]}"
"""
PATIENCE = 20.0  # seconds for a shell to answer


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    if shutil.which(request.param) is None:
        pytest.skip(f"no {request.param} here: Debian's package {request.param} has it")
    return str(request.param)


@pytest.fixture
def script(waiaas: Waiaas, tmp_path: Path, shell: str) -> Path:
    path = tmp_path / "completion"
    path.write_text(waiaas("completion", shell).out)
    return path


def ask(shell: str, script: Path, line: Sequence[str]) -> set[str]:
    """What the shell offers at the end of this command line; bash and fish can be asked directly."""
    if shell == "bash":
        argv = ["bash", "--norc", "-c", ASK_BASH, "bash", str(script), *line]
    else:
        asked = "source $argv[1]; complete -C $argv[2]"
        argv = ["fish", "--no-config", "-c", asked, str(script), " ".join(line)]
    home = str(script.parent)
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        cwd=home,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": home},
    )
    assert done.stderr == ""
    return {offered.partition("\t")[0] for offered in done.stdout.split("\n") if offered}


def test_the_script_is_accepted_by_its_shell(shell: str, script: Path) -> None:
    subprocess.run([shell, "-n", str(script)], check=True)


CASES: list[tuple[list[str], set[str], set[str]]] = [
    (["waiaas", ""], {*SENTENCES, *ALIASES}, {"--full", "create", "step"}),
    (["waiaas", "back"], {"backup"}, {"bundle"}),
    (["waiaas", "backup", ""], {"create", "list", "verify", "restore", "prune"}, {"init"}),
    (["waiaas", "backup", "verify", "--f"], {"--full"}, {"--yes", "--keep"}),
    (["waiaas", "--data-dir", "d", "backup", "pr"], {"prune"}, {"create"}),
    (["waiaas", "upgrade", "--ro"], {"--rollback"}, {"--check"}),
    (["waiaas", "update", "--ro"], {"--rollback"}, set()),
    (["waiaas", "config", "get", "daemon.p"], {"daemon.port"}, {"daemon.hostname"}),
    (["waiaas", "completion", ""], set(SHELLS), {"init"}),
    (["waiaas", "status", "--j"], {"--json"}, set()),
    (["waiaas", "start", "--"], {"--detach", "--init", "--offline"}, {"--background"}),
]


@pytest.mark.parametrize(
    ("line", "offered", "never"), CASES, ids=lambda value: " ".join(sorted(value))[:40] or "-"
)
def test_what_may_come_next_is_offered(
    shell: str, script: Path, line: list[str], offered: set[str], never: set[str]
) -> None:
    if shell == "zsh":
        pytest.skip("zsh completes only what somebody types: see the test at a terminal")
    found = ask(shell, script, line)
    assert offered <= found
    assert not never & found


@pytest.mark.parametrize("line", [["waiaas", "upgrade", "--from", "a"], ["waiaas", "bundle", "verify", "a"]])
def test_files_are_offered_where_one_is_meant(shell: str, script: Path, line: list[str]) -> None:
    if shell == "zsh":
        pytest.skip("zsh completes only what somebody types: see the test at a terminal")
    (script.parent / "a bundle.tgz").touch()
    found = {name.replace("\\", "") for name in ask(shell, script, line)}
    assert "a bundle.tgz" in found
    assert "a bundle.tgz" not in ask(shell, script, ["waiaas", "status", "a"])


@pytest.mark.parametrize(
    ("typed", "line"),
    [("kill-sw", "kill-switch"), ("backup ver", "backup verify"), ("upgrade --roll", "upgrade --rollback"),
     ("config get upgrade.ch", "config get upgrade.channel"), ("bundle show on", "bundle show only.tgz")],
)  # fmt: skip
def test_somebody_who_types_gets_it_completed_at_a_terminal(
    shell: str, script: Path, typed: str, line: str
) -> None:
    """Type, press the tabulator; then turn the line into an `echo` of itself and press enter."""
    (script.parent / "only.tgz").touch()
    start = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"],
             "fish": ["fish", "--no-config", "-i"]}[shell]  # fmt: skip
    ours, theirs = pty.openpty()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(script.parent),
        "TERM": "xterm",
        "PS1": "> ",
        "LANG": "C.UTF-8",
    }
    with subprocess.Popen(
        start, env=env, cwd=script.parent, pass_fds=[theirs], preexec_fn=lambda: os.login_tty(theirs)
    ) as child:
        os.close(theirs)
        try:
            setup = "bindkey -e; " if shell == "zsh" else ""
            os.write(ours, f"{setup}source {script}; echo re''ady\n".encode())
            _until(ours, b"ready")
            os.write(ours, f"waiaas {typed}\t".encode())
            os.write(ours, b"\x01echo '<' \x05'>'\n")
            answer = _until(ours, f"< waiaas {line}".encode())
        finally:
            child.kill()
            os.close(ours)
    assert f"< waiaas {line}".encode() in answer


def _until(descriptor: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        assert select.select([descriptor], [], [], PATIENCE)[0], (wanted, seen)
        seen += os.read(descriptor, 65536)
    return seen


# --- the vocabulary ---------------------------------------------------------------------------------


def test_every_command_action_and_option_is_known_with_its_sentence() -> None:
    found = {word.name: word for word in words()}
    assert list(found) == [*SENTENCES, *ALIASES]
    actions = {action.name for action in found["backup"].actions}
    assert actions == {"create", "list", "verify", "restore", "prune"}
    for word in found.values():
        for each in (word, *word.actions):
            assert each.help, each.name
            assert all(option.help for option in each.options), each.name
    assert "--background" not in {name for option in found["start"].options for name in option.names}


def test_what_a_value_may_be_is_known() -> None:
    found = {word.name: word for word in words()}
    (get,) = (action for action in found["config"].actions if action.name == "get")
    assert get.arguments[0].choices == tuple(KEYS)
    (output,) = (o for a in found["bundle"].actions for o in a.options if "--output" in o.names)
    assert (output.kind, output.value) == ("file", "FILE")
    options = {option.names[-1]: option for option in global_options()}
    assert options["--data-dir"].kind == "folder"
    assert options["--config"].value == "FILE"
    assert options["--quiet"].names == ("-q", "--quiet")
    assert options["--json"].value == ""
