"""What somebody is told to type who hears of a newer version (UPGR-09, VCHK-05)."""

from pathlib import Path

import pytest

from waiaas.host import container
from waiaas.store.keyvalue import StoredCheck
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


@pytest.mark.parametrize("withdrawn", [None, {"version": "1.8.0", "to": "1.8.1", "reason": "bad"}])
def test_the_notice_ends_with_the_advice__VCHK_05(withdrawn: dict[str, object] | None) -> None:
    stored = StoredCheck(latest="1.8.1", checked_at=1, notified_at=None, withdrawn=withdrawn, error=None)
    due = judge(stored, None, "1.8.0", 2, f"Run: {IMAGE_COMMAND}")
    assert due is not None
    assert due.lines[-1] == f"Run: {IMAGE_COMMAND}"
