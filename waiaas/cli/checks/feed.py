"""The feed: is there one, can it be reached and believed, and what does it say of this version."""

from collections.abc import Iterator

from waiaas import __version__
from waiaas.cli.checks.finding import OK, PROBLEM, WARNING, Finding, Installation
from waiaas.cli.place import caches
from waiaas.core.choose import withdrawal_of
from waiaas.core.errors import Busy, TrustRefused, WaiaasError
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.host.problems import NetworkProblem
from waiaas.host.sqlite import SqlError, reading
from waiaas.store.keyvalue import StoredCheck, stored_check
from waiaas.upgrade.feed import Catalogue
from waiaas.upgrade.trust import open_feed, root_of_trust

PATIENCE = 10.0  # seconds for the whole look
PROBE = "metadata/timestamp.json"  # the smallest file of a feed
BUDGET = 1 << 20  # bytes
DAY = 86400
TELL = "tell whoever publishes the feed: it is kept valid by python -m waiaas.release refresh"
SOON = {"timestamp": 3, "snapshot": 5, "targets": 14, "root": 30}  # days left that are too few


def trust(here: Installation) -> Iterator[Finding]:
    settings = here.loaded.settings.upgrade
    try:
        root_of_trust(here.loaded.settings)
    except TrustRefused as problem:
        needed = settings.feed_url or settings.trusted_root
        yield Finding("trust", PROBLEM if needed else WARNING, problem.message, problem.hint)
    else:
        yield Finding("trust", OK, f"the root of trust is {settings.trusted_root or 'inside this program'}")


def feed(here: Installation) -> Iterator[Finding]:
    """Asked as `upgrade --check` asks: what was verified is kept, and nothing else changes."""
    settings, context = here.loaded.settings, here.context
    url = settings.upgrade.feed_url
    if not url:
        hint = here.again("config set upgrade.feed_url URL")
        yield Finding("feed", WARNING, "no feed is set, so no update can be offered", hint)
        yield from _stored_withdrawal(here)
    elif context.offline and not url.startswith("file:"):
        yield Finding("feed", OK, f"{url} was not asked (--offline)")
        yield from _stored_withdrawal(here)
    else:
        yield from _asked(here, url)


def _asked(here: Installation, url: str) -> Iterator[Finding]:
    try:
        catalogue = _catalogue(here)
    except Busy:
        yield Finding("feed", OK, f"another process is asking {url} right now")
        return
    except NetworkProblem as problem:
        yield Finding("feed", PROBLEM, problem.message, problem.hint)
        yield from _stored_withdrawal(here)
        return
    except TrustRefused as problem:
        if problem.code == "no-root-of-trust":  # told by `trust`; can the feed be reached at all?
            yield _reached(here, url)
        else:
            yield Finding("feed", PROBLEM, problem.message, problem.hint)
        yield from _stored_withdrawal(here)
        return
    yield Finding("feed", OK, f"{url} answers, and its signatures are right")
    for warning in catalogue.warnings:
        yield Finding("feed", WARNING, warning, "tell whoever publishes the feed")
    yield from _dates(here, catalogue)
    yield from _withdrawal(here, catalogue)


def _catalogue(here: Installation) -> Catalogue:
    layout, program = here.loaded.layout, here.context.program
    known = program if program and program.base.is_dir() else None
    cache, floors = caches(here.context.host, layout, known)
    return open_feed(here.context.host, here.loaded.settings, cache, floors).refresh(PATIENCE)


def _reached(here: Installation, url: str) -> Finding:
    try:
        here.context.host.network.get(f"{url.rstrip('/')}/{PROBE}", PATIENCE, BUDGET)
    except NetworkProblem as problem:
        return Finding("feed", PROBLEM, problem.message, problem.hint)
    return Finding("feed", OK, f"{url} answers; it cannot be believed without a root of trust")


def _dates(here: Installation, catalogue: Catalogue) -> Iterator[Finding]:
    now = here.context.host.clock.now()
    late = {role: at for role, at in catalogue.expires.items() if at - now < SOON.get(role, 0) * DAY}
    for role, at in late.items():
        message = f"the {role} metadata of the feed expire at {iso(at)} and were not signed anew"
        yield Finding("metadata", WARNING, message, TELL)
    if not late:
        first = min(catalogue.expires.values(), default=0)
        yield Finding("metadata", OK, f"valid until {iso(first)} at least")


def _withdrawal(here: Installation, catalogue: Catalogue) -> Iterator[Finding]:
    found = withdrawal_of(catalogue.releases, Version.parse(__version__))
    if found is None:
        yield Finding("withdrawal", OK, f"{__version__} was not withdrawn")
    else:
        yield _withdrawn(here, found.reason, str(found.to) if found.to else "")


def _stored_withdrawal(here: Installation) -> Iterator[Finding]:
    """What the daemon's last check stored, where the feed cannot be asked now."""
    stored = _stored(here)
    gone = stored.withdrawn if stored else None
    if gone and gone.get("to") != __version__:
        yield _withdrawn(here, str(gone.get("reason")), str(gone.get("to") or ""))


def _stored(here: Installation) -> StoredCheck | None:
    layout = here.loaded.layout
    try:
        with reading(layout.database, here.context.gate(layout), 0) as connection:
            return stored_check(connection)
    except (WaiaasError, OSError, SqlError):
        return None


def _withdrawn(here: Installation, reason: str, to: str) -> Finding:
    replaced = f"; {to} replaces it" if to else ""
    message = f"version {__version__} was withdrawn: {reason}{replaced}"
    return Finding("withdrawal", PROBLEM, message, here.again("upgrade"))
