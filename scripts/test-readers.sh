#!/usr/bin/env bash
# Runs a Parquet file that pyarrow wrote, and has pyarrow, pandas, polars and DuckDB read the output.
# From the repository's root; needs python3.
set -euo pipefail

bash scripts/bench-python.sh
python=.venv/bench/bin/python
node=node_modules/.bin/node
[ -x "$node" ] || node=node

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$python" test/conformance/read-output.py make "$directory/rows.parquet"
"$node" src/cli/main.ts run "$directory/rows.parquet" --dir "$directory/store" --run-id readers \
  --model-id us.amazon.nova-lite-v1:0 --prompt-template 'What is {code}? {nested} {price} {day}' \
  --max-records-per-job 150 2>"$directory/log" >"$directory/out" || { cat "$directory/log" >&2; echo "0 passed, 1 failed"; exit 1; }
"$python" test/conformance/read-output.py check "$directory/rows.parquet" "$directory"/store/quarry-local/runs/readers/output/*.parquet
