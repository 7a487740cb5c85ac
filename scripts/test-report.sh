#!/usr/bin/env bash
# Opens reports in Chromium. Takes the one of CHROMIUM_PATH or of PATH; as root on Debian it installs one. Without any it ends
# with status 77, so that nobody takes a test that did not run for one that passed.
set -euo pipefail

has_chromium() {
  [ -n "${CHROMIUM_PATH:-}" ] || command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null
}
if ! has_chromium && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo 'Installing Chromium …'
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null || true
fi
if ! has_chromium; then
  echo 'NOT RUN: the tests of the report need Chromium, and none could be had. apt-get install chromium, or set CHROMIUM_PATH.' >&2
  exit 77
fi
QUARRY_TEST_REPORT=1 exec npx vitest run --project report "$@"
