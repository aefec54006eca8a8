"""The seven steps of `upgrade --rollback`: the last committed run backwards, itself reversible.

1 check    the kept program and the backup are whole; the old program rehearses on the backup
2 stop     as in an upgrade
3 backup   the present state first
4 restore  database and config of the moment before the undone run
5 swap     the kept program gets the program's name again
6 verify   it says who it is and that the data are whole
7 start    on probation, like any version that takes over
"""

from waiaas.core.errors import SchemaIncompatible
from waiaas.core.journal import Facts, OpenRun
from waiaas.upgrade import carry, child, preflight, slots
from waiaas.upgrade.child import keep
from waiaas.upgrade.steps import (
    Backup,
    Check,
    Reversible,
    Start,
    Stop,
    Swap,
    Verify,
    expect,
)
from waiaas.upgrade.transaction import Run, Step


class CheckKept(Check):
    """Stage the kept program; it rehearses on a copy of the data it will be given."""

    title = "Check: kept program and backup"

    def do(self, run: Run, facts: Facts) -> Facts:
        preflight.require(run)
        if self._fetch is not None:
            self._fetch(run.program.staged)
        else:
            slots.stage_kept(run.host.files, run.program, run.plan["newDigest"])
        slots.ready(run.host.files, run.program)
        child.prepare(run, run.program.staged, Verify.name)
        try:
            copy = keep(run, "rehearsal", backup=run.plan["restore"])["database"]
            answer = child.ask(run, run.program.staged, "rehearse", "--database", copy)
        except SchemaIncompatible as problem:
            if run.plan["restore"]:
                raise
            raise SchemaIncompatible(
                problem.code,
                f"{run.plan['to']} cannot open schema {run.plan['schemaFrom']}; nothing was changed",
                "leave out --keep-data: `waiaas upgrade --rollback` brings the data of before back, too",
            ) from problem
        finally:
            keep(run, "clear")
        expect(answer, version=run.plan["to"], schema=run.plan["schemaTo"])
        return {"rehearsal": answer}


class BackupPresent(Backup):
    title = "Back up the present state"
    label = "pre-rollback"


class Restore(Reversible):
    """The backup's database and config become the live ones, as copies: the backup stays whole."""

    name = "restore"
    title = "Restore database and config"

    def facts(self, run: Run) -> Facts:
        return carry.switch_facts(run) if run.plan["restore"] else {}

    def do(self, run: Run, facts: Facts) -> Facts:
        if run.plan["restore"]:
            keep(run, "restore", backup=run.plan["restore"], link=False, config=True)
            if facts.get(carry.ON):
                keep(run, "throw-switch")
        return {}

    def undo(self, run: Run, facts: Facts) -> None:
        present = run.facts_of("backup").get("backup")
        if run.plan["restore"] and present:
            carry.give_back(run, self.name, present, config=True)

    def tidy(self, run: Run, state: OpenRun) -> None:
        carry.apply(run, state, self.name)
        keep(run, "clear")


ROLLBACK: tuple[Step, ...] = (CheckKept(), Stop(), BackupPresent(), Restore(), Swap(), Verify(), Start())
