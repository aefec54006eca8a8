"""The daemon's look at the feed, in a child of its own (VCHK-03, FEED-10)."""

import sys
from pathlib import Path

from waiaas import __version__
from waiaas.core.check import CheckOutcome
from waiaas.core.choose import Policy, Upgrade, choose, newest_eligible, withdrawal_of
from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.errors import WaiaasError
from waiaas.core.layout import Layout
from waiaas.core.settings import Settings
from waiaas.core.version import Version
from waiaas.host.host import Host
from waiaas.upgrade.feed import Catalogue
from waiaas.upgrade.trust import open_feed

PATIENCE = 5.0  # seconds for the whole check


def check_once(
    host: Host,
    layout: Layout,
    settings: Settings,
    installation_id: str,
    seconds: float = PATIENCE,
    cache: Path | None = None,
) -> CheckOutcome:
    """Ask the feed once. Never raises: whatever goes wrong is one sentence in `.error`.

    What was verified stays in `cache` (the data directory's `feed/`); `upgrade` never trusts it.
    """
    folder = cache or layout.feed
    try:
        catalogue = open_feed(host, settings, folder, folder / "floors.json").refresh(seconds)
    except WaiaasError as problem:
        return CheckOutcome(None, None, problem.message)
    except Exception as problem:  # noqa: BLE001 - a bug here must not show as anything but a failed check
        return CheckOutcome(None, None, f"the check failed: {type(problem).__name__}: {problem}")
    return _outcome(catalogue, host, settings, installation_id)


def _outcome(catalogue: Catalogue, host: Host, settings: Settings, installation_id: str) -> CheckOutcome:
    installed = Version.parse(__version__)
    policy = Policy(
        channel=settings.upgrade.channel,
        pin=settings.upgrade.pin,
        installation_id=installation_id,
        schema=LATEST_SCHEMA_VERSION,  # the daemon that asks has migrated its database
        python=sys.version_info[:3],
        now=host.clock.now(),
    )
    newest = newest_eligible(catalogue.releases, installed, policy)
    gone = withdrawal_of(catalogue.releases, installed)
    withdrawn: dict[str, str | None] | None = None
    if gone is not None:
        choice = choose(catalogue.releases, installed, policy)
        to = str(choice.target.version) if isinstance(choice, Upgrade) else None
        withdrawn = {"reason": gone.reason, "to": to, "severity": gone.severity}
    return CheckOutcome(str(newest.version if newest else installed), withdrawn, None)
