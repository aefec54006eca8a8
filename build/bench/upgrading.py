"""How long nobody is served: last answer of the old version to first answer of the new (PRF-10, 11)."""

import itertools
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from startup import ask, free_port
from storage import large_site
from table import Row, Shop, copied, ratio, seconds

from tests.journeys.workshop import Site, unpack
from tests.store.old_databases import LEGACY, old_database

N = 5


def downtime(shop: Shop) -> Iterator[Row]:
    """The data of a real 1.7.0 where it is at hand, else rows of the same schema."""
    workshop = shop.workshop
    feed = workshop.feed(shop.folder / "feed-downtime", workshop.current, workshop.patch)
    runs = [_restarted_and_upgraded(_old_site(shop, feed.url)) for _ in range(N)]
    feed.close()
    theirs, ours = [run[0] for run in runs], [run[1] for run in runs]
    what, yardstick = "downtime of an upgrade without migration", f"`waiaas restart` {seconds(theirs)}"
    yield Row(what, seconds(ours), yardstick, ratio(ours, theirs), 1.5, "≤ 1.5×", N)


def downtime_migrating(shop: Shop) -> Iterator[Row]:
    workshop = shop.workshop
    feed = workshop.feed(shop.folder / "feed-migrating", workshop.current, workshop.minor)
    runs = [_migrated(large_site(shop, 16, feed_url=feed.url)) for _ in range(3)]
    feed.close()
    size, theirs, ours = runs[0][0] / 1e6, [run[1] for run in runs], [run[2] for run in runs]
    what, yardstick = f"downtime of a migrating upgrade, {size:.0f} MB", f"`cp` + fsync {seconds(theirs)}"
    yield Row(what, seconds(ours), yardstick, ratio(ours, theirs), 4.0, "≤ 4×", 3)


def _restarted_and_upgraded(site: Site) -> tuple[float, float]:
    """Seconds of silence of each."""
    try:
        return _silence(site, lambda: site.ok("restart")), _silence(site, lambda: site.ok("upgrade"))
    finally:
        site.close()


def _migrated(site: Site) -> tuple[int, float, float]:
    """Size in bytes, seconds of a copy, seconds of silence; the site goes away."""
    size, copying = site.database.stat().st_size, copied(site.database, site.folder / "copy")
    _serve(site)
    try:
        return size, copying, _silence(site, lambda: site.ok("upgrade", WAIAAS_UPGRADE_HEALTH_TIMEOUT="60"))
    finally:
        site.close()
        shutil.rmtree(site.folder)


def _old_site(shop: Shop, feed_url: str) -> Site:
    site = shop.site(feed_url=feed_url)
    archive = LEGACY / "waiaas-1.7.0.tar.gz"
    if archive.is_file():
        unpack(archive, site.data)
    else:
        site.ok("init")
        site.database.unlink()
        Path(old_database(site.database, 16)).chmod(0o600)
    _serve(site)
    return site


def _serve(site: Site) -> None:
    site.environ |= {"WAIAAS_DAEMON_PORT": str(free_port()), "WAIAAS_DAEMON_UPDATE_CHECK": "false"}
    site.ok("start", "--detach")


def _silence(site: Site, action: Callable[[], object]) -> float:
    """The longest time between two answers, in seconds, while `action` runs."""
    port, answers, done = int(site.environ["WAIAAS_DAEMON_PORT"]), [], threading.Event()

    def poll() -> None:
        while not done.is_set():
            if ask(port):
                answers.append(time.perf_counter())
            time.sleep(0.002)

    poller = threading.Thread(target=poll)
    poller.start()
    try:
        action()
    finally:
        done.set()
        poller.join()
    return max(later - earlier for earlier, later in itertools.pairwise(answers))
