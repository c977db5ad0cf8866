#!/usr/bin/env bash
# Runs all tests in two processes: one for the tests in real time, which mostly wait, and after them some of the others;
# one for the rest, which mostly computes.
# With arguments, it passes them to a single pytest run instead.
set -uo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest)
if [ $# -gt 0 ]; then
  exec "${pytest[@]}" "$@"
fi
real_time=(tests/web tests/e2e tests/terminal tests/stock tests/conformance tests/server/test_process.py)
after_them=(tests/commands)
first=("${real_time[@]}" "${after_them[@]}")
mkdir -p .setup
set -m # else the background process, and every program it starts, would ignore SIGINT
"${pytest[@]}" -q -p no:cacheprovider "${first[@]}" >.setup/real-time.log 2>&1 &
real_time_pid=$!
set +m
trap 'kill "$real_time_pid" 2>/dev/null' INT TERM
"${pytest[@]}" -q tests "${first[@]/#/--ignore=}"
computing_status=$?
wait "$real_time_pid"
real_time_status=$?
cat .setup/real-time.log
exit $((computing_status || real_time_status))
