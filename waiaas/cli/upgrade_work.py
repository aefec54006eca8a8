"""`waiaas upgrade`: check, upgrade, roll back, recover (SPEC §8)."""

import argparse

from waiaas.cli import place as places
from waiaas.cli import rights, service, source
from waiaas.cli.before_start import NOTHING, unchanged
from waiaas.cli.confirm import confirm
from waiaas.cli.context import Context, Loaded
from waiaas.cli.legacy import refuse_legacy_daemon
from waiaas.cli.output import Result
from waiaas.cli.runs_text import describe_run
from waiaas.cli.status_text import how_to_upgrade
from waiaas.cli.upgrade_end import accounted, with_last_event
from waiaas.cli.upgrade_text import Teller, describe_check, describe_plan
from waiaas.cli.upgrade_usage import as_root
from waiaas.core.choose import Stay, Upgrade, withdrawal_of
from waiaas.core.errors import Exit, WaiaasError
from waiaas.core.journal import Facts
from waiaas.core.version import Version
from waiaas.daemon.notify import notify, patience, saying
from waiaas.host.clock import iso
from waiaas.upgrade import child, preflight, presence, story
from waiaas.upgrade.feed import Feed
from waiaas.upgrade.place import Place, Wish, locked
from waiaas.upgrade.story import Checked

RECOVERY_PATIENCE = 600.0  # seconds that `--recover` waits for a run at work: it may be its last act
START_PATIENCE = 20.0  # seconds that a service manager waits for somebody else's recovery


def run(args: argparse.Namespace, context: Context) -> Result:
    teller = Teller(context.out, events=args.events)
    return with_last_event(teller, lambda: _run(args, context, teller))


def _run(args: argparse.Namespace, context: Context, teller: Teller) -> Result:
    loaded = rights.load(context)
    place = places.place(context, loaded, teller)
    if args.check:
        return _check(args, context, loaded, place)
    if args.dry_run:
        return _dry_run(args, context, loaded, place)
    _refuse_if_owned_elsewhere(context, loaded, place)
    refuse_legacy_daemon(context.host, loaded.layout, loaded.settings)
    aside = None if args.recover else service.step_aside(context, loaded)
    return aside or _change(args, context, loaded, place)


def before_start(context: Context) -> Result:
    """What a service manager calls before each start (UPGR-15), where `before_start.py` did not answer."""
    place = places.place(context, rights.load(context), Teller(context.out))
    notify(context.host.environ, saying("finishing an interrupted upgrade", patience(child.PATIENCE)))
    recovered = presence.recover_before_start(place, START_PATIENCE)
    return _recovered(recovered) if recovered else Result(unchanged(NOTHING), "")


def _ask(args: argparse.Namespace, context: Context, place: Place, feed: Feed) -> Checked:
    with context.out.activity("asking the feed", plain=False):
        return story.check(place, feed, _wish(args))


def _check(args: argparse.Namespace, context: Context, loaded: Loaded, place: Place) -> Result:
    """VCHK/UPGR-02: everything about the offer on stdout; nothing is changed."""
    checked = _ask(args, context, place, source.source(args, place))
    offered = isinstance(checked.choice, Upgrade)
    code = Exit.UPDATE_AVAILABLE if offered and args.exit_code else Exit.OK
    return Result(
        _check_document(place, checked), describe_check(place, checked, how_to_upgrade(context, loaded)), code
    )


def _check_document(place: Place, checked: Checked) -> Facts:
    choice = checked.choice
    path = [str(hop.version) for hop in choice.path] if isinstance(choice, Upgrade) else []
    newest = choice.path[-1] if isinstance(choice, Upgrade) else choice.latest
    withdrawn = withdrawal_of(checked.catalogue.releases, place.installed)
    return {
        "current": str(place.installed),
        "latest": str(newest.version) if newest else None,
        "updateAvailable": bool(path),
        "channel": place.settings.upgrade.channel,
        "path": path,
        "withdrawn": withdrawn
        and {
            "reason": withdrawn.reason,
            "severity": withdrawn.severity,
            "to": str(withdrawn.to) if withdrawn.to else None,
        },
        "reason": choice.reason,
        "checkedAt": iso(place.host.clock.now()),
    }


def _dry_run(args: argparse.Namespace, context: Context, loaded: Loaded, place: Place) -> Result:
    checked = _ask(args, context, place, source.source(args, place))
    reasons = _owned_elsewhere(loaded, place)
    document = {**_check_document(place, checked), "refused": reasons and reasons[0]}
    return Result(document, describe_plan(place, checked, how_to_upgrade(context, loaded), reasons))


def _change(args: argparse.Namespace, context: Context, loaded: Loaded, place: Place) -> Result:
    """Everything that changes something happens under the two locks, after recovery (UPGR-06, 08)."""
    with (
        locked(place, RECOVERY_PATIENCE if args.recover else 0.0),
        accounted(context, place.program, recovering=args.recover),
    ):
        recovered = story.recover(place)
        if recovered is not None and presence.program_changed(place):
            return _go_on_as_installed(args, context, place, recovered)
        if args.recover:
            return _recovered(recovered)
        if args.rollback:
            record = story.roll_back(place, _wish(args))
            return Result(record, describe_run(record))
        feed = source.source(args, place)
        checked = _ask(args, context, place, feed)
        if isinstance(checked.choice, Stay):
            return _stay(args, place, checked, checked.choice)
        _allow_lower(args, context, place, checked.choice)
        source.ask_about_age(args, context, place, checked)
        record = story.go(place, feed, checked, _wish(args))
    if len(checked.choice.path) > 1:
        context.host.processes.replace_self(_again(args, context, place), context.host.environ)
    return Result(record, describe_run(record))


def _stay(args: argparse.Namespace, place: Place, checked: Checked, stay: Stay) -> Result:
    """Up to date is success (UPGR-01); a version asked for, or carried here, that cannot be had is not."""
    asked = args.to or checked.catalogue.at_hand is not None
    if asked and stay.code != "up-to-date":
        raise WaiaasError(stay.code, stay.reason, "`waiaas upgrade --check` says what is offered")
    return Result(unchanged(stay.reason), describe_check(place, checked))


def _recovered(recovered: Facts | None) -> Result:
    if recovered is None:
        return Result(unchanged(NOTHING), "No interrupted run: nothing to recover.")
    return Result(recovered, describe_run(recovered))


def _allow_lower(args: argparse.Namespace, context: Context, place: Place, choice: Upgrade) -> None:
    """Going down by choice, or where data are lost, asks first (CLI-5, FEED-5)."""
    down = f"Go down from {place.installed} to {choice.target.version}?"
    if choice.loses_data:
        confirm(context, f"{down} {story.loss_of(place, choice.target)}.", args.yes)
    elif args.to and choice.downgrade:
        confirm(context, down, args.yes)


def _go_on_as_installed(args: argparse.Namespace, context: Context, place: Place, recovered: Facts) -> Result:
    """Recovery brought another version back: that one has to go on with what was asked."""
    if args.recover:
        return Result(recovered, describe_run(recovered))
    raise WaiaasError(
        "recovered",
        f"an interrupted run was undone: {recovered['from']} is installed again",
        "run the command again",
    )


def _again(args: argparse.Namespace, context: Context, place: Place) -> list[str]:
    """The next hop is made by the version that the first one installed, as it was asked for."""
    words = ["--data-dir", str(place.layout.data_dir), "--config", str(place.layout.config)]
    words += ["--json"] if context.flags.json else []
    words += ["--offline"] if context.flags.offline else []
    words += ["upgrade", *source.words(args), *(["--to", args.to] if args.to else [])]
    words += [
        word for word in ("--no-start", "--events", "--yes") if getattr(args, word[2:].replace("-", "_"))
    ]
    return context.host.program.version_at(place.program.program, *words)


def _wish(args: argparse.Namespace) -> Wish:
    to = Version.parse(args.to) if args.to else None
    return Wish(to=to, start=not args.no_start, keep_data=args.keep_data)


def _owned_elsewhere(loaded: Loaded, place: Place) -> tuple[str, str] | None:
    asked = loaded.parsed.origins["upgrade.mode"] != "default"
    return preflight.owned_elsewhere(place.program, place.layout, loaded.settings.upgrade.mode, asked=asked)


def _refuse_if_owned_elsewhere(context: Context, loaded: Loaded, place: Place) -> None:
    found = _owned_elsewhere(loaded, place)
    if found is not None:
        reason, hint = found
        raise WaiaasError("not-ours-to-upgrade", f"{reason}; nothing was changed", as_root(hint, context))
