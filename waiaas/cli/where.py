"""Where the data directory is: flag > WAIAAS_DATA_DIR > ~/.waiaas. Light, for `health` asks it too.

Root without a ~/.waiaas means the one of the installed service, so that `sudo waiaas status` needs no path.
"""

import os
from collections.abc import Mapping

from waiaas.core.errors import UsageError

DEFAULT = ".waiaas"
SYSTEMD = "/run/systemd/system"  # there where it manages the machine


def data_dir(flag: str | None, environ: Mapping[str, str]) -> str:
    """Absolute, all links resolved: one name for one directory. Raises UsageError "no-home"."""
    chosen = flag or environ.get("WAIAAS_DATA_DIR")
    if not chosen:
        return _default(os.path.join(_home(environ), DEFAULT), environ)  # noqa: PTH118 - pathlib is slow
    if chosen == "~" or chosen.startswith("~/"):
        chosen = _home(environ) + chosen[1:]
    return os.path.realpath(chosen)


def chosen(data_dir: str | None, config: str | None) -> str:
    """The words that lead to the same place in a command to type; empty where no flag chose one."""
    flags = (("--data-dir", data_dir), ("--config", config))
    return "".join(f" {flag} {_quoted(value)}" for flag, value in flags if value)


def _quoted(value: str) -> str:
    if value.isascii() and value.replace("/", "").replace("-", "").replace("_", "").isalnum():
        return value
    import shlex

    return shlex.quote(value)


def _default(path: str, environ: Mapping[str, str]) -> str:
    own = os.path.realpath(path)
    if os.geteuid() != 0 or not os.path.isdir(SYSTEMD) or os.path.exists(own):  # noqa: PTH110, PTH112
        return own
    from waiaas.host.processes import Processes
    from waiaas.host.systemd import service_data_dir

    return service_data_dir(Processes(environ)) or own


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    if home.startswith("/"):
        return home
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError as problem:
        raise UsageError(
            "no-home",
            "this user has no home directory, so there is no default data directory",
            "--data-dir DIR, or set WAIAAS_DATA_DIR",
        ) from problem
