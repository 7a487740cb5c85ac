"""Writes a file with a column of each type that comes back as another one, as pyarrow writes it, and checks that a plan notes every column.

Usage: converted_types.py make FILE | quarry plan FILE --json ... | converted_types.py check"""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Each column's name, what it has, and what the plan says that it comes back as.
CONVERTED = [
    ("duration", pa.array([1], pa.duration("ms")), "integers of milliseconds"),
    ("category", pa.array(["a"]).dictionary_encode(), "values without their dictionary"),
    ("zoned", pa.array([1], pa.timestamp("us", tz="Europe/Berlin")), "TIMESTAMP WITH TIME ZONE in UTC (was Europe/Berlin)"),
    ("days", pa.array([86_400_000], pa.date64()), "DATE"),
    ("pair", pa.array([[1, 2]], pa.list_(pa.int32(), 2)), "lists of any length"),
    ("fixed", pa.array([b"abc"], pa.binary(3)), "BLOB of any length"),
    ("within", pa.array([{"x": 1}], pa.struct([("x", pa.duration("ns"))])), "integers of nanoseconds"),
    ("time", pa.array([1], pa.time32("s")), "TIME in microseconds"),
    ("half", pa.array([np.float16(1.5)], pa.float16()), "FLOAT"),
    ("nothing", pa.nulls(1), "INTEGER"),
]
KEPT = [
    ("utc", pa.array([1], pa.timestamp("us", tz="UTC"))),
    ("large", pa.array(["x"], pa.large_string())),
    ("plain", pa.array([1])),
]


def make(path):
    columns = [(name, values) for name, values, _ in CONVERTED] + KEPT
    pq.write_table(pa.table(dict(columns)), path)


def check():
    told = " ".join(json.load(sys.stdin)["notes"])
    missing = [f"{name} as {become}" for name, _, become in CONVERTED if f"{name} as {become}" not in told]
    wrong = [name for name, _ in KEPT if f" {name} as " in told]
    if missing or wrong:
        sys.exit(f"Not noted: {missing}. Noted, though kept: {wrong}. The notes: {told}")
    print(f"converted types: {len(CONVERTED)} noted, {len(KEPT)} kept")


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check()
