"""Where a test cuts the power: every named operation passes here first. Production does nothing.

`make chaos` builds an artefact with another file in this place, one that stops the machine at the
n-th point; see tests/journeys/chaos.py.
"""


def at(_point: str) -> None:
    """The next instruction is the named operation."""
