"""ARCHITECTURE §1 and rules 10 to 12 as tables, checked in the source itself."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "waiaas"
FILES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
REPOSITORY = PACKAGE.parent
AROUND = [path for folder in ("tests", "build") for path in sorted((REPOSITORY / folder).rglob("*.py"))]
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), name) for name, path in FILES.items()}

# Floor by floor: what each package may import of ours. Siblings never import each other.
MAY_IMPORT = {
    "core": {"core"},
    "host": {"core", "host"},
    "store": {"core", "host", "store"},
    "client": {"core", "client"},
    "upgrade": {"core", "host", "store", "upgrade"},
    "daemon": {"core", "host", "store", "daemon"},
    "release": {"core", "host", "store", "release"},
    "cli": {"core", "host", "store", "upgrade", "daemon", "client", "cli"},
}
# What the maker's side knows of TUF: the documents, the files, the keys, the client that reads them.
MAKERS_TUF = tuple(
    f"release/{name}.py" for name in ("root", "keys", "metadata", "examine", "repository", "reader")
)
# A library, and the only files (or folders) that may import it.
ONLY_IN = {
    "subprocess": ("host/processes.py",),
    "sqlite3": ("host/sqlite.py", "host/sqlite_copies.py", "store/"),
    "tuf": ("upgrade/feed.py", *MAKERS_TUF),
    "securesystemslib": ("upgrade/feed.py", "upgrade/left_out.py", *MAKERS_TUF),
    "cryptography": ("release/",),
    "cyclonedx": ("release/sbom.py",),
    "packageurl": ("release/sbom.py",),
    "tomli_w": ("cli/",),
    "semver": ("core/version.py",),
    "dataclasses": (),  # waiaas.core.value: dear at the start of every command
    "multiprocessing": (),
    "requests": (),
}
# An expression, and the only files that may hold it.
ONLY_SAID_IN = {
    "print": ("cli/output.py", "release/__main__.py"),
    "os.environ": ("cli/main.py", "__main__.py", "release/__main__.py"),
    "os.getenv": (),
    "sys.argv": ("cli/main.py", "__main__.py", "release/__main__.py"),
    "time.time": ("host/clock.py",),
    "time.monotonic": ("host/clock.py",),
    "time.perf_counter": (),
    "time.sleep": ("host/clock.py",),
    "time.localtime": (),
    "datetime.now": (),
    "datetime.utcnow": (),
    "date.today": (),
}
MAX_FILE, MAX_FUNCTION, MAX_MEDIAN = 300, 50, 120  # lines
LISTS = {"__init__.py", "store/migrations/__init__.py"}  # the version; the ordered list of migrations
STORIES: set[str] = set()  # functions that tell a story, and may be longer


def _package(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every imported module by its full name, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            module = node.module or ""
            yield module, node.lineno
            if module == "waiaas":
                yield from ((f"waiaas.{alias.name}", node.lineno) for alias in node.names)


def _said(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Calls of a bare name, and `module.attribute`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno


@pytest.mark.parametrize("name", FILES)
def test_imports_go_down_only(name: str) -> None:
    package = _package(name)
    allowed = MAY_IMPORT.get(package)
    for module, line in _imports(TREES[name]):
        words = module.split(".")
        if words[0] == "waiaas" and len(words) > 1 and allowed is not None and words[1] in MAY_IMPORT:
            assert words[1] in allowed, f"waiaas/{name}:{line} imports {module}, which is not below {package}"


def test_every_package_has_its_floor() -> None:
    found = {_package(name) for name in FILES} - {""}
    assert found <= set(MAY_IMPORT), "a package without a row in MAY_IMPORT"


@pytest.mark.parametrize("library", ONLY_IN)
def test_library_is_imported_only_where_it_belongs(library: str) -> None:
    places = ONLY_IN[library]
    for name, tree in TREES.items():
        for module, line in _imports(tree):
            if module.split(".")[0] == library:
                assert name.startswith(places) if places else False, f"waiaas/{name}:{line} imports {library}"


@pytest.mark.parametrize("expression", ONLY_SAID_IN)
def test_expression_is_written_only_where_it_belongs(expression: str) -> None:
    for name, tree in TREES.items():
        for said, line in _said(tree):
            assert said != expression or name in ONLY_SAID_IN[expression], f"waiaas/{name}:{line} says {said}"


def test_clock_is_never_imported_by_its_functions() -> None:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.ImportFrom) and node.module == "time"), f"waiaas/{name}"


@pytest.mark.parametrize("name", FILES)
def test_files_and_functions_stay_short(name: str) -> None:
    lines = len(FILES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE, f"waiaas/{name} has {lines} lines"
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and f"{name}:{node.name}" not in STORIES:
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION, f"waiaas/{name}:{node.lineno} {node.name} has {length} lines"


def test_files_of_tests_and_tools_stay_short() -> None:
    """The house rule for every Python file, wherever it lies: at most MAX_FILE lines, one topic."""
    for path in AROUND:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= MAX_FILE, f"{path.relative_to(REPOSITORY)} has {lines} lines"


def test_median_file_is_short() -> None:
    lengths = [
        len(p.read_text(encoding="utf-8").splitlines()) for n, p in FILES.items() if "__init__" not in n
    ]
    assert statistics.median(lengths) <= MAX_MEDIAN


@pytest.mark.parametrize("name", FILES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(TREES[name]), f"waiaas/{name} has no docstring"


@pytest.mark.parametrize("name", [n for n in FILES if n.endswith("__init__.py") and n not in LISTS])
def test_packages_export_nothing(name: str) -> None:
    rest = [node for node in TREES[name].body if not isinstance(node, ast.Expr)]
    assert not rest, f"waiaas/{name} holds more than its design note"


def test_one_version_literal__SHP_4() -> None:
    literals = [
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "__version__" for t in node.targets)
    ]
    assert literals == ["__init__.py"]
