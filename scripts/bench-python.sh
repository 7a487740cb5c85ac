#!/usr/bin/env bash
# Makes .venv/bench, in which the benchmark and the readers' test run Python. From the repository's root; needs python3.
exec bash scripts/venv.sh bench pandas==2.2.3 pyarrow==18.1.0 polars==1.31.0 duckdb==1.1.3
