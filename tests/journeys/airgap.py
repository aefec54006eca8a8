"""What happens at the air-gapped site, step by step; `alone.py` runs it where there is no network."""

from pathlib import Path

from tests.journeys.api import contents, health, request, stray
from tests.journeys.witness import Witness, told
from tests.journeys.workshop import site

WALLET = {
    "name": "treasury",
    "chain": "ethereum",
    "environment": "mainnet",
    "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7",
}


def whole_journey(folder: Path, artefact: str, bundle: str) -> None:
    """Verify, look, upgrade a serving daemon, use it, roll back: all from one file."""
    with site(folder, Path(artefact)) as here:
        here.ok("init")
        here.ok("start", "--detach")
        assert request(here, "POST", "/v1/wallets", WALLET)[0] == 201
        at_upgrade = contents(here.database)
        before = here.program.read_bytes()
        assert here.json("bundle", "show", bundle)["version"] == "1.8.1"
        assert here.json("bundle", "verify", bundle)["verified"] is True
        assert told(here.run("upgrade"), 1)
        offered = here.json("upgrade", "--from", bundle, "--check")
        assert (offered["updateAvailable"], offered["path"]) == (True, ["1.8.1"])
        assert "Nothing was changed" in here.ok("upgrade", "--from", bundle, "--dry-run").out
        done = here.ok("--offline", "upgrade", "--from", bundle)
        assert "Upgraded: 1.8.0 → 1.8.1" in done.out
        assert health(here)["version"] == "1.8.1"
        assert "Already up to date" in here.ok("upgrade", "--from", bundle).out
        here.ok("upgrade", "--rollback")
        assert health(here)["version"] == "1.8.0"
        here.ok("stop")
        assert here.program.read_bytes() == before
        assert contents(here.database) == at_upgrade
        assert stray(here) == []


def hostile(folder: Path, artefact: str, *bundles: str) -> None:
    """Each is refused with exit 9, and the serving daemon does not notice."""
    with site(folder, Path(artefact)) as here:
        here.ok("init")
        here.ok("start", "--detach")
        witness = Witness(here)
        for bundle in bundles:
            for words in (("upgrade", "--from", bundle), ("bundle", "verify", bundle)):
                problem = told(here.run(*words), 9)
                assert "nothing was changed" in problem["hint"] or "bundle create" in problem["hint"]
            witness.nothing_happened()
