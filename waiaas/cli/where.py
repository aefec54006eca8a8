"""Where the data directory is: flag > WAIAAS_DATA_DIR > ~/.waiaas. Light, for `health` asks it too."""

import os
from collections.abc import Mapping

from waiaas.core.errors import UsageError

DEFAULT = ".waiaas"


def data_dir(flag: str | None, environ: Mapping[str, str]) -> str:
    """Absolute, all links resolved: one name for one directory. Raises UsageError "no-home"."""
    chosen = flag or environ.get("WAIAAS_DATA_DIR")
    if not chosen:
        chosen = os.path.join(_home(environ), DEFAULT)  # noqa: PTH118 - pathlib costs `health` its budget
    elif chosen == "~" or chosen.startswith("~/"):
        chosen = _home(environ) + chosen[1:]
    return os.path.realpath(chosen)


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
