"""Which words of `waiaas upgrade` go together, and the user's own ones for a hint (CLI-2)."""

import shlex

from waiaas.cli.flags import take_apart
from waiaas.core.errors import UsageError

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context

LOOKS = ("check", "dry_run", "history")  # change nothing
BACK = ("rollback", "recover", "history")  # choose no version
ALONE = (  # word, what it does not go with
    ("to", BACK),
    ("source", BACK),
    ("no_start", LOOKS),
    ("events", LOOKS),
)


def check_usage(args: "argparse.Namespace", context: "Context") -> None:
    """Raises UsageError for words that do not go together."""
    if args.events and context.flags.json:
        raise UsageError(
            "usage", "--events prints lines and --json one document: they do not go together", "leave one out"
        )
    if args.keep_data and not args.rollback:
        raise UsageError("usage", "--keep-data goes with --rollback", "waiaas upgrade --rollback --keep-data")
    if args.exit_code and not args.check:
        raise UsageError("usage", "--exit-code goes with --check", "waiaas upgrade --check --exit-code")
    if args.accept_expired and args.source is None:
        raise UsageError(
            "usage", "--accept-expired goes with --from", "waiaas upgrade --from FILE --accept-expired"
        )
    for word, others in ALONE:
        beside = next((other for other in others if getattr(args, other)), None)
        if getattr(args, word) and beside:
            first, second = _flag(word), _flag(beside)
            raise UsageError("usage", f"{first} does not go with {second}", f"waiaas upgrade {second}")


def own_words(context: "Context") -> str:
    """`upgrade` as it was typed, without the global flags."""
    return shlex.join(["upgrade", *take_apart(context.words).arguments])


def as_root(hint: str, context: "Context") -> str:
    """A hint to do it with `sudo`, written below by who knows of no flags, asks for the same thing."""
    if not hint.startswith("sudo ") or not hint.endswith(" upgrade"):
        return hint
    config = f" --config {shlex.quote(context.flags.config)}" if context.flags.config else ""
    return hint.removesuffix(" upgrade") + f"{config} {own_words(context)}"


def _flag(name: str) -> str:
    return "--" + {"source": "from"}.get(name, name).replace("_", "-")
