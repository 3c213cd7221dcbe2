#!/usr/bin/env bash
# Start the program from source; where there is no screen, with a virtual one and a message bus of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
program=(.venv/bin/python -m lynkr_desktop "$@")
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname -s)" != Linux ] || [[ " $* " == *" --headless "* ]]; then exec "${program[@]}"; fi

command -v Xvfb >/dev/null || { echo "There is no screen here, and no Xvfb to make one. Install xvfb, or use ARGS=--headless." >&2; exit 1; }
echo "There is no screen here: the window opens on a virtual one (Xvfb). The endpoint works as ever; Ctrl-C ends it." >&2
scratch=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; rm -rf "$scratch"' EXIT

# In sessions of their own: Ctrl-C must reach the program before it reaches what the program stands on.
setsid Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$scratch/display" 2>/dev/null &
started+=($!)
setsid dbus-daemon --session --nofork --nosyslog --print-address=3 3>"$scratch/bus" >/dev/null 2>&1 &
started+=($!)
for _ in $(seq 100); do
  if [ -s "$scratch/display" ] && [ -s "$scratch/bus" ]; then break; fi
  sleep 0.1
done
DISPLAY=":$(cat "$scratch/display")"
DBUS_SESSION_BUS_ADDRESS=$(cat "$scratch/bus")
export DISPLAY DBUS_SESSION_BUS_ADDRESS

"${program[@]}" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null || true' INT TERM
code=0
# A signal ends a wait, not the program; a terminal and make both send one.
while kill -0 "$child" 2>/dev/null; do
  code=0
  wait "$child" || code=$?
done
exit "$code"
