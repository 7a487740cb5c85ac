#!/usr/bin/env bash
# Runs the emulator and drives it with boto3. From the repository's root; needs python3.
set -euo pipefail

python=.venv/boto3/bin/python
node=node_modules/.bin/node
[ -x "$node" ] || node=node

bash scripts/venv.sh boto3 boto3==1.43.11

directory=$(mktemp -d)
"$node" test/conformance/start-emulator.ts "$directory" >"$directory/url" &
emulator=$!
trap 'kill "$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; rm -rf "$directory"' EXIT

for _ in $(seq 100); do
  [ -s "$directory/url" ] && break
  sleep 0.1
done
[ -s "$directory/url" ] || { echo "The emulator did not start." >&2; echo "0 passed, 1 failed"; exit 1; }

"$python" test/conformance/boto3_emulator.py "$(cat "$directory/url")" "$directory"
