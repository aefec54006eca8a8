"""CREATE texts as tokens: to compare CHECKs however they are written, and to edit one in place."""

import re

from waiaas.core.value import frozen

TOKEN = re.compile(
    r"""\s+ | --[^\n]* | /\*.*?\*/
    | (?P<string>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | [^\W\d][\w$]*)
    | (?P<other>\d+(?:\.\d+)? | [<>=!|]{2} | .)""",
    re.VERBOSE | re.DOTALL,
)


@frozen
class Token:
    """`text` is lower-case and unquoted but for string literals; `start`, `end` are offsets."""

    text: str
    start: int
    end: int


def tokens(sql: str) -> list[Token]:
    """Spaces and comments are left out."""
    return [
        Token(_normal(match), match.start(), match.end()) for match in TOKEN.finditer(sql) if match.lastgroup
    ]


def checks(found: list[Token]) -> list[str]:
    """Each CHECK expression of a CREATE TABLE, normalised: spacing, case, quotes, order of IN lists."""
    return sorted(
        _expression([token.text for token in found[at + 2 : closing(found, at + 1)]])
        for at in range(len(found) - 1)
        if found[at].text == "check" and found[at + 1].text == "("
    )


def closing(found: list[Token], at: int) -> int:
    """The index of the parenthesis that closes the one at `at`. Raises ValueError."""
    depth = 0
    for index in range(at, len(found)):
        depth += {"(": 1, ")": -1}.get(found[index].text, 0)
        if depth == 0:
            return index
    raise ValueError("unbalanced parentheses")


def with_value_allowed(sql: str, column: str, value: str) -> str:
    """The CREATE text with `value` added to `CHECK (column IN (…))`; unchanged where it is there.

    Raises ValueError where the text has no such CHECK.
    """
    found = tokens(sql)
    words = [token.text for token in found]
    wanted = ["check", "(", column, "in", "("]
    for at in range(len(words) - len(wanted)):
        if words[at : at + len(wanted)] == wanted:
            opening = at + len(wanted) - 1
            end = closing(found, opening)
            if f"'{value}'" in words[opening:end]:
                return sql
            return f"{sql[: found[end].start]}, '{value}'{sql[found[end].start :]}"
    raise ValueError(f"there is no CHECK ({column} IN …)")


def with_name(sql: str, name: str) -> str:
    """The CREATE TABLE text for a table of another name; references to the old one stay."""
    found = tokens(sql)
    old = found[next(index for index, token in enumerate(found) if token.text == "(") - 1]
    return f'{sql[: old.start]}"{name}"{sql[old.end :]}'


def _normal(match: re.Match[str]) -> str:
    text = match.group()
    if match.lastgroup != "name":
        return text
    if text[0] in '"`':
        text = text[1:-1].replace(text[0] * 2, text[0])
    elif text[0] == "[":
        text = text[1:-1]
    return text.lower()


def _expression(words: list[str]) -> str:
    """The words in one line; the values of each IN list, which are all literals here, sorted."""
    out: list[str] = []
    at = 0
    while at < len(words):
        if words[at] == "in" and words[at + 1 : at + 2] == ["("] and ")" in words[at:]:
            end = words.index(")", at)
            out.append("in " + ",".join(sorted(set(words[at + 2 : end]) - {","})))
            at = end
        else:
            out.append(words[at])
        at += 1
    return " ".join(out)
