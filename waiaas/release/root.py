"""The root of trust as a document: who may sign what, how many of them, and until when (FEED-1).

Only public halves are here. A root is changed by making the next one; clients follow it when enough
root keys of the old one and of the new one have signed (TUF 5.3.4).
"""

import copy
import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root
from tuf.api.serialization import DeserializationError

from waiaas.core.errors import TrustRefused, UsageError, WaiaasError
from waiaas.core.value import field, frozen
from waiaas.host.clock import Clock

NUMBER_OF_KEYS = {"root": 3, "targets": 3, "snapshot": 1, "timestamp": 1}
LIFETIME = {"root": 730, "targets": 182, "snapshot": 35, "timestamp": 14}  # days (FEED-1)
ROLES = tuple(NUMBER_OF_KEYS)
SHORT = 8  # characters of a key id that are shown


@frozen
class Turnover:
    """How keys change. `join`: role -> keys; `leave`: beginnings of key ids; `thresholds`: role -> number."""

    join: Mapping[str, Sequence[Key]] = field(default_factory=dict)
    leave: Sequence[str] = ()
    thresholds: Mapping[str, int] = field(default_factory=dict)


def first(
    holders: Mapping[str, Sequence[Key]], thresholds: Mapping[str, int], clock: Clock
) -> Metadata[Root]:
    """Version 1, not yet signed: the keys of each role, and how many of them must sign."""
    root = Metadata(Root(version=1, expires=lifetime_end(clock, "root"), consistent_snapshot=True))
    for role in ROLES:
        for key in holders[role]:
            _admit(root.signed, key, role)
        _need(root.signed, role, thresholds.get(role, 1))
    return root


def changed(old: Metadata[Root], turnover: Turnover, clock: Clock) -> Metadata[Root]:
    """The next root, not yet signed, with a full lifetime. An empty turnover gives just that."""
    new = copy.deepcopy(old)
    new.signatures.clear()
    new.signed.version += 1
    new.signed.expires = lifetime_end(clock, "root")
    for wanted in turnover.leave:
        role, keyid = holder(old, wanted)
        new.signed.revoke_key(keyid, role)
    for role, joining in turnover.join.items():
        for key in joining:
            _admit(new.signed, key, role)
    for role in ROLES:
        _need(new.signed, role, turnover.thresholds.get(role, old.signed.roles[role].threshold))
    return new


def holder(root: Metadata[Root], wanted: str) -> tuple[str, str]:
    """Role and id of the key whose id begins with `wanted`; raises UsageError `unknown-key`."""
    every = [(role, keyid) for role in ROLES for keyid in root.signed.roles[role].keyids]
    found = [pair for pair in every if wanted and pair[1].startswith(wanted)]
    if len(found) != 1:
        raise _unknown(wanted)
    return found[0]


def choose_key(keyids: Sequence[str], wanted: str) -> str:
    """The key whose id begins with `wanted`; for "", the one that has served longest."""
    matching = [keyid for keyid in keyids if keyid.startswith(wanted)]
    if not matching or (wanted and len(matching) > 1):
        raise _unknown(wanted)
    return matching[0]


def lifetime_end(clock: Clock, role: str) -> datetime:
    """When metadata of the role expires that is signed now."""
    return clock.utc().replace(microsecond=0) + timedelta(days=LIFETIME[role])


def require(root: Metadata[Root], role: str, metadata: Metadata[Any]) -> None:
    """Raise WaiaasError `signatures-missing` unless enough keys of the role have signed."""
    result = root.signed.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    if not result.verified:
        raise WaiaasError(
            "signatures-missing",
            f"{role} carries {len(result.signed)} of the {result.threshold} signatures it needs",
            f"let holders of {role} keys sign, or name the folder of the keys with --keys or --online",
        )


def fits(root: Metadata[Root], role: str, metadata: Metadata[Any]) -> bool:
    """Whether enough keys of the role have signed."""
    return lacking(root, role, metadata) == 0


def lacking(root: Metadata[Root], role: str, metadata: Metadata[Any]) -> int:
    """How many signatures of the role are missing."""
    result = root.signed.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    return max(0, result.threshold - len(result.signed))


def follow(chain: Sequence[bytes], trusted: bytes | None = None) -> Metadata[Root]:
    """The last root of a chain (one at least), oldest first, each signed by itself and the one before it.

    `trusted`: a root that must be one of them. Raises TrustRefused `other-root`.
    """
    try:
        roots = [Metadata[Root].from_bytes(data) for data in chain]
        mine = Metadata[Root].from_bytes(trusted) if trusted is not None else roots[0]
    except DeserializationError as problem:
        raise _other(f"a root of trust cannot be read: {problem}") from problem
    for old, new in itertools.pairwise([roots[0], *roots]):
        step = new.signed.version - old.signed.version
        if not fits(old, "root", new) or not fits(new, "root", new) or (step != 1 and new is not roots[0]):
            raise _other(f"root version {new.signed.version} does not follow from the one before it")
    if all(root.signed != mine.signed for root in roots):
        raise _other("your root of trust is none of those that lead to this change")
    return roots[-1]


def _other(message: str) -> TrustRefused:
    return TrustRefused("other-root", message, "get the folder again from whoever prepared it, and say so")


def _unknown(wanted: str) -> UsageError:
    return UsageError("unknown-key", f"no single key begins with {wanted}", "see `status --feed F`")


def _admit(root: Root, key: Key, role: str) -> None:
    for other in ROLES:
        if key.keyid in root.roles[other].keyids:
            raise UsageError(
                "key-in-use",
                f"the key {key.keyid[:SHORT]} serves {other} already, and a key serves one role",
                "make another with `new-key --dir D`",
            )
    root.add_key(key, role)


def _need(root: Root, role: str, threshold: int) -> None:
    there = len(root.roles[role].keyids)
    if not 1 <= threshold <= there:
        raise UsageError(
            "bad-threshold",
            f"{role} has {there} keys and cannot need {threshold} of them",
            "name more keys, or another threshold",
        )
    root.roles[role].threshold = threshold
