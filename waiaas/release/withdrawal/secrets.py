"""What looks like a secret, so that none gets into a record, an issue or a notice.

Three nets: the shapes that well-known tokens and private keys have, the values of this process's own
variables that are called a token or a passphrase, and `password=…` written out. What is found is
named by its kind and line, never repeated.
"""

import re
from collections.abc import Iterator, Mapping

from waiaas.core.errors import WaiaasError
from waiaas.core.value import frozen

SHAPES: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    "a minisign secret key": re.compile(r"minisign (?:encrypted )?secret key", re.IGNORECASE),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    "a package index token": re.compile(r"\b(?:pypi-[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{30,})"),
    "a registry token": re.compile(r"\b(?:dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}|glpat-[A-Za-z0-9_-]{16,})"),
    "a cloud key": re.compile(r"\b(?:AKIA[0-9A-Z]{16}|AIza[A-Za-z0-9_-]{35})"),
    "a chat token": re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    "a password in an address": re.compile(r"://[^/\s:@]+:[^/\s:@*]{3,}@"),
    "a password": re.compile(
        r"(?:pass(?:word|phrase|wd)|api[_-]?key|secret|token)[\"']?\s*[=:]\s*[\"']?"
        r"(?=[^\s\"']*[0-9])[^\s\"'<>{}$*]{12,}",
        re.IGNORECASE,
    ),
}
NAMES = re.compile(r"TOKEN|PASS(?:WORD|PHRASE|WD)|SECRET|_KEY(?:_|$)|LOGINS", re.IGNORECASE)
SHORTEST = 6  # characters; a shorter value would be found everywhere


@frozen
class Found:
    """`what` was found, in which line (from 1)."""

    what: str
    line: int


class Secrets:
    """The nets, with the secret values that this process itself was given."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._known = sorted(set(_values(environ or {})))

    def find(self, text: str) -> list[Found]:
        """Everything in `text` that looks like a secret."""
        spans = [(what, match.start()) for what, shape in SHAPES.items() for match in shape.finditer(text)]
        spans += [("the value of a secret variable", text.index(v)) for v in self._known if v in text]
        return [Found(what, text.count("\n", 0, start) + 1) for what, start in spans]

    def refuse(self, where: str, text: str) -> None:
        """Raise WaiaasError `secret-found` if `text`, about to be written or posted, holds one."""
        for found in self.find(text):
            raise WaiaasError(
                "secret-found",
                f"{where} would hold what looks like {found.what} (line {found.line}); nothing was written",
                "take it out and try again; if it is real and was ever shown, revoke it",
            )

    def withheld(self, text: str) -> str:
        """What another program said, without the lines that look secret."""
        bad = {found.line for found in self.find(text)}
        lines = enumerate(text.split("\n"), 1)
        return "\n".join("[line withheld]" if number in bad else words for number, words in lines)


def _values(environ: Mapping[str, str]) -> Iterator[str]:
    """Every secret value, whole and line by line; of a line like `host user token`, its last word."""
    for name, value in environ.items():
        if NAMES.search(name):
            words = [value, *(line.split()[-1] for line in value.splitlines() if line.strip())]
            yield from (word for word in words if len(word) >= SHORTEST and not word.startswith("-----"))
