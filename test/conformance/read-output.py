"""Reads a run's output with pyarrow, pandas, polars and DuckDB, and compares values and types with the input's.

Usage: read-output.py make FILE | read-output.py check INPUT OUTPUT..."""

import datetime
import decimal
import sys

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 300
UTC = datetime.timezone.utc

COLUMNS = [
    ("name", pa.string(), lambda i: ["plain", 'q"uote', "two\nlines", "emoji 🐉", "", None][i % 6]),
    ("code", pa.string(), lambda i: f"{i:05d}"),
    ("small", pa.int8(), lambda i: i % 100 - 50),
    ("large", pa.int64(), lambda i: 2**62 + i),
    ("unsigned", pa.uint64(), lambda i: 2**63 + i),
    ("real", pa.float64(), lambda i: [0.1, -1e300, 1e-7, None][i % 4]),
    ("truth", pa.bool_(), lambda i: [True, False, None][i % 3]),
    ("price", pa.decimal128(18, 4), lambda i: decimal.Decimal(i) / 16),
    ("day", pa.date32(), lambda i: datetime.date(1969, 12, 30) + datetime.timedelta(days=i)),
    ("moment", pa.timestamp("us"), lambda i: datetime.datetime(2026, 1, 1, 0, 0, 0, i)),
    ("instant", pa.timestamp("us", tz="UTC"), lambda i: datetime.datetime(2026, 1, 1, 0, 0, i % 60, tzinfo=UTC)),
    ("raw", pa.binary(), lambda i: bytes([0, 255, i % 256])),
    ("numbers", pa.list_(pa.int64()), lambda i: [[], [1, None, i], None][i % 3]),
    ("nested", pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]), lambda i: {"a": i, "b": ["x", None]}),
    ("pairs", pa.map_(pa.string(), pa.int64()), lambda i: [("k", i), ("l", None)]),
]
passed = failed = 0


def check(what, good, detail=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what} {detail}")


def make(path):
    table = pa.table({name: pa.array([of(i) for i in range(ROWS)], kind) for name, kind, of in COLUMNS})
    pq.write_table(table, path, row_group_size=100)


def check_output(input_path, outputs):
    before = pq.read_table(input_path)
    names = before.column_names
    after = pa.concat_tables([pq.read_table(path) for path in outputs])
    check("pyarrow: rows", after.num_rows == ROWS)
    for name in names:
        same = before[name].to_pylist() == after[name].to_pylist()
        check(f"pyarrow: values of {name}", same, f"{before[name][:4]} {after[name][:4]}")
        kinds = (before.schema.field(name).type, after.schema.field(name).type)
        check(f"pyarrow: type of {name}", kinds[0] == kinds[1] or same_kind(*kinds), str(kinds))
    check("pyarrow: answers", after["response"].null_count == 0 and pa.types.is_string(after.schema.field("response").type))
    frame = pd.concat([pd.read_parquet(path) for path in outputs], ignore_index=True)
    check("pandas: rows", len(frame) == ROWS)
    check("pandas: code stays text", list(frame["code"]) == [f"{i:05d}" for i in range(ROWS)])
    check("pandas: answers", frame["response"].notna().all())
    # Polars 1.31 has no maps, whoever wrote them.
    columns = [name for name in after.column_names if name != "pairs"]
    polar = pl.concat([pl.read_parquet(path, columns=columns) for path in outputs])
    check("polars: rows", polar.height == ROWS)
    check("polars: values", polar["large"].to_list() == [2**62 + i for i in range(ROWS)])
    check("polars: record ids", polar["record_id"].to_list() == [f"r{i:010d}" for i in range(ROWS)])
    check("polars: prices", polar["price"].to_list() == [decimal.Decimal(i) / 16 for i in range(ROWS)])
    found = duckdb.sql(f"SELECT count(*), count(response), count(DISTINCT record_id), sum(attempts) FROM read_parquet({outputs!r})").fetchall()
    check("DuckDB: rows, answers, ids, attempts", found == [(ROWS, ROWS, ROWS, ROWS)], str(found))


def same_kind(one, other):
    """Field names within lists and maps, and nullability, are the writer's own."""
    plain = lambda kind: str(kind).replace("element:", "item:").replace(" not null", "").replace("large_", "")
    import re

    normal = lambda kind: re.sub(r" \('[^']*'\)", "", plain(kind))
    return normal(one) == normal(other)


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check_output(sys.argv[2], sys.argv[3:])
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
