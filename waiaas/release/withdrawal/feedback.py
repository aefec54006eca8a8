"""What users say: issues by severity, from their labels, and how many are about one version (W-06)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.release.withdrawal.kinds import LEVELS

FIELDS = "number,title,body,labels,comments,reactionGroups"
WORD = re.compile(r"[a-z]+")


@frozen
class Feedback:
    """Counts by level. `comments` and `reactions`: on the issues about the version."""

    open: dict[str, int]
    about: dict[str, int]
    comments: int
    reactions: int


def level_of(labels: Iterable[str]) -> str:
    """The gravest level that a label names (`critical`, `severity: high`, `severity/low`), else none."""
    words = {word for label in labels for word in WORD.findall(label.lower())}
    return next((level for level in LEVELS if level in words), "none")


def is_about(text: str, version: Version) -> bool:
    """Whether a text names this version, and not merely one that begins or ends like it."""
    return bool(re.search(rf"(?<![0-9.]){re.escape(str(version))}(?!-rc|\.?[0-9])", text))


def count(issues: Iterable[Mapping[str, Any]], version: Version) -> Feedback:
    """From the open issues, as `gh` lists them with FIELDS."""
    found = Feedback(dict.fromkeys(LEVELS, 0), dict.fromkeys(LEVELS, 0), 0, 0)
    comments = reactions = 0
    for issue in issues:
        level = level_of(label["name"] for label in issue["labels"])
        found.open[level] += 1
        if is_about(f"{issue['title']}\n{issue['body']}", version):
            found.about[level] += 1
            comments += len(issue["comments"])
            reactions += sum(group["users"]["totalCount"] for group in issue["reactionGroups"])
    return Feedback(found.open, found.about, comments, reactions)
