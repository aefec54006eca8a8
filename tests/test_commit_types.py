"""CONTRIBUTING names the types of commits that release-please and commitlint know (RLSE-07)."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| ((?:`[a-z]+`(?:, )?)+) \| (\w+) \| (\w+) \|$", re.MULTILINE)


def test_the_table_of_types_is_that_of_release_please__RLSE_01() -> None:
    rows = ROW.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    written = [
        (kind, "nothing" if version == "none" else section)
        for kinds, section, version in rows
        for kind in re.findall("[a-z]+", kinds)
    ]
    config = json.loads((ROOT / "release-please-config.json").read_text(encoding="utf-8"))
    sections = config["changelog-sections"]
    assert written == [(s["type"], "nothing" if s.get("hidden") else s["section"]) for s in sections]


def test_sections_are_those_of_keep_a_changelog__RLSE_01() -> None:
    config = json.loads((ROOT / "release-please-config.json").read_text(encoding="utf-8"))
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {section["section"] for section in config["changelog-sections"]} == known
