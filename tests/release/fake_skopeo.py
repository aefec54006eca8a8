"""A `skopeo` for tests, as a real executable: a registry on disk, moved by digest as the real one does.

`registry.json` beside it: reference -> manifest. tests/release/test_withdrawal_images.py compares what
it is told with the real one, against a real registry.
"""

import hashlib
import json
import sys
from pathlib import Path

STATE = Path(__file__).resolve().with_name("registry.json")


def main(argv):
    state = json.loads(STATE.read_text())
    words = [word.removeprefix("docker://") for word in argv[1:] if not word.startswith("-")]
    options = {word for word in argv[1:] if word.startswith("-")}
    if options - {"--raw", "--all", "--preserve-digests"}:
        return failed(f"unknown flag: {options}")
    if argv[0] == "inspect" and words[0] in state:
        sys.stdout.write(state[words[0]])
        return 0
    if argv[0] == "copy":
        image, digest = words[0].split("@")
        found = [m for name, m in state.items() if name.startswith(f"{image}:") and digest_of(m) == digest]
        if found:
            state[words[1]] = found[0]
            STATE.write_text(json.dumps(state))
            return 0
    return failed(f"reading manifest in {words[0]}: manifest unknown")


def digest_of(manifest):
    return "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()


def failed(text):
    print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
