#!/usr/bin/env bash
# Packs the package, checks it, installs it into an empty folder, and uses it there as a user does. Needs the registry.
# From the repository's root; ends with "N passed, N failed".
set -uo pipefail

. scripts/checks.sh

pack() { npm pack --pack-destination "$folder"; }
has_no_install_scripts() {
  node -e '
    const { scripts = {} } = JSON.parse(require("node:fs").readFileSync("node_modules/quarry/package.json"));
    const run = ["preinstall", "install", "postinstall", "prepare"].filter((name) => name in scripts);
    if (run.length > 0) throw new Error(`npm would run ${run}`);'
}
has() { for file in "$@"; do [ -f "node_modules/quarry/$file" ] || { echo "$file is missing"; return 1; }; done; }
says_its_version() { [ "$(npx quarry --version)" = "$(node -p "require('quarry/package.json').version")" ]; }
runs() {
  printf 'id,review\n1,good\n2,bad\n' >reviews.csv
  npx quarry run reviews.csv --model-id us.amazon.nova-lite-v1:0 --prompt-template 'Positive? {review}' --json >run.json &&
    node -e '
      const { rows } = JSON.parse(require("node:fs").readFileSync("run.json"));
      if (rows.total !== 2 || rows.succeeded !== 2) throw new Error(JSON.stringify(rows));'
}
pipes() {
  npx quarry run - --format csv --model-id us.amazon.nova-lite-v1:0 --prompt-template 'Positive? {review}' --json <reviews.csv >piped.json &&
    node -e 'if (JSON.parse(require("node:fs").readFileSync("piped.json")).rows.succeeded !== 2) throw new Error("rows")'
}
# Pretends to be an older Node, so that it can be tried wherever this runs; a real one is tried too where there is one.
refuses() { # refuses NODE... : what runs the command line
  local text
  text=$("$@" node_modules/quarry/bin/quarry.cjs --version 2>&1) && return 1
  [[ $text =~ ^Quarry\ needs\ Node\ [0-9.]+\ or\ later,\ and\ this\ is\ Node\ [0-9.]+\.$ ]] || { echo "$text"; return 1; }
}
# Only where that Node links the package at all: one without a module that Quarry imports names that instead.
refuses_import() {
  local text
  text=$("$@" --input-type=module --eval 'import "quarry"' 2>&1) && return 1
  grep '^Error: Quarry needs Node' <<<"$text"
}
imports_no_bedrock() {
  ! grep -lE "aws-sdk|duckdb" $(node -e '
    const { readFileSync } = require("node:fs");
    const seen = new Set();
    const visit = (path) => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const [, file] of readFileSync(path, "utf8").matchAll(/from\s*"(\.\/[^"]+)"/g))
        visit(require("node:path").join(require("node:path").dirname(path), file));
    };
    visit("node_modules/quarry/dist/lib/engine.js");
    console.log([...seen].join(" "));')
}

try 'npm pack' pack
tarball=$(echo "$folder"/quarry-*.tgz)
try 'publint' publint run "$tarball" --strict
try 'are the types wrong' attw "$tarball" --profile esm-only

mkdir "$folder/project"
cd "$folder/project" || exit 1
npm init --yes >/dev/null
npm pkg set type=module >/dev/null
try 'installs into an empty folder' npm install --prefer-offline "$tarball"
try 'npm runs nothing at its installation' has_no_install_scripts
try 'it has its licence, its pages and its types' has LICENSE README.md CHANGELOG.md dist/index.js dist/types/src/index.d.ts dist/lib/cli.js.map
try 'npx quarry --version' says_its_version
try 'npx quarry run' runs
try 'npx quarry run -' pipes
echo "Object.defineProperty(process.versions, 'node', { value: '22.21.0' });" >older.cjs
try 'an older Node is told in one line' refuses node --require ./older.cjs
try 'and so is a program that imports the package' refuses_import node --require ./older.cjs
for other in /usr/bin/node /usr/local/bin/node; do
  [ -x "$other" ] && [ "$("$other" -p 'parseInt(process.versions.node) < 24')" = true ] &&
    try "so is $("$other" --version)" refuses "$other"
done
try 'quarry/engine knows nothing of Bedrock' imports_no_bedrock

says_what_deploying_takes() { { npx quarry deploy --yes 2>&1 || true; } | grep -E '^Error: Deploying takes the AWS CDK, which is not installed: npm install aws-cdk@\S+ aws-cdk-lib@\S+ constructs@\S+$'; }
try 'npx quarry deploy says what it takes' says_what_deploying_takes

peers=()
for name in typescript @types/node aws-cdk aws-cdk-lib constructs @aws-sdk/client-bedrock; do peers+=("$name@$(version_of "$name")"); done
try 'what users of the types and the construct install' npm install --prefer-offline "${peers[@]}"
cp "$root"/test/package/*.ts .
cat >tsconfig.json <<'JSON'
{ "compilerOptions": { "module": "nodenext", "target": "es2024", "lib": ["esnext"], "strict": true, "noEmit": true, "types": ["node"] } }
JSON
# The README's own program, as it stands there.
sed -n '/^```ts$/,/^```$/p' "$root/README.md" | sed '/^```/d' >readme.ts
try 'a program that uses every entry point compiles, and so does the README’s' npx tsc
try 'and runs' node entry-points.ts
try 'npx quarry deploy synthesizes the stack and shows it' node deploy-plan.ts
readme_runs() { node readme.ts | tee /dev/stderr | grep -q '^Never again. \[simulated'; }
try 'and so does the README’s' readme_runs

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
