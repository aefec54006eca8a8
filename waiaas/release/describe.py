"""What a frozen change says, in words, for whoever is about to sign it."""

from collections.abc import Iterator, Mapping
from typing import Any

from waiaas.core.release import Release, Rollout
from waiaas.core.value import fields
from waiaas.release.examine import Examined
from waiaas.release.root import ROLES, SHORT
from waiaas.release.shells import releases_among, shells_among


def lines(found: Examined, *, everything: bool) -> list[str]:
    """One line a fact. `everything`: name what stays, too, because nothing proves that it was there."""
    said: list[str] = []
    for role, document in found.documents.items():
        until = f"{document.signed.expires:%Y-%m-%d}"
        said.append(f"{role} version {document.signed.version}, valid until {until}")
        words = _keys(found) if role == "root" else _targets(found, document.signed.targets, everything)
        said += [f"  {line}" for line in words]
    return ["".join(c if c.isprintable() else "?" for c in line) for line in said]


def _keys(found: Examined) -> Iterator[str]:
    new = found.documents["root"].signed
    old = found.old.signed.roles if found.old is not None else {}
    same = True
    for role in ROLES:
        now = new.roles[role]
        keyids, threshold = (old[role].keyids, old[role].threshold) if old else ([], 0)
        changes = [f"{keyid[:SHORT]} joins" for keyid in now.keyids if keyid not in keyids]
        changes += [f"{keyid[:SHORT]} leaves" for keyid in keyids if keyid not in now.keyids]
        if changes or threshold != now.threshold:
            same = False
            yield f"{role}: {', '.join([*changes, f'{now.threshold} of {len(now.keyids)} keys sign'])}"
    if same:
        yield "every key and threshold stays as it is"


def _targets(found: Examined, targets: Mapping[str, Any], everything: bool) -> Iterator[str]:
    before = found.before.signed.targets if found.before is not None else {}
    old, stays = {r.target: r for r in releases_among(before.values())}, 0
    for release in releases_among(targets.values()):
        was = old.get(release.target)
        if was is None:
            yield f"new: {_named(release)}"
        elif targets[release.target] != before[release.target]:
            yield from _differences(was, release)
        elif everything:
            yield f"as before: {_named(release)}"
        else:
            stays += 1
    for shell in shells_among(targets.values()):
        if shell.target not in before:
            yield f"new: desktop shell {shell.version} for {shell.platform} (sha256 {shell.sha256})"
        elif everything or targets[shell.target] != before[shell.target]:
            word = "as before" if targets[shell.target] == before[shell.target] else "CHANGED"
            yield f"{word}: desktop shell {shell.version} for {shell.platform} (sha256 {shell.sha256})"
    yield from (f"REMOVED: {path}" for path in before if path not in targets)
    if stays:
        yield f"as before: {stays} other release{'s' if stays > 1 else ''}"


def _named(release: Release) -> str:
    terms = [release.channel, f"seq {release.seq}"]
    terms += [f"rollout {_shown('rollout', release.rollout)}"] if release.rollout else []
    terms += ["critical"] if release.critical else []
    terms += [f"nothing below {release.min_safe} any more"] if release.min_safe else []
    gone = " WITHDRAWN" if release.withdrawn else ""
    return f"{release.version} ({', '.join([*terms, f'sha256 {release.sha256}'])}){gone}"


def _differences(was: Release, now: Release) -> Iterator[str]:
    """What is said differently of one release."""
    names = [declared.name for declared in fields(Release)]
    changed = [name for name in names if getattr(was, name) != getattr(now, name)]
    for name in changed:
        if name == "withdrawn" and now.withdrawn is not None:
            to = f"users go to {now.withdrawn.to}" if now.withdrawn.to else "there is nowhere to go"
            yield f"WITHDRAWN: {now.version} ({now.withdrawn.severity}): {now.withdrawn.reason}; {to}"
        else:
            before, after = _shown(name, getattr(was, name)), _shown(name, getattr(now, name))
            yield f"changed: {now.version}: {name} {before} → {after}"
    if not changed:
        yield f"CHANGED: {now.version}, in a way that this tool does not know"


def _shown(name: str, value: object) -> str:
    if isinstance(value, Rollout):
        return f"{value.steps[-1][1]} %" if value.steps else "0 %"
    if value is None:
        return "everybody" if name == "rollout" else "none"
    return str(value)
