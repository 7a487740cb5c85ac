#!/usr/bin/env bash
# Runs the recipes of examples/recipes with the packed package, each in a folder of its own. Needs the registry and python3.
# From the repository's root; ends with "N passed, N failed".
set -uo pipefail

. scripts/checks.sh

# A folder with the recipe, a table, and what the recipes install.
open() { # open RECIPE
  mkdir "$folder/project/$1"
  cp -r "$root/examples/recipes/$1/." "$folder/project/$1"
  cd "$folder/project/$1" || exit 1
  { echo 'id,review'; for id in $(seq 120); do echo "$id,Review $id"; done; } >reviews.csv
}

in_root() { (cd "$root" && "$@"); }

bash scripts/bench-python.sh || exit 1
python=$root/.venv/bench/bin/python
npm pack --pack-destination "$folder" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
mkdir "$folder/project"
cd "$folder/project" || exit 1
npm init --yes >/dev/null
npm pkg set type=module >/dev/null
packages=(ai@7.0.173 @electric-sql/pglite@0.5.14 @electric-sql/pglite-pgvector@0.0.15)
for name in zod yaml typescript @types/node @duckdb/node-api; do packages+=("$name@$(version_of "$name")"); done
try 'what the recipes need is installed beside the package' npm install --prefer-offline "$folder"/quarry-*.tgz "${packages[@]}"
cat >tsconfig.json <<'JSON'
{
  "compilerOptions": {
    "module": "nodenext", "target": "es2024", "lib": ["esnext", "dom"], "strict": true, "noEmit": true,
    "types": ["node"], "skipLibCheck": true, "allowImportingTsExtensions": true
  }
}
JSON

open ai-sdk
try 'AI SDK and zod: one schema, one row now and all rows in batch' node check.ts
open python
python_counts() { "$python" label_reviews.py reviews.csv | tee /dev/stderr | grep -q '"rows": 120, "answered": 120'; }
try 'Python: subprocess and pyarrow' python_counts
open airflow
mkdir reviews && cp reviews.csv reviews/2026-01-02.csv
try 'Airflow is installed' in_root bash scripts/venv.sh airflow apache-airflow-task-sdk==1.1.3
airflow() { env AIRFLOW_HOME="$PWD/home" AIRFLOW__CORE__DAGS_FOLDER="$PWD" AIRFLOW__CORE__LOAD_EXAMPLES=false QUARRY_PROJECT="$PWD" "$@"; }
airflow_runs_the_day() {
  airflow "$root/.venv/airflow/bin/airflow" db migrate && airflow "$root/.venv/airflow/bin/airflow" dags test label_reviews 2026-01-02
}
try 'Airflow: a run of the DAG' airflow_runs_the_day
try 'Airflow: its task, tried again and for a day that is not there' airflow "$root/.venv/airflow/bin/python" check.py
open github-action
echo '{ "model_id": "us.amazon.nova-lite-v1:0", "prompt_template": "Good or bad? {review}" }' >run.json
try 'GitHub Action: the steps of the workflow' node check.ts
open step-functions
try 'Step Functions: a parent execution, on quarry/engine' node check.ts
open vectors
try 'DuckDB: nearest neighbours from the files' node duckdb.ts
try 'pgvector: nearest neighbours in Postgres' node pgvector.ts
cd "$folder/project" || exit 1
try 'and all of it compiles' npx tsc

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
