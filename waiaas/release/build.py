"""Build the artefact: locked dependencies, a stage with our code, shiv, the canonical repack (SHP-2).

The same tree, lock, root of trust and options give the same bytes: in another directory, under
another umask, with another Python. What may differ comes in as values of `Order`.
"""

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.layout import PROGRAM_MODE
from waiaas.core.settings_rules import BadValue
from waiaas.core.settings_values import feed_url
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.host.processes import Processes
from waiaas.release.archive import repack
from waiaas.release.entry import PYTHON_RANGE, SHEBANG

LOCK = Path("build", "runtime.lock")
LITERAL = re.compile(r'^__version__ = "([^"]*)"', re.MULTILINE)
NOT_SHIPPED = shutil.ignore_patterns("release", "__pycache__", "*.pyc")
PATIENCE = 300.0  # seconds for pip, which may have to download
PUBLIC_DIRECTORY = 0o755


@frozen
class Order:
    """What to build. Without `root`, a program that can never be upgraded by itself, and says so."""

    source: Path  # the project: waiaas/ and build/ lie in it
    output: Path  # folder
    root: Path | None = None
    feed_url: str = ""
    version: Version | None = None  # default: the literal in the tree
    overlay: Path | None = None  # files added or replaced, relative to `source`
    cache: Path | None = None  # default: .cache in `source`
    epoch: int | None = None  # SOURCE_DATE_EPOCH, Unix seconds; default: the commit's time
    targets_floor: int = 0  # no older list of releases is believed (FEED-8)


def build(order: Order, files: Files, processes: Processes) -> Path:
    """Write `waiaas-X.Y.Z.pyz` into the output folder and return its path. Raises UsageError."""
    _require_usable(order.feed_url)
    dependencies = locked_dependencies(order, files, processes)
    commit, built = _origin(order, processes)
    with TemporaryDirectory(prefix="waiaas-build-") as scratch:
        stage = Path(scratch, "stage")
        version = _stage(order, stage, commit, built)
        assembled = _assemble([dependencies, stage], Path(scratch, "shiv.pyz"), processes)
        data = repack(assembled, str(version), built)
    files.make_directory("build.output", order.output, PUBLIC_DIRECTORY)
    artefact = order.output / f"waiaas-{version}.pyz"
    files.write("build.artefact", artefact, data, PROGRAM_MODE)
    return artefact


def locked_dependencies(order: Order, files: Files, processes: Processes) -> Path:
    """The folder with what the lock names, installed once for each content of the lock."""
    lock = order.source / LOCK
    if not lock.is_file():
        raise UsageError("no-lock", f"{lock} is missing, so this is no source tree", "name it with --source")
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = (order.cache or order.source / ".cache") / f"deps-{key}"
    if folder.is_dir():
        return folder
    files.make_directory("build.cache", folder.parent, PUBLIC_DIRECTORY)
    with TemporaryDirectory(prefix=".deps-", dir=folder.parent) as scratch:
        fresh = Path(scratch, "site")
        options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile"]
        quiet = ["--quiet", "--disable-pip-version-check"]
        _python(processes, "pip", "install", *quiet, *options, "--target", str(fresh), "-r", str(lock))
        if not folder.is_dir():  # another build may have been faster
            files.replace("build.cache", fresh, folder)
    return folder


def _stage(order: Order, stage: Path, commit: str, built: int) -> Version:
    """Our own code under its version, with what this build knows about itself."""
    package = stage / "waiaas"
    shutil.copytree(order.source / "waiaas", package, ignore=NOT_SHIPPED)
    if order.overlay is not None:
        _overlay(order.overlay, package)
    version = _set_version(package / "__init__.py", order.version)
    if order.root is not None:
        (package / "upgrade").mkdir(exist_ok=True)
        (package / "upgrade" / "root.json").write_bytes(_root(order.root))
    facts = {
        "version": str(version),
        "commit": commit,
        "built": built,
        "feedUrl": order.feed_url,
        "targetsFloor": order.targets_floor,
        "root": order.root is not None,
        "python": PYTHON_RANGE,
    }
    (package / "_build.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return version


def _require_usable(url: str) -> None:
    """A program takes its built-in address as it is."""
    try:
        feed_url(url)
    except BadValue as problem:
        raise UsageError(
            "bad-feed-url", f"{url} must be {problem}", "name another: --feed-url URL"
        ) from problem


def _overlay(overlay: Path, package: Path) -> None:
    if not (overlay / "waiaas").is_dir():
        raise UsageError(
            "bad-overlay", f"{overlay} has no folder waiaas", "lay files out as in the source tree"
        )
    shutil.copytree(overlay / "waiaas", package, ignore=NOT_SHIPPED, dirs_exist_ok=True)


def _set_version(module: Path, wanted: Version | None) -> Version:
    text = module.read_text(encoding="utf-8")
    found = LITERAL.search(text)
    if found is None:
        raise WaiaasError(
            "no-version", "waiaas/__init__.py has no line `__version__ = …`", "restore that line"
        )
    if wanted is not None:
        text = LITERAL.sub(f'__version__ = "{wanted}"', text)
        module.write_text(text, encoding="utf-8")
    return wanted or Version.parse(found[1])


def _root(path: Path) -> bytes:
    """The root of trust, as the maker's `keys` or `rotate` wrote it."""
    try:
        data = path.read_bytes()
        kind = json.loads(data)["signed"]["_type"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UsageError(
            "bad-root", f"{path} is no root of trust: {problem}", "make one with `keys --dir K`"
        ) from problem
    if kind != "root":
        raise UsageError(
            "bad-root", f"{path} holds {kind} metadata, not root", "use the root.json of your keys folder"
        )
    return data


def _assemble(packages: Sequence[Path], output: Path, processes: Processes) -> Path:
    """Let shiv put the packages into one zip."""
    sources = [option for folder in packages for option in ("--site-packages", str(folder))]
    python = SHEBANG.decode().removeprefix("#!").strip()
    entry = ["--entry-point", "waiaas.__main__:run", "--python", python]
    _python(processes, "shiv", *sources, *entry, "--reproducible", "--uncompressed", "-o", str(output))
    return output


def _python(processes: Processes, module: str, *arguments: str) -> None:
    """`python -m module …` in this very interpreter, with the packages that we see ourselves."""
    run = (
        f"import sys, runpy; sys.path[:] = {sys.path!r}; "
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    done = processes.run([sys.executable, "-I", "-c", run, *arguments], PATIENCE)
    if done.code != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        hint = "install the maker's tools: pip install -e '.[release]'" if "No module" in lines[-1] else ""
        raise WaiaasError("build-failed", f"{module} failed with exit code {done.code}: {lines[-1]}", hint)


def _origin(order: Order, processes: Processes) -> tuple[str, int]:
    """Commit and build time: of HEAD where the tree is a repository, else of the newest file."""
    commit, committed = _head(order.source, processes)
    if order.epoch is not None:
        return commit, order.epoch
    if commit:
        return commit, committed
    sources = (order.source / "waiaas").rglob("*.py")
    return "", int(max((path.stat().st_mtime for path in sources), default=0))


def _head(source: Path, processes: Processes) -> tuple[str, int]:
    """Never the commit of a repository that merely lies around the tree."""
    if shutil.which("git") is None:
        return "", 0
    git = ["git", "-C", str(source)]
    top = processes.run([*git, "rev-parse", "--show-toplevel"], PATIENCE)
    head = processes.run([*git, "log", "-1", "--format=%H %ct"], PATIENCE)
    if top.code or head.code or Path(top.stdout.strip()) != source.resolve():
        return "", 0
    commit, committed = head.stdout.split()
    return commit, int(committed)
