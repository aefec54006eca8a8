"""What stands against renaming another file over the database: a program that would go on writing into
the old one, or something that is no file."""

from waiaas.core.errors import Busy, WaiaasError
from waiaas.core.layout import Layout
from waiaas.host.clock import Clock
from waiaas.host.locks import Gate
from waiaas.host.sqlite import opened_by
from waiaas.host.users import stranger

PATIENCE = 2.0  # seconds for a program that only had a look, or is about to be gone
LOOK = 0.1  # seconds between two looks


def require_replaceable(clock: Clock, layout: Layout) -> None:
    """Before anything is begun, with no daemon serving. Raises `Busy`, "database-no-file"."""
    require_file(layout)
    if not layout.database.exists():
        return
    with Gate(layout.gate, clock).exclusive():
        require_unused(clock, layout)


def require_file(layout: Layout) -> None:
    """Raises "database-no-file"."""
    if layout.database.exists() and not layout.database.is_file():
        kind = "a directory" if layout.database.is_dir() else "no regular file"
        raise WaiaasError(
            "database-no-file",
            f"{layout.database}, where the database should be, is {kind}; nothing was changed",
            "move it away, then try again",
        )


def require_unused(clock: Clock, layout: Layout, *, alone: bool = True) -> None:
    """No program that knows nothing of our gate has the database open. Raises `Busy` "database-in-use".

    `alone`: the exclusive gate is held, so every lock on the file is a stranger's. Without it, beside a
    daemon, only strangers of this user are found.
    """
    end = clock.monotonic() + PATIENCE
    while (pid := _found(layout, alone)) is not None:
        if clock.monotonic() >= end:
            who = f" (pid {pid})" if pid > 0 else ""
            raise Busy(
                "database-in-use",
                f"another program{who} has the database open, so it cannot be replaced: {layout.database}",
                f"end that program, then try again; `fuser {layout.database}` names it",
            )
        clock.sleep(LOOK)


def _found(layout: Layout, alone: bool) -> int | None:
    if not layout.database.is_file():
        return None
    pid = stranger(layout.database.resolve(), layout.gate.resolve())
    return opened_by(layout.database) if pid is None and alone else pid
