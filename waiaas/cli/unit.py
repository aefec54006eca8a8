"""Which unit of systemd runs the daemon, asked by everybody and answered at once where there is none."""

from pathlib import Path

from waiaas import __version__
from waiaas.cli.where import SYSTEMD

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from waiaas.cli.context import Context, Loaded
    from waiaas.host.systemd import Unit


def of(context: "Context", loaded: "Loaded") -> "Unit | None":
    """The unit that runs the daemon of this data directory, or would; None where it runs by itself."""
    if not Path(SYSTEMD).is_dir():
        return None
    from waiaas.host.systemd import daemon_unit

    uid = context.owner.uid if context.owner else None
    return daemon_unit(context.host.processes, loaded.layout.daemon_lock, loaded.layout.data_dir, uid)


def standing(hostname: str, port: int, probation: bool) -> str:
    """What `systemctl status` shows."""
    return f"version {__version__} on {hostname}:{port}" + (", on probation" if probation else "")
