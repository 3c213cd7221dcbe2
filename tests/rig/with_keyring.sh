#!/usr/bin/env bash
# Run a command beside a real, fresh Secret Service: gnome-keyring on a D-Bus session of its own, with a home of its own.
#
#   with_keyring.sh [--locked] FOLDER COMMAND…
#
# The login collection is made and unlocked; with --locked it is locked again, as after an automatic login. Everything that the
# daemon writes is in FOLDER, and it ends with the command.
set -eu

if [ "${1:-}" = "--in-session" ]; then
    shift
    state=$1; shift
    # No newline after the password: it would become a part of it.
    printf 'for-tests-only' | gnome-keyring-daemon --foreground --components=secrets --unlock >"$HOME/daemon.log" 2>&1 &
    daemon=$!
    trap 'kill "$daemon" 2>/dev/null || true; wait "$daemon" 2>/dev/null || true' EXIT
    for _ in $(seq 200); do
        if gdbus call --session --dest org.freedesktop.DBus --object-path / \
            --method org.freedesktop.DBus.NameHasOwner org.freedesktop.secrets | grep -q true; then break; fi
        sleep 0.05
    done
    if [ "$state" = locked ]; then
        gdbus call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets \
            --method org.freedesktop.Secret.Service.Lock "['/org/freedesktop/secrets/collection/login']" >/dev/null
    fi
    "$@"
    exit $?
fi

state=unlocked
if [ "${1:-}" = "--locked" ]; then state=locked; shift; fi
folder=$1; shift
mkdir -p "$folder"/{home,run,data,config,cache}
chmod 700 "$folder/run"
export HOME="$folder/home" XDG_RUNTIME_DIR="$folder/run" XDG_DATA_HOME="$folder/data"
export XDG_CONFIG_HOME="$folder/config" XDG_CACHE_HOME="$folder/cache"
unset DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY PYTHON_KEYRING_BACKEND
exec timeout --kill-after=10 120 dbus-run-session -- "$0" --in-session "$state" "$@"
