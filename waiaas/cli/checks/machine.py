"""The machine: Python, clock, disk, certificates, container."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from waiaas.cli.checks.finding import OK, PROBLEM, WARNING, Finding, Installation
from waiaas.core.words import duration, size
from waiaas.host.clock import iso
from waiaas.host.container import in_image
from waiaas.store import backup
from waiaas.upgrade.embedded import build_info
from waiaas.upgrade.floors import Floors

SPARE = 64 << 20  # bytes that should stay free beside the copies of a database
LEAST = 16 << 20  # bytes without which nothing can be kept
SLACK = 300  # seconds that a clock may be behind
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def python(here: Installation) -> Iterator[Finding]:
    yield Finding("python", OK, f"Python {platform.python_version()}")


def clock(here: Installation) -> Iterator[Finding]:
    """Behind what was certainly real once: then signatures look as if they came from the future."""
    now = here.context.host.clock.now()
    newest, what = max(_moments(here), default=(0.0, ""))
    if now + SLACK < newest:
        behind = duration(newest - now)
        message = f"the clock says {iso(now)}, but {what} is from {iso(newest)} ({behind} later)"
        hint = "sudo timedatectl set-ntp true  # or: sudo date -us TIME"
        yield Finding("clock", PROBLEM, message, hint)
    else:
        yield Finding("clock", OK, f"the clock says {iso(now)}")


def _moments(here: Installation) -> Iterator[tuple[float, str]]:
    """Times that were the present once, and what tells of them."""
    layout, program = here.loaded.layout, here.context.program
    yield float(build_info().built), "this program"
    floors = [layout.feed / "floors.json", *([program.floors] if program else [])]
    for path in floors:
        floor, _ = Floors(path, here.context.host.files).load()
        if floor is not None:
            yield float(floor.signed_time), "the newest list of releases"
    for kept in backup.listing(layout)[:1]:
        yield kept.created_at, f"the backup {kept.id}"


def disk(here: Installation) -> Iterator[Finding]:
    """An upgrade needs room for two copies of the database; for every file system once."""
    layout, seen = here.loaded.layout, set[int]()
    database = layout.database.stat().st_size if layout.database.exists() else 0
    wanted = database * 2 + SPARE
    for folder in (layout.data_dir, layout.database.parent, layout.backups):
        if not folder.exists() or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        yield _room(here, folder, wanted)


def _room(here: Installation, folder: Path, wanted: int) -> Finding:
    free = shutil.disk_usage(folder).free
    told = f"{size(free)} free for {folder}; an upgrade needs up to {size(wanted)}"
    if free >= wanted:
        return Finding("disk", OK, told)
    hint = f"{here.again('backup prune')}  # removes old backups; see also: du -xh {folder} | sort -h"
    return Finding("disk", PROBLEM if free < LEAST else WARNING, told, hint)


def tls(here: Installation) -> Iterator[Finding]:
    """Certificates are needed for an https feed; a wrong SSL_CERT_FILE is wrong in any case."""
    environ, url = here.context.host.environ, here.loaded.settings.upgrade.feed_url
    chosen = [name for name in CERTIFICATES if environ.get(name)]
    for name in chosen:
        path = Path(environ[name])
        if not (path.is_dir() if name.endswith("DIR") else path.is_file()) or not os.access(path, os.R_OK):
            kind = "a folder" if name.endswith("DIR") else "a PEM file"
            hint = f"unset {name}  # or let it name {kind} that can be read"
            yield Finding("tls", PROBLEM, f"{name} is {path}, which cannot be read", hint)
            return
    if not chosen and not url.startswith("https:"):
        yield Finding("tls", OK, "no certificates are needed for this feed")
    else:
        yield _authorities(here)


def _authorities(here: Installation) -> Finding:
    import ssl

    from waiaas.host.web import tls_context

    context, paths = tls_context(here.context.host.environ), ssl.get_default_verify_paths()
    folder = here.context.host.environ.get("SSL_CERT_DIR") or paths.capath
    count = context.cert_store_stats()["x509_ca"]
    if count or (folder and any(Path(folder).iterdir())):  # a folder is read when it is needed
        return Finding("tls", OK, f"{ssl.OPENSSL_VERSION}, certificates of authorities are there")
    hint = "sudo apt install ca-certificates  # or let SSL_CERT_FILE name a PEM file"
    return Finding("tls", PROBLEM, "this machine has no certificates, so it can trust no https server", hint)


def container(here: Installation) -> Iterator[Finding]:
    """Data on the image's own layers are gone with the container. Whoever says that the program there
    replaces itself, keeps the container as others keep a machine."""
    data, loaded = here.loaded.layout.data_dir, here.loaded
    keeps = loaded.settings.upgrade.mode == "self" and loaded.parsed.origins["upgrade.mode"] != "default"
    if in_image(data) and not keeps:
        hint = f"docker run --volume waiaas-data:{data} …  # a volume of its own"
        yield Finding("container", WARNING, f"{data} goes when this container is removed", hint)
    else:
        yield Finding("container", OK, f"{data} does not depend on a container")
