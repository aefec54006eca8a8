"""Making a directory of the previous implementation ours: settings, token, mark. Never its database.

The mark, `installation.json`, is written last: after a kill anywhere before, the directory is still
the previous implementation's, is read by its rules, and can be adopted again.
"""

import base64
import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from waiaas.cli.context import Loaded
from waiaas.core.compat import written_by
from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.layout import Layout
from waiaas.host.clock import iso
from waiaas.host.host import Host
from waiaas.host.locks import Gate

UNKNOWN = "unknown"  # version of a legacy directory that does not tell
PATH_LINE = re.compile(
    r"""^(\s*(?:database\s*\.\s*)?["']?path["']?\s*=\s*)("(?:[^"\\\n]|\\.)*"|'[^'\n]*')""", re.MULTILINE
)


def adopt(host: Host, loaded: Loaded) -> None:
    """Take a legacy directory over. The caller has made sure that no old daemon runs (DIR-3, DIR-4).

    Raises UsageError "absolute-database-path" where an environment variable would change its meaning.
    """
    layout = loaded.layout
    _refuse_absolute_variable(loaded)
    _rewrite_config(host, layout)
    for folder in (layout.backups, layout.feed, layout.log.parent):
        host.files.make_directory("adopt", folder)
        _give(folder, layout.data_dir)
    mark(host, layout, _origin(host, layout))


def mark(host: Host, layout: Layout, adopted_from: str | None) -> None:
    """Create what makes the directory ours: the administration token, and last of all the mark."""
    if not layout.admin_token.exists():
        make_token(host, layout)
    document = {
        "id": os.urandom(16).hex(),
        "createdAt": iso(host.clock.now()),
        "adoptedFrom": adopted_from,
    }
    host.files.write("installation", layout.installation, json.dumps(document).encode() + b"\n")
    _give(layout.installation, layout.data_dir)


def make_token(host: Host, layout: Layout) -> None:
    """A new administration token; a running daemon takes it with its next start."""
    token = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=")
    host.files.write("admin.token", layout.admin_token, token + b"\n")
    _give(layout.admin_token, layout.data_dir)


def with_relative_path(text: str) -> str:
    """The same config.toml, its comments too, with an absolute `database.path` made relative: the
    previous implementation joined it to the data directory all the same."""
    document = tomllib.loads(text)
    path = document.get("database", {}).get("path", "")
    if not path.startswith("/"):
        return text
    document["database"]["path"] = path.lstrip("/")
    for found in PATH_LINE.finditer(text):
        edited = text[: found.start(2)] + json.dumps(path.lstrip("/")) + text[found.end(2) :]
        if _means(edited, document):
            return edited
    import tomli_w

    return tomli_w.dumps(document)


def _means(text: str, document: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == document
    except tomllib.TOMLDecodeError:
        return False


def _rewrite_config(host: Host, layout: Layout) -> None:
    if not layout.config.exists():
        return
    content = layout.config.read_bytes()
    before = content.decode("utf-8-sig")
    after = with_relative_path(before)
    if after == before:
        return
    kept = layout.config.with_name(layout.config.name + ".before-adoption")
    mode = stat.S_IMODE(layout.config.stat().st_mode)
    host.files.write("adopt.keep", kept, content, mode)
    _give(kept, layout.data_dir)
    host.files.write("adopt.config", layout.config, after.encode(), mode)
    _give(layout.config, layout.data_dir)


def _refuse_absolute_variable(loaded: Loaded) -> None:
    path = loaded.settings.database.path
    if path.startswith("/") and loaded.parsed.origins["database.path"] in ("environment", "flag"):
        raise UsageError(
            "absolute-database-path",
            f"WAIAAS_DATABASE_PATH={path} meant {loaded.layout.database} so far, and would not any more",
            f"set it to {path.lstrip('/')} or to {loaded.layout.database}, then try again",
        )


def _origin(host: Host, layout: Layout) -> str:
    """The version that wrote the database, as far as its schema tells."""
    from waiaas.store.inspect import inspect

    try:
        state = inspect(layout.database, Gate(layout.gate, host.clock))
    except (WaiaasError, OSError):
        return UNKNOWN
    return written_by(state.schema) or UNKNOWN


def _give(path: Path, data_dir: Path) -> None:
    """What root creates in somebody's directory belongs to that somebody."""
    owner = data_dir.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
