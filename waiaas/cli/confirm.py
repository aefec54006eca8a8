"""Asking before what cannot be undone: on a terminal only, else refused without `--yes` (CLI-5)."""

import shlex
import sys

from waiaas.cli.context import Context
from waiaas.core.errors import UsageError, WaiaasError


def confirm(context: Context, question: str, yes: bool) -> None:
    """Return if it may be done. Raises UsageError "needs-yes", WaiaasError "cancelled"."""
    if yes:
        return
    _require_terminal(context, question)
    context.out.ask(f"{question} [y/N] ")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise WaiaasError("cancelled", "cancelled; nothing was changed")


def confirm_typed(context: Context, question: str, word: str, yes: bool) -> None:
    """As `confirm`, for what nobody should do by habit: `word` has to be typed."""
    if yes:
        return
    _require_terminal(context, question)
    context.out.ask(f"{question}\nType {word} to go on: ")
    if sys.stdin.readline().strip() != word:
        raise WaiaasError("cancelled", "cancelled; nothing was changed")


def _require_terminal(context: Context, question: str) -> None:
    if context.flags.json or not sys.stdin or not sys.stdin.isatty():
        raise UsageError(
            "needs-yes",
            f"this cannot be undone, and there is no terminal to ask on: {question}",
            f"`waiaas {shlex.join([*context.words, '--yes'])}` does it all the same",
        )
