"""A data directory of somebody else: whose it is, who asks, and how to bring the two together.

Usual in containers, where user and volume are chosen apart from each other. Elsewhere somebody's wallets
are not to be given away: the command is run as their owner.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from waiaas.core.errors import NotAuthorised


def require_writable(data_dir: Path, words: Sequence[str] = ()) -> None:
    """Raise "data-dir-closed" where this user may create nothing in the directory."""
    if data_dir.is_dir() and not os.access(data_dir, os.W_OK | os.X_OK, effective_ids=True):
        raise closed(data_dir, words)


def closed(data_dir: Path, words: Sequence[str] = ()) -> NotAuthorised:
    """The failure, with the one hint that fits this place."""
    owner, us = data_dir.stat(), f"{os.geteuid()}:{os.getegid()}"
    whose = f"{owner.st_uid}:{owner.st_gid}"
    message = f"{data_dir} belongs to user {whose}, and this is user {us}"
    return NotAuthorised("data-dir-closed", message, _hint(data_dir, owner, us, words))


def _hint(data_dir: Path, owner: os.stat_result, us: str, words: Sequence[str]) -> str:
    import shlex

    from waiaas.host.container import in_container

    folder = shlex.quote(str(data_dir))
    if owner.st_uid == os.geteuid():
        return f"chmod u+rwx {folder}"
    if in_container():  # an empty volume would get its old owner back from the image
        give = f"let root give the volume away: touch {folder}/.keep && chown -R {us} {folder}"
        return f"start it with --user {owner.st_uid}:{owner.st_gid}, or {give}" if owner.st_uid else give
    named = any(word.partition("=")[0] == "--data-dir" for word in words)
    again = [*(words or ("status",)), *(() if named else ("--data-dir", str(data_dir)))]
    run_as = f"run it as its owner: `{_sudo(owner.st_uid)} waiaas {shlex.join(again)}`"
    give = f"; it is empty, so root may also give it away: chown {us} {folder}"
    return run_as + (give if _empty(data_dir) else "")


def _sudo(uid: int) -> str:
    """sudo clears the environment, so that a directory from there has to be named."""
    if uid == 0:
        return "sudo"
    import pwd

    try:
        return f"sudo -u {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"sudo -u '#{uid}'"


def _empty(data_dir: Path) -> bool:
    """Nobody's wallets are in there for certain."""
    try:
        return not any(data_dir.iterdir())
    except OSError:
        return False
