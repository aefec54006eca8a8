"""Archives of the tests' own, unpacked by any Python that we support."""

import tarfile
from pathlib import Path


def extract(tar: tarfile.TarFile, where: Path) -> None:
    """With the filter `data`, where there is one: 3.11.2, which is Debian 12's, has none."""
    if hasattr(tarfile, "data_filter"):
        tar.extraction_filter = tarfile.data_filter
    tar.extractall(where)
