"""Programs that something else replaces: how a newer version gets here then (UPGR-09)."""

from pathlib import Path

from waiaas.host.container import in_image

ITSELF = "Run: waiaas upgrade"
IMAGE_COMMAND = "docker compose pull && docker compose up -d"


def advice(program: Path | None, mode: str, *, asked: bool = False) -> str:
    """The line for who is told of a newer version. `mode` as in `[upgrade] mode`; `asked`: somebody chose
    it on purpose, so that nothing is guessed."""
    if program is not None and (mode == "external" or not asked) and in_image(program):
        return f"Run: {IMAGE_COMMAND}"
    return "Upgrade it with the manager it came from" if mode == "external" else ITSELF
