#!/usr/bin/env bash
# Runs all tests in three processes: those of the browser and of whole conversations, which mostly wait; with low priority,
# in the time that the others leave, those that start many programs or the sandbox; and all others, which mostly compute.
# With arguments, it passes them to a single pytest run instead.
set -uo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest)
if [ $# -gt 0 ]; then
  exec "${pytest[@]}" "$@"
fi
real_time=(tests/web tests/e2e tests/conformance tests/server/test_process.py)
beside=(tests/sandbox tests/commands tests/docs tests/stock)
elsewhere=("${real_time[@]}" "${beside[@]}")
mkdir -p .setup
set -m # else the background processes, and every program they start, would ignore SIGINT
"${pytest[@]}" -q -p no:cacheprovider "${real_time[@]}" >.setup/real-time.log 2>&1 &
real_time_pid=$!
nice -n 10 "${pytest[@]}" -q -p no:cacheprovider "${beside[@]}" >.setup/beside.log 2>&1 &
beside_pid=$!
set +m
trap 'kill "$real_time_pid" "$beside_pid" 2>/dev/null' INT TERM
"${pytest[@]}" -q tests "${elsewhere[@]/#/--ignore=}"
computing_status=$?
wait "$real_time_pid"
real_time_status=$?
wait "$beside_pid"
beside_status=$?
cat .setup/real-time.log .setup/beside.log
exit $((computing_status || real_time_status || beside_status))
