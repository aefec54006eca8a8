"""What this build carries, and what it says where it carries nothing."""

import json
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.simulator import URL, Simulator, release
from waiaas import __version__
from waiaas.core.errors import Exit, TrustRefused
from waiaas.core.settings import Settings, UpgradeSettings
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.upgrade import embedded, trust


def settings(**upgrade: str) -> Settings:
    return Settings(upgrade=UpgradeSettings(**upgrade))  # type: ignore[arg-type]


def embed(monkeypatch: pytest.MonkeyPatch, **files: bytes) -> None:
    names = {"_build.json": files.get("facts"), "upgrade/root.json": files.get("root")}
    monkeypatch.setattr(embedded, "content", names.get)


def test_a_build_without_a_root_of_trust_says_so__FEED_2(monkeypatch: pytest.MonkeyPatch) -> None:
    embed(monkeypatch)
    with pytest.raises(TrustRefused) as refused:
        trust.root_of_trust(settings())
    assert refused.value.code == "no-root-of-trust"
    assert refused.value.exit_code is Exit.TRUST


def test_the_embedded_root_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    embed(monkeypatch, root=b"{}")
    assert trust.root_of_trust(settings()) == b"{}"


def test_a_root_of_one_s_own_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    embed(monkeypatch, root=b"embedded")
    (tmp_path / "root.json").write_bytes(b"mine")
    assert trust.root_of_trust(settings(trusted_root=str(tmp_path / "root.json"))) == b"mine"
    with pytest.raises(TrustRefused) as refused:
        trust.root_of_trust(settings(trusted_root=str(tmp_path / "absent.json")))
    assert "absent.json" in refused.value.message


def test_the_source_tree_has_modest_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    embed(monkeypatch)
    assert embedded.build_info() == embedded.BuildInfo(__version__, "", 0, "", 0)


def test_the_build_s_facts_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"version": "1.9.0", "commit": "abc", "built": 5, "feedUrl": "https://x", "targetsFloor": 7}
    embed(monkeypatch, facts=json.dumps(facts).encode())
    assert embedded.build_info() == embedded.BuildInfo("1.9.0", "abc", 5, "https://x", 7)


def test_a_missing_resource_is_none() -> None:
    assert embedded.content("no/such/file") is None
    assert embedded.content("core/errors.py")


@pytest.mark.parametrize(("own_root", "refused"), [(False, True), (True, False)])
def test_the_build_s_floor_belongs_to_the_build_s_root__FEED_8(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_root: bool, refused: bool
) -> None:
    feed = Simulator(FakeClock())
    feed.publish(release())
    embed(monkeypatch, root=feed.trusted, facts=b'{"targetsFloor": 99}')
    (tmp_path / "root.json").write_bytes(feed.trusted)
    wanted = settings(feed_url=URL, trusted_root=str(tmp_path / "root.json") if own_root else "")
    host = Host(feed.clock, Files(), feed, Processes({}), Program(None), {})
    client = trust.open_feed(host, wanted, tmp_path / "metadata", tmp_path / "floors.json")
    if refused:
        with pytest.raises(TrustRefused):
            client.refresh(5.0)
    else:
        assert client.refresh(5.0).releases
