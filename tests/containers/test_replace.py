"""Without compose: stop, remove, and run the next image on the same volume (DOCK-03)."""

import json

from tests.containers.artefacts import NEW, OLD
from tests.containers.engine import Engine, good


def test_the_next_image_on_the_same_volume__DOCK_03(engine: Engine) -> None:
    """Backed up into the volume, migrated, healthy; what was registered is there."""
    with engine.volume("kept") as folder:
        for version, schema in ((OLD, 16), (NEW, 17)):
            with engine.container("daemon", engine.image(version), "-v", "kept:/data") as name:
                engine.healthy(name)
                report = json.loads(good(engine.waiaas(name, "health")))
                assert (report["version"], report["schemaVersion"]) == (version, schema)
                token = (folder / "admin.token").read_bytes()
                assert engine.stop(name) == 0
        assert (folder / "admin.token").read_bytes() == token
        [backup] = (folder / "backups").iterdir()
        assert json.loads((backup / "manifest.json").read_text())["schemaVersion"] == 16
