"""Runs the DAG's task for a day that was run already, and for one that is not there."""

import runpy

task = runpy.run_path("quarry_dag.py")["label_reviews"]().get_task("label")
assert task.retries == 3
label = task.python_callable
first = label(ds="2026-01-02")
assert first["rows"]["succeeded"] == 120, first
# A task that is tried again is the same run, which is there.
assert label(ds="2026-01-02") == first
try:
    label(ds="2026-01-03")
except RuntimeError as error:
    assert "There is no file or folder" in str(error), error
else:
    raise AssertionError("a missing day must fail the task")
print("ok")
