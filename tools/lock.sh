#!/usr/bin/env bash
# Writes the lock files again: one to run and one to develop for each Python version, for all platforms.
set -euo pipefail
cd "$(dirname "$0")/.."
for python in 3.11 3.12 3.13; do
  for kind in run dev; do
    extras=(--extra local --extra zh --extra sandbox)
    [ "$kind" = dev ] && extras=(--extra dev)
    uv pip compile pyproject.toml requirements/build.in "${extras[@]}" --universal --python-version "$python" \
      --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet \
      --output-file "requirements/$kind-$python.txt"
  done
done
uv pip compile tests/stock/minimax-mcp.in --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links --quiet --output-file tests/stock/minimax-mcp.txt
