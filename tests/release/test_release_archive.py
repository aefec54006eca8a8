"""The canonical repack: what goes in, in which form."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from waiaas.release.archive import pack, repack

NAMES = st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5}){0,3}\.py", fullmatch=True)
LEFTOVERS = [
    "site-packages/bin/tuf",
    "site-packages/tuf/__pycache__/x.cpython-311.pyc",
    "site-packages/tuf/x.pyc",
    "site-packages/tuf-7.0.1.dist-info/RECORD",
    "site-packages/tuf-7.0.1.dist-info/INSTALLER",
    "site-packages/tuf-7.0.1.dist-info/REQUESTED",
    "site-packages/tuf-7.0.1.dist-info/direct_url.json",
    "site-packages/securesystemslib/_vendor/ed25519/test_data/ed25519",
    "site-packages/securesystemslib/_vendor/ed25519/test_ed25519.py",
    "_bootstrap/__init__.py",
    "environment.json",
    "__main__.py",
]
KEPT = [
    "site-packages/tuf/api/x.py",
    "site-packages/tuf-7.0.1.dist-info/METADATA",
    "site-packages/waiaas/a.py",
]


def test_packages_are_hoisted_and_nothing_of_the_build_is_left__SHP_2(tmp_path: Path) -> None:
    assembled = tmp_path / "shiv.pyz"
    with zipfile.ZipFile(assembled, "w") as archive:
        for name in [*LEFTOVERS, *KEPT]:
            archive.writestr(name, b"#")
    with zipfile.ZipFile(io.BytesIO(repack(assembled, "1.8.0", 0))) as archive:
        files = {name for name in archive.namelist() if not name.endswith("/")}
        ours = {"__main__.py", "old_python.py", "quick_health.py"}
        assert files == {name.removeprefix("site-packages/") for name in KEPT} | ours
        assert b"WAIaaS" in archive.read("__main__.py"), "our own, not shiv's"


@given(st.dictionaries(NAMES, st.binary(max_size=20)), st.integers(0, 2**31))
def test_the_bytes_depend_on_content_and_date_alone__SHP_2(contents: dict[str, bytes], when: int) -> None:
    turned = dict(reversed(contents.items()))
    assert pack(contents, when) == pack(turned, when)
    with zipfile.ZipFile(io.BytesIO(pack(contents, when))) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        for name in contents:
            parts = name.split("/")[:-1]
            assert all("/".join(parts[: n + 1]) + "/" in names for n in range(len(parts)))


def test_modes_dates_and_method_are_fixed__SHP_2() -> None:
    with zipfile.ZipFile(io.BytesIO(pack({"a/b.py": b"x" * 100}, 1700000001))) as archive:
        folder, file = archive.infolist()
    assert (folder.filename, folder.external_attr >> 16) == ("a/", 0o40755)
    assert (file.filename, file.external_attr >> 16) == ("a/b.py", 0o100644)
    assert {entry.date_time for entry in (folder, file)} == {(2023, 11, 14, 22, 13, 20)}
    assert file.compress_type == zipfile.ZIP_STORED
    assert file.create_system == 3


def test_a_date_before_1980_is_no_problem__SHP_2() -> None:
    with zipfile.ZipFile(io.BytesIO(pack({"a": b""}, 0))) as archive:
        assert archive.infolist()[0].date_time[0] == 1980


def test_a_namespace_package_imports_from_the_zip__SHP_2(tmp_path: Path) -> None:
    file = tmp_path / "a.pyz"
    file.write_bytes(
        pack({"__main__.py": b"import a.b.c", "a/__init__.py": b"", "a/b/c.py": b"print('here')"}, 0)
    )
    assert file.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    assert subprocess.run([sys.executable, "-I", file], capture_output=True).stdout == b"here\n"
