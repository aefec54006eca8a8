"""A frozen change, examined before anybody signs or publishes it: nothing in its folder is trusted.

The roots in it must lead to one another, the targets in force must be signed under the newest of
them, what is to be signed must be the next version of that and say nothing that describe.py would not
show, the artefacts must be what it says of them, and every signature that has arrived must fit.
`trusted` ties the chain to a root of trust that the holder keeps on their own machine.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Signature, Targets
from tuf.api.serialization import DeserializationError

from waiaas.core.errors import WaiaasError
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.host.files import sha256
from waiaas.release import artefact, keys
from waiaas.release import root as roots
from waiaas.release.pending import Change, Partial, tampered
from waiaas.release.root import SHORT
from waiaas.release.shells import check_target, is_shell, releases_among


@frozen
class Examined:
    """`old`: the root in force, None for a feed's first; `documents`: role -> what is to be signed."""

    change: Change
    old: Metadata[Root] | None
    before: Metadata[Targets] | None
    documents: dict[str, Metadata[Any]]

    @cached_property
    def new(self) -> Metadata[Root] | None:
        """The next root, where keys change."""
        return self.documents.get("root")

    def authorities(self) -> list[Metadata[Root]]:
        """The roots whose keys must sign: that in force, and the next one."""
        return [root for root in (self.old, self.new) if root is not None]

    def may_sign(self, keyid: str) -> list[str]:
        """The roles whose document this key may sign."""
        return [role for role in self.documents if keyid in _keyids(self.authorities(), role)]


def examine(change: Change, trusted: bytes | None = None) -> Examined:
    """Raises TrustRefused `pending-tampered`, `other-root`."""
    try:
        old = roots.follow(change.roots, trusted) if change.roots else None
        before = Metadata[Targets].from_bytes(change.before) if change.before else None
        documents: dict[str, Metadata[Any]] = {}
        if change.root:
            documents["root"] = Metadata[Root].from_bytes(change.root)
        if change.targets:
            documents["targets"] = Metadata[Targets].from_bytes(change.targets)
    except (DeserializationError, RepositoryError) as problem:
        raise tampered(str(problem)) from problem
    found = Examined(change, old, before, documents)
    _check_versions(found)
    _check_nothing_hidden(found)
    _check_payloads(found)
    for signature in change.signatures:
        _attach(found, signature)
    return found


def _check_versions(found: Examined) -> None:
    if found.before is not None and (found.old is None or not roots.fits(found.old, "targets", found.before)):
        raise tampered("the targets in force are not signed under the root in force")
    old = {"root": found.old, "targets": found.before}
    for role, document in found.documents.items():
        before = old[role]
        version = document.signed.version
        if role == "root" and version != (before.signed.version + 1 if before else 1):
            raise tampered(f"root has version {version}")
        if before is not None and version <= before.signed.version:
            raise tampered(f"{role} has version {version}, and {before.signed.version} is in force")
    if found.old is None and (found.new is None or found.change.targets):
        raise tampered("the root in force is missing")


def _check_nothing_hidden(found: Examined) -> None:
    """What no holder is shown is as we always write it: another key under an old id, a delegation."""
    for role, document in found.documents.items():
        if document.signed.unrecognized_fields:
            raise tampered(f"{role}.json says more than this tool knows")
    if found.new is not None:
        if not found.new.signed.consistent_snapshot:
            raise tampered("root.json gives up consistent snapshots")
        for keyid, key in found.new.signed.keys.items():
            if keyid != keys.identify(key):
                raise tampered(f"root.json gives the id {keyid[:SHORT]} to another key")
    targets = found.documents.get("targets")
    if targets is not None and targets.signed.delegations is not None:
        raise tampered("targets.json lets somebody else sign")


def _check_payloads(found: Examined) -> None:
    """Each artefact is one that the targets name, byte for byte, and is what they say of it."""
    targets = found.documents.get("targets")
    named = {}
    for target in targets.signed.targets.values() if targets else ():
        try:
            check_target(target)
        except WaiaasError as problem:
            raise tampered(problem.message) from problem
        named[target.get_prefixed_paths()[0]] = target
    for name, path in found.change.payloads.items():
        if name not in named:
            raise tampered(f"targets/{name} is not named by targets.json")
        if sha256(path) != named[name].hashes["sha256"]:
            raise tampered(f"targets/{name} has other bytes than targets.json says")
        if not is_shell(named[name].path):
            _check_artefact(path, releases_among([named[name]])[0])


def _check_artefact(path: Path, release: Release) -> None:
    try:
        inside = artefact.read(path)
    except WaiaasError as problem:
        raise tampered(problem.message) from problem
    said = (release.version, release.commit, release.built, release.python, release.schema)
    if said != (inside.version, inside.commit, inside.built, inside.python, inside.schema):
        raise tampered(f"{release.target} says something else about itself than targets.json")


def _attach(found: Examined, partial: Partial) -> None:
    """Add a partial signature to its document, if it fits."""
    document = found.documents.get(partial.role)
    who = f"the signature by {partial.keyid[:SHORT]}"
    if document is None:
        raise tampered(f"{who} is for {partial.role}, which does not change")
    if partial.keyid not in _keyids(found.authorities(), partial.role):
        raise tampered(f"{who} is by no {partial.role} key of this feed")
    known = (root.signed.keys.get(partial.keyid) for root in found.authorities())
    key = next(key for key in known if key is not None)
    signature = Signature(partial.keyid, partial.sig)
    try:
        key.verify_signature(signature, document.signed_bytes)
    except UnverifiedSignatureError as problem:
        raise tampered(f"{who} does not fit {partial.role}.json") from problem
    document.signatures[partial.keyid] = signature


def _keyids(known: Iterable[Metadata[Root]], role: str) -> set[str]:
    return {keyid for root in known for keyid in root.signed.roles[role].keyids}
