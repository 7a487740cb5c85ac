#!/usr/bin/env bash
# Compares three readings of made-up CSV; runs tables that packages ship, and has pyarrow and Python's csv and json compare them;
# runs Parquet files of pyarrow, pandas, polars and DuckDB, and has each of them read the output, typed columns too; and runs what these and fastparquet
# write in every way that they have, with footers that lie; and has a plan note each type of pyarrow's that comes back as another one.
# From the repository's root; needs python3.
set -euo pipefail

bash scripts/bench-python.sh
bash scripts/venv.sh writers pandas==2.2.3 pyarrow==18.1.0 polars==1.31.0 duckdb==1.1.3 fastparquet==2026.9.0
# For their tables alone.
bash scripts/venv.sh tables --no-deps statsmodels==0.15.0 scikit-learn==1.9.1 lifelines==0.30.3 mlxtend==0.25.0 palmerpenguins==0.1.6 plotly==7.1.0
python=.venv/bench/bin/python
node=node_modules/.bin/node
[ -x "$node" ] || node=node

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
mkdir "$directory/input"
"$python" test/conformance/read-output.py make "$directory/input"
passed=0
failed=0
for input in "$directory"/input/*.parquet; do
  writer=$(basename "$input" .parquet)
  if ! "$node" src/cli/main.ts run "$input" --dir "$directory/$writer" --run-id readers \
    --model-id us.amazon.nova-lite-v1:0 --prompt-template 'What is {code}? {nested} {price} {day}' \
    --max-records-per-job 150 >"$directory/log" 2>&1; then
    cat "$directory/log" >&2
    failed=$((failed + 1))
    continue
  fi
  counts=$("$python" test/conformance/read-output.py check "$input" "$directory/$writer"/quarry-local/runs/readers/output/*.parquet) || true
  echo "$writer: $counts"
  # A reader that broke down has printed no counts.
  [[ $counts =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || BASH_REMATCH=('' 0 1)
  passed=$((passed + BASH_REMATCH[1]))
  failed=$((failed + BASH_REMATCH[2]))
done
"$node" test/conformance/fuzz-csv.ts --files 300 && passed=$((passed + 1)) || failed=$((failed + 1))
packages=$(echo .venv/tables/lib/python3*/site-packages)
"$node" test/conformance/table-corpus.ts "$directory/tables" node_modules/csv-spectrum/csvs node_modules/vega-datasets/data \
  "$packages"/{statsmodels/datasets,sklearn/datasets/data,lifelines/datasets,mlxtend/data,palmerpenguins,plotly/package_data/datasets}
"$python" test/conformance/check-tables.py "$directory/tables/tables.json" 130 && passed=$((passed + 1)) || failed=$((failed + 1))
.venv/writers/bin/python test/conformance/many_writers.py make "$directory/writers" "${QUARRY_WRITERS_SEED:-20261127}" "${QUARRY_WRITERS_FILES:-20}"
"$node" test/conformance/table-corpus.ts "$directory/written" "$directory/writers/lying"
.venv/writers/bin/python test/conformance/many_writers.py check "$directory/written/tables.json" "$directory/writers" && passed=$((passed + 1)) || failed=$((failed + 1))
"$python" test/conformance/converted_types.py make "$directory/converted.parquet"
"$node" src/cli/main.ts plan "$directory/converted.parquet" --dir "$directory/converted" --json \
  --model-id us.amazon.nova-lite-v1:0 --prompt-template 'What is {plain}?' |
  "$python" test/conformance/converted_types.py check && passed=$((passed + 1)) || failed=$((failed + 1))
mkdir "$directory/typed"
"$node" test/conformance/typed-run.ts "$directory/typed" &&
  xargs -d '\n' "$python" test/conformance/typed-output.py <"$directory/typed/outputs.txt" &&
  passed=$((passed + 1)) || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
