"""Why a release might have to go, and by when it is decided: the table of WDR-1 as data (W-01, W-02)."""

from waiaas.core.errors import UsageError
from waiaas.core.value import frozen

HOUR = 3600  # seconds
RED, YELLOW = "RED", "YELLOW"


@frozen
class Cause:
    """One row. `name` is what `--cause` takes."""

    name: str
    urgency: str
    sentence: str


@frozen
class Term:
    """When a decision is due, Unix seconds: not before `earliest`, and not after `deadline`."""

    earliest: int
    deadline: int


HOURS = {RED: (0, 24), YELLOW: (24, 72)}  # decide between these, counted from the assessment
CAUSES: dict[str, Cause] = {
    cause.name: cause
    for cause in (
        Cause("broken-install", RED, "a basic function does not work after installing"),
        Cause("security", RED, "a known vulnerability, or a secret was exposed"),
        Cause("data-damage", RED, "a migration or the program damages users' data"),
        Cause("incompatibility", RED, "cannot be used with something most users depend on"),
        Cause("wrong-publish", RED, "wrong files or wrong configuration were published"),
        Cause("partial-bug", YELLOW, "some functions do not work"),
        Cause("performance", YELLOW, "slower or larger in some situations"),
        Cause("docs", YELLOW, "the documentation is wrong"),
    )
}


def cause(name: str) -> Cause:
    """Raises UsageError `unknown-cause`, naming all there are."""
    if name not in CAUSES:
        raise UsageError("unknown-cause", f"{name!r} is no cause", f"one of: {', '.join(CAUSES)}")
    return CAUSES[name]


def term(urgency: str, now: int, first: int, before: Term | None = None) -> Term:
    """The term of an assessment made `now`; `first`: of the first one of this version.

    Assessing anew never gains time: RED keeps an earlier deadline, YELLOW counts from `first`.
    """
    start = now if urgency == RED else first
    earliest, latest = (start + hours * HOUR for hours in HOURS[urgency])
    return Term(earliest, min(latest, before.deadline) if before and urgency == RED else latest)


def left(seconds: int) -> str:
    """`5 h 10 min left`, or `overdue by 2 h 0 min`."""
    hours, minutes = divmod(abs(seconds) // 60, 60)
    span = f"{hours} h {minutes} min"
    return f"{span} left" if seconds >= 0 else f"overdue by {span}"
