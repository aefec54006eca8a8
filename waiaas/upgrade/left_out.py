"""What the libraries would load, and a client that only verifies Ed25519 never needs (PRF-12): another
fetcher and another envelope, storage elsewhere, all that signs, and the commands of `semver`.

Empty classes stand in for them. Nobody can be answered by one: key types that they would stand for are
taken out of the registry, so that metadata with such a key are refused as with any unknown one (FEED-1).
"""

import sys
import types
from typing import Any

SIGNER = "securesystemslib.signer"
COMMANDS = """bump_build bump_major bump_minor bump_patch bump_prerelease cmd_bump cmd_check cmd_compare
cmd_nextver compare createparser finalize_version format_version main match max_ver min_ver parse
parse_version_info process replace"""
LEFT_OUT = {
    "tuf.ngclient.urllib3_fetcher": ("Urllib3Fetcher",),
    "tuf.api.dsse": ("SimpleEnvelope",),
    "securesystemslib.storage": ("FilesystemBackend", "StorageBackendInterface"),
    f"{SIGNER}._aws_signer": ("AWSSigner",),
    f"{SIGNER}._azure_signer": ("AzureSigner",),
    f"{SIGNER}._crypto_signer": ("CryptoSigner",),
    f"{SIGNER}._gcp_signer": ("GCPSigner",),
    f"{SIGNER}._gpg_signer": ("GPGKey", "GPGSigner"),
    f"{SIGNER}._hsm_signer": ("HSMSigner",),
    f"{SIGNER}._sigstore_signer": ("SigstoreKey", "SigstoreSigner"),
    f"{SIGNER}._tkey_signer": ("TKeySigner",),
    f"{SIGNER}._vault_signer": ("VaultSigner",),
    "semver._deprecated": tuple(COMMANDS.split()),
}


def leave_out() -> None:
    """Before tuf is imported; what is loaded already, by the maker's tools say, stays as it is."""
    for module, names in LEFT_OUT.items():
        if module not in sys.modules:
            stub = types.ModuleType(module)
            vars(stub).update({name: type(name, (), {"SCHEME": f"left out: {name}"}) for name in names})
            sys.modules[module] = stub
    from securesystemslib import signer

    empty = {name for names in LEFT_OUT.values() for name in names if _is_empty(getattr(signer, name, None))}
    registries: tuple[dict[Any, Any], ...] = (signer.KEY_FOR_TYPE_AND_SCHEME, signer.SIGNER_FOR_URI_SCHEME)
    for registry in registries:
        for key in [key for key, kind in registry.items() if kind.__name__ in empty]:
            del registry[key]


def _is_empty(kind: type | None) -> bool:
    return kind is not None and str(getattr(kind, "SCHEME", "")).startswith("left out: ")
