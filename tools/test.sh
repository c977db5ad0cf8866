#!/usr/bin/env bash
# Runs all checks at once: the linters; in real time, one after the other, the tests of the browser, and beside them those of
# sound and of whole conversations; and all others side by side, with low priority, in the time that the first leave. The
# first two take about as long. Of the others, which wait more than they work, those come first that take long, or one of
# them would run alone at the end.
# A few tests that failed among all of these run again, alone: what passes then is named at the end, with what it said.
# With arguments, it passes them to a single pytest run instead.
set -uo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE # or each of the many programs that tests start would compile all modules again
pytest=(.venv/bin/python -m pytest)
if [ $# -gt 0 ]; then
  exec "${pytest[@]}" "$@"
fi
most_again=5 # tests of one run: more are no accident
unhurried=tests/web/test_sdk_package.py # no browser and no sound
browser=(tests/web "--deselect=$unhurried")
sound=(tests/conformance tests/terminal tests/e2e/test_voice.py tests/e2e/test_openai_client.py tests/server/test_process.py
  tests/e2e/test_page.py tests/e2e/test_page_real.py)
others=(tests/server/test_bad_days.py tests/e2e tests/stock tests/docs tests/providers tests/cluster tests/commands tests/adversarial "$unhurried")
for entry in tests/*/ tests/test_*.py; do # the shorter ones
  entry="${entry%/}"
  [[ " ${browser[*]} ${sound[*]} ${others[*]} tests/__pycache__ " = *" $entry "* ]] || others+=("$entry")
done
for file in "${sound[@]}"; do others+=("--ignore=$file"); done # those inside of the folders

logs=.setup/tests
rm -rf "$logs"
mkdir -p "$logs"

run() { # NAME ARGUMENTS: one run of pytest, which keeps its failures in its own cache
  local name="$1"
  shift
  "${pytest[@]}" -q -o "cache_dir=$logs/$name" "$@"
}

again() { # NAME STATUS ARGUMENTS: the status after the tests that failed have run again, alone
  local name="$1" status="$2" failed="$logs/$1/v/cache/lastfailed"
  shift 2
  [ "$status" = 1 ] && [ -f "$failed" ] && [ "$(grep -c '::' "$failed")" -le "$most_again" ] || return "$status"
  printf '\nFailed beside others, now alone (%s):\n' "$name"
  run "$name" --last-failed --last-failed-no-failures=none "$@" || return
  echo "These tests pass alone and failed beside others: each depends on the speed of the machine. Mend them:"
  grep -h '^\(FAILED\|ERROR\) ' "$logs/$name.log"
}

set -m # else the background processes, and every program they start, would ignore SIGINT
run browser "${browser[@]}" >"$logs/browser.log" 2>&1 &
browser_pid=$!
run sound "${sound[@]}" >"$logs/sound.log" 2>&1 &
sound_pid=$!
nice -n 10 make --no-print-directory lint >"$logs/lint.log" 2>&1 &
lint_pid=$!
set +m
trap 'kill "$browser_pid" "$sound_pid" "$lint_pid" 2>/dev/null' INT TERM
if [ ! -d tests/core/__pycache__ ]; then # a new clone: each worker would compile all tests, at the same time
  run others "${others[@]}" --collect-only >/dev/null 2>&1 # what is wrong with it, the run itself will say
fi
nice -n 10 "${pytest[@]}" -q -o "cache_dir=$logs/others" "${others[@]}" -n "${WORKERS:-6}" --dist loadfile \
  --no-loadscope-reorder |
  tee "$logs/others.log"
others_status=$?
wait "$browser_pid"
browser_status=$?
wait "$sound_pid"
sound_status=$?
wait "$lint_pid"
lint_status=$?
cat "$logs/browser.log" "$logs/sound.log" "$logs/lint.log"
again others "$others_status" "${others[@]}"
others_status=$?
again browser "$browser_status" "${browser[@]}"
browser_status=$?
again sound "$sound_status" "${sound[@]}"
sound_status=$?
exit $((others_status || browser_status || sound_status || lint_status))
