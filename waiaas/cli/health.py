"""`waiaas health`: one poll of the daemon, for monitors and containers, in a few milliseconds (PRF-2).

Reached before argparse, settings and JSON are imported: it needs a socket and two numbers out of
`daemon.json`. The daemon's own words are printed as they came.
"""

from collections.abc import Mapping, Sequence

from waiaas.cli.flags import Flags
from waiaas.cli.output import Result
from waiaas.cli.where import data_dir
from waiaas.core.errors import Exit, NotReady, UsageError, WaiaasError

TYPE_CHECKING = False  # importing `typing` costs more than the whole answer may take
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context

TIMEOUT = 5.0  # seconds
BUDGET = 1 << 16  # bytes of an answer
ASK = "waiaas health --help"


def run(args: "argparse.Namespace", context: "Context") -> Result:
    words = ["--timeout", str(args.timeout)] + (["--url", args.url] if args.url else [])
    return answer(words, context.flags, context.host.environ)


def answer(words: Sequence[str], flags: Flags, environ: Mapping[str, str]) -> Result:
    """Poll once. Raises NotReady (exit 3), and WaiaasError (exit 1) where what answers is not well."""
    url, timeout = _arguments(words)
    status, body = _poll(url, timeout, flags, environ)
    text = body.decode("utf-8", "replace").strip()
    healthy = status == 200 and '"status"' in text
    if not healthy and not text.startswith("{"):
        raise WaiaasError(
            "unhealthy", f"what answers there is no WAIaaS daemon (HTTP {status})", "waiaas status"
        )
    return Result(_document(text) if flags.json else None, text, Exit.OK if healthy else Exit.FAILED)


def _arguments(words: Sequence[str]) -> tuple[str | None, float]:
    given = {"--url": "", "--timeout": str(TIMEOUT)}
    following = iter(words)
    for word in following:
        name, equals, value = word.partition("=")
        value = value if equals else next(following, "")
        if name not in given or not value:
            why = f"{name} needs a value" if name in given else f"unknown argument {word}"
            raise UsageError("bad-arguments", f"waiaas health: {why}", ASK)
        given[name] = value
    try:
        timeout = float(given["--timeout"])
    except ValueError:
        timeout = 0.0
    if not 0 < timeout <= 3600:
        raise UsageError("bad-arguments", "waiaas health: --timeout takes seconds, up to 3600", ASK)
    return given["--url"] or None, timeout


def _poll(url: str | None, timeout: float, flags: Flags, environ: Mapping[str, str]) -> tuple[int, bytes]:
    if url and url.startswith("https://"):
        return _poll_https(url, timeout, flags, environ)
    from waiaas.host.http import local_health
    from waiaas.host.problems import NetworkProblem

    if url:
        (host, port), private = _from_url(url), None
        _refuse_if_offline(host, flags, environ)
    else:
        host, port, private = _from_daemon(data_dir(flags.data_dir, environ))
    try:
        return local_health(host, port, timeout, private=private, sure=True)
    except NetworkProblem as problem:
        if problem.code == "network-refused":
            raise _nobody(url, problem) from problem
        if problem.code == "network-timeout":
            own = "`waiaas logs` may say why; `waiaas restart` starts it anew"
            problem.hint = "look at that machine, or wait longer: --timeout S" if url else own
        raise


def _nobody(url: str | None, problem: WaiaasError) -> NotReady:
    """The daemon that was asked for is another one than `start` would start, where somebody named it."""
    if not url:
        return NotReady("not-running", "the daemon is not running", "waiaas start --detach")
    why = str(getattr(problem.__cause__, "strerror", None) or problem.__cause__)
    hint = "check the address, and on that machine: waiaas status"
    return NotReady("not-running", f"nothing answers at {url} ({why[:1].lower()}{why[1:]})", hint)


def _offline(flags: Flags, environ: Mapping[str, str]) -> bool:
    return flags.offline or environ.get("WAIAAS_OFFLINE", "").lower() in ("1", "true", "yes", "on")


def _refuse_if_offline(host: str, flags: Flags, environ: Mapping[str, str]) -> None:
    """No outgoing connection at all (CLI-6): this machine is none."""
    number = host.replace(".", "").isdigit() and host.startswith(("127.", "0.0.0.0"))  # noqa: S104 - compared
    if _offline(flags, environ) and not number and host not in ("localhost", "::1", "::"):
        raise WaiaasError(
            "network-offline",
            f"{host} is another machine, and WAIaaS was told to stay offline",
            "leave out --offline and unset WAIAAS_OFFLINE",
        )


def _from_url(url: str) -> tuple[str, int]:
    """http://HOST:PORT with or without /health; a name in brackets is an IPv6 address."""
    scheme, _, rest = url.partition("://")
    name, _, path = rest.partition("/")
    host, colon, port = name.rpartition(":") if not name.endswith("]") else (name, "", "")
    host, port = (host, port) if colon else (name, "80")
    if scheme != "http" or not host or not (port.isascii() and port.isdigit()) or path not in ("", "health"):
        raise UsageError("bad-url", f"{url} is no address of a daemon", "write it like http://127.0.0.1:3100")
    return host.strip("[]"), int(port)


def _from_daemon(directory: str) -> tuple[str, int, str | None]:
    """What the running daemon wrote down: host, port, private socket. Raises NotReady."""
    try:
        known = _described(f"{directory}/daemon.json")
    except (FileNotFoundError, NotADirectoryError) as problem:
        raise _not_ready(directory) from problem
    except PermissionError as problem:
        from pathlib import Path

        from waiaas.cli.closed import closed

        raise closed(Path(directory), ("health",)) from problem
    port = _member(known, "port")
    if not (port.isascii() and port.isdigit()):
        raise _not_ready(directory)
    return _member(known, "hostname") or "127.0.0.1", int(port), _private_socket(known)


def _described(name: str) -> str:
    """Whatever lies there under that name, it is not waited for."""
    import os

    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        return os.read(descriptor, 4096).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def _private_socket(known: str) -> str | None:
    """None where the daemon could not make one: its path was too long, say."""
    path = _member(known, "socket")
    if "\\" in path:  # a name that JSON has to escape: rare, and worth the import then
        import json

        try:
            path = str(json.loads(known)["socket"])
        except (ValueError, LookupError, TypeError, RecursionError):
            return None
    return path if path.startswith("/") else None


def _member(document: str, name: str) -> str:
    """One member of a flat JSON object of our own making, as text; its escapes are left as they are."""
    value = document.partition(f'"{name}":')[2].lstrip()
    return value[1:].partition('"')[0] if value.startswith('"') else value.partition(",")[0].strip(" }\n")


def _not_ready(directory: str) -> NotReady:
    import os

    if any(os.path.exists(f"{directory}/{name}") for name in ("installation.json", "config.toml")):  # noqa: PTH110
        return NotReady("not-running", "the daemon is not running", "waiaas start --detach")
    return NotReady("not-initialised", f"{directory} is not initialised", "waiaas init")


def _poll_https(url: str, timeout: float, flags: Flags, environ: Mapping[str, str]) -> tuple[int, bytes]:
    from waiaas.host.clock import Clock
    from waiaas.host.http import Network
    from waiaas.host.problems import HttpStatus

    network = Network(environ, Clock(), _offline(flags, environ))
    try:
        return 200, network.get(url, timeout, BUDGET)
    except HttpStatus as problem:
        return problem.status, b""


def _document(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise WaiaasError("unhealthy", "what answers there does not speak JSON", "waiaas status") from problem
