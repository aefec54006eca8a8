"""Where runs happen, what was wished for, and the two locks around them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waiaas.core.errors import Busy, NotReady, RollbackFailed, WaiaasError
from waiaas.core.journal import Facts
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.settings import Settings
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.host import Host
from waiaas.host.locks import Lock
from waiaas.host.owner import Owner, acting_as, other_owner
from waiaas.upgrade import child, guard, slots
from waiaas.upgrade.book import Book
from waiaas.upgrade.report import Reporter
from waiaas.upgrade.transaction import Run

PUBLIC_LOCK = 0o644  # the daemon's user may ask who holds it (UPGR-15)


@frozen
class Place:
    """Where a run happens, and who is told. `owner`: of the data directory, where that is somebody else
    whom we have to become in there (UPGR-14)."""

    host: Host
    layout: Layout
    program: ProgramLayout
    settings: Settings
    report: Reporter
    installed: Version
    installation_id: str
    owner: Owner | None = None


@frozen
class Wish:
    """What the user asked `upgrade` for."""

    to: Version | None = None
    start: bool = True
    keep_data: bool = False


@contextmanager
def locked(place: Place, patience: float = 0.0) -> Iterator[None]:
    """The program first, then the data directory (UPGR-16); waits up to `patience` seconds for the
    program. Raises `Busy`; "foreign-place" where others could have written what lies beside it."""
    slots.prepare(place.host.files, place.program)
    guard.require(place.program)
    with Lock.wait(place.program.lock, "upgrade of this program", place.host.clock, patience, PUBLIC_LOCK):
        with acting_as(place.owner):
            data = Lock.acquire(place.layout.run_lock, "upgrade of this data directory")
        with data:
            slots.sweep(place.host.files, place.program)
            yield


def make_run(place: Place, plan: Facts) -> Run:
    """Raises `RollbackFailed` "program-moved" where the plan is about a program of another folder."""
    program = _program_of(place, plan)
    book = Book(program, place.host.files, place.host.clock)
    layout = Layout(Path(plan["dataDir"]), Path(plan["database"]), Path(plan["config"]))
    mine = layout.data_dir == place.layout.data_dir
    owner = place.owner if mine else other_owner(layout.data_dir)
    return Run(place.host, layout, program, place.settings, place.report, book, plan, owner=owner)


def _program_of(place: Place, plan: Facts) -> ProgramLayout:
    """The program that the plan is about: ours, or another one in its folder, which shares the journal."""
    told = Path(str(plan.get("program") or place.program.program))
    if told.parent != place.program.program.parent:
        raise RollbackFailed(
            "program-moved",
            f"the open run is about {told}, and not about a program in {place.program.program.parent}",
            "move program and .waiaas back there, then run `waiaas upgrade --recover`; nothing was touched",
        )
    return ProgramLayout(told)


def bystander(place: Place) -> Run:
    """A run that changes nothing: to look into the data directory as its owner."""
    layout = place.layout
    paths = {"dataDir": key_of(place), "database": str(layout.database), "config": str(layout.config)}
    return make_run(place, paths)


KINDS: dict[str, type[WaiaasError]] = {
    "database-missing": NotReady,
    "database-locked": Busy,
    "database-busy": Busy,
}


def schema_of(place: Place) -> int:
    """The schema of the live database. Raises what stands against reading it."""
    found = child.keep(bystander(place), "look")
    if found["schema"] is None:
        kind = KINDS.get(found["error"][0], WaiaasError)
        raise kind(*map(str, found["error"]))
    return int(found["schema"])


def key_of(place: Place) -> str:
    """What stands for this data directory in journal and history."""
    return str(place.layout.data_dir)
