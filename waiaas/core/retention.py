"""Which backups may go (BKUP-2)."""

from collections.abc import Collection, Iterable

from waiaas.core.value import frozen


@frozen
class Kept:
    """Ordered by the manifest's time (Unix seconds), never by name; the name only breaks a tie."""

    created_at: float
    id: str

    def __lt__(self, other: "Kept") -> bool:
        return (self.created_at, self.id) < (other.created_at, other.id)


def newest_first(items: Iterable[Kept]) -> list[Kept]:
    return sorted(items, reverse=True)


def removable(items: Iterable[Kept], keep: int, needed: Collection[str] = ()) -> list[Kept]:
    """Those beyond the newest `keep`, oldest first; never the newest one, never a needed one."""
    ranked = newest_first(items)
    return [item for item in reversed(ranked[max(keep, 1) :]) if item.id not in needed]
