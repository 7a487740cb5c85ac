"""Reads the typed columns of a run with pyarrow, polars and DuckDB, and compares types and values. Usage: typed-output.py FILE..."""

import json
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

paths = sys.argv[1:]
ARROW = {
    "label": pa.string(),
    "score": pa.float64(),
    "stars": pa.int64(),
    "reason": pa.string(),
}
POLARS = {"label": pl.String, "score": pl.Float64, "stars": pl.Int64, "topics": pl.List(pl.String), "reason": pl.String}
DUCKDB = {"label": "VARCHAR", "score": "DOUBLE", "stars": "BIGINT", "topics": "VARCHAR[]", "reason": "VARCHAR"}
failed = 0


def check(what, good, detail=""):
    global failed
    if not good:
        failed += 1
        print(f"FAILED: {what} {detail}")


arrow = pa.concat_tables([pq.read_table(path) for path in paths])
for name, kind in ARROW.items():
    check(f"pyarrow reads {name}", arrow.schema.field(name).type == kind, arrow.schema.field(name).type)
topics = arrow.schema.field("topics").type
check("pyarrow reads topics", pa.types.is_list(topics) and topics.value_type == pa.string(), topics)
polars = pl.concat([pl.read_parquet(path) for path in paths])
for name, kind in POLARS.items():
    check(f"polars reads {name}", polars.schema[name] == kind, polars.schema[name])
relation = duckdb.read_parquet(paths)
types = dict(zip(relation.columns, map(str, relation.types)))
for name, kind in DUCKDB.items():
    check(f"DuckDB reads {name}", types[name] == kind, types[name])
rows = arrow.to_pylist()
check("pyarrow and polars agree", rows == polars.to_dicts())
for row in rows:
    answer = json.loads(row["response"])
    good = all(row[name] == answer.get(name) for name in DUCKDB) and row["error_code"] is None
    check("the columns are those of the answer", good, row)
    check("the values are of the schema", row["label"] in ("good", "neutral", "bad") and 0 <= row["score"] <= 1 and 1 <= row["stars"] <= 5, row)
    if failed > 5:
        break
print(f"typed columns: {len(rows)} rows by pyarrow, polars and DuckDB, {failed} failed")
sys.exit(1 if failed else 0)
