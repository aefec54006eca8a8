"""Planted secrets are looked for in everything that WAIaaS says and writes (DMN-6)."""

import base64
import http.client
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.journeys.api import eventually, request
from tests.journeys.workshop import REPOSITORY, Done, Feed, Site, Workshop, site

PASSPHRASE, PASSWORD = "correct-horse-battery-staple-4711", "opensesame-2718281828"
JWT = "5e0f" * 16
PROXY = "proxy-password-0815"
BOT = "123456:telegram-bot-token-0042"
SECRET_VARIABLES = {
    "WAIAAS_MASTER_PASSPHRASE": PASSPHRASE,
    "WAIAAS_MASTER_PASSWORD": PASSWORD,
    "WAIAAS_SECURITY_JWT_SECRET": JWT,
    "HTTPS_PROXY": f"http://me:{PROXY}@127.0.0.1:9",
}
HOLDERS = {"waiaas.db", "waiaas.db-wal", "config.toml", "admin.token"}  # and their copies in backups


@dataclass
class Told:
    """Everything that was said, under the words that asked for it."""

    place: Site
    said: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, expect: int = 0, program: Path | None = None) -> Done:
        done = self.place.run(*words, program=program)
        assert done.code == expect, (words, done)
        self.said[f"{len(self.said)} {' '.join(words)}"] = done.out + done.err
        return done

    def both(self, *words: str, expect: int = 0) -> None:
        self.run(*words, expect=expect)
        self.run("--json", "-vv", *words, expect=expect)

    def ask(self, path: str, token: str) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.place.daemon["port"], timeout=10)) as talk:
            talk.request("GET", path, headers={"Authorization": token})
            answer = talk.getresponse()
            self.said[f"{len(self.said)} GET {path}"] = f"{answer.headers}{answer.read().decode()}"


@pytest.fixture
def told(workshop: Workshop, feed: Feed, tmp_path: Path) -> Iterator[Told]:
    with site(tmp_path / "site", workshop.current, feed.url) as place:
        temporary = place.folder / "tmp"
        temporary.mkdir()
        place.environ |= {"TMPDIR": str(temporary), "WAIAAS_DAEMON_LOG_LEVEL": "debug", **SECRET_VARIABLES}
        yield Told(place)


def plant(place: Site) -> None:
    """What the previous implementation left in settings and database."""
    with (place.data / "config.toml").open("a") as settings:
        settings.write(f'\n[security]\njwt_secret = "{JWT}"\n[notifications]\ntelegram_bot_token = "{BOT}"\n')
    with closing(sqlite3.connect(place.database)) as connection, connection:
        rows = [("jwt_secret_current", f'{{"secret": "{JWT}"}}', 0), ("master_password_hash", PASSPHRASE, 0)]
        connection.executemany("INSERT INTO key_value_store VALUES (?, ?, ?)", rows)


def spellings(secret: str) -> list[bytes]:
    """As it is, and as something might have encoded it on the way."""
    raw = secret.encode()
    return [
        raw,
        raw[::-1],
        raw.hex().encode(),
        base64.b64encode(raw).rstrip(b"="),
        repr(secret)[1:-1].encode(),
    ]


def found_in(content: bytes, secrets: dict[str, str]) -> list[str]:
    return [name for name, secret in secrets.items() if any(form in content for form in spellings(secret))]


def clumsy(workshop: Workshop) -> Path:
    """1.8.0 with a bug whose message holds a secret of the environment."""
    path = "waiaas/cli/audit.py"
    text = (REPOSITORY / path).read_text()
    bug = 'raise RuntimeError(" ".join(context.host.environ.values()))\n    '
    changed = text.replace("loaded = context.load(", bug + "loaded = context.load(")
    assert changed != text
    return workshop.build("1.8.0", {path: changed}, "clumsy")


def use(told: Told, workshop: Workshop) -> None:
    """A day in the life of an installation."""
    place = told.place
    told.run("init")
    plant(place)
    told.run("start", "--detach")
    for words in (
        ["status"],
        ["health"],
        ["doctor"],
        ["config", "show"],
        ["db", "status"],
        ["wallets", "list"],
    ):
        told.both(*words)
    for token in (f"Bearer {place.token}", f"Bearer {place.token}x", f"Basic {place.token}", place.token):
        for path in ("/", "/metrics", "/openapi.json", "/v1/admin/status", "/v1/admin/audit-log"):
            told.ask(path, token)
        told.ask(f"/v1/wallets?token={place.token}", token)
        told.ask(f"/{place.token}", token)
    wrong = {"name": place.token, "chain": PASSPHRASE, "environment": JWT, "publicKey": BOT}
    assert request(place, "POST", "/v1/wallets", wrong)[0] == 400
    told.run("backup", "create")
    told.run("upgrade", "--events")
    told.both("upgrade", "--history")
    told.ask("/v1/admin/backups", f"Bearer {place.token}")
    told.run("--json", "upgrade", "--rollback")
    told.both("backup", "list")
    told.both("backup", "verify", place.json("backup", "list")[0]["id"])
    told.both("audit")
    told.run("bundle", "create", "-o", str(place.folder / "bundle.tgz"))
    told.run("start", expect=75)
    told.both("upgrade", "--to", "7.0.0", expect=1)
    place.environ["WAIAAS_UPGRADE_FEED_URL"] = (
        "https://feed.example.test/"  # through the proxy, which is none
    )
    told.both("upgrade", "--check", expect=1)
    told.both("doctor", expect=1)  # the feed is not there any more
    told.both("logs")
    told.run("stop")
    told.run("audit", expect=70, program=clumsy(workshop))
    (place.data / "config.toml").write_text(
        f"[daemon]\nport = 1 {PASSPHRASE}\n[security]\njwt_secret = {JWT}\n"
    )
    told.both("start", expect=2)
    told.both("config", "validate", expect=2)


def test_planted_secrets_are_nowhere_but_where_they_belong__DMN_6(told: Told, workshop: Workshop) -> None:
    use(told, workshop)
    place = told.place
    secrets = {
        "token": place.token,
        "passphrase": PASSPHRASE,
        "password": PASSWORD,
        "jwt": JWT,
        "proxy": PROXY,
        "bot": BOT,
    }
    files = [path for path in place.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    leaks = {words: found for words, text in told.said.items() if (found := found_in(text.encode(), secrets))}
    assert leaks == {}
    spoilt = {
        str(path.relative_to(place.folder)): found
        for path in files
        if path.name not in HOLDERS and (found := found_in(path.read_bytes(), secrets))
    }
    assert spoilt == {}
    names = {path.name for path in files}
    assert {"waiaas.log", "history", "manifest.json", "installation.json", "bundle.tgz"} <= names
    [report] = (place.folder / "tmp").glob("waiaas-bug-*")
    assert "<WAIAAS_MASTER_PASSPHRASE>" in report.read_text()
    assert found_in(place.database.read_bytes(), secrets)  # the search finds what is there
    print(f"{len(secrets)} secrets, {len(told.said)} answers, {len(files)} files")


def test_no_secret_is_on_a_command_line_or_in_a_name__DMN_6(told: Told) -> None:
    place = told.place
    told.run("init")
    told.run("start", "--detach")
    token = place.token.encode()
    pid = place.daemon["pid"]
    eventually(lambda: Path(f"/proc/{pid}/cmdline").read_bytes())
    assert token not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert token not in Path(f"/proc/{pid}/environ").read_bytes()
    assert not [path for path in place.folder.rglob("*") if place.token in path.name]
    assert os.stat(place.data / "admin.token").st_mode & 0o777 == 0o600
