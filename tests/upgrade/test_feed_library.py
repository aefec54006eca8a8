"""What we take from `tuf` beside its public ways, pinned: a new version of it must not surprise us."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import tuf

from tests.fakes import FakeClock
from tests.simulator import URL, Simulator
from waiaas.upgrade.feed import open_updater

PINNED = "7."


def alone(script: str) -> str:
    """What a fresh interpreter prints, without anything this process has imported."""
    tree = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tree, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_version_that_these_tests_speak_of() -> None:
    assert tuf.__version__.startswith(PINNED)


def test_expiry_is_judged_by_the_one_private_attribute__FEED_9(tmp_path: Path) -> None:
    feed = Simulator(FakeClock())
    updater = open_updater(f"{URL}/metadata/", tmp_path, feed.trusted, feed, 5.0, 1_800_000_000.5)
    assert updater._trusted_set.reference_time == datetime.fromtimestamp(1_800_000_000.5, UTC)
    before = open_updater(f"{URL}/metadata/", tmp_path, feed.trusted, feed, 5.0)
    assert abs(before._trusted_set.reference_time.timestamp() - time.time()) < 60


def test_importing_the_feed_does_not_import_tuf__PRF_1() -> None:
    loaded = "print(sorted({'tuf', 'securesystemslib', 'ssl', 'urllib.request'} & set(sys.modules)))"
    assert alone(f"import sys, waiaas.upgrade.feed, waiaas.upgrade.check, waiaas.host.http; {loaded}") == "[]"


def test_what_signs_is_never_loaded_and_gnupg_never_believed__PRF_12() -> None:
    script = """
import sys
from waiaas.upgrade.left_out import LEFT_OUT, leave_out
leave_out()
import semver, tuf.ngclient
from tuf.api.metadata import Key
public = {"public": "aa" * 32}
print(type(Key.from_dict("a", {"keytype": "ed25519", "scheme": "ed25519", "keyval": public})).__name__)
gnupg = {"rsa": "pgp+rsa-pkcsv1.5", "dsa": "pgp+dsa-fips-180-2", "eddsa": "pgp+eddsa-ed25519"}
for kind, scheme in gnupg.items():
    try:
        print("made", Key.from_dict("a", {"keytype": kind, "scheme": scheme, "keyval": public}))
    except ValueError as problem:
        print("refused")
print([name for name in sys.modules if name.startswith("securesystemslib._gpg")])
print([name for name in LEFT_OUT if name not in sys.modules or hasattr(sys.modules[name], "__file__")])
print(semver.Version.parse("1.9.0-rc.1") < semver.Version.parse("1.9.0"), "argparse" in sys.modules)
"""
    assert alone(script).split() == ["SSlibKey", "refused", "refused", "refused", "[]", "[]", "True", "False"]


def test_urllib3_is_never_loaded__PRF_6(tmp_path: Path) -> None:
    feed = Simulator(FakeClock())
    url = feed.write(tmp_path / "feed")
    (tmp_path / "root.json").write_bytes(feed.trusted)
    script = f"""
import sys
from pathlib import Path
from waiaas.host.clock import Clock
from waiaas.host.http import Network
from waiaas.upgrade.feed import open_updater
root = Path({str(tmp_path / "root.json")!r}).read_bytes()
cache, deadline = Path({str(tmp_path / "cache")!r}), Clock().monotonic() + 10
metadata, now = {url + "/metadata/"!r}, {feed.clock.now()}
updater = open_updater(metadata, cache, root, Network({{}}, Clock()), deadline, now)
updater.refresh()
print("urllib3" in sys.modules, "tuf.ngclient" in sys.modules)
"""
    assert alone(script) == "False True"
