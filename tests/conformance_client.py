#!/usr/bin/env python3
"""The product's TUF client behind the command line of the public conformance suite (FEED-9).

    conformance_client.py --metadata-dir DIR init TRUSTED_ROOT
    conformance_client.py --metadata-dir DIR --metadata-url URL refresh
    conformance_client.py --metadata-dir DIR --metadata-url URL --target-name PATH…
                          --target-dir DIR --target-base-url URL download

Exit 0: everything succeeded, 1: anything failed. Beside the verified metadata it keeps the trusted
root in `DIR/trusted-root`, without `.json`, because the suite reads all that ends so.

It is `open_updater` that is tested: TUF's workflow over our fetcher. What the product demands on top
(Ed25519 alone, floors) is left out, since the suite signs most of its repositories with ECDSA.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from waiaas.host.clock import Clock
from waiaas.host.http import Network
from waiaas.upgrade.feed import open_updater

PATIENCE = 60.0  # seconds for one call
KEPT = "trusted-root"


def main(argv: list[str]) -> int:
    asked = parser().parse_args(argv)
    try:
        {"init": init, "refresh": refresh, "download": download}[asked.command](asked)
    except Exception as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser()
    asked.add_argument("--metadata-dir", type=Path, required=True)
    asked.add_argument("--metadata-url", default="")
    asked.add_argument("--target-name", action="append", default=[])
    asked.add_argument("--target-dir", type=Path)
    asked.add_argument("--target-base-url")
    commands = asked.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    return asked


def init(asked: argparse.Namespace) -> None:
    asked.metadata_dir.mkdir(parents=True, exist_ok=True)
    (asked.metadata_dir / KEPT).write_bytes(asked.root.read_bytes())
    updater(asked)


def refresh(asked: argparse.Namespace) -> None:
    updater(asked).refresh()


def download(asked: argparse.Namespace) -> None:
    client = updater(asked, target_dir=str(asked.target_dir), target_base_url=asked.target_base_url)
    client.refresh()
    for name in asked.target_name:
        found = client.get_targetinfo(name)
        if found is None:
            raise LookupError(f"no target {name}")
        if client.find_cached_target(found) is None:
            client.download_target(found)


def updater(asked: argparse.Namespace, **targets: str):  # type: ignore[no-untyped-def]
    clock = Clock()
    root = (asked.metadata_dir / KEPT).read_bytes()
    deadline = clock.monotonic() + PATIENCE
    return open_updater(asked.metadata_url, asked.metadata_dir, root, Network({}, clock), deadline, **targets)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
