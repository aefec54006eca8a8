"""docs/verify.md is true: a release is made, and its commands are typed by somebody who downloaded it."""

import functools
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pages import World, files, steps

import waiaas
from waiaas.release import minisign

pytestmark = pytest.mark.journey  # a clone of this repository, real builds

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "verify.md"
VERSION = waiaas.__version__
URL = "https://feed.example.test/"
BUNDLE = "WAIaaS_amd64.AppImage"
NEEDS = {"The signatures of the feed": "openssl", "A file of the desktop shell": "minisign"}


def run(*argv: str | Path, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run([*map(str, argv)], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def release(cwd: Path, *argv: str | Path) -> str:
    """The maker's tool of the checkout `cwd`."""
    return run(sys.executable, "-m", "waiaas.release", *argv, cwd=cwd)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three holders have made a release from HEAD; `you` has downloaded what is public."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this tree is no git checkout, so it has no tag to build")
    folder = tmp_path_factory.mktemp("v")
    made = World(folder / "w", _no_tool)
    maker, you = folder / "maker", made.machine("you")
    run("git", "clone", "-q", REPOSITORY, maker, cwd=folder)
    (maker / ".cache").symlink_to(REPOSITORY / ".cache")
    release(maker, "keys", "--dir", folder / "keys", "--plain")
    shutil.copy(folder / "keys" / "root.json", maker / "build" / "root.json")
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.test", "-C", maker)
    run(*git, "add", "-f", "build/root.json", cwd=folder)
    run(*git, "commit", "-q", "-m", "build: the root of trust", cwd=folder)
    run(*git, "tag", f"v{VERSION}", cwd=folder)
    _publish(folder, maker, you)
    run("git", "clone", "-q", "--branch", f"v{VERSION}", maker, you / "source", cwd=folder)
    for name in (".cache", ".venv"):
        (you / "source" / name).symlink_to(REPOSITORY / name)
    for name, text in files(PAGE).items():
        (you / name).write_text(text)
    with _served(you / "feed") as feed:
        key = minisign.load(folder / "minisign.key", _never).public.text if shutil.which("minisign") else ""
        made.variables = {"V": VERSION, "FEED": feed, "URL": URL, "FLOOR": "7", "KEY": key}
        yield made


def _publish(folder: Path, maker: Path, you: Path) -> None:
    """What the release job does: artefact, papers, feed, desktop channel."""
    root = ("--root", maker / "build" / "root.json")
    dist = folder / "dist"
    release(maker, "build", *root, "--feed-url", URL, "--targets-floor", "7", "-o", dist)
    [artefact] = dist.glob("*.pyz")
    bill = dist / f"waiaas-{VERSION}.cdx.json"
    release(maker, "sbom", artefact, "-o", bill)
    release(maker, "sums", "-o", dist, artefact, bill)
    (folder / BUNDLE).write_bytes(b"shell" * 1000)
    (folder / "keys" / "targets-3.pem").unlink()  # two of three have signed
    shell = ("--shell", f"linux-x86_64={folder / BUNDLE}")
    release(maker, "publish", "--feed", folder / "feed", "--keys", folder / "keys", artefact, *shell)
    shutil.copytree(folder / "feed", you / "feed")
    for path in dist.iterdir():
        shutil.copy(path, you)
    shutil.copy(folder / BUNDLE, you)
    if shutil.which("minisign"):
        key = ("-s", folder / "minisign.key", "-p", folder / "minisign.pub")
        run("minisign", "-G", "-W", *key, cwd=folder)
        secret = ("--minisign-key", folder / "minisign.key")
        release(maker, "desktop", "--feed", folder / "feed", *root, *secret, "-o", you / "desktop")


def _no_tool(argv: list[str], folder: Path, passphrase: str) -> object:
    raise AssertionError("whoever downloads has no tool of ours at hand")


def _never() -> bytes:
    raise AssertionError("a key without a passphrase")


class _Served:
    """The feed over HTTP on loopback."""

    def __init__(self, folder: Path) -> None:
        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


_served = _Served


@pytest.mark.parametrize("heading", list(steps(PAGE)))
def test_the_page_is_true__RLSE_05(heading: str, world: World) -> None:
    needed = NEEDS.get(heading)
    if needed and shutil.which(needed) is None:
        pytest.skip(f"no {needed} here")
    world.follow(PAGE, steps(PAGE)[heading])


@pytest.mark.parametrize(
    ("heading", "victim"),
    [
        ("The digest", "waiaas-{}.pyz"),
        ("Build it yourself", "waiaas-{}.pyz"),
        ("The signatures of the feed", "waiaas-{}.pyz"),
        ("The signatures of the feed", "feed/metadata/1.targets.json"),
        ("What is inside", "waiaas-{}.cdx.json"),
        ("A file of the desktop shell", BUNDLE),
    ],
)
def test_each_check_fails_on_a_changed_file__RLSE_05(heading: str, victim: str, world: World) -> None:
    """A page whose checks cannot fail would prove nothing."""
    needed = NEEDS.get(heading)
    if needed and shutil.which(needed) is None:
        pytest.skip(f"no {needed} here")
    path = world.machine("you") / victim.format(VERSION)
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2] + bytes([good[len(good) // 2] ^ 1]) + good[len(good) // 2 + 1 :])
    try:
        with pytest.raises(AssertionError):
            world.follow(PAGE, [step for step in steps(PAGE)[heading] if "-e waiaas" not in step.command])
    finally:
        path.write_bytes(good)


def test_the_page_needs_nothing_of_ours_where_it_says_so() -> None:
    """Commands of our tool are typed in a checkout of the source, and only there."""
    for section in steps(PAGE).values():
        for step in section:
            assert "waiaas.release" not in step.command or step.command.startswith("cd source && ")
    assert not re.search(r"^from waiaas|^import waiaas", "\n".join(files(PAGE).values()), re.M)
