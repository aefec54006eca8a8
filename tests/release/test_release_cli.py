"""The maker's command line: exit codes, what is said where, the passphrase."""

from pathlib import Path

import pytest
from bench import Bench, artefact

from waiaas.release import __main__ as tool

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def forgetful() -> None:
    tool._passphrase.cache_clear()


def run(*argv: str | Path) -> int:
    return int(tool.main([str(word) for word in argv]))


def test_a_feed_from_nothing_to_a_withdrawal__BLD_1(tmp_path: Path, capsys: Capture) -> None:
    K, F = tmp_path / "K", tmp_path / "F"  # noqa: N806 - as the manual names them
    files = [artefact(tmp_path, version) for version in ("1.8.0", "1.9.0")]
    assert run("keys", "--dir", K, "--plain") == 0
    assert run("publish", "--feed", F, "--keys", K, *files) == 0
    assert run("rollout", "--feed", F, "--keys", K, "1.9.0", "25") == 0
    assert run("withdraw", "--feed", F, "--keys", K, "1.9.0", "--reason", "it forgets things", "--yes") == 0
    assert run("rotate", "--feed", F, "--keys", K, "timestamp", "--plain") == 0
    assert run("refresh", "--feed", F, "--keys", K) == 0
    assert run("verify", "--feed", F, "--root", K / "root.json") == 0
    capsys.readouterr()
    assert run("status", "--feed", F) == 0
    said = capsys.readouterr()
    assert "targets    version 3" in said.out
    assert "1.9.0          stable  seq 2  rollout 25 %  withdrawn: it forgets things" in said.out
    assert said.err == ""


def test_prepare_sign_publish__BLD_1(bench: Bench, capsys: Capture) -> None:
    file, feed = artefact(bench.folder, "1.8.0"), bench.feed
    assert run("prepare", "--feed", feed, "--root", bench.keys / "root.json", file) == 0
    folder = capsys.readouterr().out.strip()
    for number in (2, 3):
        assert run("sign", "--key", bench.keys / f"targets-{number}.pem", "--pending", folder) == 0
    assert "new: 1.8.0 (stable, seq 1, sha256 " in capsys.readouterr().err
    assert run("publish", "--feed", feed, "--online", bench.keys) == 0
    assert run("publish", "--feed", feed, "--online", bench.keys) == 0, "every step can be run again"
    assert "nothing to do" in capsys.readouterr().err
    assert run("prepare", "--feed", feed, file) == 0
    assert "nothing to do" in capsys.readouterr().err


def test_status_warns_in_time__BLD_1(bench: Bench, capsys: Capture) -> None:
    bench.clock.time -= 8 * 86400
    bench.publish("1.8.0")
    assert run("status", "--feed", bench.feed) == 1
    said = capsys.readouterr()
    assert "expires soon" in said.out
    assert "hint: `refresh`" in said.err


def test_encrypted_keys_are_opened_with_the_variable__BLD_1(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tool.PASSPHRASE, "correct horse")
    assert run("keys", "--dir", tmp_path / "K") == 0
    argv = ("publish", "--feed", tmp_path / "F", "--keys", tmp_path / "K", artefact(tmp_path, "1.8.0"))
    tool._passphrase.cache_clear()
    monkeypatch.setenv(tool.PASSPHRASE, "wrong")
    assert run(*argv) == 1
    assert "hint: check the passphrase" in capsys.readouterr().err
    assert not (tmp_path / "F").exists()
    tool._passphrase.cache_clear()
    monkeypatch.setenv(tool.PASSPHRASE, "correct horse")
    assert run(*argv) == 0


def test_a_new_passphrase_is_typed_twice_and_never_empty__BLD_1(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["", "horse", "hose", "horse", "horse"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    for code, words in ((2, "empty"), (2, "differ"), (0, "keep root")):
        tool._passphrase.cache_clear()
        assert not (tmp_path / "K").exists()
        assert run("keys", "--dir", tmp_path / "K") == code
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("status", "--feed", "F"), 1, "is no feed"),
        (("publish", "--feed", "F"), 2, "needs keys"),
        (("publish", "--feed", "F", "--keys", "nowhere"), 2, "holds no key"),
        (("sign", "--key", "k.pem", "--pending", "F.pending"), 1, "nothing is prepared"),
        (("prepare", "--feed", "F", "a.pyz"), 2, "needs its root of trust"),
        (("verify", "--feed", "F", "--root", "absent.json"), 1, "absent.json"),
        (("build", "-o", "dist", "--source", "."), 2, "no source tree"),
    ],
)
def test_every_refusal_is_a_sentence_with_a_hint__CLI_2(
    argv: tuple[str, ...],
    code: int,
    words: str,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*argv) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err.splitlines()[0]
    assert said.err.splitlines()[1].startswith("hint: ")
    assert not list(tmp_path.iterdir())


def test_a_wrong_command_line_is_usage__CLI_3(capsys: Capture) -> None:
    for argv in (["frobnicate"], ["withdraw"], ["withdraw", "--feed", "F", "--keys", "K"]):
        with pytest.raises(SystemExit) as exit_:
            tool.main(argv)
        assert exit_.value.code == 2


def test_a_bad_version_on_the_command_line_is_one_sentence__CLI_2(capsys: Capture) -> None:
    assert run("rollout", "--feed", "F", "--keys", "K", "banana", "5") == 2
    assert "banana" in capsys.readouterr().err
