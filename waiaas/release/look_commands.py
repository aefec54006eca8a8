"""The commands that look at a feed and change nothing: status, verify."""

import argparse
from datetime import timedelta
from typing import TYPE_CHECKING

from waiaas.core.errors import Exit
from waiaas.release import ceremony_commands

if TYPE_CHECKING:
    from waiaas.release.commands import Bench
    from waiaas.release.repository import Repository

SOON = {"root": 60, "targets": 30, "snapshot": 10, "timestamp": 7}  # days left that are too few
KEYS = 8  # characters of a key id


def status(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """Exit 1 when something expires soon, so that a daily job raises the alarm in time."""
    from waiaas.release.publish import Maker

    repository = Maker(bench.files, bench.clock).repository(arguments.feed)
    healthy = _roles(bench, repository)
    for release in repository.releases():
        share = f"  rollout {release.rollout.percent(bench.clock.now())} %" if release.rollout else ""
        gone = f"  withdrawn: {release.withdrawn.reason}" if release.withdrawn else ""
        bench.say(f"{release.version!s:<14} {release.channel:<7} seq {release.seq}{share}{gone}")
    for shell in repository.shells():
        bench.say(f"{shell.version!s:<14} shell   {shell.platform}")
    ceremony_commands.waiting(bench, arguments.feed)
    if not healthy:
        bench.remark("hint: `refresh` signs timestamp and snapshot, `prepare-renewal` targets and root")
    return Exit.OK if healthy else Exit.FAILED


def verify(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release.reader import read

    seen = read(arguments.feed, arguments.root.read_bytes())
    bench.say(f"verified: {', '.join(str(release.version) for release in seen.releases) or 'an empty feed'}")
    return Exit.OK


def _roles(bench: "Bench", repository: "Repository") -> bool:
    """One line for each role, then its keys; whether none expires soon."""
    healthy = True
    for state in repository.roles():
        left = state.expires - bench.clock.utc()
        soon = left.days < SOON[state.role]
        healthy = healthy and not soon
        note = "  EXPIRED" if left <= timedelta(0) else "  expires soon" if soon else ""
        need = f"{state.threshold} of {len(state.keyids)} keys"
        valid = f"until {state.expires:%Y-%m-%d}  {left.days} days left{note}"
        bench.say(f"{state.role:<10} version {state.version:<5} {need:<12} {valid}")
        bench.say(f"{'':<10} keys {' '.join(keyid[:KEYS] for keyid in state.keyids)}")
    return healthy
