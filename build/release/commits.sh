#!/usr/bin/env bash
# The title and the commits of a pull request follow the convention (RLSE-07). The title counts, because
# squashing makes it the commit that release-please reads. Everything comes in the environment, and no
# shell ever reads it as code:
#   TITLE='fix: close the file' BASE=origin/main HEAD=HEAD build/release/commits.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

make --silent node
if [ -n "${TITLE+set}" ]; then
  printf '%s\n' "$TITLE" | .venv/bin/node .cache/npm/node_modules/@commitlint/cli/cli.js
fi
if [ -n "${BASE:-}" ]; then
  .venv/bin/python build/lint.py commitlint --from "$BASE" --to "${HEAD:-HEAD}"
fi
