"""`waiaas bundle`, and what `upgrade --from` asks before it goes on (BNDL-1…3, CLI-1, CLI-5)."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran, Terminal, Waiaas
from tests.fakes import FakeClock
from tests.simulator import Simulator, release
from waiaas.cli import confirm
from waiaas.cli.context import Context
from waiaas.cli.flags import Flags
from waiaas.cli.output import Output
from waiaas.core.errors import Exit, UsageError, WaiaasError
from waiaas.core.release import Withdrawal

PAYLOAD = b"#!/usr/bin/env python3\n" + bytes(range(256)) * 10


@pytest.fixture
def feed() -> Simulator:
    made = Simulator(FakeClock(time.time()))
    for version in ("1.8.0", "1.9.0", "2.0.0-rc.1"):
        made.publish(release(version), PAYLOAD + version.encode())
    return made


@pytest.fixture
def connected(ready: Waiaas, feed: Simulator, tmp_path: Path) -> Callable[..., Ran]:
    """A command line whose private feed is a folder."""
    environ = {"WAIAAS_UPGRADE_FEED_URL": feed.write(tmp_path / "feed")}
    (tmp_path / "root.json").write_bytes(feed.trusted)
    environ["WAIAAS_UPGRADE_TRUSTED_ROOT"] = str(tmp_path / "root.json")
    return lambda *argv, **more: ready(*argv, environ=environ | more)


def test_create_show_verify__BNDL_1(connected: Callable[..., Ran], tmp_path: Path) -> None:
    output = tmp_path / "waiaas.tgz"
    made = connected("bundle", "create", "-o", str(output), "--json")
    assert made.code == 0
    assert made.document["version"] == "1.9.0"
    assert made.document["bytes"] == output.stat().st_size
    assert set(made.document["expires"]) == {"root", "timestamp", "snapshot", "targets"}
    shown = connected("bundle", "show", str(output), "--json").document
    assert (shown["version"], shown["verified"], shown["roots"]) == ("1.9.0", False, 1)
    assert shown["target"] == made.document["target"]
    assert shown["metadata"]["timestamp"]["expires"] == made.document["expires"]["timestamp"]
    verified = connected("bundle", "verify", str(output), "--json").document
    assert (verified["version"], verified["verified"], verified["expired"]) == ("1.9.0", True, [])
    assert verified["targets"] == [made.document["target"]]


def test_people_are_told_what_to_do_next__CLI_2(connected: Callable[..., Ran], tmp_path: Path) -> None:
    output = tmp_path / "waiaas.tgz"
    made = connected("bundle", "create", "-o", str(output))
    assert "waiaas upgrade --from waiaas.tgz" in made.out
    assert "accepted until" in made.out
    shown = connected("bundle", "show", str(output)).out
    assert shown.endswith(f"Nothing of this was verified. Run: waiaas bundle verify {output}\n")
    assert "is genuine: WAIaaS 1.9.0" in connected("bundle", "verify", str(output)).out


def test_exactly_the_version_that_was_asked_for__BNDL_1(
    connected: Callable[..., Ran], tmp_path: Path
) -> None:
    output = str(tmp_path / "x.tgz")
    for version in ("1.8.0", "2.0.0-rc.1"):
        made = connected("bundle", "create", "--version", version, "-o", output, "--json")
        assert made.document["version"] == version
    absent = connected("bundle", "create", "--version", "3.0.0", "-o", output, "--json")
    assert absent.error["code"] == "not-in-feed"
    assert connected("bundle", "create", "--version", "x", "-o", output, "--json").code == Exit.USAGE


def test_a_withdrawn_version_is_not_carried__FEED_5(
    connected: Callable[..., Ran], feed: Simulator, tmp_path: Path
) -> None:
    gone = Withdrawal(1, "it loses wallets", "high", None)
    feed.publish(release("1.9.0", withdrawn=gone), PAYLOAD + b"1.9.0")
    feed.write(tmp_path / "feed")
    output = str(tmp_path / "x.tgz")
    problem = connected("bundle", "create", "--version", "1.9.0", "-o", output, "--json").error
    assert problem["code"] == "withdrawn"
    assert connected("bundle", "create", "-o", output, "--json").document["version"] == "1.8.0"


def test_no_network_is_needed_but_to_create__CLI_6(connected: Callable[..., Ran], tmp_path: Path) -> None:
    output = str(tmp_path / "x.tgz")
    connected("bundle", "create", "-o", output)
    nowhere = {"WAIAAS_UPGRADE_FEED_URL": "https://feed.example.test", "WAIAAS_OFFLINE": "1"}
    assert connected("bundle", "verify", output, **nowhere).code == 0
    assert connected("bundle", "show", output, **nowhere).code == 0
    problem = connected("bundle", "create", "-o", output, "--json", **nowhere)
    assert problem.error["code"] == "network-offline"


@pytest.mark.parametrize("verb", ["show", "verify"])
def test_a_bad_file_is_exit_9_in_words_and_in_json__CLI_3(
    connected: Callable[..., Ran], tmp_path: Path, verb: str
) -> None:
    path = tmp_path / "bad.tgz"
    path.write_bytes(b"<html>")
    ran = connected("bundle", verb, str(path), "--json")
    assert ran.code == Exit.TRUST
    assert ran.error["code"] == "bundle-not-gzip"
    assert connected("bundle", verb, str(tmp_path / "absent"), "--json").error["code"] == "no-such-file"


def test_other_keys_are_refused__BNDL_1(connected: Callable[..., Ran], tmp_path: Path) -> None:
    output = str(tmp_path / "x.tgz")
    connected("bundle", "create", "-o", output)
    (tmp_path / "root.json").write_bytes(Simulator(FakeClock(time.time())).trusted)
    ran = connected("bundle", "verify", output, "--json")
    assert (ran.code, ran.error["code"]) == (Exit.TRUST, "feed-other-keys")


@pytest.mark.parametrize("output", [".", "absent/x.tgz"])
def test_a_place_that_holds_no_file_is_a_matter_of_usage(
    connected: Callable[..., Ran], tmp_path: Path, output: str
) -> None:
    assert connected("bundle", "create", "-o", str(tmp_path / output)).code == Exit.USAGE


def test_an_uninitialised_directory_is_said_and_left_alone__DIR_3(waiaas: Waiaas, data_dir: Path) -> None:
    for argv in (("create", "-o", "x"), ("show", "x"), ("verify", "x")):
        assert waiaas("bundle", *argv, "--json").error["code"] == "not-initialised"
    assert not data_dir.exists()


@pytest.mark.parametrize(
    "argv",
    [
        ("--accept-expired",),
        ("--from", "x", "--rollback"),
        ("--from", "x", "--history"),
        ("--from", "x", "--recover"),
        ("--to", "1.9.0", "--rollback"),
        ("--to", "1.9.0", "--recover"),
        ("--to", "1.9.0", "--history"),
        ("--exit-code",),
        ("--exit-code", "--dry-run"),
        ("--keep-data",),
        ("--no-start", "--check"),
        ("--no-start", "--dry-run"),
        ("--events", "--check"),
        ("--events", "--history"),
        ("--events", "--json"),
        ("--check", "--rollback"),
    ],
)
def test_words_that_do_not_go_together__exit_2(ready: Waiaas, argv: tuple[str, ...]) -> None:
    """Found before anything else, so that `--exit-code` without `--check` performs no upgrade (CLI-3)."""
    refused = ready("upgrade", *argv)
    assert refused.code == Exit.USAGE
    assert "source tree" not in refused.out + refused.err


# --- the typed answer


def asked(monkeypatch: pytest.MonkeyPatch, answer: io.StringIO, *, yes: bool = False) -> str:
    heard = Terminal()
    monkeypatch.setattr("sys.stdin", answer)
    host: Any = None
    context = Context(host, Output(io.StringIO(), heard, Flags()), Flags())
    confirm.confirm_typed(context, "It is old.", "accept-expired", yes)
    return heard.getvalue()


def test_the_word_has_to_be_typed__CLI_5(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Type accept-expired" in asked(monkeypatch, Terminal("accept-expired\n"))
    for answer in ("y\n", "yes\n", "", "accept\n"):
        with pytest.raises(WaiaasError) as problem:
            asked(monkeypatch, Terminal(answer))
        assert problem.value.code == "cancelled"


def test_without_a_terminal_only_yes_will_do__CLI_5(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError) as problem:
        asked(monkeypatch, io.StringIO("accept-expired\n"))
    assert problem.value.code == "needs-yes"
    assert asked(monkeypatch, io.StringIO(""), yes=True) == ""
