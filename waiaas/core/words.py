"""Numbers as people read them: sizes and spans of time."""

UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"))
PORT_TAKEN = "another program listens on"  # what a daemon says, and whoever started it understands
SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def size(count: int) -> str:
    """Bytes: `3.4 KiB`, `1.6 MiB`, `1.0 GiB`."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 1024:.1f} KiB"


def duration(seconds: float) -> str:
    """The two largest units: `2 d 3 h`, `4 min 10 s`, `5 h`, `0 s`."""
    left, parts = max(0, int(seconds)), list[str]()
    for unit, name in SPANS:
        if left >= unit and len(parts) < 2:
            parts.append(f"{left // unit} {name}")
        elif parts:
            break  # `1 d 5 s` is a day
        left %= unit
    return " ".join(parts) or "0 s"
