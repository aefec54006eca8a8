"""Next versions that are broken: rolled back by themselves, and nothing is lost (UPGR-07, UPGR-12)."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys import sabotage
from tests.journeys.api import request, schema
from tests.journeys.sabotage import Overlay
from tests.journeys.witness import Witness, audited, last_run, told
from tests.journeys.workshop import Site, Workshop, migration_17, site

PATCH, MINOR = "1.8.1", "1.9.0"  # without and with migration 17
WALLET = {
    "name": "treasury",
    "chain": "ethereum",
    "environment": "mainnet",
    "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7",
}
SECRET = "hunter2-and-more"
HASTE = {"WAIAAS_UPGRADE_PROBATION": "3", "WAIAAS_DAEMON_SHUTDOWN_TIMEOUT": "1"}


@pytest.fixture(scope="module")
def template(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation of 1.8.0 with a wallet in its database; every test gets a copy."""
    folder = tmp_path_factory.mktemp("template") / "site"
    with site(folder, workshop.current) as made:
        made.ok("init")
        made.ok("start", "--detach")
        assert request(made, "POST", "/v1/wallets", WALLET)[0] == 201
        made.ok("stop")
    return folder


@dataclass
class Bench:
    """What a test of this file works with."""

    workshop: Workshop
    template: Path
    folder: Path

    @contextmanager
    def facing(self, version: str, overlay: Overlay, *, running: bool = True) -> Iterator[Site]:
        """1.8.0, and a broken next version in its feed."""
        added = {**(migration_17() if version == MINOR else {}), **overlay}
        broken = self.workshop.build(version, added, name=f"{version}-{self.folder.name}")
        feed = self.workshop.feed(self.folder / "feed", broken)
        with site(self.folder / "site", self.workshop.current, feed.url) as made:
            shutil.copytree(self.template / "data", made.data)
            made.environ.update(HASTE, TMPDIR=str(self.folder))  # where a bug leaves its report
            if running:
                made.ok("start", "--detach")
            yield made
        feed.close()


@pytest.fixture
def bench(workshop: Workshop, template: Path, tmp_path: Path) -> Bench:
    return Bench(workshop, template, tmp_path)


def rolled_back(old: Site, version: str, step: str, because: str) -> None:
    """Upgrade, and see it undone by itself: data, program, history, audit log, and the words."""
    witness = Witness(old)
    done = old.run("upgrade")
    words = told(done, 7)
    assert because in words["error"]
    assert "version 1.8.0 is back with its data" in words["error"]
    run = last_run(old)
    assert (run["from"], run["to"], run["outcome"]) == ("1.8.0", version, "rolled-back")
    assert because in run["error"]["message"]
    assert run["steps"][-1]["name"] == step
    assert {s["outcome"] for s in run["steps"]} == {"undone"}
    audited(old, run, "UPGRADE_ROLLED_BACK")
    witness.all_is_back()


WAYS = [
    pytest.param(
        sabotage.fails_its_own_verification, "verify", "wrong quarter", id="fails its own verification"
    ),
    pytest.param(sabotage.exits_at_once, "start", "I would rather not", id="exits at once"),
    pytest.param(sabotage.never_becomes_ready, "start", "not ready within 4 s", id="never becomes ready"),
    pytest.param(sabotage.falls_ill_in_probation, "start", "it has ended", id="falls ill in probation"),
]


@pytest.mark.parametrize("version", [PATCH, MINOR])
@pytest.mark.parametrize(("way", "step", "because"), WAYS)
def test_a_next_version_that_is_broken_is_rolled_back_by_itself__UPGR_07(
    bench: Bench, way: Callable[[], Overlay], step: str, because: str, version: str
) -> None:
    with bench.facing(version, way()) as old:
        if way is sabotage.never_becomes_ready:
            old.environ["WAIAAS_UPGRADE_HEALTH_TIMEOUT"] = "4"
        rolled_back(old, version, step, because)


@pytest.mark.parametrize(
    ("way", "step", "because", "version"),
    [
        pytest.param(sabotage.exits_at_once, "start", "I would rather not", PATCH, id="exits at once"),
        pytest.param(sabotage.falls_ill_in_probation, "start", "it has ended", MINOR, id="falls ill"),
    ],
)
def test_a_daemon_that_did_not_run_is_not_started_by_a_roll_back__UPGR_07(
    bench: Bench, way: Callable[[], Overlay], step: str, because: str, version: str
) -> None:
    with bench.facing(version, way(), running=False) as old:
        rolled_back(old, version, step, because)


def test_a_daemon_that_will_not_stop_does_not_stop_the_roll_back__UPGR_07(bench: Bench) -> None:
    """It is made to end before the old database comes back, or it would go on writing into it."""
    with bench.facing(MINOR, sabotage.is_unwell_and_will_not_stop()) as old:
        rolled_back(old, MINOR, "start", "did not stay healthy: health answers 503")


@pytest.mark.parametrize(
    ("way", "because"),
    [
        pytest.param(sabotage.migration_fails_in_earnest, "the tide is out", id="fails"),
        pytest.param(sabotage.migration_is_killed_in_earnest, "signal 9", id="is killed"),
    ],
)
def test_a_migration_that_goes_wrong_after_its_rehearsal_is_rolled_back__UPGR_12(
    bench: Bench, way: Callable[[], Overlay], because: str
) -> None:
    with bench.facing(MINOR, way()) as old:
        rolled_back(old, MINOR, "migrate", because)
        assert schema(old.database) == 16


@pytest.mark.parametrize(
    ("verb", "code"), [("rehearse", 1), ("verify", 7), ("migrate", 7)], ids=["rehearse", "verify", "migrate"]
)
def test_a_crash_of_the_new_version_tells_its_cause_and_no_secret__UPGR_11(
    bench: Bench, verb: str, code: int
) -> None:
    """Type, message and the report's path, in the error, the history, the audit log and the journal's run."""
    with bench.facing(MINOR, sabotage.crashes(verb), running=False) as old:
        old.environ["WAIAAS_API_SECRET"] = SECRET
        words = told(old.run("upgrade", "--no-start"), code)
        [report] = bench.folder.glob("waiaas-bug-*.txt")
        cause = f"(RuntimeError: the tide is out for <…> with <WAIAAS_API_SECRET>); the report is in {report}"
        run = last_run(old)
        for text in (words["error"], run["error"]["message"], str(old.json("audit"))):
            assert cause in text
        said = "".join(map(str, (words, run, old.ok("audit").out, old.ok("upgrade", "--history").out)))
        assert SECRET not in said
        assert old.token not in said


def test_a_tight_health_timeout_is_not_the_old_versions__UPGR_07(bench: Bench) -> None:
    """The old version takes longer to come back than the new one was given: exit 7, and it serves."""
    slow = bench.workshop.build("1.8.0", sabotage.comes_slowly(), name="slow-1.8.0")
    broken = bench.workshop.build(PATCH, sabotage.exits_at_once(), name="broken-after-slow")
    feed = bench.workshop.feed(bench.folder / "feed", slow, broken)
    with site(bench.folder / "site", slow, feed.url) as old:
        shutil.copytree(bench.template / "data", old.data)
        old.environ.update(HASTE)
        old.ok("start", "--detach")
        old.environ["WAIAAS_UPGRADE_HEALTH_TIMEOUT"] = "1"
        assert "version 1.8.0 is back" in told(old.run("upgrade"), 7)["error"]
        assert request(old, "GET", "/health", token=False)[0] == 200
        assert "nothing to recover" in old.ok("upgrade", "--recover").out
    feed.close()


@pytest.mark.parametrize(
    ("way", "because", "version"),
    [
        pytest.param(sabotage.migration_fails_always, "the tide is out", MINOR, id="migration fails"),
        pytest.param(sabotage.cannot_rehearse, "exit code 78", PATCH, id="does not even start"),
        pytest.param(sabotage.is_not_what_was_signed, "'6.6.6'", PATCH, id="is another version"),
    ],
)
def test_a_rehearsal_that_fails_refuses_and_changes_nothing__UPGR_07(
    bench: Bench, way: Callable[[], Overlay], because: str, version: str
) -> None:
    """Step 1 only looks: the same daemon goes on, its own exit code, no roll-back."""
    with bench.facing(version, way()) as old:
        witness = Witness(old)
        assert because in told(old.run("upgrade"), 1)["error"]
        witness.nothing_happened()
        run = last_run(old)
        assert (run["outcome"], run["backup"], run["downtimeSeconds"]) == ("refused", None, None)
        assert because in run["error"]["message"]
        audited(old, run, "UPGRADE_REFUSED")
        witness.all_is_back()


def test_a_failed_run_is_told_whole_to_a_script_and_in_the_history__UPGR_08(bench: Bench) -> None:
    with bench.facing(PATCH, sabotage.exits_at_once()) as old:
        done = old.run("upgrade", "--json")
        document = done.json()
        assert (done.code, document["outcome"]) == (7, "rolled-back")
        assert (document["from"], document["to"], document["steps"][-1]["name"]) == ("1.8.0", PATCH, "start")
        assert document["run"] == last_run(old)["run"]
        assert document["backup"] == last_run(old)["backup"]
        assert "downtimeSeconds" in document
        assert set(document["error"]) == {"code", "message", "hint"}
        assert document["error"]["code"] == "rolled-back"
        assert "I would rather not" in document["cause"]["message"]
        history = old.ok("upgrade", "--history").out
        assert "rolled-back\n  failed in step “start”: " in history
        assert "I would rather not" in history
        check, status = old.json("upgrade", "--check"), old.json("status")
        assert check["failedHere"]["run"] == document["run"] == status["failedHere"]["run"]
        for said in (old.ok("upgrade", "--check").out, old.ok("status").out):
            assert "failed" in said
            assert "here on 20" in said
            assert "I would rather not" in said
        lines = old.run("upgrade", "--events").out.splitlines()
        assert '"event": "ROLLED_BACK"' in lines[-1]
        assert "I would rather not" in lines[-1]
