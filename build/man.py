"""The manual page, generated from the command line's own parsers: `make man` writes dist/waiaas.1.

man(7), ASCII only, the same bytes for the same tree. `--check` prints what groff and mandoc object to
and exits 1 if there is anything.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from waiaas import __version__  # noqa: E402
from waiaas.cli.overview import EXIT_CODES, WHAT  # noqa: E402
from waiaas.cli.vocabulary import Option, Word, global_options, words  # noqa: E402
from waiaas.core.settings import KEYS  # noqa: E402
from waiaas.core.settings_sources import shown  # noqa: E402

CHECKERS = (
    ("groff", "-man", "-ww", "-z", "-Tutf8", "-rCHECKSTYLE=3"),
    ("mandoc", "-T", "lint", "-W", "warning"),
    ("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"),
)
ENVIRONMENT = (
    ("WAIAAS_DATA_DIR", "the data directory, where --data-dir names none"),
    ("WAIAAS_<SECTION>_<KEY>", "a setting, like WAIAAS_DAEMON_PORT; stronger than config.toml"),
    ("WAIAAS_OFFLINE", "1: no outgoing connection at all"),
    ("WAIAAS_NO_UPDATE_NOTIFY", "1: no notice of newer versions"),
    ("HTTPS_PROXY, ALL_PROXY, NO_PROXY", "the way to an https feed, alike for check and download"),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "certificates of authorities to trust instead of the system's"),
    ("NO_COLOR, FORCE_COLOR, TERM", "colours and progress bars, as everywhere"),
)
FILES = (
    ("~/.waiaas/", "the data directory, 0700"),
    ("~/.waiaas/config.toml", "settings"),
    ("~/.waiaas/data/waiaas.db", "the database"),
    ("~/.waiaas/keystore/", "keys; never read, changed or backed up by this program"),
    ("~/.waiaas/backups/", "backups"),
    ("~/.waiaas/logs/waiaas.log", "log of a daemon in the background"),
    ("~/.waiaas/admin.token", "token for /v1, /metrics and the status page"),
    (".waiaas/ beside the program", "journal and history of upgrades, kept programs, trusted metadata"),
)
EXAMPLES = (
    ("waiaas init && waiaas start --detach && waiaas status", "the first minute"),
    ("waiaas doctor", "find out what is wrong, and what mends it"),
    ("waiaas upgrade", "go to the newest version; waiaas upgrade --rollback comes back"),
    ("waiaas backup create", "back up while the daemon serves"),
    ("waiaas bundle create -o waiaas.tgz", "carry a release to where there is no network"),
)


def page(date: datetime) -> str:
    """The whole page."""
    return "\n".join(
        (
            f'.TH WAIAAS 1 {date:%Y-%m-%d} "WAIaaS {__version__}" "User Commands"',
            ".SH NAME",
            f"waiaas {DASH} keep the wallets of AI agents under their owner's control",
            ".SH SYNOPSIS",
            ".B waiaas",
            "[global options]",
            ".I COMMAND",
            "[arguments]",
            ".SH DESCRIPTION",
            said(WHAT),
            ".PP",
            said("With --json each command prints exactly one JSON document on stdout, errors included."),
            ".SH COMMANDS",
            *(line for word in words() for line in command(word)),
            ".SH GLOBAL OPTIONS",
            said("They stand before or after the command."),
            *described((spelled(option), option.help) for option in global_options()),
            ".SH EXIT STATUS",
            *described((bold(str(code)), meaning) for code, meaning in EXIT_CODES.items()),
            ".SH SETTINGS",
            said("In config.toml; waiaas config show tells what is in force and where it comes from."),
            *described(settings()),
            ".SH ENVIRONMENT",
            *described((bold(name), meaning) for name, meaning in ENVIRONMENT),
            ".SH FILES",
            *described((italic(name), meaning) for name, meaning in FILES),
            ".SH EXAMPLES",
            *described((bold(line), meaning) for line, meaning in EXAMPLES),
            ".SH SEE ALSO",
            ".BR systemctl (1),",
            ".BR journalctl (1)",
            "",
        )
    )


def command(word: Word) -> Iterator[str]:
    """A command with its options, and each of its actions."""
    yield f'.SS "{escaped(word.name)}"'
    yield said(sentence(word.help))
    if word.actions:
        for action in word.actions:
            yield ".TP"
            yield f"{bold('waiaas ' + word.name + ' ' + action.name)}{synopsis(action)}"
            yield said(sentence(action.help))
            yield from indented(action)
        return
    yield ".PP"
    yield f"{bold('waiaas ' + word.name)}{synopsis(word)}"
    yield from described((spelled(o), o.help) for o in (*word.arguments, *word.options) if o.help)


def indented(word: Word) -> Iterator[str]:
    options = [option for option in (*word.arguments, *word.options) if option.help]
    if options:
        yield from (".RS", *described((spelled(option), option.help) for option in options), ".RE")


def synopsis(word: Word) -> str:
    arguments = "".join(" " + italic(a.names[0]) for a in word.arguments)
    return arguments + (" [options]" if word.options else "")


def settings() -> Iterator[tuple[str, str]]:
    for key in KEYS.values():
        bounds = key.rule.bounds or key.rule.kind
        unit = f" {key.rule.unit}" if key.rule.unit else ""
        yield bold(key.dotted), f"{key.rule.sentence} ({bounds}{unit}; default {shown(key.default)})"


def spelled(option: Option) -> str:
    value = f" {italic(option.value)}" if option.value and option.names[0].startswith("-") else ""
    if not option.names[0].startswith("-"):
        return italic(option.names[0])
    return ", ".join(map(bold, option.names)) + value


def described(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, meaning in pairs:
        yield from (".TP", name, said(sentence(meaning)))


# --- roff -------------------------------------------------------------------------------------------

DASH = "\\-"


def bold(text: str) -> str:
    return f"\\fB{escaped(text)}\\fR"


def italic(text: str) -> str:
    return f"\\fI{escaped(text)}\\fR"


def escaped(text: str) -> str:
    """ASCII that roff shows as it is: hyphens that can be copied, no character that begins a command."""
    plain = text.replace("\\", "\\e").replace("-", DASH).replace("~", "\\(ti").replace("'", "\\(aq")
    plain = plain.replace("^", "\\(ha").replace("`", "\\(ga").replace('"', "\\(dq")
    return "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in plain)


def said(text: str) -> str:
    line = escaped(text)
    return f"\\&{line}" if line.startswith(".") else line


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


# --- the script ---------------------------------------------------------------------------------------


def committed() -> datetime:
    """When this tree was committed, so that the page does not change by itself."""
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return datetime.fromtimestamp(int(done.stdout or 0), UTC)


def objections(path: Path) -> list[str]:
    """What each checker that is at hand says about the page; nothing is what it should say."""
    found = []
    for name, *options in CHECKERS:
        if shutil.which(name) is None:
            print(f"SKIP {name}: not installed", file=sys.stderr)
            continue
        done = subprocess.run([name, *options, str(path)], capture_output=True, text=True, check=False)
        told = done.stderr + (done.stdout if name == "mandoc" else "")
        found += [f"{name}: {line}" for line in told.splitlines()]
        if done.returncode and not told:
            found.append(f"{name}: exit code {done.returncode}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist/waiaas.1", metavar="FILE")
    parser.add_argument("--check", action="store_true", help="let groff, mandoc and man look at it")
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(page(committed()), encoding="ascii")
    found = objections(arguments.output) if arguments.check else []
    print("\n".join((*found, str(arguments.output))))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
