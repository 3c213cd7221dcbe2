#!/usr/bin/env bash
# Install what `make matrix` drives into build/matrix: client programs and SDKs, and the other proxy, each in an exact version.
# A part that cannot be installed is left out, and the matrix says so in its place.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=build/matrix
mkdir -p "$folder"
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf 'matrix: %s\n' "$*" >&2; }

python_part() {  # name of the environment, which is also that of its list
  local name=$1 wanted=packaging/matrix/$1.txt
  cmp -s "$wanted" "$folder/$name/ready.txt" && return 0
  say "installing $wanted"
  rm -rf "${folder:?}/$name"
  if "${PYTHON:-python3}" -m venv "$folder/$name" && "$folder/$name/bin/python" -m pip install -q -r "$wanted" >&2; then
    cp "$wanted" "$folder/$name/ready.txt"
  else
    say "$wanted could not be installed; its clients are left out"
  fi
}

npm_part() {
  local wanted=packaging/matrix/package.json
  cmp -s "$wanted" "$folder/npm/ready.json" && return 0
  command -v npm >/dev/null || { say "there is no npm; the clients of $wanted are left out"; return 0; }
  say "installing $wanted"
  mkdir -p "$folder/npm"
  cp "$wanted" "$folder/npm/package.json"
  if npm install --prefix "$folder/npm" --no-package-lock --no-audit --no-fund --loglevel=error >&2; then
    # npm may leave install scripts unrun; this one puts the program for this machine in its place.
    (cd "$folder/npm/node_modules/@anthropic-ai/claude-code" && node install.cjs >&2)
    cp "$wanted" "$folder/npm/ready.json"
  else
    say "$wanted could not be installed; its clients are left out"
  fi
}

npm_part
python_part python
python_part aider
python_part litellm
