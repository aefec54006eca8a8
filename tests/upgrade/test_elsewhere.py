"""What somebody is told to type who hears of a newer version (UPGR-09, VCHK-05)."""

from pathlib import Path

import pytest

from waiaas.core.layout import Layout, ProgramLayout
from waiaas.host import container
from waiaas.store.keyvalue import StoredCheck
from waiaas.upgrade import preflight
from waiaas.upgrade.box import judge
from waiaas.upgrade.elsewhere import IMAGE_COMMAND, advice

PROGRAM = Path("/usr/local/bin/waiaas")


def test_the_advice_names_who_replaces_the_program__UPGR_09(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "MARKS", ())
    assert advice(PROGRAM, "self") == "Run: waiaas upgrade"
    assert "manager" in advice(PROGRAM, "external")
    mounts = tmp_path / "mountinfo"
    mounts.write_text("700 650 0:62 / / rw - overlay overlay rw\n")
    monkeypatch.setattr(container, "MARKS", (str(mounts),))
    monkeypatch.setattr(container, "MOUNTS", mounts)
    assert advice(PROGRAM, "external") == f"Run: {IMAGE_COMMAND}"
    assert advice(None, "self") == "Run: waiaas upgrade"


def test_whoever_copied_the_program_into_a_container_is_told_how_to_say_so__UPGR_09(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "in_image", lambda _: True)
    program = ProgramLayout(tmp_path / "waiaas")
    layout = Layout(tmp_path, tmp_path / "waiaas.db", tmp_path / "config.toml")
    guessed = preflight.owned_elsewhere(program, layout, "self", asked=False)
    assert guessed is not None
    assert guessed[1].startswith(f"{IMAGE_COMMAND}; `waiaas config set upgrade.mode self` if you copied it")
    assert preflight.owned_elsewhere(program, layout, "self", asked=True) is None
    said = preflight.owned_elsewhere(program, layout, "external", asked=True)
    assert said is not None
    assert said[1] == IMAGE_COMMAND


@pytest.mark.parametrize("withdrawn", [None, {"version": "1.8.0", "to": "1.8.1", "reason": "bad"}])
def test_the_notice_ends_with_the_advice__VCHK_05(withdrawn: dict[str, object] | None) -> None:
    stored = StoredCheck(latest="1.8.1", checked_at=1, notified_at=None, withdrawn=withdrawn, error=None)
    due = judge(stored, None, "1.8.0", 2, f"Run: {IMAGE_COMMAND}")
    assert due is not None
    assert due.lines[-1] == f"Run: {IMAGE_COMMAND}"
