"""Records: valid when written, checked when read, never with a secret in them (W-23)."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeClock
from waiaas.core.errors import WaiaasError
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.release.withdrawal import kinds, log
from waiaas.release.withdrawal.case import done
from waiaas.release.withdrawal.records import Shelf
from waiaas.release.withdrawal.secrets import Secrets

V = Version.parse("1.8.1")
AT = "2026-11-20T00:00:00Z"
STEP = {"name": "feed", "outcome": "done", "observed": "seen", "todo": "", "reference": "", "at": AT}
LEVELS = dict.fromkeys(kinds.LEVELS, 0)
CONTENT: dict[str, dict[str, Any]] = {
    "assessment": {
        "entries": [
            {"cause": "security", "urgency": "RED", "at": AT, "earliest": AT, "deadline": AT, "by": "Ada"}
        ],
        "closed": {"at": AT, "by": "Ada", "why": "fixed"},
    },
    "withdrawal": {
        "to": "1.8.0", "goodVersion": "1.8.0", "reason": "bad", "severity": "high", "withdrawnAt": AT,
        "crossesMigration": False, "fixedIn": "1.8.2", "eta": "2026-12-01", "problems": [3], "steps": [STEP],
    },
    "downloads": {"readings": [{"at": AT, "counts": {"v1.8.1": 3}}]},
    "report": {
        "versions": [{"version": "1.8.1", "channel": "stable", "state": "seq 1"}], "current": "1.8.1",
        "failedRuns": [{"id": 1, "title": "t", "branch": "b", "at": "x", "url": "u"}],
        "downloads": {"count": 1, "since": AT}, "issuesAbout": LEVELS, "issuesOpen": LEVELS,
        "comments": 1, "reactions": 2, "community": "c", "package": "p", "commits": ["c"], "unknown": ["u"],
    },
    "evidence": {
        "pieces": [{"name": "types", "outcome": "done", "observed": "0 errors"}], "suggested": "type-error",
        "rootCause": {"name": "type-error", "why": "x", "by": "Ada", "at": AT},
    },
    "checklist": {
        "ticks": {"types": {"passed": True, "by": "Ada", "at": AT, "observed": "x", "commit": "c"}},
    },
}  # fmt: skip


def shelf(folder: Path, environ: dict[str, str] | None = None, files: Files | None = None) -> Shelf:
    return Shelf(folder / "F.records", files or Files(), FakeClock(), "Ada", Secrets(environ))


def about(kind: str) -> Version | None:
    return None if kind == "downloads" else V


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_record_comes_back_as_it_was_written__WDR_2(kind: str, tmp_path: Path) -> None:
    place = shelf(tmp_path)
    path = place.save(kind, about(kind), CONTENT[kind], ["https://x"])
    found = place.load(kind, about(kind))
    assert found is not None
    assert {name: found[name] for name in CONTENT[kind]} == CONTENT[kind]
    assert (found["localOnly"], found["author"], found["updated"]) == (True, "Ada", AT), "W-23"
    assert found["references"] == ["https://x"]
    assert path.stat().st_mode & 0o777 == 0o644


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [found for key, item in inside for found in ((*path, key), *places(item, (*path, key)))]


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_damaged_field_is_found_when_it_is_read__WDR_2(kind: str, tmp_path: Path) -> None:
    """Each place once without its value and once with another type: never believed, never overwritten."""
    place = shelf(tmp_path)
    path = place.save(kind, about(kind), CONTENT[kind])
    good = json.loads(path.read_text())
    for where in places(good):
        for damage in ("drop", "type"):
            bad = copy.deepcopy(good)
            inside = bad
            for key in where[:-1]:
                inside = inside[key]
            if damage == "type":
                inside[where[-1]] = {"?": 1.5}
            elif isinstance(inside, list):
                continue  # a list may be shorter
            elif where[:-1] in (("readings", 0, "counts"), ("ticks",)):
                continue  # and so may what is counted by name
            else:
                del inside[where[-1]]
            path.write_text(json.dumps(bad))
            with pytest.raises(WaiaasError) as refused:
                place.load(kind, about(kind))
            assert refused.value.code == "bad-record", where
            with pytest.raises(WaiaasError):
                place.save(kind, about(kind), CONTENT[kind])
            assert json.loads(path.read_text()) == bad


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100000])
def test_what_is_no_record_is_refused_with_a_sentence__WDR_2(text: str, tmp_path: Path) -> None:
    place = shelf(tmp_path)
    path = place.save("withdrawal", V, CONTENT["withdrawal"])
    path.write_text(text)
    with pytest.raises(WaiaasError) as refused:
        place.load("withdrawal", V)
    assert refused.value.code == "bad-record"
    assert str(path) in refused.value.message


def test_a_record_of_another_version_is_not_believed__WDR_2(tmp_path: Path) -> None:
    place = shelf(tmp_path)
    path = place.save("withdrawal", V, CONTENT["withdrawal"])
    path.write_text(path.read_text().replace('"version": "1.8.1"', '"version": "1.8.0"'))
    with pytest.raises(WaiaasError, match=r"it is about 1\.8\.0"):
        place.load("withdrawal", V)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.sampled_from(sorted(kinds.KINDS)),
)
def test_any_document_at_all_is_judged_and_never_a_crash__WDR_2(document: Any, kind: str) -> None:
    assert kinds.faults(kind, document)


def test_saying_the_same_again_writes_nothing__WDR_2(tmp_path: Path) -> None:
    points: list[str] = []
    place = shelf(tmp_path, files=Files(points.append))
    place.save("withdrawal", V, CONTENT["withdrawal"])
    written = len(points)
    assert written
    place.clock.sleep(60)
    place.save("withdrawal", V, CONTENT["withdrawal"])
    assert len(points) == written


def test_a_record_is_the_old_one_or_the_new_one__WDR_2(tmp_path: Path) -> None:
    """The power goes at every durable operation of a second write."""

    class PowerCut(BaseException):
        pass

    for number in range(20):
        left = iter(range(number, -1, -1))

        def cut(point: str, left: Any = left) -> None:
            if next(left, -1) == 0:
                raise PowerCut(point)

        place = shelf(tmp_path / str(number))
        place.save("withdrawal", V, CONTENT["withdrawal"])
        second = CONTENT["withdrawal"] | {"reason": "worse"}
        try:
            shelf(tmp_path / str(number), files=Files(cut)).save("withdrawal", V, second)
        except PowerCut:
            found = place.load("withdrawal", V)
            assert found is not None
            assert found["reason"] in ("bad", "worse")
            continue
        assert number > 1, "the power did go"
        return
    pytest.fail("never came to its end")


# Put together here, so that no file of the tree holds anything that looks like a secret.
SECRETS = {
    "a private key": "-----BEGIN " + "ENCRYPTED PRIVATE KEY-----",
    "an openssh key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "minisign": "untrusted comment: minisign encrypted " + "secret key",
    "github": "ghp_" + "a1B2" * 9,
    "github app": "ghs_" + "a1B2" * 9,
    "github fine-grained": "github_pat_" + "a1B2" * 9,
    "pypi": "pypi-" + "AgEIcHlwaS5vcmcCJD",
    "npm": "npm_" + "a1B2" * 9,
    "docker": "dckr_pat_" + "a1B2" * 6,
    "aws": "AKIA" + "ABCDEFGH12345678",
    "slack": "xoxb-" + "1234567890",
    "jwt": "eyJ" + "hbGciOiJI" + ".eyJ" + "zdWIiOiIx" + ".x",
    "address": "https://ada:" + "s3cret@x.example",
    "written out": "pass" + "word = hunter2hunter2",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_nothing_that_looks_like_a_secret_is_written__WDR_2(secret: str, tmp_path: Path) -> None:
    place = shelf(tmp_path)
    with pytest.raises(WaiaasError) as refused:
        place.save("withdrawal", V, CONTENT["withdrawal"] | {"reason": f"it shows {secret} to all"})
    assert refused.value.code == "secret-found"
    assert secret not in refused.value.message
    with pytest.raises(WaiaasError):
        place.write("1.8.1/community.md", f"one\n{secret}\n")
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    "text",
    [
        "the token was rotated",
        "password: it is asked for twice",
        "https://github.com/acme/waiaas@v1",
        "sha256:7a17570de0277a17570de0277a17570de0277a17570de0277a17570de0277a17",
        "--keys K",
    ],
)
def test_plain_words_are_no_secret__WDR_2(text: str) -> None:
    assert Secrets({"PATH": "/usr/bin", "TOKEN": "ab"}).find(text) == []


def test_the_passphrase_of_the_keys_is_known_and_refused_as_it_is__WDR_2(tmp_path: Path) -> None:
    """It has no shape; JSON would escape its quotes, so it is looked for before that."""
    passphrase = 'correct "horse\\ battery'
    place = shelf(tmp_path, {"WAIAAS_RELEASE_PASSPHRASE": passphrase})
    with pytest.raises(WaiaasError) as refused:
        place.save("withdrawal", V, CONTENT["withdrawal"] | {"reason": f"I typed {passphrase}"})
    assert passphrase not in refused.value.message


def test_every_secret_of_the_environment_is_known__WDR_2() -> None:
    environ = {
        "WAIAAS_RELEASE_KEY_TARGETS": "-----BEGIN X-----\nMC4CAQAwBQYDK2\n-----END X-----",
        "WAIAAS_REGISTRY_LOGINS": "registry.example ada hunter2\nother.example bob swordfish",
    }
    for secret in ("MC4CAQAwBQYDK2", "hunter2", "swordfish"):
        assert Secrets(environ).find(f"said {secret} aloud"), secret
    assert not Secrets(environ).find("ada at registry.example")


def test_what_a_program_said_loses_only_its_secret_lines__WDR_2() -> None:
    said = f"one\ntwo {SECRETS['github']}\nthree"
    assert Secrets().withheld(said) == "one\n[line withheld]\nthree"


def test_a_run_record_knows_what_is_left_and_what_failed__WDR_2(tmp_path: Path) -> None:
    book = log.Log(shelf(tmp_path), V)
    book.head = {k: v for k, v in CONTENT["withdrawal"].items() if k != "steps"}
    book.attempt("feed", lambda: done("seen"))
    assert not book.failed

    def broken() -> Any:
        raise OSError(28, "No space left on device", "issue.md")

    book.attempt("issue", broken)
    assert book.failed
    seen = book.attempt("notes", lambda: done(f"it says {SECRETS['github']}"))
    assert seen.observed == "[line withheld]", "and never a secret, whoever said it"
    again = log.Log(shelf(tmp_path), V)
    assert again.seen["issue"].observed == "[Errno 28] No space left on device: 'issue.md'"
    assert log.is_marked(shelf(tmp_path), V)
