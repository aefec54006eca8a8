"""The seven steps of an upgrade: what undo will need, act, undo, tidy (SPEC §8).

1 check    stage the new file and let it rehearse; nothing has changed yet
2 stop     the daemon lets go of the database
3 backup   database, config and the old program; a migrating run links the untouched database
4 swap     the old file into its slot, the new one over the program's name: one rename
5 migrate  the new file migrates a copy and renames it into place
6 verify   the new file says who it is and that the data are whole
7 start    the new daemon, on probation until the run commits
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.journal import Facts, OpenRun
from waiaas.host.files import sha256
from waiaas.host.together import together
from waiaas.upgrade import carry, child, daemon, described, preflight, slots, unit
from waiaas.upgrade.child import keep
from waiaas.upgrade.transaction import Run, Step

Fetch = Callable[[Path], None]


class Reversible:
    """A step with nothing to remember, undo or tidy; the real ones override what they need."""

    name = ""
    title = ""

    def facts(self, run: Run) -> Facts:
        return {}

    def do(self, run: Run, facts: Facts) -> Facts:
        return {}

    def undo(self, run: Run, facts: Facts) -> None:
        """Nothing to undo."""

    def tidy(self, run: Run, state: OpenRun) -> None:
        """Nothing to tidy."""


class Check(Reversible):
    """Stage the verified artefact beside the program and let it rehearse on a copy."""

    name = "check"
    title = "Check: download, verify, rehearse"

    def __init__(self, fetch: Fetch | None = None) -> None:
        self._fetch = fetch

    def do(self, run: Run, facts: Facts) -> Facts:
        preflight.require(run)
        if self._fetch is not None:
            self._fetch(run.program.staged)
        slots.ready(run.host.files, run.program)
        child.prepare(run, run.program.staged, Verify.name)
        return {"rehearsal": self._rehearse(run)}

    def _rehearse(self, run: Run) -> Facts:
        arguments: tuple[str, ...] = ()
        try:
            if run.plan["migrating"]:
                arguments = ("--database", keep(run, "rehearsal")["database"])
            answer = child.ask(run, run.program.staged, "rehearse", *arguments)
        finally:
            keep(run, "clear")
        expect(answer, version=run.plan["to"], schema=run.plan["schemaTo"])
        return answer

    def undo(self, run: Run, facts: Facts) -> None:
        run.host.files.remove("check.undo", run.program.staged)
        keep(run, "clear")

    def tidy(self, run: Run, state: OpenRun) -> None:
        run.host.files.remove("check.tidy", run.program.staged)


class Stop(Reversible):
    """The old daemon ends by itself; its lock is ours from then on."""

    name = "stop"
    title = "Stop the daemon"

    def facts(self, run: Run) -> Facts:
        found = unit.find(run)
        running = daemon.is_running(run)
        wanted = running or (found is not None and found.wanted)
        how = described.how(run) if running else {}
        return {"running": wanted, "unit": found.name if found else None, **how}

    def do(self, run: Run, facts: Facts) -> Facts:
        daemon.stop(run)
        return {}

    def undo(self, run: Run, facts: Facts) -> None:
        """A request to stop cannot be taken back: what it stops late would stay down."""
        daemon.call_back(run, run.book.open_run().began(self.name))  # type: ignore[union-attr]

    def tidy(self, run: Run, state: OpenRun) -> None:
        """After a roll-back the old daemon serves again, if it served before (UPGR-07). A daemon that
        recovers before it serves keeps its own lock."""
        if not run.restart:
            return
        ran = state.facts_of(self.name).get("running") or run.revive
        if ran and state.outcome == "rolled-back" and not daemon.is_running(run):
            daemon.start_again(run)
        daemon.release_lock(run)


class Backup(Reversible):
    """The state to come back to (BKUP-1). Nobody has the database open now."""

    name = "backup"
    title = "Back up database, config and program"
    label = "pre-upgrade"

    def do(self, run: Run, facts: Facts) -> Facts:
        return keep(
            run,
            "back-up",
            kind=run.plan["kind"],
            version=run.plan["from"],
            artefact=str(run.program.program),
            link=bool(run.plan["replacing"]),
            label=self.label,
        )

    def undo(self, run: Run, facts: Facts) -> None:
        """A backup whose database is the live file itself would change with it: it is none."""
        keep(run, "give-up-links")

    def tidy(self, run: Run, state: OpenRun) -> None:
        needed = [str(state.facts_of(self.name).get("backup")), str(state.plan.get("restore"))]
        keep(run, "prune", keep=run.settings.upgrade.keep_backups, needed=needed)


class Swap(Reversible):
    """Link the old file into its slot, then one rename: never a moment without a program."""

    name = "swap"
    title = "Swap the program"

    def facts(self, run: Run) -> Facts:
        return {"previous": slots.previous(run.program)}

    def do(self, run: Run, facts: Facts) -> Facts:
        slots.swap(run.host.files, run.program, run.plan["oldDigest"], run.plan["newDigest"])
        return {}

    def undo(self, run: Run, facts: Facts) -> None:
        slots.swap_back(run.host.files, run.program, run.plan["oldDigest"], facts.get("previous"))

    def tidy(self, run: Run, state: OpenRun) -> None:
        recent = run.book.recent(run.settings.upgrade.keep_backups)
        wanted = {r.get(k) for r in [*recent, state.plan] for k in ("oldDigest", "newDigest")}
        slots.prune(run.host.files, run.program, {str(digest) for digest in wanted})


class Migrate(Reversible):
    """The new file migrates a copy and renames it into place; the old file lives in the backup."""

    name = "migrate"
    title = "Migrate the database"

    def do(self, run: Run, facts: Facts) -> Facts:
        if not run.plan["migrating"]:
            return {"schema": run.plan["schemaTo"]}
        answer = child.ask(run, run.program.program, "migrate")
        expect(answer, version=run.plan["to"], schema=run.plan["schemaTo"])
        return answer

    def undo(self, run: Run, facts: Facts) -> None:
        if run.plan["migrating"] and keep(run, "look")["schema"] != run.plan["schemaFrom"]:
            carry.give_back(run, self.name, run.facts_of("backup")["backup"], config=False)

    def tidy(self, run: Run, state: OpenRun) -> None:
        carry.apply(run, state, self.name)
        keep(run, "clear")


class Verify(Reversible):
    """The file at the program's path, as it will be started, vouches for itself and the data."""

    name = "verify"
    title = "Verify program and data"

    def do(self, run: Run, facts: Facts) -> Facts:
        program = run.program.program
        digest, answer = together(lambda: sha256(program), lambda: child.called(run, program, self.name))
        expect(answer, version=run.plan["to"], schema=run.plan["schemaTo"])
        if digest != run.plan["newDigest"]:
            raise WaiaasError("wrong-program", "the program on disk is not the one that was verified")
        return dict(answer)


class Start(Reversible):
    """The new daemon has to become healthy and to stay so; until then it accepts no writes."""

    name = "start"
    title = "Start the daemon and watch it"

    def facts(self, run: Run) -> Facts:
        return {"start": not run.plan["noStart"]}

    def do(self, run: Run, facts: Facts) -> Facts:
        if not facts["start"]:
            run.report.note("the daemon stays stopped (--no-start)")
            return {"downtime": None}
        pid = daemon.start(run)
        stopped = run.book.open_run().began("stop")  # type: ignore[union-attr]
        downtime = round(run.host.clock.now() - stopped, 3)
        daemon.watch(run, pid, run.plan["to"])
        return {"downtime": downtime}

    def undo(self, run: Run, facts: Facts) -> None:
        if facts.get("start"):
            daemon.stop(run, force=True)

    def tidy(self, run: Run, state: OpenRun) -> None:
        """Whoever is told that it is done may write at once."""
        if state.committed and run.restart and state.facts_of(self.name).get("start"):
            daemon.await_end_of_probation(run)


UPGRADE: tuple[Step, ...] = (Check(), Stop(), Backup(), Swap(), Migrate(), Verify(), Start())


def expect(answer: Facts, **wanted: Any) -> None:
    """Hold what the new version says of itself against what was signed (step 6, UPGR-12)."""
    for key, value in wanted.items():
        if answer.get(key) != value:
            raise WaiaasError(
                "not-as-signed",
                f"the new program says {key} {answer.get(key)!r}, the feed signed {value!r}",
                "tell the maintainers; the version you have goes on",
            )
    if answer.get("problems"):
        raise WaiaasError("data-problems", f"the new program finds: {answer['problems'][0]}")
