"""Programs that something else replaces: how a newer version gets here then (UPGR-09)."""

from pathlib import Path

from waiaas.host.container import in_image

IMAGE_COMMAND = "docker compose pull && docker compose up -d"


def advice(program: Path | None, mode: str) -> str:
    """The line for who is told of a newer version. `mode` as in `[upgrade] mode`."""
    if program is not None and in_image(program):
        return f"Run: {IMAGE_COMMAND}"
    return "Upgrade it with the manager it came from" if mode == "external" else "Run: waiaas upgrade"
