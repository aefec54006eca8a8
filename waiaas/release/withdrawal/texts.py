"""The texts of a withdrawal, in English and Korean, from the templates in texts/ (WDR-3).

    notice    for users: what happened, where to go, with which command            (W-11)
    issue     for the repository: reason, impact, actions, planned re-release      (W-12)
    notes     a part that goes above the release notes of the withdrawn version    (W-13)

Every value is escaped here and nowhere else; a template may name only values that exist.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.release.withdrawal.phrases import OUTCOMES, PHRASES, STEPS
from waiaas.release.withdrawal.words import SEVERITIES, markdown

FOLDER = Path(__file__).with_name("texts")
LANGUAGES = ("en", "ko")
BEGIN, END = "<!-- withdrawn: begin -->", "<!-- withdrawn: end -->"
BLOCK = re.compile(rf"{re.escape(BEGIN)}.*?{re.escape(END)}[\r\n]*", re.DOTALL)
WITHDRAWN = "[withdrawn]"
RULE = "\n---\n\n"


@frozen
class Facts:
    """What the texts say. `good`: where `waiaas upgrade` leads; `at`: Unix seconds of the withdrawal.

    `crosses`: the way there crosses a migration. `affected`: downloads of seven days, None if unknown.
    """

    version: Version
    good: Version | None
    at: int
    reason: str
    severity: str
    crosses: bool = False
    fixed_in: Version | None = None
    eta: str = ""
    problems: tuple[int, ...] = ()
    affected: int | None = None
    image: str = ""
    issue: str = ""  # address, once there is one


def notice(facts: Facts, language: str) -> str:
    return _fill("notice", language, _values(facts, language))


def title(facts: Facts) -> str:
    """Begins with what a withdrawal's issue is found by: see `is_titled`."""
    where = f"go to v{facts.good}" if facts.good else "no version to go to yet"
    return f"ROLLBACK: v{facts.version} withdrawn, {where}"


def is_titled(text: str, version: Version) -> bool:
    """Whether an issue of this title is about the withdrawal of `version`."""
    return text.startswith(f"ROLLBACK: v{version} ")


def issue(facts: Facts, outcomes: Mapping[str, str]) -> str:
    """Both languages. `outcomes`: of the steps that have been observed so far, by name."""
    parts = []
    for language in LANGUAGES:
        lines = [_action(language, name, outcomes.get(name)) for name in STEPS]
        parts.append(_fill("issue", language, _values(facts, language) | {"actions": "\n".join(lines)}))
    return RULE.join(parts)


def announcement(facts: Facts) -> str:
    """The notice in both languages, with the mark by which a comment of ours is known again."""
    return f"{mark(facts.version)}\n" + RULE.join(notice(facts, language) for language in LANGUAGES)


def mark(version: Version) -> str:
    return f"<!-- notice of the withdrawal of {version} -->"


def notes(facts: Facts) -> str:
    """What goes above the old release notes, in both languages."""
    parts = [_fill("notes", language, _values(facts, language)) for language in LANGUAGES]
    return f"{BEGIN}\n{RULE.join(parts)}{END}\n"


def applied(body: str, block: str) -> str:
    """Release notes with the block above them; applying it again changes nothing."""
    rest = BLOCK.sub("", body).lstrip("\r\n")
    return f"{block}\n{rest}" if rest.strip() else block


def marked_title(name: str, version: Version) -> str:
    """The title of a release, saying that it is withdrawn."""
    shown = name.strip() or f"v{version}"
    return shown if WITHDRAWN in shown else f"{shown} {WITHDRAWN}"


def plan(version: Version, language: str, values: Mapping[str, str]) -> str:
    """The prevention plan (W-16); `values` are texts of ours and escaped words of the maker."""
    return _fill("plan", language, {"version": str(version), **values})


def _values(facts: Facts, language: str) -> dict[str, str]:
    say = PHRASES[language]
    moment = datetime.fromtimestamp(facts.at, UTC)
    good = str(facts.good) if facts.good else say["none yet"]
    issues = ", ".join(f"#{number}" for number in facts.problems) or say["none recorded"]
    values = {
        "version": str(facts.version),
        "good": good,
        "use": say["use"].format(good) if facts.good else say["nowhere"],
        "date": f"{moment:%Y-%m-%d}",
        "time": f"{moment:%H:%M}",
        "reason": markdown(facts.reason),
        "severity": SEVERITIES[facts.severity][LANGUAGES.index(language)],
        "fixed": _fixed(facts, say),
        "status": say["in progress"].format(_fixed(facts, say)),
        "planned": say["planned"].format(_fixed(facts, say), facts.version),
        "issues": issues,
        "problems": say["problems"].format(issues),
        "affected": say["affected"].format(facts.affected) if facts.affected is not None else say["unknown"],
        "data": say["nowhere"] if not facts.good else say["crossing" if facts.crosses else "kept"],
        "image": facts.image,
        "more": "\n".join([f"- {say['problems'].format(issues)}", *_links(facts, say)]),
    }
    way = "crossing" if facts.crosses else "upgrade"
    values["way"] = _fill(f"way-{way if facts.good else 'nowhere'}", language, values).strip()
    box = "container-crossing" if facts.crosses else "container"
    values["container"] = _fill(box, language, values).strip() if facts.image and facts.good else ""
    return values


def _links(facts: Facts, say: Mapping[str, str]) -> list[str]:
    return [f"- {say['issue']}: {facts.issue}"] if facts.issue else []


def _fixed(facts: Facts, say: Mapping[str, str]) -> str:
    version = str(facts.fixed_in) if facts.fixed_in else say["next patch"]
    return say["expected"].format(version, facts.eta) if facts.eta else say["preparing"].format(version)


def _action(language: str, name: str, outcome: str | None) -> str:
    ticked = "x" if outcome in ("done", "not-needed") else " "
    return f"- [{ticked}] {STEPS[name][language]}: {OUTCOMES[outcome or 'pending'][language]}"


def _fill(name: str, language: str, values: Mapping[str, str]) -> str:
    """A template with its values; raises KeyError for one that does not exist. No empty paragraphs."""
    text = Template((FOLDER / f"{name}.{language}.md").read_text(encoding="utf-8")).substitute(values)
    return re.sub(r"\n{3,}", "\n\n", text)
