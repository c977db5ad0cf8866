#!/usr/bin/env bash
# Sets everything up in .venv: `tools/setup.sh run` to run the server, `tools/setup.sh dev` also for the tests.
# Installs system packages if it runs as root or sudo needs no password; else it prints the command.
set -euo pipefail
cd "$(dirname "$0")/.."
kind="${1:-run}"

say() { printf '%s\n' "$*" >&2; }

python_for() {
  for candidate in "${PYTHON:-}" python3.12 python3.13 python3.11 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  say "Python 3.11, 3.12 or 3.13 is needed and was not found: install one, or set PYTHON=/path/to/python3."
  exit 2
}

wanted() {  # PROGRAM PACKAGE: the package, if the program is missing and REQUIRE names it
  case ",${REQUIRE:-}," in
    *",$1,"*) command -v "$1" >/dev/null || echo "$2" ;;
  esac
}

browser_package() {  # Chromium without windows, where the system has it: for the same tests it needs half of the CPU time
  if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
    echo chromium-headless-shell
  elif ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
    echo chromium
  fi
}

missing_packages() {  # Debian names of the missing system packages
  ldconfig -p 2>/dev/null | grep -q libportaudio.so.2 || echo libportaudio2
  "$python" -c 'import ensurepip' 2>/dev/null || echo python3-venv
  if [ "$kind" = dev ]; then
    command -v chromium-headless-shell >/dev/null || browser_package
    command -v pulseaudio >/dev/null || echo pulseaudio
    command -v pactl >/dev/null || echo pulseaudio-utils
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    command -v redis-server >/dev/null || echo redis-server
    wanted haproxy haproxy
    wanted promtool prometheus
    ls /usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so >/dev/null 2>&1 || echo libasound2-plugins
  fi
}

system_packages() {
  command -v apt-get >/dev/null || return 0
  local missing
  local package
  missing="$(missing_packages | tr '\n' ' ')"
  [ -n "${missing// /}" ] || return 0
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      sudo=(sudo)
    else
      say "For sound on this machine, run once: sudo apt-get install -y --no-install-recommends $missing"
      return 0
    fi
  fi
  say "Installing system packages: $missing"
  # shellcheck disable=SC2086
  "${sudo[@]}" apt-get update -qq >&2 &&
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    say "Some system packages could not be installed; continuing without them."
  for package in $missing; do # tests start their own: no service of this machine is wanted
    case "$package" in
      redis-server | haproxy | prometheus)
        "${sudo[@]}" systemctl disable --now "$package" >/dev/null 2>&1 || true ;;
    esac
  done
}

progress() {  # what pip is at, as one line that changes; without a terminal every tenth package
  local total="$1" number=0 word name
  while read -r word name _; do
    case "$word" in
      Collecting | Requirement) number=$((number + 1)) ;;
      Installing) name="putting them in place" ;;
      *) continue ;;
    esac
    if [ -t 2 ]; then
      printf '\r\033[K  package %d of %d: %s' "$number" "$total" "${name%%[=<>@ ]*}" >&2
    elif [ $((number % 10)) = 1 ] && [ "$word" = Collecting ]; then
      say "  package $number of $total: ${name%%[=<>@ ]*}"
    fi
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
}

install() {  # pip install, with progress; all that pip said only if it fails
  local said status=0
  said="$(mktemp)"
  .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off "$@" 2>&1 |
    tee "$said" | progress "$(grep -c '^[A-Za-z0-9].*==' "$lock")" || status=$?
  [ "$status" = 0 ] || tail -n 20 "$said" >&2
  rm -f "$said"
  return "$status"
}

python="$(python_for)"
system_packages
[ -x .venv/bin/python ] || "$python" -m venv .venv
version="$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
lock="requirements/$kind-$version.txt"
stamp=".venv/.installed-$kind"
current="$(cat "$lock" pyproject.toml tools/setup.sh | cksum) $PWD"
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$current" ]; then
  say "Installing into .venv (the first time takes a minute)"
  install --require-hashes -r "$lock"
  install --no-deps --no-build-isolation -e .
  printf '%s' "$current" >"$stamp"
fi

within() {  # SECONDS COMMAND: its child is stopped with it; where there is no timeout, pip's own limits have to do
  local limit_s="$1"
  shift
  if command -v timeout >/dev/null; then timeout --foreground -s INT "$limit_s" "$@"; else "$@"; fi
}

# The model that judges by sound whether a turn is over (12 MB, once). Without a network the server starts all the same.
asked=.venv/.asked-for-model-of-turns
if [ "$kind" = run ] && [ ! -e "$asked" ]; then
  PIP_RETRIES=1 PIP_TIMEOUT=10 PIP_DEFAULT_TIMEOUT=10 within 60 .venv/bin/realtime setup turn >/dev/null 2>&1 ||
    say "The end-of-turn model could not be fetched: turns are judged by their text. Later: .venv/bin/realtime setup turn"
  touch "$asked"
fi
