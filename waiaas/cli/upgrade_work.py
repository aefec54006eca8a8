"""`waiaas upgrade`: upgrade, roll back, recover (SPEC §8)."""

import argparse
import shlex

from waiaas.cli import place as places
from waiaas.cli import rights, service, source
from waiaas.cli.before_start import NOTHING, unchanged
from waiaas.cli.confirm import confirm
from waiaas.cli.context import Context, Loaded
from waiaas.cli.legacy import refuse_legacy_daemon
from waiaas.cli.output import Result
from waiaas.cli.runs_text import describe_run
from waiaas.cli.upgrade_check import ask, check, dry_run, owned_elsewhere, wish
from waiaas.cli.upgrade_end import accounted, with_last_event
from waiaas.cli.upgrade_text import Teller, describe_check
from waiaas.cli.upgrade_usage import as_root
from waiaas.core.choose import Stay, Upgrade
from waiaas.core.errors import WaiaasError
from waiaas.core.journal import Facts
from waiaas.daemon.notify import notify, patience, saying
from waiaas.upgrade import child, presence, story
from waiaas.upgrade.place import Place, locked
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
        return check(args, context, loaded, place)
    if args.dry_run:
        return dry_run(args, context, loaded, place)
    _refuse_if_owned_elsewhere(context, loaded, place)
    refuse_legacy_daemon(context.host, loaded.layout, loaded.settings)
    aside = None if args.recover else service.step_aside(context, loaded, starts=not args.no_start)
    return aside or _change(args, context, loaded, place)


def before_start(context: Context) -> Result:
    """What a service manager calls before each start (UPGR-15), where `before_start.py` did not answer."""
    place = places.place(context, rights.load(context), Teller(context.out))
    notify(context.host.environ, saying("finishing an interrupted upgrade", patience(child.PATIENCE)))
    recovered = presence.recover_before_start(place, START_PATIENCE)
    return _recovered(recovered) if recovered else Result(unchanged(NOTHING), "")


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
            record = story.roll_back(place, wish(args))
            return Result(record, describe_run(record))
        feed = source.source(args, place)
        checked = ask(args, context, place, feed)
        if isinstance(checked.choice, Stay):
            return _stay(args, place, checked, checked.choice)
        _allow_lower(args, context, place, checked.choice)
        source.ask_about_age(args, context, place, checked)
        record = story.go(place, feed, checked, wish(args))
    if len(checked.choice.path) > 1:
        context.host.processes.replace_self(_again(args, context, place), context.host.environ)
    return Result(record, describe_run(record))


def _stay(args: argparse.Namespace, place: Place, checked: Checked, stay: Stay) -> Result:
    """Up to date is success (UPGR-01); a version asked for, or carried here, that cannot be had is not."""
    asked = args.to or checked.catalogue.at_hand is not None
    if asked and stay.code != "up-to-date":
        raise WaiaasError(stay.code, stay.reason, _instead(args, place, checked))
    return Result(unchanged(stay.reason), describe_check(place, checked))


def _instead(args: argparse.Namespace, place: Place, checked: Checked) -> str:
    """What to type where nothing of what was asked for can be had."""
    carried = [v for v in checked.catalogue.at_hand or () if v.is_rc and v > place.installed]
    if carried and not args.to:
        return f"`waiaas upgrade --from {shlex.quote(args.source)} --to {carried[0]}` takes it all the same"
    return "`waiaas upgrade --check` says what is offered"


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


def _refuse_if_owned_elsewhere(context: Context, loaded: Loaded, place: Place) -> None:
    found = owned_elsewhere(loaded, place)
    if found is not None:
        reason, hint = found
        raise WaiaasError("not-ours-to-upgrade", f"{reason}; nothing was changed", as_root(hint, context))
