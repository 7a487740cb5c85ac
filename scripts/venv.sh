#!/usr/bin/env bash
# venv.sh NAME PACKAGE...: makes .venv/NAME with exactly these PyPI packages; nothing to do where it has them already.
# From the repository's root; needs python3. By uv, which takes a fraction of pip's time.
set -euo pipefail

name=$1
shift
uv_version=0.13.9
uv=.venv/uv/bin/uv
if ! "$uv" --version 2>/dev/null | grep -q "^uv $uv_version"; then
  python3 -m venv .venv/uv
  .venv/uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
fi

has=.venv/$name/packages.txt
if ! printf '%s\n' "$@" | cmp --quiet - "$has" 2>/dev/null; then
  rm -rf ".venv/$name"
  python3 -m venv --without-pip ".venv/$name"
  "$uv" pip install --quiet --python ".venv/$name/bin/python" "$@"
  printf '%s\n' "$@" >"$has"
fi
