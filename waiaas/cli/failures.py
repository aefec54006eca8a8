"""Failures that are not ours: the system's get plain words, bugs a report file (CLI-2, exit 70)."""

import os
import platform
import re
import signal
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from waiaas import __version__
from waiaas.core.causes import told
from waiaas.core.errors import Exit, WaiaasError

SECRET_NAMES = ("TOKEN", "SECRET", "PASS", "KEY", "CREDENTIAL")
CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")  # of a proxy, say
SHORTEST_SECRET = 6  # characters; shorter values would blank ordinary words
TOKEN = re.compile(r"(?=[\w+=-]*\d)[\w+=-]{24,}")  # as keys and tokens look, whatever file they come from
LONGEST_CAUSE = 200  # characters of a bug's own words that an error message holds


def explain(problem: Exception, argv: Sequence[str], environ: Mapping[str, str]) -> tuple[WaiaasError, Exit]:
    """Words and exit code for anything that is no `WaiaasError`."""
    known = told(problem)
    return (known, Exit.FAILED) if known else (_bug(problem, argv, environ), Exit.BUG)


def mind_no_more() -> None:
    """Who is interrupted again while ending ends at once, and without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(argv: Sequence[str]) -> WaiaasError:
    """Words for Ctrl-C, where the command could not say more itself."""
    if "restart" in argv or {"start", "--detach"} <= set(argv):
        said = "interrupted; the daemon may still be starting"
        return WaiaasError("interrupted", said, "`waiaas status` shows it")
    return WaiaasError("interrupted", "interrupted", "run it again")


def _bug(problem: Exception, argv: Sequence[str], environ: Mapping[str, str]) -> WaiaasError:
    said = f"this is a bug in waiaas {__version__} ({_cause(problem, environ)})"
    try:
        path = _report(problem, argv, environ)
    except OSError:
        return WaiaasError("bug", f"{said}, and no report could be written", "please tell the maintainers")
    return WaiaasError("bug", f"{said}; the report is in {path}", "please send it to the maintainers")


def _cause(problem: Exception, environ: Mapping[str, str]) -> str:
    """Type and first line of what it says, for messages, logs and the journal: no secrets."""
    kind, line = type(problem).__name__, (str(problem).splitlines() or [""])[0]
    line = TOKEN.sub("<…>", _blanked(line, environ))[:LONGEST_CAUSE]
    shown = "".join(letter if letter.isprintable() else "?" for letter in line)
    return f"{kind}: {shown}" if shown else kind


def _report(problem: Exception, argv: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Write the traceback to a new file, 0600. Of the command line only the words that hold no value,
    of the environment nothing; what looks like a secret of it is blanked."""
    words = [word.partition("=")[0] for word in argv if word.startswith("-")]
    text = "\n".join(
        (
            f"waiaas {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"options: {' '.join(words)}",
            "".join(traceback.format_exception(problem)),
        )
    )
    text = _blanked(text, environ)
    descriptor, name = tempfile.mkstemp(prefix="waiaas-bug-", suffix=".txt", text=True)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
        stream.write(text)
    return Path(name)


def _blanked(text: str, environ: Mapping[str, str]) -> str:
    """Without what looks like a secret of the environment, and without credentials of an address."""
    for name, value in environ.items():
        if len(value) >= SHORTEST_SECRET and any(part in name.upper() for part in SECRET_NAMES):
            text = text.replace(value, f"<{name}>")
    return CREDENTIALS.sub("<credentials>@", text)
