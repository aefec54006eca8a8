"""The artefact's own `__main__`: old Pythons, the pin, nothing written."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from interpreters import NEW, OLD, interpreter

from waiaas.release.archive import pack
from waiaas.release.entry import modules

TALKS = b"""
import sys
def run(archive=None, pin=None):
    import os, waiaas.late
    inherited = pin is not None and os.get_inheritable(pin)
    print(archive, pin, sys.path[0], waiaas.late.VERSION, sys.argv[1:], inherited, sep="|")
    return 7
"""
REPLACED = b"""
import os, subprocess, sys
def run(archive=None, pin=None):
    if "child" not in sys.argv:
        os.replace(sys.argv[1], archive)
        child = [sys.executable, "-I", "/proc/self/fd/%d" % pin, "child"]
        print(subprocess.run(child, pass_fds=[pin], stdout=subprocess.PIPE, text=True).stdout, end="")
    import waiaas.late
    print(archive, pin, waiaas.late.VERSION, sep="|")
"""
COUNTS = b"""
import pkgutil, sys
compiled = []
sys.addaudithook(lambda event, words: compiled.append(str(words[1])) if event == "compile" else None)
def run(archive=None, pin=None):
    import waiaas, waiaas.late, waiaas.sub
    print(sum(name.endswith("late.py") for name in compiled))
    for module in waiaas, waiaas.late, waiaas.sub:
        file = module.__file__
        print(file.replace("/proc/self/fd/%d" % pin, "PIN"), module.__spec__.origin == file)
    print(pkgutil.get_data("waiaas.sub", "data.txt").decode())
"""


def archive(
    path: Path, main: bytes = TALKS, version: str = "old", more: Mapping[str, bytes] = MappingProxyType({})
) -> Path:
    contents = {
        **modules("1.8.0"),
        "waiaas/__init__.py": b"",
        "waiaas/__main__.py": main,
        "waiaas/late.py": f"VERSION = {version!r}".encode(),
        **more,
    }
    path.write_bytes(pack(contents, 0))
    path.chmod(0o755)
    return path


def run(*argv: str | Path, path: str = "/nowhere", **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": path, **more}
    return subprocess.run(
        [str(word) for word in argv], env=environment, capture_output=True, text=True, cwd="/"
    )


@pytest.mark.parametrize("version", NEW)
def test_it_runs_isolated_and_by_itself_and_pins_its_file__SHP_2(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    file = archive(tmp_path / "waiaas")
    done = run(python, "-I", file, "a", "b")
    assert done.returncode == 7, done.stderr
    path, pin, first, late, arguments, inheritable = done.stdout.strip().split("|")
    assert (path, late, arguments, inheritable) == (str(file), "old", "['a', 'b']", "False")
    assert int(pin) >= 100
    assert first == f"/proc/self/fd/{pin}"


def test_it_starts_where_few_files_may_be_open__SHP_2(tmp_path: Path) -> None:
    file = archive(tmp_path / "waiaas")
    done = run("/bin/sh", "-c", 'ulimit -n 64; exec "$@"', "sh", sys.executable, "-I", file)
    assert done.returncode == 7, done.stderr
    assert done.stdout.split("|")[2] == f"/proc/self/fd/{done.stdout.split('|')[1]}"


def test_the_file_itself_is_executable__SHP_2(tmp_path: Path) -> None:
    file = archive(tmp_path / "waiaas")
    (tmp_path / "python3").symlink_to(sys.executable)
    assert run(file, path=str(tmp_path)).returncode == 7


def test_a_symbolic_link_is_resolved__SHP_2(tmp_path: Path) -> None:
    file = archive(tmp_path / "waiaas-1.8.0.pyz")
    (tmp_path / "waiaas").symlink_to(file)
    assert run(sys.executable, "-I", tmp_path / "waiaas").stdout.startswith(f"{file}|")


def test_starting_writes_no_file_even_in_a_read_only_folder__SHP_2(tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir()
    file = archive(folder / "waiaas")
    folder.chmod(0o555)
    try:
        assert run(sys.executable, file).returncode == 7
        assert os.listdir(folder) == ["waiaas"]
    finally:
        folder.chmod(0o755)


def test_a_running_process_and_its_child_stay_on_the_old_version_after_the_swap__SHP_2(
    tmp_path: Path,
) -> None:
    file = archive(tmp_path / "waiaas", REPLACED, "old")
    new = archive(tmp_path / "new", REPLACED, "new")
    child, parent = run(sys.executable, "-I", file, new).stdout.splitlines()
    assert parent == f"{file}|100|old"
    assert child == "None|100|old", "its file has no name any more"
    assert run(sys.executable, "-I", file, "child").stdout == f"{file}|100|new\n"


def test_a_child_from_the_pin_learns_the_path_while_it_is_still_that_file__SHP_2(tmp_path: Path) -> None:
    file = archive(tmp_path / "waiaas")
    descriptor = os.open(file, os.O_RDONLY)
    try:
        done = subprocess.run(
            [sys.executable, "-I", f"/proc/self/fd/{descriptor}"],
            pass_fds=[descriptor],
            capture_output=True,
            text=True,
        )
    finally:
        os.close(descriptor)
    assert done.stdout.startswith(f"{file}|100|/proc/self/fd/100|old|")


@pytest.mark.parametrize("version", NEW)
def test_each_module_is_compiled_once_and_knows_its_file__PRF_5(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    more = {"waiaas/sub/__init__.py": b"", "waiaas/sub/data.txt": b"some data"}
    file = archive(tmp_path / "waiaas", COUNTS, more=more)
    done = run(python, "-I", file)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "1",
        "PIN/waiaas/__init__.py True",
        "PIN/waiaas/late.py True",
        "PIN/waiaas/sub/__init__.py True",
        "some data",
    ]


def test_without_proc_it_imports_by_its_real_path__SHP_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = archive(tmp_path / "waiaas")
    monkeypatch.setattr(sys, "path", [str(file), *sys.path])
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    names: dict[str, object] = {"__name__": "entry"}
    exec(modules("1.8.0")["__main__.py"], names)
    assert names["pin"]() == (str(file), None)  # type: ignore[operator]
    assert sys.path[0] == str(file)


@pytest.mark.parametrize("version", OLD)
def test_an_old_python_gets_one_sentence_and_78__CLI_7(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    done = run(python, archive(tmp_path / "waiaas"))
    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"needs Python 3.11 or newer and this is Python {version}" in done.stderr
    assert "https://www.python.org/downloads/" in done.stderr


@pytest.mark.parametrize("version", OLD)
def test_an_old_python_becomes_a_newer_one_that_is_proven_to_run__CLI_7(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    broken, good = tmp_path / "broken", tmp_path / "good"
    for folder in (broken, good):
        folder.mkdir()
    (broken / "python3.14").write_text("#!/bin/sh\nexit 127\n")
    (broken / "python3.14").chmod(0o755)
    newer = next(found for name in NEW if (found := interpreter(name)))
    (good / "python3.11").symlink_to(newer)
    file = archive(tmp_path / "waiaas")
    done = run(python, file, "a", path=f"{broken}:{good}")
    assert done.returncode == 7, done.stderr
    assert done.stdout.split("|")[4] == "['a']"


def test_it_tries_another_python_only_once__CLI_7(tmp_path: Path) -> None:
    python = next((found for name in OLD if (found := interpreter(name))), None)
    if python is None:
        pytest.skip("no old Python on this machine")
    (tmp_path / "python3.12").symlink_to(sys.executable)
    file = archive(tmp_path / "waiaas")
    assert run(python, file, path=str(tmp_path), WAIAAS_PYTHON_TRIED="1").returncode == 78
