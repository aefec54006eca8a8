"""The build: this very tree, made into one file; the same bytes wherever and whenever."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from interpreters import NEW, interpreter

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.host.processes import Processes
from waiaas.release.__main__ import main
from waiaas.release.build import LITERAL, Order, build

pytestmark = pytest.mark.journey  # pip and shiv really run

PROJECT = Path(__file__).parents[2]
TREE = LITERAL.search((PROJECT / "waiaas" / "__init__.py").read_text())
ROOT = b'{"signatures": [], "signed": {"_type": "root"}}'
MAIN = """
import sys
def run(archive=None, pin=None):
    import securesystemslib._internal.utils, semver, tomli_w, tuf.ngclient, waiaas
    print(waiaas.__version__, archive)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree that nobody edits meanwhile, with a main that needs no other part of it."""
    return copy(PROJECT, tmp_path_factory.mktemp("tree") / "project")


def copy(source: Path, folder: Path) -> Path:
    shutil.copytree(source / "waiaas", folder / "waiaas", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(source / "build", folder / "build")
    return folder


def make(tree: Path, output: Path, **options: object) -> Path:
    order = Order(
        **{"source": tree, "output": output, "cache": PROJECT / ".cache", "epoch": 1700000000, **options}
    )  # type: ignore[arg-type]
    return build(order, Files(), Processes(dict(os.environ)))


def content(artefact: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(artefact) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def facts(artefact: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(content(artefact)["waiaas/_build.json"])
    return found


def test_the_artefact_is_one_small_executable_without_the_makers_side__BLD_1_PRF_4(
    tree: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(ROOT)
    artefact = make(tree, tmp_path / "dist", root=root, feed_url="https://example.org/feed")
    assert TREE is not None
    assert artefact.name == f"waiaas-{TREE[1]}.pyz"
    assert artefact.stat().st_mode & 0o7777 == 0o755
    assert artefact.stat().st_size <= 2_500_000
    names = content(artefact)
    assert names["waiaas/upgrade/root.json"] == ROOT
    assert not [name for name in names if name.startswith("waiaas/release") or name.endswith((".pyc", ".so"))]
    assert facts(artefact) == {
        "version": TREE[1],
        "commit": "",
        "built": 1700000000,
        "feedUrl": "https://example.org/feed",
        "targetsFloor": 0,
        "root": True,
        "python": ">=3.11",
    }


def test_a_build_without_a_root_of_trust_says_so__BLD_1(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["build", "--source", str(tree), "--cache", str(PROJECT / ".cache"), "-o", str(tmp_path)]
    assert main(argv) == 0
    said = capsys.readouterr()
    assert "without a root of trust" in said.err
    artefact = Path(said.out.strip())
    assert facts(artefact)["root"] is False
    assert "waiaas/upgrade/root.json" not in content(artefact)


@pytest.mark.parametrize("version", [name for name in NEW if name != "3.14"])
def test_it_runs_from_any_folder_without_a_home__SHP_2(version: str, tree: Path, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    overlay = tmp_path / "overlay"
    (overlay / "waiaas").mkdir(parents=True)
    (overlay / "waiaas" / "__main__.py").write_text(MAIN)
    (overlay / "waiaas" / "added.py").write_text("")
    artefact = make(tree, tmp_path / "dist", overlay=overlay, version=Version.parse("9.1.0-rc.2"))
    assert "waiaas/added.py" in content(artefact)
    assert facts(artefact)["version"] == "9.1.0-rc.2"
    done = subprocess.run([python, "-I", artefact], cwd="/", env={}, capture_output=True, text=True)
    assert done.stdout == f"9.1.0-rc.2 {artefact}\n", done.stderr


def test_another_folder_umask_and_pip_give_the_same_bytes__SHP_2(tree: Path, tmp_path: Path) -> None:
    first = make(tree, tmp_path / "one")
    cache = tmp_path / "cache"
    before = os.umask(0o077)
    try:
        again = copy(tree, tmp_path / "again")
        for packages in (PROJECT / ".cache").glob("deps-*"):
            shutil.copytree(packages, cache / packages.name, copy_function=shutil.copyfile)
            leave_traces(cache / packages.name)
        second = make(again, tmp_path / "two", cache=cache)
    finally:
        os.umask(before)
    assert first.read_bytes() == second.read_bytes()


def leave_traces(packages: Path) -> None:
    """What another pip in another place would have left."""
    (packages / "bin").mkdir(exist_ok=True)
    (packages / "bin" / "console").write_text(f"#!{sys.executable}")
    for info in packages.glob("*.dist-info"):
        for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            (info / name).write_text("elsewhere")
    (packages / "tuf" / "__pycache__").mkdir(exist_ok=True)
    (packages / "tuf" / "__pycache__" / "x.cpython-399.pyc").write_bytes(b"?")


@pytest.mark.parametrize("version", [name for name in NEW if name != "3.14"])
def test_another_python_gives_the_same_bytes__SHP_2(version: str, tree: Path, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    packages = [str(PROJECT), *(path for path in sys.path if path.endswith("site-packages"))]
    argv = ["build", "--source", str(tree), "--cache", str(PROJECT / ".cache"), "-o", str(tmp_path / "other")]
    start = "from waiaas.release.__main__ import main"
    script = f"import sys; sys.path[:0] = {packages!r}; {start}; sys.exit(main({argv!r}))"
    environment = {
        "PATH": os.environ["PATH"],
        "SOURCE_DATE_EPOCH": "1700000000",
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Seoul",
    }
    done = subprocess.run([python, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    other = Path(done.stdout.strip())
    assert other.read_bytes() == make(tree, tmp_path / "ours").read_bytes()


def test_commit_and_time_come_from_the_trees_own_repository__SHP_2(tree: Path, tmp_path: Path) -> None:
    project = copy(tree, tmp_path / "project")
    git = ["git", "-C", str(project), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    stamp = {**os.environ, "GIT_COMMITTER_DATE": "1600000000 +0000"}
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True, env=stamp)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    found = facts(make(project, tmp_path / "dist", epoch=None))
    assert (found["commit"], found["built"]) == (head, 1600000000)
    inner = copy(tree, project / "vendored")
    assert facts(make(inner, tmp_path / "inner", epoch=None))["commit"] == "", "not the repository around it"


def test_locked_dependencies_are_installed_once_for_each_lock__SHP_2(tree: Path, tmp_path: Path) -> None:
    class Refusing(Processes):
        def run(self, argv, *rest, **more):  # type: ignore[no-untyped-def]
            raise AssertionError("pip was started again")

    from waiaas.release.build import locked_dependencies

    order = Order(source=tree, output=tmp_path, cache=PROJECT / ".cache")
    build(Order(source=tree, output=tmp_path, cache=PROJECT / ".cache"), Files(), Processes(dict(os.environ)))
    assert (locked_dependencies(order, Files(), Refusing({})) / "tuf" / "py.typed").is_file()


def test_a_dependency_with_other_bytes_than_the_lock_is_refused__SHP_2(tree: Path, tmp_path: Path) -> None:
    project = copy(tree, tmp_path / "project")
    wheel = tmp_path / "wheels" / "semver-3.1.1-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("semver/__init__.py", "evil = True")
    (project / "build" / "runtime.lock").write_text(
        f"--no-index\n--find-links {wheel.parent}\nsemver==3.1.1 --hash=sha256:{'0' * 64}\n"
    )
    with pytest.raises(WaiaasError) as refused:
        make(project, tmp_path / "dist", cache=tmp_path / "cache")
    assert refused.value.code == "build-failed"
    assert not list((tmp_path / "cache").glob("deps-*"))


@pytest.mark.parametrize(
    ("text", "code"), [("{}", "bad-root"), ('{"signed": {"_type": "targets"}}', "bad-root")]
)
def test_a_file_that_is_no_root_of_trust_is_refused__BLD_1(
    text: str, code: str, tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "root.json").write_text(text)
    with pytest.raises(UsageError) as refused:
        make(tree, tmp_path / "dist", root=tmp_path / "root.json")
    assert refused.value.code == code


def test_an_address_that_no_program_may_use_is_not_built_in__BLD_1(tree: Path, tmp_path: Path) -> None:
    """The program takes its built-in address as it is (PRF-3)."""
    with pytest.raises(UsageError, match="must be a URL that begins with https") as refused:
        make(tree, tmp_path / "dist", feed_url="http://feed.example/")
    assert refused.value.code == "bad-feed-url"
    assert not (tmp_path / "dist").exists()


def test_a_folder_that_is_no_source_tree_is_refused__BLD_1(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        make(tmp_path, tmp_path / "dist")
    assert refused.value.code == "no-lock"
