"""A witness remembers an installation and says afterwards that nothing of it has changed."""

import json
from typing import Any

from tests.journeys.api import contents, health, stray
from tests.journeys.workshop import Done, Site

ERROR, HINT = "waiaas: error: ", "hint: "


class Witness:
    """What there is now. Look before the deed; `nothing_happened` or `all_is_back` after it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.program = site.program.read_bytes()
        self.rows = contents(site.database)
        self.inode = site.database.stat().st_ino
        self.config = (site.data / "config.toml").read_bytes()
        self.pid = self._pid()

    def nothing_happened(self) -> None:
        """The same program, the same data, the very same daemon; and nothing lies about."""
        self._same()
        assert self._pid() == self.pid
        if self.pid:
            assert health(self.site)["status"] == "ok"
        left = [p.name for p in (self.site.program.parent / ".waiaas").glob("*")]
        assert not {"journal", "staged"} & set(left), left

    def all_is_back(self) -> None:
        """Rolled back: the old version serves again if it did before, and stopped it leaves no litter."""
        self._same()
        assert (self._pid() is not None) == (self.pid is not None)
        if self.pid:
            assert (health(self.site)["version"], health(self.site)["status"]) == ("1.8.0", "ok")
        if self.pid:
            self.site.ok("stop")
        self._same()
        assert stray(self.site) == []
        assert [p for p in self.site.data.rglob(".*") if p.is_file()] == []
        assert self.site.database.stat().st_nlink == 1, "a backup that shares the live file is none"
        self.site.ok("backup", "list", "--verify")

    def _same(self) -> None:
        assert self.site.program.read_bytes() == self.program
        assert self.site.database.stat().st_ino == self.inode
        assert contents(self.site.database) == self.rows
        assert (self.site.data / "config.toml").read_bytes() == self.config

    def _pid(self) -> Any:
        """Of the daemon; None when none runs."""
        return self.site.run("--json", "status").json()["pid"]


def told(done: Done, code: int) -> dict[str, str]:
    """A refusal as a person should meet it: this exit code, one sentence, a hint, no traceback."""
    assert done.code == code, done
    assert "Traceback" not in done.err + done.out
    lines = done.err.splitlines()
    [sentence] = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    assert 0 < len(sentence) < 400, sentence
    [hint] = [line.removeprefix(HINT) for line in lines if line.startswith(HINT)]
    return {"error": sentence, "hint": hint}


def last_run(site: Site) -> dict[str, Any]:
    """The newest run as `upgrade --history --json` tells it."""
    run = site.json("upgrade", "--history")[0]
    assert isinstance(run, dict)
    return run


def audited(site: Site, run: dict[str, Any], event: str) -> None:
    """The run is in the audit log, once, with its error."""
    rows = [row for row in site.json("audit") if run["run"] in json.dumps(row)]
    assert [row["eventType"] for row in rows] == [event]
    assert json.dumps(run["error"]["message"]) in json.dumps(rows[0]["details"])
