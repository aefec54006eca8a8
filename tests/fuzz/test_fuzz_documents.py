"""Documents that somebody else wrote, or a disk has spoilt: journal, `custom`, settings, manifest, health."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.fuzz_kit import DEEP, Deep, anything, as_bytes, damaged, fuzz
from waiaas.core import health, journal
from waiaas.core.check import CheckOutcome
from waiaas.core.errors import RollbackFailed, TrustRefused, WaiaasError
from waiaas.core.release import Release, from_custom, to_custom
from waiaas.core.settings import KEYS, Settings, parse
from waiaas.core.settings_values import accept
from waiaas.host.files import Files
from waiaas.store import backup, manifest
from waiaas.upgrade.floors import Floor, Floors

TARGET, LENGTH, DIGEST = "waiaas-1.9.0.pyz", 1000, "a" * 64
CUSTOM: dict[str, Any] = {
    "format": 1,
    "version": "1.9.0",
    "seq": 7,
    "minSafe": "1.8.0",
    "channel": "stable",
    "commit": "0" * 40,
    "built": 1_700_000_000,
    "schema": {"reads": [11, 17], "writes": 17, "compatibleBackTo": 16},
    "minFrom": None,
    "via": ["1.8.5"],
    "python": ">=3.11",
    "notes": "https://example.test/notes",
    "critical": False,
    "withdrawn": {"at": 1, "reason": "bad", "severity": "high", "to": "1.8.0"},
    "rollout": {"start": 1, "steps": [[0, 10], [24, 100]]},
}
EVENTS: list[dict[str, Any]] = [
    {"event": "opened", "at": 1.5, "facts": {"run": "r1", "format": 1, "from": "1.8.0", "to": "1.9.0"}},
    {"event": "intent", "at": 2, "step": "swap", "facts": {"digest": "x"}},
    {"event": "done", "at": 3, "step": "swap"},
    {"event": "attempt", "at": 4},
    {"event": "committed", "at": 5},
    {"event": "closed", "at": 6, "facts": {"outcome": "committed"}},
]
MANIFEST: dict[str, Any] = {
    "format": 1,
    "id": "pre-upgrade-1.8.0-20261120T000000Z-aa",
    "kind": "upgrade",
    "version": "1.8.0",
    "schemaVersion": 16,
    "createdAt": "2026-11-20T00:00:00Z",
    "createdAtUnix": 1763596800.5,
    "files": {"waiaas.db": {"bytes": 0, "sha256": DIGEST}, "config.toml": {"bytes": 3, "sha256": DIGEST}},
    "rows": {"wallets": 3},
}
HEALTH: dict[str, Any] = {
    "status": "ok",
    "version": "1.8.0",
    "latestVersion": None,
    "updateAvailable": False,
    "schemaVersion": 16,
    "uptime": 1,
    "timestamp": 2,
    "implementation": "python",
    "withdrawn": None,
    "probation": False,
}


# --- the journal

lines = st.one_of(*(damaged(event) for event in EVENTS), *map(st.just, EVENTS)).map(as_bytes)
journals = st.lists(lines | st.binary(max_size=30), max_size=6).map(lambda found: b"\n".join([*found, b""]))
after_a_plan = journals.map(lambda rest: as_bytes(EVENTS[0]) + b"\n" + rest)


@fuzz(600)
@given(st.binary(max_size=300) | journals | after_a_plan, st.integers(0, 3))
@example(as_bytes(EVENTS[0]) + b'\n{"event": "attempt", "at": ' + b"1" * 400 + b"}\n", 0)
@example(as_bytes(EVENTS[0]) + b'\n{"event": "attempt", "at": ' + b"1" * 5000 + b"}\n", 0)
@example(b'{"event": "opened", "at": NaN, "facts": {"run": 1, "format": 1}}\n', 0)
@example(Deep(DEEP + b"\n"), 0)
def test_any_journal_adds_up_or_is_refused__UPGR_06(content: bytes, torn: int) -> None:
    """A torn last line never counts; what adds up can be told and written into the history."""
    try:
        state = journal.fold(journal.decode(content[: len(content) - torn]))
    except RollbackFailed as refused:
        assert refused.code in ("journal-damaged", "journal-from-the-future")
        assert refused.hint
        return
    if state is not None:
        told = json.loads(json.dumps(journal.record(state), allow_nan=False))
        assert told["run"] == state.run
        assert len(state.to_undo) <= len(state.steps)
        journal.to_roll_back([told], "/data")


@fuzz(300)
@given(st.lists(anything | damaged(EVENTS[0]), max_size=4))
def test_any_history_is_searched_without_a_fall__UPGR_04(found: list[Any]) -> None:
    runs = [run for run in found if isinstance(run, dict)]
    usual = {"run": "r", "dataDir": "/data", "outcome": "committed", "kind": "upgrade"}
    mixed = [{**usual, **run} for run in runs] + [{**usual, "kind": "rollback", **run} for run in runs]
    assert journal.to_roll_back([*mixed, {**usual, "run": "newest"}], "/data")


# --- what a target's `custom` says


@fuzz(800)
@given(anything | damaged(CUSTOM), st.just(TARGET) | st.text(max_size=20), st.just(LENGTH) | st.integers())
@example(CUSTOM, TARGET, LENGTH)
def test_any_custom_is_a_release_or_refused__FEED_3(custom: Any, target: str, length: int) -> None:
    try:
        release = from_custom(custom, target, length, DIGEST)
    except TrustRefused as refused:
        assert refused.code == "bad-release-data"
        refused.message.encode()
        return
    assert isinstance(release, Release)
    assert from_custom(to_custom(release), target, length, DIGEST) == release
    assert json.loads(json.dumps(to_custom(release))) == to_custom(release)
    release.runs_on((3, 11, 0))
    if release.rollout:
        assert 0 <= release.rollout.percent(1e9) <= 100


# --- settings

TOML = [
    "[daemon]", "[daemon", "[[daemon]]", "[upgrade]", "[rpc]", "[new]", "\n", "\r\n", "\n\n", "=", "# x",
    '"', "'''", '"""', "port = 3100", "port = 'x'", "port = " + "9" * 5000, "log_level = 'warn'",
    "hostname = 1", "daemon = 3", "daemon.port = 1", "[daemon.port]", "keep_backups = 1e400",
    "keep_backups = nan", "when = 2024-02-30", "allowed_hosts = [1, 'a']", "allowed_hosts = [", "]",
    "feed_url = 'https://[x'", "feed_url = 'http://a:b@c'", "trusted_root = '\\u0000'", "\u2028", "\x0c",
    "\x85", "\ud800", "a.b.c.d = {x = 1}", "\ufeff",
]  # fmt: skip
texts = st.text(max_size=80) | st.lists(
    st.sampled_from(TOML) | st.sampled_from(["\n"]) | st.text(max_size=3), max_size=10
).map("".join)
names = st.sampled_from([key.variable for key in KEYS.values()]) | st.text(max_size=8).map("WAIAAS_".__add__)
environs = st.dictionaries(
    names, st.text(max_size=12) | st.sampled_from(["1", "true", "[", '["a"]']), max_size=3
)


@fuzz(800)
@given(
    st.none() | texts, environs, st.dictionaries(st.sampled_from([*KEYS]) | st.text(), st.text(), max_size=2)
)
@example("[daemon]\nport = " + "9" * 5000, {}, {})
def test_any_settings_are_read_with_every_problem_told__CLI_2(
    text: str | None, environ: dict[str, str], flags: dict[str, str]
) -> None:
    for lenient in (False, True):
        parsed = parse(text, environ, flags, lenient=lenient)
        assert isinstance(parsed.settings, Settings)
        for problem in parsed.problems:
            assert str(problem)
            assert problem.line is None or 1 <= problem.line <= (text or "").count("\n") + 1
        for key in KEYS.values():  # whatever was said, each value is one that the rule accepts
            value = getattr(getattr(parsed.settings, key.section), key.name)
            accept(key.rule, list(value) if isinstance(value, tuple) else value)


def test_settings_nested_beyond_every_stack_are_a_problem__CLI_2() -> None:
    assert [str(p) for p in parse("a = " + "[" * 100_000, {}, {}).problems]
    assert parse(None, {"WAIAAS_DAEMON_ALLOWED_HOSTS": "[" * 100_000}, {}).problems


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85"])
def test_only_line_ends_of_toml_end_a_line__CLI_2(odd: str) -> None:
    """Python knows more of them; such a character in a text is no error, and shifts no line number."""
    parsed = parse(f'# {odd}\n[rpc]\nurl = "a{odd}b"\n[daemon]\nport = "x"\n', {}, {})
    assert [problem.line for problem in parsed.problems] == [5]


# --- the manifest of a backup, the floors, the child's answer


@fuzz(500)
@given(st.binary(max_size=60) | st.one_of(anything, damaged(MANIFEST)).map(as_bytes))
@example(as_bytes({**MANIFEST, "createdAtUnix": 10**400}))
@example(as_bytes({**MANIFEST, "files": {**MANIFEST["files"], "x" * 300: {"bytes": 1, "sha256": ""}}}))
@example(as_bytes({**MANIFEST, "files": {**MANIFEST["files"], "\ud800": {"bytes": 1, "sha256": ""}}}))
@example(as_bytes(MANIFEST))
@example(DEEP)
def test_any_manifest_is_a_backup_that_can_be_listed_and_checked_or_none__BKUP_3(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / MANIFEST["id"]
    folder.mkdir(exist_ok=True)
    (folder / manifest.NAME).write_bytes(content)
    found = manifest.read(folder)
    if found is None:
        return
    json.dumps(found.to_json(), allow_nan=False).encode()
    assert found.bytes >= 0
    with pytest.raises(WaiaasError) as refused:  # there is no database in the folder
        backup.verify(found)
    assert refused.value.code == "backup-damaged"
    refused.value.message.encode()


@fuzz(300)
@given(st.binary(max_size=60) | anything.map(as_bytes))
@example(DEEP)
@example(b'{"targetsVersion": 1, "targetsKeys": [], "seq": 1, "signedTime": 2}')
def test_any_floors_are_read_or_warned_of__FEED_8(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "floors.json"
    path.write_bytes(content)
    found, warning = Floors(path, Files()).load()
    assert isinstance(found, Floor) is not bool(warning)


@fuzz(300)
@given(anything | damaged({"latest": "1.9.0", "withdrawn": {"reason": "", "to": None}, "error": None}))
def test_any_answer_of_the_checking_child_is_an_outcome__VCHK_03(document: Any) -> None:
    outcome = CheckOutcome.from_json(document)
    assert CheckOutcome.from_json(outcome.to_json()) == outcome
    assert outcome.latest is not None or outcome.error is not None


# --- health


@fuzz(500)
@given(st.binary(max_size=60) | st.one_of(anything, damaged(HEALTH)).map(as_bytes))
@example(as_bytes(HEALTH))
@example(DEEP)
def test_any_answer_is_a_health_report_or_refused__HLTH_03(body: bytes) -> None:
    try:
        report = health.parse(body)
    except WaiaasError as refused:
        assert refused.code == "bad-health"
        refused.message.encode()
        return
    assert health.from_json(report.to_json()) == report
