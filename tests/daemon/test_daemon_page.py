"""The status page: what it says, readable by everybody (DMN-4, HLTH-02, HLTH-03)."""

import re
from pathlib import Path

import pytest

from tests.daemon.daemon_kit import TOKEN, Rig, layout_in
from tests.daemon.page_kit import read, withdraw
from waiaas.core.check import CheckOutcome
from waiaas.core.health import FIELDS
from waiaas.daemon import page, style
from waiaas.host.files import Files
from waiaas.store import audit, backup, switching
from waiaas.store.keyvalue import store_check


def backed_up(rig: Rig, twin: Path, count: int) -> None:
    """Backups an hour apart, of a twin: no process may open a database twice (its locks would go)."""
    layout = layout_in(twin)
    for _ in range(count):
        backup.create(Files(), rig.clock, layout, "manual", "1.8.0", None, label="manual")
        rig.clock.sleep(3600)
    layout.backups.rename(rig.layout.backups)


# --- what it says -----------------------------------------------------------------------------------


def test_every_field_of_the_health_report_has_its_line__HLTH_03(rig: Rig) -> None:
    assert set(page.LABELS) == {field.name for field in FIELDS}
    words = read(rig, token=None).words
    assert [words.index(f"{page.LABELS[field.name]} ") for field in FIELDS]


def test_each_state_is_named_with_the_command_that_deals_with_it__DMN_4(rig: Rig) -> None:
    with rig.database.writing() as connection:
        store_check(connection, CheckOutcome("1.9.0", None, None), 1)
    available = read(rig, token=None).words
    assert "Version 1.9.0 is available" in available
    assert "waiaas upgrade" in available
    withdraw(rig)
    withdrawn = read(rig, token=None).words
    assert "Serves, but was withdrawn" in withdrawn
    assert "Reason: it loses mail. Version 1.8.1 replaces it." in withdrawn
    rig.probation[0] = True
    assert "An upgrade is on probation" in read(rig, token=None).words
    with rig.database.writing() as connection:
        switching.switch(connection, True, "admin", 1_795_132_800)
        store_check(connection, CheckOutcome(None, None, "the feed is away"), 2)
    inner = read(rig).words
    assert "SUSPENDED, since 2026-11-20 00:00 UTC, by admin" in inner
    assert "waiaas kill-switch off" in inner
    assert "the feed is away" in inner


def test_a_program_of_an_image_or_a_manager_is_not_told_to_upgrade_itself__UPGR_09(rig: Rig) -> None:
    with rig.database.writing() as connection:
        store_check(connection, CheckOutcome("1.9.0", None, None), 1)
    for how in (
        "Run: docker compose pull && docker compose up -d",
        "Upgrade it with the manager it came from",
    ):
        object.__setattr__(rig.parts, "how_to_upgrade", how)
        words = " ".join(read(rig, token=None).words.split())
        assert how in words
        assert "waiaas upgrade" not in words


def test_an_open_run_is_told_with_the_way_out__DMN_4(rig: Rig) -> None:
    found = {"run": "r1", "from": "1.8.0", "to": "1.9.0", "step": "swap"}
    object.__setattr__(rig.parts, "open_run", lambda: found)
    words = read(rig).words
    assert "1.8.0 → 1.9.0, step swap" in words
    assert "waiaas upgrade --recover" in words


def test_backups_and_runs_are_listed_newest_first__DMN_4(rig: Rig, tmp_path: Path) -> None:
    backed_up(rig, tmp_path / "twin", 2)
    with rig.database.writing() as connection:
        for number, event in enumerate(("UPGRADE_COMMITTED", "UPGRADE_ROLLED_BACK")):
            details = {"run": str(number), "kind": "upgrade", "from": "1.8.0", "to": f"1.8.{number + 1}"}
            audit.write(connection, event, "system", details, 1_795_132_800 + number * 60)
    words = read(rig).words
    assert "Backups (2, " in words
    assert words.index("2026-11-20 01:00 UTC") < words.index("2026-11-20 00:00 UTC")
    assert words.index("rolled-back") < words.index("committed")


def test_a_database_that_cannot_be_read_is_told_and_the_page_still_comes__DMN_4(rig: Rig) -> None:
    rig.ask("GET", "/health")
    rig.database.close()
    words = read(rig).words
    assert "Cannot serve" in words
    assert "Its database cannot be read." in words
    assert "waiaas doctor" in words


def test_a_schema_of_another_version_is_told_with_both_numbers__HLTH_02(rig: Rig) -> None:
    with rig.database.writing() as connection:
        connection.execute("INSERT INTO schema_version VALUES (17, 0, 'a newer one')")
    assert "schema 17; this version serves 16" in read(rig, token=None).words


# --- readable by everybody --------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [style.LIGHT, style.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", style.PAIRS, ids=lambda pair: " on ".join(pair))
def test_every_text_stands_out_from_its_ground__WCAG_1_4_3(
    colours: dict[str, str], pair: tuple[str, str]
) -> None:
    high, low = sorted((luminance(colours[name]) for name in pair), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_light_and_dark_have_the_same_colours_and_the_rules_use_them_all() -> None:
    assert set(style.LIGHT) == set(style.DARK) == set(re.findall(r"var\(--([a-z-]+)\)", style.RULES))
    assert set(style.LIGHT) == {name for pair in style.PAIRS for name in pair} | {"line"}


@pytest.mark.parametrize("token", [TOKEN, None])
def test_the_page_has_its_landmarks_language_and_headed_tables(
    rig: Rig, tmp_path: Path, token: str | None
) -> None:
    backed_up(rig, tmp_path / "twin", 1)
    found = read(rig, token=token)
    assert ("html", "lang", "en") in found.attributes
    for tag in ("header", "main", "footer", "h1", "title"):
        assert found.tags.count(tag) == 1, tag
    assert all(("th", "scope", "col") in found.attributes for tag in found.tags if tag == "th")
    assert found.tags.count("section") == found.tags.count("h2")
    labels = {value for tag, name, value in found.attributes if (tag, name) == ("td", "data-label")}
    assert not token or {"Made", "Size"} <= labels
