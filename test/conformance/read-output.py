"""Writes datasets with pyarrow, pandas, polars and DuckDB, and compares what each of them reads of a run's output.

Usage: read-output.py make DIRECTORY | read-output.py check INPUT OUTPUT..."""

import datetime
import decimal
import os
import re
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


# What pandas and polars cannot write.
NO_MAPS = ["pairs"]
WRITERS = {
    "pyarrow-snappy": lambda table, path: pq.write_table(table, path, row_group_size=100),
    "pyarrow-zstd-pages-v2": lambda table, path: pq.write_table(
        table, path, compression="zstd", data_page_version="2.0", use_dictionary=False
    ),
    # INT96 says nothing of a time zone.
    "pyarrow-gzip-int96": lambda table, path: pq.write_table(
        table.drop(["instant"]), path, compression="gzip", use_deprecated_int96_timestamps=True
    ),
    "pyarrow-brotli-delta": lambda table, path: pq.write_table(
        table,
        path,
        compression="brotli",
        use_dictionary=False,
        column_encoding={"code": "DELTA_BYTE_ARRAY", "large": "DELTA_BINARY_PACKED", "real": "BYTE_STREAM_SPLIT"},
    ),
    "pyarrow-lz4-tiny-groups": lambda table, path: pq.write_table(table, path, compression="lz4", row_group_size=7),
    "pandas": lambda table, path: table.drop(NO_MAPS).to_pandas().to_parquet(path),
    "polars": lambda table, path: pl.from_arrow(table.drop(NO_MAPS)).write_parquet(path, row_group_size=64),
    "duckdb": lambda table, path: duckdb.from_arrow(table).write_parquet(path, compression="zstd"),
}


def make(directory):
    table = pa.table({name: pa.array([of(i) for i in range(ROWS)], kind) for name, kind, of in COLUMNS})
    for writer, write in WRITERS.items():
        write(table, os.path.join(directory, f"{writer}.parquet"))


def check_output(input_path, outputs):
    before = pq.read_table(input_path)
    names = before.column_names
    after = pa.concat_tables([pq.read_table(path) for path in outputs])
    check("pyarrow: rows", after.num_rows == ROWS)
    for name in names:
        check(f"pyarrow: values of {name}", *same_values(before[name], after[name]))
        kinds = (before.schema.field(name).type, after.schema.field(name).type)
        check(f"pyarrow: type of {name}", same_kind(*kinds), str(kinds))
    check("pyarrow: answers", after["response"].null_count == 0 and pa.types.is_string(after.schema.field("response").type))

    check_pandas(pd.read_parquet(input_path), pd.concat([pd.read_parquet(path) for path in outputs], ignore_index=True))

    # Polars 1.31 has no maps, whoever wrote them.
    columns = [name for name in after.column_names if name not in NO_MAPS]
    given = [name for name in columns if name in names]
    polar = pl.concat([pl.read_parquet(path, columns=columns) for path in outputs])
    check("polars: rows", polar.height == ROWS)
    check("polars: record ids", polar["record_id"].to_list() == [f"r{i:010d}" for i in range(ROWS)])
    input_polar = pl.read_parquet(input_path, columns=given)
    for name in given:
        check(f"polars: values of {name}", *same_values(input_polar[name], polar[name]))
    check("polars: answers", polar["response"].null_count() == 0 and polar.schema["response"] == pl.String)

    counts = duckdb.sql(f"SELECT count(*), count(response), count(DISTINCT record_id), sum(attempts) FROM read_parquet({outputs!r})").fetchall()
    check("DuckDB: rows, answers, ids, attempts", counts == [(ROWS, ROWS, ROWS, ROWS)], str(counts))
    chosen = ", ".join(f'"{name}"' for name in names)
    given_rows = duckdb.sql(f"SELECT {chosen} FROM read_parquet('{input_path}')")
    output_rows = duckdb.sql(f"SELECT {chosen} FROM (SELECT * FROM read_parquet({outputs!r}) ORDER BY record_id)")
    check("DuckDB: types", given_rows.types == output_rows.types, f"{given_rows.types} {output_rows.types}")
    check("DuckDB: values", given_rows.fetchall() == output_rows.fetchall())


def check_pandas(before, after):
    check("pandas: rows", len(after) == ROWS)
    check("pandas: answers", after["response"].notna().all())
    for name in before.columns:
        check(f"pandas: values of {name}", *same_values(before[name], after[name]))
        # A writer's own notes for pandas, which we do not copy, may ask for other types.
        if before[name].dtype.kind != "O":
            kinds = (before[name].dtype, after[name].dtype)
            check(f"pandas: type of {name}", kinds[0] == kinds[1] or kinds[0].kind == kinds[1].kind == "M", str(kinds))


def same_values(before, after):
    one, other = (plain(list(values.to_list() if hasattr(values, "to_list") else values.to_pylist())) for values in (before, after))
    return one == other, "" if one == other else str([pair for pair in zip(one, other) if pair[0] != pair[1]][:3])


def plain(value):
    """A value without what is the reader's own: its kinds of nothing, of sequence and of time."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)) or hasattr(value, "tolist"):
        return [plain(inner) for inner in (value.tolist() if hasattr(value, "tolist") else value)] if not is_scalar(value) else value.item()
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def is_scalar(value):
    return getattr(value, "shape", None) == ()


def same_kind(one, other):
    """Field names within lists and maps, nullability, and the unit of a time are the writer's own."""

    def normal(kind):
        text = str(kind).replace("element:", "item:").replace(" not null", "").replace("large_", "")
        return re.sub(r" \('[^']*'\)", "", text).replace("[ns", "[us")

    return normal(one) == normal(other)


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check_output(sys.argv[2], sys.argv[3:])
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
