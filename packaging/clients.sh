#!/usr/bin/env bash
# Install the real client programs that the journeys drive, into build/clients. Without npm the journeys are skipped, and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=build/clients
wanted=packaging/clients/package.json
if cmp -s "$wanted" "$folder/ready.json"; then exit 0; fi
command -v npm >/dev/null || { echo "clients: there is no npm; journeys with real clients will be skipped" >&2; exit 0; }
mkdir -p "$folder"
cp "$wanted" "$folder/package.json"
echo "clients: installing the programs of $wanted" >&2
npm install --prefix "$folder" --no-package-lock --no-audit --no-fund --loglevel=error >&2
# npm may leave install scripts unrun; this one puts the program for this machine in its place.
if ! "$folder/node_modules/.bin/claude" --version >/dev/null 2>&1; then
  (cd "$folder/node_modules/@anthropic-ai/claude-code" && node install.cjs >&2)
fi
"$folder/node_modules/.bin/claude" --version >&2
"$folder/node_modules/.bin/codex" --version >&2
cp "$wanted" "$folder/ready.json"
