"""Where an upgrade comes from: the signed feed, or what was carried here (BNDL-2, BNDL-3)."""

import argparse
from pathlib import Path

from waiaas.cli import place as places
from waiaas.cli.confirm import confirm_typed
from waiaas.cli.context import Context
from waiaas.upgrade import story
from waiaas.upgrade.bundle import HARD, CarriedFeed, open_carried
from waiaas.upgrade.feed import Feed
from waiaas.upgrade.place import Place
from waiaas.upgrade.story import Checked


def source(args: argparse.Namespace, place: Place) -> Feed:
    """Raises TrustRefused for a bundle that has not the form of one."""
    if args.source is None:
        return places.feed(place)
    cache, floors = places.caches(place.host, place.layout, place.program)
    path = Path(args.source).absolute()
    return open_carried(place.host, place.settings, cache, floors, path, accept_expired=args.accept_expired)


def require_whole(feed: Feed, checked: Checked) -> None:
    """Read what was carried here to its end. Raises TrustRefused unless it is what was signed."""
    at_hand = checked.catalogue.at_hand
    if isinstance(feed, CarriedFeed) and at_hand is not None:
        for release in checked.catalogue.releases:
            if release.version in at_hand:
                feed.check_payload(release)


def ask_about_age(args: argparse.Namespace, context: Context, place: Place, checked: Checked) -> None:
    """Expired targets or root are taken after a typed answer only, and that is audited."""
    expired = [role for role in checked.catalogue.expired if role in HARD]
    if not expired:
        return
    roles = " and ".join(expired)
    question = (
        f"The {roles} metadata in {args.source} expired: whoever gave it to you may hide newer releases."
    )
    confirm_typed(context, question, "accept-expired", args.yes)
    story.accept_expired(place, str(Path(args.source).absolute()), expired)
    context.out.warn(f"accepted expired metadata ({roles}); the audit log says so")


def words(args: argparse.Namespace) -> list[str]:
    """The same source for the next hop."""
    if args.source is None:
        return []
    path = str(Path(args.source).absolute())
    return ["--from", path, *(["--accept-expired", "--yes"] if args.accept_expired else [])]
