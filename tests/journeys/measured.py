"""Coverage of the artefact: under WAIAAS_COVERAGE=DIR, every process of it writes what it ran into DIR.

The artefact runs on a Python of its own, isolated, from inside a zip. So its build gets another
`waiaas/__main__.py`, which first starts coverage.py out of our virtual environment. Builds with an
overlay of their own are left alone. `build/cover.py` sets the variable and adds everything up.
"""

import importlib.util
import os
from pathlib import Path

FOLDER = os.environ.get("WAIAAS_COVERAGE")
PATH = "waiaas/__main__.py"
PRELUDE = """
def _measure():
    import sys
    sys.path.append({site!r})
    import coverage
    measurement = coverage.Coverage(config_file={rc!r}, auto_data=True)
    sys.path.remove({site!r})
    measurement.start()


_measure()
"""


def overlay(source: Path) -> dict[str, str]:
    """What a plain build of `source` gets, where coverage is wanted."""
    if FOLDER is None:
        return {}
    found = importlib.util.find_spec("coverage")
    assert found
    assert found.origin
    site = str(Path(found.origin).parents[1])
    prelude = PRELUDE.format(site=site, rc=str(Path(FOLDER) / "artefact.rc"))
    head, first, rest = (source / PATH).read_text(encoding="utf-8").partition("import os\n")
    assert first, f"{PATH} does not import os"
    return {PATH: head + prelude + first + rest}
