"""`waiaas doctor`: every finding at once, each with the command that mends it."""

from waiaas.cli.checks import data, directory, feed, machine, program, service
from waiaas.cli.checks.finding import OK, PROBLEM, WARNING, Check, Finding, Installation
from waiaas.cli.output import Result
from waiaas.cli.running import known, running
from waiaas.core import causes
from waiaas.core.errors import Exit
from waiaas.core.value import asdict

TYPE_CHECKING = False  # see `commands.py`
if TYPE_CHECKING:
    from waiaas.cli.context import Context

CHECKS: dict[str, Check] = {
    "settings": directory.settings,
    "rights": directory.rights,
    "token": directory.token,
    "disk": machine.disk,
    "clock": machine.clock,
    "python": machine.python,
    "program": program.program,
    "upgrade": program.upgrade,
    "version": program.running_version,
    "database": data.database,
    "wal": data.log,
    "legacy": service.legacy,
    "daemon": service.daemon,
    "port": service.port,
    "service": service.manager,
    "backups": data.backups,
    "rollback": data.rollback,
    "leftovers": directory.leftovers,
    "container": machine.container,
    "tls": machine.tls,
    "trust": feed.trust,
    "feed": feed.feed,
}
SIGNS = {OK: "ok", WARNING: "warning", PROBLEM: "PROBLEM"}


def run(_args: object, context: "Context") -> Result:
    """Exit 1 if there is a problem; a warning is none."""
    loaded = context.load(broken_ok=True, unreadable_ok=True)
    here = Installation(context, loaded, running(loaded.layout), known(loaded.layout))
    with context.out.activity("looking", plain=False):
        found = [finding for name, check in CHECKS.items() for finding in _safely(name, check, here)]
    bad = any(finding.verdict == PROBLEM for finding in found)
    text = _text(context, found)
    return Result([asdict(finding) for finding in found], text, Exit.FAILED if bad else Exit.OK)


def _safely(name: str, check: Check, here: Installation) -> list[Finding]:
    """A check that fails has found something; the others go on."""
    found: list[Finding] = []
    try:
        found.extend(check(here))
    except Exception as problem:  # noqa: BLE001 - whatever it is, it must not hide the other findings
        told = causes.told(problem)
        if told is None:
            message = f"this check failed: {type(problem).__name__}: {problem}"
            found.append(Finding(name, PROBLEM, message, "please tell the maintainers"))
        else:
            found.append(Finding(name, PROBLEM, told.message, told.hint or causes.DOCTOR))
    return found


def _text(context: "Context", found: list[Finding]) -> str:
    """One line where nothing is wrong; else every finding with its hint, and how many there are."""
    wrong = [finding for finding in found if finding.verdict != OK]
    shown = found if context.flags.verbose else wrong
    lines = [line for finding in shown for line in _lines(finding)]
    return "\n".join([*lines, _summary(found, wrong)])


def _lines(finding: Finding) -> list[str]:
    first = f"{SIGNS[finding.verdict]:8} {finding.check:10} {finding.message}"
    return [first, f"{'':19} hint: {finding.hint}"] if finding.verdict != OK and finding.hint else [first]


def _summary(found: list[Finding], wrong: list[Finding]) -> str:
    if not wrong:
        (daemon,) = [finding.message for finding in found if finding.check == "daemon"]
        return f"Nothing is wrong ({len(found)} checks). The daemon: {daemon}."
    problems = sum(finding.verdict == PROBLEM for finding in wrong)
    counts = (_many(problems, "problem"), _many(len(wrong) - problems, "warning"))
    told = ", ".join(count for count in counts if count)
    return f"{told}; {len(found) - len(wrong)} other checks found nothing (`waiaas doctor -v` shows them)"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}" if count else ""
