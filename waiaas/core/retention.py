"""Which backups may go (BKUP-2)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Kept:
    """Ordered by the manifest's time (Unix seconds), never by name; the name only breaks a tie."""

    created_at: float
    id: str


def newest_first(items: Iterable[Kept]) -> list[Kept]:
    return sorted(items, reverse=True)


def removable(items: Iterable[Kept], keep: int, needed: Collection[str] = ()) -> list[Kept]:
    """Those beyond the newest `keep`, oldest first; never the newest one, never a needed one."""
    ranked = newest_first(items)
    return [item for item in reversed(ranked[max(keep, 1) :]) if item.id not in needed]
