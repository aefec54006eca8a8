"""The bill of materials says exactly what is in the artefact, and the same bytes every time."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from waiaas.core.errors import WaiaasError
from waiaas.host.files import Files, sha256
from waiaas.host.processes import Processes
from waiaas.release import contents, sbom
from waiaas.release.archive import pack
from waiaas.release.build import Order, build

pytestmark = pytest.mark.journey  # pip and shiv really run

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    return build(Order(PROJECT, folder, epoch=1700000000), Files(), Processes(dict(os.environ)))


@pytest.fixture(scope="module")
def bill(artefact: Path) -> dict[str, Any]:
    path = sbom.write(artefact, PROJECT, artefact.with_suffix(".cdx.json"), Files())
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def altered(artefact: Path, folder: Path, change: dict[str, bytes | None]) -> Path:
    """The artefact with files added, replaced, or (None) removed with everything below them."""
    with zipfile.ZipFile(artefact) as archive:
        inside = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    for name, data in change.items():
        inside = {other: kept for other, kept in inside.items() if not other.startswith(name)}
        if data is not None:
            inside[name] = data
    path = folder / "altered.pyz"
    path.write_bytes(pack(inside, 1700000000))
    return path


def test_every_package_inside_is_a_component_and_nothing_else__SHP_2(
    artefact: Path, bill: dict[str, Any]
) -> None:
    with zipfile.ZipFile(artefact) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist() if "/" in name}
    packages = {name.replace("_", "-") for name in folders if not name.endswith(".dist-info")} - {"waiaas"}
    assert {part["name"] for part in bill["components"]} == packages
    assert packages == {"securesystemslib", "semver", "tomli-w", "tuf", "urllib3"}
    assert bill["metadata"]["component"]["name"] == "waiaas"


def test_each_component_is_what_the_lock_names__RLSE_05(bill: dict[str, Any]) -> None:
    lock = (PROJECT / "build" / "runtime.lock").read_text()
    for part in bill["components"]:
        assert f"\n{part['name']}=={part['version']} " in f"\n{lock}"
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        assert part["hashes"] and all(entry["content"] in lock for entry in part["hashes"])
        assert {entry["alg"] for entry in part["hashes"]} == {"SHA-256"}
    said = {part["name"]: part["licenses"][0] for part in bill["components"]}
    assert said["tuf"] == {"expression": "Apache-2.0 OR MIT"}
    assert said["semver"] == {"license": {"id": "BSD-3-Clause"}}
    assert all(said.values())


def test_the_artefact_and_what_needs_what_are_named__RLSE_05(artefact: Path, bill: dict[str, Any]) -> None:
    program = bill["metadata"]["component"]
    assert program["hashes"] == [{"alg": "SHA-256", "content": sha256(artefact)}]
    assert program["licenses"] == [{"license": {"id": "MIT"}}]
    needs = {
        entry["ref"].split("/")[1].split("@")[0]: entry.get("dependsOn", []) for entry in bill["dependencies"]
    }
    assert [word.split("/")[1].split("@")[0] for word in needs["waiaas"]] == ["semver", "tomli-w", "tuf"]
    assert [word.split("/")[1].split("@")[0] for word in needs["tuf"]] == ["securesystemslib", "urllib3"]


def test_the_official_schema_accepts_it__RLSE_05(bill: dict[str, Any]) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(bill)) is None
    assert validator.validate_str(json.dumps({**bill, "surprise": 1})) is not None, "it does look"


def test_the_same_artefact_gives_the_same_bytes__SHP_2(artefact: Path, tmp_path: Path) -> None:
    made = set()
    for seed, zone in (("1", "UTC"), ("2", "Asia/Seoul")):
        path = tmp_path / f"{seed}.cdx.json"
        argv = [sys.executable, "-m", "waiaas.release", "sbom", str(artefact), "-o", str(path)]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(PROJECT)}
        subprocess.run(argv, cwd=tmp_path, env=environment, check=True, capture_output=True)
        made.add(path.read_bytes())
    assert len(made) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"smuggled/__init__.py": b""}, "smuggled is inside"),
        ({"loose.py": b""}, "loose.py is inside"),
        ({"semver/": None}, "the lock names semver"),
        ({"semver-3.1.1.dist-info/": None}, "no package accounts for it"),
        (
            {"semver-3.1.1.dist-info/METADATA": b"Name: semver\nVersion: 3.1.0\nLicense-Expression: MIT\n\n"},
            "semver is inside as 3.1.0",
        ),
        ({"semver-3.1.1.dist-info/METADATA": b"Name: semver\nVersion: 3.1.1\n\n"}, "name its licence"),
    ],
)
def test_what_the_lock_does_not_account_for_is_refused__SHP_2(
    change: dict[str, bytes | None], words: str, artefact: Path, tmp_path: Path
) -> None:
    with pytest.raises(WaiaasError, match=words) as refused:
        contents.read(altered(artefact, tmp_path, change), PROJECT)
    assert refused.value.code == "not-as-locked"


def test_a_file_that_is_no_artefact_is_refused__RLSE_05(tmp_path: Path) -> None:
    (tmp_path / "x.pyz").write_text("x")
    with pytest.raises(WaiaasError) as refused:
        contents.read(tmp_path / "x.pyz", PROJECT)
    assert refused.value.code == "not-an-artefact"
