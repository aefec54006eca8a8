"""The files of the GitHub Release: attached once, compared ever after (RLSE-05)."""

import pytest
from bench import Bench
from deployments import Yard

from waiaas.core.errors import WaiaasError
from waiaas.release.deploy import assets
from waiaas.release.deploy.deployment import DONE, THERE, WOULD

pytestmark = pytest.mark.real_time  # the stand-in of gh really runs


@pytest.fixture
def yard(bench: Bench) -> Yard:
    made = Yard(bench)
    (made.folder / "assets").mkdir()
    (made.folder / "assets" / "SHA256SUMS").write_text("digests")
    return made


def test_the_second_time_attaches_nothing__RLSE_05(yard: Yard) -> None:
    assert assets.assets(yard.deployment()).outcome == DONE
    assert set(yard.assets()) == {"waiaas-1.9.0.pyz", "release.json", "SHA256SUMS"}
    assert yard.assets()["waiaas-1.9.0.pyz"] == (yard.folder / "waiaas-1.9.0.pyz").read_bytes()
    assert assets.assets(yard.deployment()).outcome == THERE


def test_what_is_missing_alone_is_attached__RLSE_05(yard: Yard) -> None:
    assets.assets(yard.deployment())
    (yard.store / "assets" / "v1.9.0" / "SHA256SUMS").unlink()
    assert assets.assets(yard.deployment()).outcome == DONE
    assert yard.assets()["SHA256SUMS"] == b"digests"


def test_an_asset_with_other_bytes_is_never_replaced__RLSE_05(yard: Yard) -> None:
    assets.assets(yard.deployment())
    (yard.store / "assets" / "v1.9.0" / "waiaas-1.9.0.pyz").write_bytes(b"somebody else's")
    with pytest.raises(WaiaasError) as refused:
        assets.assets(yard.deployment())
    assert refused.value.code == "other-bytes"
    assert yard.assets()["waiaas-1.9.0.pyz"] == b"somebody else's"


def test_an_upload_that_did_not_arrive_is_no_success__RLSE_05(yard: Yard) -> None:
    tool = yard.bench.folder / "tools" / "gh"
    tool.write_text(tool.read_text().replace('cp "$@" "$store"', "true"))
    with pytest.raises(WaiaasError) as failed:
        assets.assets(yard.deployment())
    assert failed.value.code == "not-attached"


def test_a_release_that_is_missing_is_no_release_without_assets__RLSE_05(yard: Yard) -> None:
    tool = yard.bench.folder / "tools" / "gh"
    tool.write_text("#!/bin/sh\necho 'release not found' >&2\nexit 1\n")
    with pytest.raises(WaiaasError) as failed:
        assets.assets(yard.deployment())
    assert failed.value.code == "tool-failed"


def test_a_dry_run_attaches_nothing__RLSE_04(yard: Yard) -> None:
    assert assets.assets(yard.deployment(WAIAAS_RELEASE_PUBLISH="no")).outcome == WOULD
    assert yard.assets() == {}
    assert any("would run gh release upload v1.9.0" in line for line in yard.said)
