"""Writes Parquet with four writers, every type and every way of packing that each has, with footers that lie; and compares what
runs made of it with what pyarrow reads of the same files before they lied.

Usage: many_writers.py make DIRECTORY SEED FILES | many_writers.py check TABLES.JSON DIRECTORY"""

import datetime
import decimal
import json
import math
import os
import random
import re
import struct
import sys

import duckdb
import fastparquet
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from fastparquet.cencoding import from_buffer

UTC = datetime.timezone.utc
TEXTS = ["", "a", "é😀", "two\nlines", "\ufeffx", "NULL", "x" * 300, 'q"uote']
DAYS = [datetime.date(1970, 1, 1) + datetime.timedelta(days=day) for day in (-40000, 0, 1, 20000)]
MOMENTS = [datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=s, milliseconds=7) for s in (-5, 0, 1_700_000_000)]

# Of pyarrow, which has nearly all types that there are: a type, and values of it.
ARROW_TYPES = {
    "bool": (pa.bool_(), [True, False]),
    **{f"int{bits}": (getattr(pa, f"int{bits}")(), [-(2 ** (bits - 1)), 0, 2 ** (bits - 1) - 1]) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (getattr(pa, f"uint{bits}")(), [0, 2**bits - 1]) for bits in (8, 16, 32, 64)},
    "half": (pa.float16(), [np.float16(0.5), np.float16(-2)]),
    "float": (pa.float32(), [0.5, -0.0, math.nan, math.inf]),
    "double": (pa.float64(), [0.1, 1e300, math.nan, -math.inf]),
    "text": (pa.string(), TEXTS),
    "large text": (pa.large_string(), TEXTS),
    "binary": (pa.binary(), [b"", b"\0\xff", b"abc"]),
    "fixed": (pa.binary(3), [b"abc", b"\0\0\xff"]),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), TEXTS),
    "date": (pa.date32(), DAYS),
    "time ms": (pa.time32("ms"), [datetime.time(1, 2, 3, 4000), datetime.time(0)]),
    "time us": (pa.time64("us"), [datetime.time(1, 2, 3, 4), datetime.time(23, 59, 59, 999999)]),
    "time ns": (pa.time64("ns"), [datetime.time(1, 2, 3, 4)]),
    "moment ms": (pa.timestamp("ms"), MOMENTS),
    "moment us": (pa.timestamp("us"), MOMENTS),
    "moment ns": (pa.timestamp("ns"), MOMENTS),
    "instant us": (pa.timestamp("us", "UTC"), [moment.replace(tzinfo=UTC) for moment in MOMENTS]),
    "instant ns": (pa.timestamp("ns", "UTC"), [moment.replace(tzinfo=UTC) for moment in MOMENTS]),
    "duration": (pa.duration("us"), [datetime.timedelta(seconds=5, microseconds=1), datetime.timedelta(-1)]),
    "decimal": (pa.decimal128(18, 4), [decimal.Decimal("1.5000"), decimal.Decimal("-99999999999999.9999")]),
    "long decimal": (pa.decimal256(50, 2), [decimal.Decimal("1.50")]),
    "nothing": (pa.null(), [None]),
    "list": (pa.list_(pa.int32()), [[], [1, None], [3]]),
    "texts": (pa.list_(pa.string()), [["a", ""], [], [None]]),
    "struct": (pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]), [{"a": 1, "b": ["x"]}, {"a": None, "b": None}]),
    "map": (pa.map_(pa.string(), pa.int64()), [[("k", 1)], [], [("a", None), ("b", 2)]]),
}
# What is refused is seldom drawn, lest little is kept.
SELDOM = {"time ns", "long decimal", "instant ns"}
NOT_POLARS = {"map", "fixed", "half", "long decimal", "nothing", "time ms", "time us", "dictionary"}
NOT_DUCKDB = {"half", "long decimal", "nothing", "fixed", "dictionary", "duration"}
IN_PANDAS = ["bool", "int8", "int32", "int64", "uint8", "uint32", "float", "double", "text", "moment ns", "instant ns"]


def table_of(random, kinds):
    rows = random.randint(1, 60)
    if random.random() < 0.85:
        kinds = [kind for kind in kinds if kind not in SELDOM]
    names = random.sample(kinds, min(len(kinds), random.randint(1, 6)))
    column = lambda values: [None if random.random() < 0.3 else random.choice(values) for _ in range(rows)]
    return pa.table({f"c {name}": pa.array(column(ARROW_TYPES[name][1]), ARROW_TYPES[name][0]) for name in names})


def by_pyarrow(random, path):
    pq.write_table(
        # fastparquet, which makes footers lie, knows of no FLOAT16.
        table_of(random, [kind for kind in ARROW_TYPES if kind != "half" or "-honest" in path]),
        path,
        compression=random.choice(["none", "snappy", "gzip", "brotli", "zstd", "lz4"]),
        data_page_version=random.choice(["1.0", "2.0"]),
        use_dictionary=random.random() < 0.5,
        write_statistics=random.random() < 0.8,
        version=random.choice(["1.0", "2.4", "2.6"]),
        row_group_size=random.choice([7, 20, 1000]),
        data_page_size=random.choice([64, 1 << 20]),
        use_deprecated_int96_timestamps=random.random() < 0.2,
        store_schema=random.random() < 0.7,
        write_page_index=random.random() < 0.3,
    )


def by_polars(random, path):
    kinds = [kind for kind in ARROW_TYPES if kind not in NOT_POLARS]
    pl.from_arrow(table_of(random, kinds)).write_parquet(
        path,
        compression=random.choice(["uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4"]),
        statistics=random.random() < 0.8,
        row_group_size=random.choice([7, 1000]),
        data_page_size=random.choice([100, None]),
    )


def by_duckdb(random, path):
    table = table_of(random, [kind for kind in ARROW_TYPES if kind not in NOT_DUCKDB])
    codec = random.choice(["uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4_raw"])
    duckdb.from_arrow(table).write_parquet(path, compression=codec, row_group_size=random.choice([2048, 4096]))


def by_fastparquet(random, path):
    frame = table_of(random, IN_PANDAS).to_pandas()
    for name in frame.columns:
        if frame[name].dtype == object and random.random() < 0.5 and frame[name].map(type).isin([str, type(None)]).all():
            frame[name] = frame[name].astype("category")
    fastparquet.write(
        path,
        frame,
        compression=random.choice(["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD"]),
        write_index=False,
        row_group_offsets=random.choice([7, 1000]),
        stats=random.choice([True, False]),
        times=random.choice(["int64", "int96"]),
    )


WRITERS = {"pyarrow": by_pyarrow, "polars": by_polars, "duckdb": by_duckdb, "fastparquet": by_fastparquet}


def every_column(footer, edit):
    for group in footer.row_groups:
        for chunk in group.columns:
            if chunk.meta_data.statistics is not None:
                edit(chunk.meta_data, chunk.meta_data.statistics)


def no_nulls(footer):
    def edit(_, statistics):
        statistics.null_count = 0

    every_column(footer, edit)


def only_nulls(footer):
    def edit(column, statistics):
        statistics.null_count = column.num_values

    every_column(footer, edit)


def other_values(footer):
    def edit(_, statistics):
        # Of the length that the type has, and of nothing that is there.
        for key in ("min", "max", "min_value", "max_value"):
            value = getattr(statistics, key)
            if value:
                setattr(statistics, key, b"\x07".ljust(len(value), b"\0"))

    every_column(footer, edit)


def other_total(footer):
    footer.num_rows += 1


def other_group(footer):
    footer.row_groups[0].num_rows += 1
    footer.num_rows += 1


def agreed(by):
    def lie(footer):
        group = footer.row_groups[0]
        by_rows = by if group.num_rows + by > 0 else 1
        group.num_rows += by_rows
        footer.num_rows += by_rows
        for chunk in group.columns:
            chunk.meta_data.num_values += by_rows

    return lie


STATISTICS = {"no-nulls": no_nulls, "only-nulls": only_nulls, "other-values": other_values}
COUNTS = {"other-total": other_total, "other-group": other_group, "agreed-fewer": agreed(-1), "agreed-more": agreed(1)}
LIES = {"honest": lambda _: None, **STATISTICS, **COUNTS}


def lying(data, lie):
    length = struct.unpack("<I", data[-8:-4])[0]
    footer = from_buffer(data[-8 - length : -8], "FileMetaData")
    for element in footer.schema:
        # fastparquet writes its width, which is of one byte, as more; the converted type says the same.
        if element.logicalType is not None and element.logicalType.INTEGER is not None:
            element.logicalType = None
    lie(footer)
    written = footer.to_bytes()
    return data[: -8 - length] + written + struct.pack("<I", len(written)) + b"PAR1"


def make(directory, seed, files):
    for folder in ("honest", "lying"):
        os.makedirs(os.path.join(directory, folder), exist_ok=True)
    for index in range(files):
        draw = random.Random(seed * 100_000 + index)
        writer = list(WRITERS)[index % len(WRITERS)]
        lie = draw.choice(["honest", "honest", *STATISTICS, *STATISTICS, *COUNTS])
        name = f"{index}-{writer}-{lie}.parquet"
        honest = os.path.join(directory, "honest", name)
        WRITERS[writer](draw, honest)
        with open(honest, "rb") as file, open(os.path.join(directory, "lying", name), "wb") as copy:
            data = file.read()
            copy.write(data if lie == "honest" else lying(data, LIES[lie]))


# Why a file that does not contradict itself may be refused, as docs/data.md has it.
REASONS = r"TIME in nanoseconds|TIMESTAMP in nanoseconds|DECIMAL\(50,2\)|BYTE_STREAM_SPLIT|packed with LZ4"


def plain(value):
    """A value that equals the same one of another type."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(microseconds=1)
    if isinstance(value, (float, np.floating)):
        return "nan" if math.isnan(value) else float(value)
    return value


def columns_of(paths):
    rows = [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]
    return lambda names: [[plain(row[name]) for name in names] for row in rows]


def check(outcomes, directory):
    counts = {"kept": 0, "refused": 0, "failed": 0}
    for outcome in outcomes:
        name = os.path.basename(outcome["path"])
        honest = os.path.join(directory, "honest", name)
        lie = name.removesuffix(".parquet").split("-", 2)[2]
        names = pq.ParquetFile(honest).schema_arrow.names
        problem = None
        if "outputs" in outcome:
            counts["kept"] += 1
            if outcome["columns"] != names:
                problem = f"columns {outcome['columns']}"
            else:
                found, expected = columns_of(outcome["outputs"])(names), columns_of([honest])(names)
                wrong = [pair for pair in zip(found, expected) if pair[0] != pair[1]]
                if len(found) != len(expected):
                    problem = f"{len(found)} rows instead of {len(expected)}"
                elif wrong:
                    problem = f"values {wrong[0]}"
        else:
            counts["refused"] += 1
            refusal = outcome.get("refusal") or ""
            if name not in refusal:
                problem = f"refused without its name: {refusal or outcome.get('fault')}"
            elif not (re.search(REASONS, refusal) or (lie in COUNTS and "contradicts itself" in refusal)):
                problem = f"refused: {refusal}"
        if problem is not None:
            counts["failed"] += 1
            print(f"FAILED: {name}: {problem}"[:500])
    print(f"many writers: {counts['kept']} files kept, {counts['refused']} refused by name, {counts['failed']} failed")
    sys.exit(counts["failed"] > 0 or counts["kept"] < len(outcomes) / 4)


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    with open(sys.argv[2], encoding="utf-8") as tables:
        check(json.load(tables), sys.argv[3])
