"""The stories: check, upgrade, roll back, recover. Each one is read in order, on one screen."""

import sys
from collections.abc import Sequence
from typing import Any

from waiaas.core.choose import Policy, Stay, Upgrade, choose, newest_eligible
from waiaas.core.errors import WaiaasError
from waiaas.core.journal import Facts, OpenRun, to_roll_back
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.host.clock import iso
from waiaas.host.locks import Lock
from waiaas.upgrade import child, daemon, neighbour, plans, transaction, unit
from waiaas.upgrade.book import Book
from waiaas.upgrade.feed import Catalogue, Feed
from waiaas.upgrade.place import Place, Wish, bystander, key_of, make_run, schema_of
from waiaas.upgrade.rollback import ROLLBACK, CheckKept
from waiaas.upgrade.standing import concerns
from waiaas.upgrade.steps import UPGRADE, Check
from waiaas.upgrade.transaction import Run, Step

DOWNLOAD_PATIENCE = 3600.0  # seconds for the artefact
CHECK_PATIENCE = 30.0  # seconds for the metadata of an explicit upgrade


@frozen
class Checked:
    """The answer of `--check`: the catalogue and what would be chosen from it. `latest`: the newest release
    for this installation, whatever version was asked for."""

    catalogue: Catalogue
    choice: Upgrade | Stay
    schema: int
    latest: Release | None


def check(place: Place, feed: Feed, wish: Wish) -> Checked:
    """Ask the feed what this installation should run. Changes nothing but verified metadata."""
    catalogue = feed.refresh(CHECK_PATIENCE)
    for warning in catalogue.warnings:
        place.report.note(warning)
    schema = schema_of(place)
    policy = Policy(
        channel=place.settings.upgrade.channel,
        pin=place.settings.upgrade.pin,
        installation_id=place.installation_id,
        schema=schema,
        python=sys.version_info[:3],
        now=place.host.clock.now(),
        to=wish.to,
        at_hand=catalogue.at_hand,
    )
    choice = choose(catalogue.releases, place.installed, policy)
    latest = newest_eligible(catalogue.releases, place.installed, policy)
    return Checked(catalogue, choice, schema, latest)


def accept_expired(place: Place, source: str, expired: Sequence[str]) -> None:
    """Note for good that the operator took metadata that are out of date (BNDL-3)."""
    child.keep(bystander(place), "accept-expired", source=source, expired=list(expired))


def go(place: Place, feed: Feed, checked: Checked, wish: Wish) -> Facts:
    """The first hop of the chosen path; the caller lets the version it installed go on."""
    if not isinstance(checked.choice, Upgrade):
        raise WaiaasError("nothing-to-do", checked.choice.reason)
    hop = checked.choice.path[0]
    if checked.choice.loses_data:
        return go_down(place, feed, hop, wish)
    return upgrade(place, feed, hop, checked.schema, wish)


def upgrade(place: Place, feed: Feed, hop: Release, schema: int, wish: Wish) -> Facts:
    """Seven steps to one hop of the chosen path, from a database of `schema`.

    Returns the record of the run. Raises what a step raised, `RolledBack`, `RollbackFailed`, `Busy`.
    """
    plan = plans.upgrade_plan(place, hop, schema, wish)
    place.report.event("UPDATE_AVAILABLE", **{"from": plan["from"], "to": plan["to"]})

    def fetch(staged: Any) -> None:
        feed.download(hop, staged, DOWNLOAD_PATIENCE, place.report.downloaded)
        place.report.event("DOWNLOAD_FINISHED", bytes=hop.length)

    return _run(place, plan, (Check(fetch), *UPGRADE[1:]))


def go_down(place: Place, feed: Feed, hop: Release, wish: Wish) -> Facts:
    """To a lower version that cannot read the present database: its data come back with it (FEED-5).

    The newest backup that it can read is restored; the caller has said what is lost (`loss_of`).
    """
    kept = plans.readable_backup(place, hop)
    plan = {
        **plans.rollback_plan(place, kept, str(hop.version), hop.sha256, wish),
        "undoes": plans.run_that_made(place, kept["backup"]),
        "length": hop.length,
    }

    def fetch(staged: Any) -> None:
        feed.download(hop, staged, DOWNLOAD_PATIENCE, place.report.downloaded)

    return _run(place, plan, (CheckKept(fetch), *ROLLBACK[1:]))


def loss_of(place: Place, hop: Release) -> str:
    """What going down to `hop` loses, in one sentence."""
    kept = plans.readable_backup(place, hop)
    return f"the data go back to {iso(kept['createdAt'])}: {plans.rows(kept['newer'])} would be lost"


def roll_back(place: Place, wish: Wish) -> Facts:
    """Undo the last committed run: its program, and its data unless they are to be kept (UPGR-04)."""
    undone = to_roll_back(Book(place.program, place.host.files, place.host.clock).history(), key_of(place))
    if undone is None:
        raise WaiaasError(
            "nothing-to-roll-back",
            "no committed upgrade of this data directory is on record, so nothing was changed",
            "`waiaas upgrade --history` lists the runs",
        )
    kept = None if wish.keep_data else plans.backup_of(place, undone)
    plan = plans.rollback_plan(place, kept, undone["from"], undone["oldDigest"], wish)
    plans.say_what_leaves(place, kept, plan)
    plans.say_what_is_against(place, undone["from"])
    return _run(place, {**plan, "undoes": undone["run"]}, ROLLBACK)


def recover(place: Place, *, restart: bool = True, daemon_lock: Lock | None = None) -> Facts | None:
    """Finish or undo the run that a kill left open; None when there is none. The caller holds the
    program's lock (`locked`).

    `restart` False: the caller is about to serve these data itself, and may hold their `daemon_lock`. In
    a run of other data neither counts. Raises `OutOfReach` for one that cannot be recovered from here.
    """
    book = Book(place.program, place.host.files, place.host.clock)
    state = book.open_run()
    if state is None:
        return None
    if not concerns(state, key_of(place)):
        with neighbour.reached(place, state) as run:
            return _recover(run, state)
    run = make_run(place, state.plan)
    run.restart, run.daemon_lock = restart, daemon_lock
    return _recover(run, state)


def _recover(run: Run, state: OpenRun) -> Facts:
    given = run.daemon_lock
    run.revive = run.restart and unit.expected(run)
    run.report.note(f"finishing the interrupted run {state.run} ({state.plan['from']} → {state.plan['to']})")
    with run.host.processes.shielded():
        record = transaction.recover(run, state, steps_of(state))
    if given is None:
        daemon.release_lock(run)
    child.record(run)
    return record


def steps_of(state: OpenRun) -> Sequence[Step]:
    return ROLLBACK if state.plan.get("kind") == "rollback" else UPGRADE


def _run(place: Place, plan: Facts, steps: Sequence[Step]) -> Facts:
    run = make_run(place, plan)
    with place.host.processes.interruptible():
        try:
            return transaction.execute(run, steps)
        finally:
            child.dismiss(run)
            daemon.release_lock(run)
            child.record(run)
