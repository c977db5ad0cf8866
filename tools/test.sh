#!/usr/bin/env bash
# Runs all checks at once: the linters; in real time, one after the other, the tests of the browser, and beside them those of
# sound and of whole conversations; and all others side by side, with low priority, in the time that the first leave.
# With arguments, it passes them to a single pytest run instead.
set -uo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE # or each of the many programs that tests start would compile all modules again
pytest=(.venv/bin/python -m pytest)
if [ $# -gt 0 ]; then
  exec "${pytest[@]}" "$@"
fi
browser=(tests/web tests/e2e/test_page.py tests/e2e/test_page_real.py)
sound=(tests/conformance tests/terminal tests/e2e/test_voice.py tests/e2e/test_openai_client.py tests/server/test_process.py)
real_time=("${browser[@]}" "${sound[@]}")
mkdir -p .setup
set -m # else the background processes, and every program they start, would ignore SIGINT
"${pytest[@]}" -q -p no:cacheprovider "${browser[@]}" >.setup/browser.log 2>&1 &
browser_pid=$!
"${pytest[@]}" -q -p no:cacheprovider "${sound[@]}" >.setup/sound.log 2>&1 &
sound_pid=$!
nice -n 10 make --no-print-directory lint >.setup/lint.log 2>&1 &
lint_pid=$!
set +m
trap 'kill "$browser_pid" "$sound_pid" "$lint_pid" 2>/dev/null' INT TERM
others=(nice -n 10 "${pytest[@]}" -q tests "${real_time[@]/#/--ignore=}")
if [ ! -d tests/core/__pycache__ ]; then # a new clone: each worker would compile all tests, at the same time
  "${others[@]}" --collect-only >/dev/null 2>&1 # what is wrong with it, the run itself will say
fi
"${others[@]}" -n "${WORKERS:-4}" --dist loadfile
others_status=$?
wait "$browser_pid"
browser_status=$?
wait "$sound_pid"
sound_status=$?
wait "$lint_pid"
lint_status=$?
cat .setup/browser.log .setup/sound.log .setup/lint.log
exit $((others_status || browser_status || sound_status || lint_status))
