#!/usr/bin/env bash
# Proves the deployment without AWS: moto's S3, CloudFormation and Step Functions interpreter, MiniStack with its IAM on, and our Bedrock
# emulator. From the repository's root; needs python3. Ends with "N passed, N failed".
set -euo pipefail

node=node_modules/.bin/node
[ -x "$node" ] || node=node

bash scripts/venv.sh moto 'moto[server]==5.2.1'
bash scripts/venv.sh cfn-lint cfn-lint==1.58.0
bash scripts/venv.sh ministack 'ministack==1.5.33' 'trustme==1.2.1'

report=test-results/aws.json
mkdir -p test-results
rm -f "$report"
rm -rf cdk.out
"$node" scripts/cdk.ts synth --quiet >test-results/synth.log 2>&1 || { cat test-results/synth.log; echo '0 passed, 1 failed'; exit 1; }

QUARRY_TEST_AWS=1 "$node" node_modules/vitest/vitest.mjs run --project aws \
  --reporter=default --reporter=json --outputFile.json="$report" || true

"$node" -e '
  const { numPassedTests, numFailedTests, success } = JSON.parse(require("node:fs").readFileSync(process.argv[1]));
  // A suite that does not even load has no failed test.
  const failed = success ? 0 : Math.max(1, numFailedTests);
  console.log(`${numPassedTests} passed, ${failed} failed`);
  process.exitCode = success ? 0 : 1;
' "$report" || { [ -f "$report" ] || echo '0 passed, 1 failed'; exit 1; }
