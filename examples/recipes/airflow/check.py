"""Runs the task of the DAG twice, and once for a day that is not there, with the stand-in for Airflow that lies beside it."""

import runpy

from airflow import sdk

runpy.run_path("quarry_dag.py")
function, options = sdk.TASKS["label"]
assert options["retries"] == 3
first = function(ds="2026-01-02")
assert first["rows"]["succeeded"] == 120, first
# A task that is tried again is the same run, which is there.
assert function(ds="2026-01-02") == first
try:
    function(ds="2026-01-03")
except RuntimeError as error:
    assert "There is no file or folder" in str(error), error
else:
    raise AssertionError("a missing day must fail the task")
print("ok")
