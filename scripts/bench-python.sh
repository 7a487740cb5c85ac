#!/usr/bin/env bash
# Makes .venv/bench, in which the benchmark and the readers' test run Python. From the repository's root; needs python3.
set -euo pipefail

packages=(pandas==2.2.3 pyarrow==18.1.0 polars==1.31.0 duckdb==1.1.3)
python=.venv/bench/bin/python
if ! "$python" -m pip freeze 2>/dev/null | grep -qx "${packages[0]}"; then
  python3 -m venv .venv/bench
  "$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi
