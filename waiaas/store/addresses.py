"""Public addresses of the chains we watch, checked by their form (no I/O)."""

import re

from waiaas.core.errors import UsageError

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CHAINS = ("solana", "ethereum")
ETHEREUM = re.compile(r"0x[0-9a-fA-F]{40}")
SOLANA_BYTES = 32


def check_address(chain: str, address: str) -> None:
    """Raise UsageError "bad-chain" or "bad-address"."""
    if chain not in CHAINS:
        raise UsageError("bad-chain", f"{chain!r} is no chain we know", f"use one of: {', '.join(CHAINS)}")
    if chain == "ethereum" and not ETHEREUM.fullmatch(address):
        raise UsageError(
            "bad-address", "an Ethereum address is 0x and 40 hexadecimal digits", "check the address given"
        )
    if chain == "solana" and _base58_length(address) != SOLANA_BYTES:
        raise UsageError(
            "bad-address", "a Solana address is 32 bytes written in base58", "check the address given"
        )


def _base58_length(text: str) -> int | None:
    """How many bytes the text stands for; None where it is no base58 (or far too long)."""
    if len(text) > 64 or any(letter not in BASE58 for letter in text):
        return None
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return zeros + (number.bit_length() + 7) // 8
