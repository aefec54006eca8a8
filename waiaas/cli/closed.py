"""A data directory of somebody else: whose it is, who asks, and how to bring the two together.

Usual in containers, where user and volume are chosen apart from each other.
"""

import os
from pathlib import Path

from waiaas.core.errors import WaiaasError


def require_open(data_dir: Path) -> None:
    """Raise "data-dir-closed" where this user may not look into the directory."""
    if data_dir.is_dir() and not os.access(data_dir, os.X_OK, effective_ids=True):
        raise closed(data_dir)


def require_writable(data_dir: Path) -> None:
    """Raise "data-dir-closed" where this user may create nothing in the directory."""
    if data_dir.is_dir() and not os.access(data_dir, os.W_OK | os.X_OK, effective_ids=True):
        raise closed(data_dir)


def closed(data_dir: Path) -> WaiaasError:
    """The failure, with the one hint that fits this place."""
    from waiaas.host.container import in_container

    owner, us = data_dir.stat(), f"{os.geteuid()}:{os.getegid()}"
    whose = f"{owner.st_uid}:{owner.st_gid}"
    give = f"let root give it away: chown -R {us} {data_dir}"
    if in_container():  # an empty volume would get its old owner back from the image
        give = f"let root give the volume away: touch {data_dir}/.keep && chown -R {us} {data_dir}"
    run_as = f"--user {whose}" if in_container() else "that user"
    hint = give if owner.st_uid in (0, os.geteuid()) else f"start it with {run_as}, or {give}"
    return WaiaasError("data-dir-closed", f"{data_dir} belongs to user {whose}, and this is user {us}", hint)
