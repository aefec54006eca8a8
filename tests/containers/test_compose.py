"""The compose file of the tree, as an operator uses it (DOCK-01)."""

import http.client
import json
from contextlib import closing
from pathlib import Path

from tests.containers.artefacts import OLD
from tests.containers.compose import FILE, PORT, project
from tests.containers.engine import Engine
from tests.journeys.api import eventually
from tests.journeys.observe import digests

ASK = "import urllib.request as u; u.urlopen('http://daemon:3100{}')"


def get(path: str, token: str = "") -> tuple[int, object]:
    """From this machine, through the published port."""
    with closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_compose_takes_the_file_as_it_is__DOCK_01(engine: Engine) -> None:
    """`make lint` holds it against the specification."""
    engine.ok("compose", "-f", str(FILE), "config", "-q")
    [chosen] = engine.ok("compose", "-f", str(FILE), "config", "--images").split()
    assert chosen == "waiaas/daemon:1"  # the major version: what is advised


def test_up_waits_until_it_is_healthy_and_serves_this_machine_alone__DOCK_01(engine: Engine) -> None:
    with project(engine, "plain", waits=True) as made:
        made.up(engine.image(OLD))
        [found] = json.loads(engine.ok("inspect", made.container))
        host = found["HostConfig"]
        assert found["State"]["Health"]["Status"] == "healthy"
        assert host["PortBindings"] == {f"{PORT}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(PORT)}]}
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert found["Config"]["Labels"]["com.centurylinklabs.watchtower.enable"] == "true"
        token = (made.data / "admin.token").read_text().strip()
        assert get("/v1/wallets")[0] == 401
        assert get("/v1/wallets", token)[0] == 200
        made.ok("stop")
        assert engine.ok("inspect", "-f", "{{.State.ExitCode}}", made.container).strip() == "0"


def test_other_containers_of_the_project_ask_it_by_its_name__DMN_6(engine: Engine) -> None:
    with project(engine, "neighbours") as made:
        made.up(engine.image(OLD))
        run = ("run", "--rm", "--network", "neighbours_default", engine.base, "python3", "-c")
        assert engine.call(*run, ASK.format("/health")).code == 0
        assert "401" in engine.call(*run, ASK.format("/v1/wallets")).err


def test_a_restart_from_within_is_a_restart_of_the_container__DMN_2(engine: Engine) -> None:
    """`waiaas stop` ends process 1, and the restart policy starts it again; nothing is left of the first."""
    with project(engine, "again") as made:
        made.up(engine.image(OLD))
        started = ("inspect", "-f", "{{.State.StartedAt}}", made.container)
        before = engine.ok(*started)
        made.waiaas("stop")
        eventually(lambda: engine.ok(*started) != before)
        made.up()
        assert engine.ok("inspect", "-f", "{{.RestartCount}}", made.container).strip() == "1"


def test_backups_leave_the_volume_and_the_volume_comes_back__BKUP_3(engine: Engine, near: Path) -> None:
    """The commands of docs/docker.md: a backup out, the whole volume out, and into an empty one."""
    with project(engine, "carried") as made:
        made.up(engine.image(OLD))
        backup = made.document("backup", "create")["id"]
        made.ok("cp", f"daemon:/data/backups/{backup}", str(near))
        manifest = json.loads((near / backup / "manifest.json").read_text())
        assert (manifest["version"], manifest["schemaVersion"]) == (OLD, 16)
        made.ok("stop")
        before = digests(made.data)
        tar = ("run", "--rm", "-T", "--entrypoint", "tar", "daemon", "-C", "/data")
        (near / "data.tar").write_bytes(made.piped(*tar, "-cf", "-", "."))
        made.ok("down", "-v")
        made.piped(*tar, "-xf", "-", given=(near / "data.tar").read_bytes())
        assert digests(made.data) == before
        made.up()
