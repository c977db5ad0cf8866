#!/usr/bin/env bash
# The whole suite: what lives in real time (listens, waits, plays) runs beside what computes, each half in a process of
# its own. With arguments they go to one ordinary pytest run instead.
set -uo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest)
if [ $# -gt 0 ]; then
  exec "${pytest[@]}" "$@"
fi
real_time=(tests/web tests/e2e tests/terminal tests/stock tests/conformance tests/server/test_process.py)
mkdir -p .setup
set -m # else the half in the background, and every program it starts, would ignore SIGINT
"${pytest[@]}" -q -p no:cacheprovider "${real_time[@]}" >.setup/real-time.log 2>&1 &
listening=$!
set +m
trap 'kill "$listening" 2>/dev/null' INT TERM
"${pytest[@]}" -q tests "${real_time[@]/#/--ignore=}"
computing_status=$?
wait "$listening"
listening_status=$?
cat .setup/real-time.log
exit $((computing_status || listening_status))
