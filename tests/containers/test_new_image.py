"""A new image on the same volume, and back again (DOCK-03, DMN-1, scenario 17)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.containers.artefacts import NEW, OLD
from tests.containers.compose import Project, project
from tests.containers.conftest import Say
from tests.containers.engine import Engine, good
from tests.containers.old_volume import Rows, compared, fill, require_kept, rows
from tests.journeys.api import eventually, schema
from tests.journeys.observe import digests

DATABASE = "data/waiaas.db"


@pytest.fixture
def filled(engine: Engine, say: Say) -> Iterator[Project]:
    """A project whose volume holds a directory of the previous implementation; nothing runs yet."""
    with project(engine, "legacy") as made:
        made.image = engine.image(OLD)
        made.ok("up", "--no-start")
        say(f"the volume holds {fill(made.data)}")
        yield made


def test_a_volume_of_the_previous_implementation_goes_through_two_images__DOCK_03(
    engine: Engine, filled: Project, say: Say
) -> None:
    """Scenario 17: 1.5.3 → image of 1.8.0 → image of the next version with migration 17, and back."""
    database = filled.data / DATABASE
    before, keys = rows(database), digests(filled.data / "keystore")
    at_1_8_0 = _served(filled, engine.image(OLD), before, 16)
    backups: list[dict[str, Any]] = []
    at_next = _served(filled, engine.image(NEW), before, 17, backups)
    require_kept(at_1_8_0, at_next)
    assert digests(filled.data / "keystore") == keys
    say(f"rows and digests, schema 13 → 17 ({OLD}, then {NEW}), over the columns of before:")
    for line in compared(before, at_next):
        say(line)
    assert [(b["kind"], b["schemaVersion"]) for b in backups] == [("migration", 16), ("migration", 13)]
    say(f"backups in the volume: {', '.join(b['id'] for b in backups)}")
    _goes_back(engine, filled, backups[0]["id"], at_1_8_0)


def _served(
    made: Project, image: str, before: Rows, wanted: int, backups: list[dict[str, Any]] | None = None
) -> Rows:
    """Put the image on the volume: healthy, migrated, no row lost; stopped with 0, and what is there then.

    `backups` takes those that the volume holds, newest first.
    """
    made.up(image)
    health = made.document("health")
    assert (health["status"], health["schemaVersion"]) == ("ok", wanted)
    assert f":{health['version']}" in image
    if backups is not None:
        backups += _verified(made)
    made.ok("stop")
    assert made.engine.ok("inspect", "-f", "{{.State.ExitCode}}", made.container).strip() == "0"
    database = made.data / DATABASE
    assert schema(database) == wanted
    found = rows(database)
    require_kept(before, found)
    return found


def _verified(made: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made.document("backup", "list")
    for backup in found:
        assert Path(backup["path"]).is_relative_to("/data/backups")
        good(made.waiaas("backup", "verify", "--full", backup["id"]))
    return found


def _goes_back(engine: Engine, made: Project, backup: str, wanted: Rows) -> None:
    """The old image refuses the new database and names the way; with the backup it serves again."""
    made.image = engine.image(OLD)
    made.ok("up", "-d")
    eventually(lambda: "restore an older backup" in made.ok("logs", "--no-color", "daemon"))
    made.ok("stop")
    made.ok("run", "--rm", "-T", "daemon", "backup", "restore", "--yes", backup)
    made.up()
    health = made.document("health")
    assert (health["version"], health["schemaVersion"]) == (OLD, 16)
    made.ok("stop")
    require_kept(wanted, rows(made.data / DATABASE))
