"""`waiaas upgrade --check` and `--dry-run`: what is offered, and what would come of it (UPGR-02)."""

import argparse
import shlex

from waiaas.cli import source
from waiaas.cli.context import Context, Loaded
from waiaas.cli.output import Result
from waiaas.cli.runs_text import failed_here
from waiaas.cli.status_text import how_to_upgrade
from waiaas.cli.upgrade_text import describe_check, describe_plan
from waiaas.cli.upgrade_usage import as_root
from waiaas.core.choose import Upgrade, withdrawal_of
from waiaas.core.errors import Exit
from waiaas.core.journal import Facts
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.upgrade import book, preflight, story
from waiaas.upgrade.elsewhere import ITSELF
from waiaas.upgrade.feed import Feed
from waiaas.upgrade.place import Place, Wish
from waiaas.upgrade.story import Checked


def ask(args: argparse.Namespace, context: Context, place: Place, feed: Feed) -> Checked:
    """Raises TrustRefused also for what was carried here and is not whole: that it is not needed is no
    reason to believe it."""
    with context.out.activity("asking the feed", plain=False):
        checked = story.check(place, feed, wish(args))
        source.require_whole(feed, checked)
    return checked


def wish(args: argparse.Namespace) -> Wish:
    to = Version.parse(args.to) if args.to else None
    return Wish(to=to, start=not args.no_start, keep_data=args.keep_data)


def check(args: argparse.Namespace, context: Context, loaded: Loaded, place: Place) -> Result:
    """Everything about the offer on stdout; nothing is changed.

    With --exit-code, 10 where `upgrade` as it was asked about would leave for something newer, or leave
    a withdrawn version (FEED-5).
    """
    checked = ask(args, context, place, source.source(args, place))
    document = _document(place, checked)
    leaves = document["withdrawn"] is not None and document["path"] and not args.to
    found = args.exit_code and (document["updateAvailable"] or leaves)
    text = describe_check(place, checked, _how(args, context, loaded, checked), document["failedHere"])
    return Result(document, text, Exit.UPDATE_AVAILABLE if found else Exit.OK)


def dry_run(args: argparse.Namespace, context: Context, loaded: Loaded, place: Place) -> Result:
    checked = ask(args, context, place, source.source(args, place))
    refused = owned_elsewhere(loaded, place)
    if refused is not None:
        refused = refused[0], as_root(refused[1], context).replace(" --dry-run", "")
    document = {**_document(place, checked), "refused": refused and refused[0]}
    how = _how(args, context, loaded, checked)
    return Result(document, describe_plan(place, checked, how, refused, document["failedHere"]))


def owned_elsewhere(loaded: Loaded, place: Place) -> tuple[str, str] | None:
    """Why `upgrade` is not ours to do here, and what to do instead (UPGR-09)."""
    asked = loaded.parsed.origins["upgrade.mode"] != "default"
    return preflight.owned_elsewhere(place.program, place.layout, loaded.settings.upgrade.mode, asked=asked)


def _document(place: Place, checked: Checked) -> Facts:
    """`updateAvailable` means something newer, as in /health (HLTH-01): a withdrawn version may have to be
    left for a lower one (FEED-5), which `path` and `withdrawn` say. `latest` is the feed's, whatever was
    asked for by --to."""
    choice = checked.choice
    target = choice.target if isinstance(choice, Upgrade) else None
    withdrawn = withdrawal_of(checked.catalogue.releases, place.installed)
    return {
        "current": str(place.installed),
        "latest": str(checked.latest.version) if checked.latest else None,
        "updateAvailable": target is not None and target.version > place.installed,
        "channel": place.settings.upgrade.channel,
        "path": [str(hop.version) for hop in choice.path] if isinstance(choice, Upgrade) else [],
        "withdrawn": withdrawn
        and {
            "reason": withdrawn.reason,
            "severity": withdrawn.severity,
            "to": str(withdrawn.to) if withdrawn.to else None,
        },
        "reason": None if target else choice.reason,
        "checkedAt": iso(place.host.clock.now()),
        "size": target.length if target else None,
        "notes": (target.notes_url or None) if target else None,
        "failedHere": failed_here(book.history(place.program), str(target.version)) if target else None,
    }


def _how(args: argparse.Namespace, context: Context, loaded: Loaded, checked: Checked) -> str:
    """What a person is told to do about it: the command that does what was asked about here."""
    how, choice = how_to_upgrade(context, loaded), checked.choice
    if how != ITSELF:
        return how
    words = ["--from", args.source] if args.source else []
    words += ["--accept-expired"] if args.accept_expired else []
    words += ["--to", args.to] if args.to else []
    words += ["--yes"] if args.to and isinstance(choice, Upgrade) and choice.downgrade else []
    return " ".join([how, shlex.join(words)]).rstrip()
