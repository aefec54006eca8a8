"""`waiaas` alone, and `waiaas --help`: what this is, how it stands, what to type next."""

from collections.abc import Mapping

from waiaas import __version__
from waiaas.cli.flags import HELP
from waiaas.cli.output import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from waiaas.cli.context import Context

WHAT = "WAIaaS keeps AI agents' wallets under their owner's control, in one file that upgrades itself."
EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "the command line or the settings are wrong",
    3: "not initialised, or not running",
    4: "not authorised",
    5: "timed out",
    6: "the database does not fit this version",
    7: "the upgrade failed and was rolled back; the old version runs",
    8: "the upgrade failed and so did rolling it back; what to do is printed",
    9: "a signature, a floor or a date was refused",
    10: "an update is available (upgrade --check --exit-code)",
    70: "a bug; a report file is named",
    75: "busy: another run holds the lock",
    78: "this Python is too old",
    130: "interrupted",
}


def overview(context: "Context") -> Result:
    """Never fails: it is what somebody types who knows nothing yet."""
    from waiaas.host.holder import lock_holder

    found = context.load(uninitialised_ok=True, broken_ok=True)
    if not (found.initialised or found.legacy):
        state, following = "not initialised", "init"
    elif holder := lock_holder(found.layout.daemon_lock):
        state, following = f"running (pid {holder.pid})", "status"
        holder.close()
    elif found.legacy:
        state, following = "a directory of the previous implementation, not yet adopted", "init"
    else:
        state, following = "stopped", "config validate" if found.parsed.problems else "start --detach"
    text = (
        f"{WHAT}\n\nversion         {__version__}\ndata directory  {found.layout.data_dir}\n"
        f"state           {state}\n\nnext: {context.again(following)}; `waiaas --help` lists all commands"
    )
    document = {
        "version": __version__,
        "dataDir": str(found.layout.data_dir),
        "state": state.partition(" (")[0],
        "next": f"waiaas {following}",
    }
    return Result(document, text)


def help_text(sentences: Mapping[str, str]) -> str:
    """`waiaas --help`; `sentences` are the commands' own."""
    width = max(map(len, sentences)) + 2
    parts = (
        "usage: waiaas [global options] COMMAND [arguments]",
        WHAT,
        "commands:\n" + "\n".join(f"  {name:{width}}{said}" for name, said in sentences.items()),
        HELP.strip(),
        "exit codes:\n" + "\n".join(f"  {code:<5}{meaning}" for code, meaning in EXIT_CODES.items()),
        "`waiaas COMMAND --help` tells more of each.",
    )
    return "\n\n".join(parts)
