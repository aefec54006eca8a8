"""Releases, policies, and what came of a choice, in a word or two."""

from typing import Any

from waiaas.core.choose import Policy, Stay, Upgrade
from waiaas.core.release import Release, SchemaRange, Withdrawal, target_name
from waiaas.core.value import replace
from waiaas.core.version import Version

NOW = 1_795_000_000.0
PYTHON = (3, 12, 1)


def v(text: str) -> Version:
    return Version.parse(text)


def release(version: str, **changes: Any) -> Release:
    parsed = v(version)
    plain = Release(
        version=parsed,
        seq=1,
        min_safe=None,
        channel=parsed.channel,
        commit="",
        built=0,
        schema=SchemaRange(11, 16, 16, 16),
        min_from=None,
        via=(),
        python=">=3.11",
        notes_url="",
        critical=False,
        withdrawn=None,
        rollout=None,
        target=target_name(parsed),
        length=1,
        sha256="0" * 64,
    )
    return replace(plain, **changes)


def gone(to: str | None = None) -> Withdrawal:
    return Withdrawal(0, "it loses wallets", "high", v(to) if to else None)


def policy(**changes: Any) -> Policy:
    return replace(Policy("stable", "", "an-installation", 16, PYTHON, NOW), **changes)


def path(outcome: Upgrade | Stay) -> list[str]:
    assert isinstance(outcome, Upgrade), outcome
    return [str(hop.version) for hop in outcome.path]


def code(outcome: Upgrade | Stay) -> str:
    assert isinstance(outcome, Stay), outcome
    return outcome.code
