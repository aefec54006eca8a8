"""A bundle that is no file, that is not there, or that changes while it is read (BNDL-1)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.upgrade.carriage import PAYLOAD, open_bundle
from tests.upgrade.sticks import Stick, payload_flipped
from waiaas.core.errors import Exit, TrustRefused, WaiaasError
from waiaas.core.release import Release
from waiaas.upgrade import carried

# --- what is no file, and what changes


def refusal_of(stick: Stick, path: Path) -> WaiaasError:
    with pytest.raises(WaiaasError) as caught:
        open_bundle(stick.feed, path, stick.folder / "site")
    return caught.value


def test_a_fifo_is_refused_without_waiting__BNDL_1(stick: Stick, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    problem = refusal_of(stick, tmp_path / "fifo")
    assert (problem.code, problem.exit_code) == ("bundle-no-file", Exit.TRUST)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused__BNDL_1(stick: Stick, device: str) -> None:
    assert refusal_of(stick, Path(device)).code == "bundle-no-file"


def test_a_file_that_is_not_there_is_nobody_s_attack(stick: Stick, tmp_path: Path) -> None:
    problem = refusal_of(stick, tmp_path / "absent.tgz")
    assert (problem.code, problem.exit_code) == ("no-such-file", Exit.FAILED)


def opened(stick: Stick, data: bytes | None = None) -> tuple[carried.CarriedFile, carried.BundleNetwork]:
    stick.path.write_bytes(stick.good if data is None else data)
    file = carried.CarriedFile(stick.path)
    return file, carried.BundleNetwork(file, stick.feed.clock)


def pull(stick: Stick, network: carried.BundleNetwork, new: Release) -> bytes:
    address = f"{carried.ADDRESS}/targets/{new.sha256}.{new.target}"
    return b"".join(network.fetch(address, 5.0, new.length))


def test_a_bundle_that_is_replaced_meanwhile_is_read_as_it_was__BNDL_1(stick: Stick) -> None:
    """The file that was opened is the file that is read."""
    _, network = opened(stick)
    other = stick.path.with_name("other")
    other.write_bytes(payload_flipped(stick))
    other.replace(stick.path)
    assert pull(stick, network, stick.new) == PAYLOAD


@pytest.mark.parametrize(
    "evil", [payload_flipped, lambda s: s.changed("timestamp", b"{}"), lambda s: s.good[:-9]]
)
def test_a_bundle_that_is_changed_meanwhile_is_refused__BNDL_1(
    stick: Stick, evil: Callable[[Stick], bytes]
) -> None:
    _, network = opened(stick)
    os.utime(stick.path, ns=(1, 1))
    stick.path.write_bytes(evil(stick))
    with pytest.raises(TrustRefused) as caught:
        pull(stick, network, stick.new)
    assert caught.value.code in ("bundle-changed", "bundle-truncated", "bundle-damaged")


def test_a_bundle_that_grows_while_it_is_read_is_refused__BNDL_1(stick: Stick) -> None:
    file, _ = opened(stick)
    with stick.path.open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(TrustRefused) as caught:
        list(file.chunks())
    assert caught.value.code == "bundle-changed"


def test_a_payload_larger_than_signed_is_never_sent__BNDL_1(stick: Stick) -> None:
    _, network = opened(stick)
    with pytest.raises(WaiaasError) as caught:
        list(network.fetch(f"{carried.ADDRESS}/{stick.parts[-1][0]}", 5.0, len(PAYLOAD) - 1))
    assert caught.value.code == "network-too-large"
