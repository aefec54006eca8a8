"""The version check and the download (PRF-12, 13)."""

import resource
import subprocess
from collections.abc import Iterator

from table import Row, Shop, milliseconds, ratio

from tests.journeys.workshop import Feed, Site

N = 31
LARGE = 50_000_000  # bytes


def steady_state(shop: Shop) -> Iterator[Row]:
    """A check where nothing changed since the last one: requests, bytes, CPU."""
    feed = shop.workshop.feed(shop.folder / "feed-steady", shop.workshop.current)
    site = shop.site(feed_url=feed.url)
    site.ok("init")
    site.ok("step", "check")
    ours, bare = [], []
    for _ in range(N):
        feed.requests.clear()
        ours.append(_cpu(_argv(site, "step", "check"), site.environ))
        bare.append(_cpu([site.python, "-I", "-c", "pass"], site.environ))
    sizes = sum(_size(feed, path) for path in feed.requests)
    count = len(feed.requests)
    feed.close()
    yield Row("requests of a steady-state check", str(count), "–", float(count), 2.0, "≤ 2", N)
    yield Row("bytes of a steady-state check", f"{sizes} B", "–", sizes / 4096, 1.0, "≤ 4 KB", N)
    yardstick = f"`-c pass` {milliseconds(bare)}"
    yield Row("CPU of the check's child", milliseconds(ours), yardstick, ratio(ours, bare), 20.0, "≤ 20×", N)


def large_download(shop: Shop) -> Iterator[Row]:
    """Most memory of a process that downloads and verifies a large and a small artefact."""
    ballast = {"waiaas/ballast.py": f'"""Ballast."""\nDATA = "{"x" * LARGE}"\n'}
    large = shop.workshop.build("1.8.3", ballast)
    peaks = {}
    for artefact in (shop.workshop.patch, large):
        feed = shop.workshop.feed(shop.folder / f"feed-{artefact.stem}", artefact)
        site = shop.site(feed_url=feed.url)
        site.ok("init")
        peaks[artefact] = _peak(site, ["bundle", "create", "-o", str(site.folder / "bundle.tgz")])
        feed.close()
    small, most = peaks[shop.workshop.patch] / 1024, peaks[large] / 1024
    size = large.stat().st_size / 1e6
    what, told = f"memory of download and verification, {size:.0f} MB", f"{most:.1f} MiB"
    yield Row(what, told, f"the same, small artefact {small:.1f} MiB", most, 40.0, "≤ 40 MB", 1)


def _argv(site: Site, *words: str) -> list[str]:
    return [site.python, "-I", str(site.program), "--data-dir", str(site.data), *words]


def _cpu(argv: list[str], environ: dict[str, str]) -> float:
    """User and system seconds of a process that ran to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, env=environ, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _peak(site: Site, words: list[str]) -> int:
    """KiB. Its parent is a small process, whose own memory a fork would otherwise count as the child's."""
    told = site.folder / "peak"
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)\n"
        "open(sys.argv[1], 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))\n"
    )
    argv = [site.python, "-I", "-c", code, str(told), *_argv(site, *words)]
    subprocess.run(argv, env=site.environ, check=True)
    return int(told.read_text())


def _size(feed: Feed, path: str) -> int:
    file = feed.folder / path.lstrip("/")
    return file.stat().st_size if file.is_file() else 0
