"""Compares tables with what table-corpus.ts made of them, by readers that are not ours: pyarrow, and Python's csv and json.

Usage: check-tables.py TABLES.JSON LEAST_READ"""

import csv
import gzip
import io
import json
import sys

import pyarrow.parquet as pq

csv.field_size_limit(2**31 - 1)
passed = failed = read = 0


def check(what, good, detail=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}: {detail}"[:600])


def text_of(table):
    opener = gzip.open if table["path"].lower().endswith(".gz") else open
    with opener(table["path"], "rb") as file:
        return file.read().decode(table["encoding"]).removeprefix("\ufeff")


def expected_csv(table):
    quoting = {"quotechar": table["quote"]} if table["quote"] else {"quoting": csv.QUOTE_NONE}
    rows = list(csv.reader(io.StringIO(text_of(table), newline=""), delimiter=table["delimiter"], strict=True, **quoting))
    header, *others = rows[next(index for index, row in enumerate(rows) if row) :]
    if not table["has_header"]:
        header, others = [""] * len(header), [header, *others]
    wide = len(header) > 1
    names = [name or f"column{index}" for index, name in enumerate(header)]
    return names, [row or [""] for row in others if row or not wide]


def expected_json(table):
    text = text_of(table)
    objects = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.split("\n") if line.strip()]
    names = list(dict.fromkeys(name for entry in objects for name in entry))
    return names, [[entry.get(name) for name in names] for entry in objects]


def same(ours, theirs):
    if theirs is None or isinstance(theirs, str):
        return ours == theirs
    return ours is not None and json.loads(ours) == theirs


for table in json.load(open(sys.argv[1], encoding="utf-8")):
    name = table["path"]
    if "outputs" not in table:
        check(name, table.get("refusal"), table.get("fault", ""))
        print(f"refused: {table.get('refusal', '')}"[:200])
        continue
    read += 1
    for note in table["notes"]:
        if "separated" in note or "called" in note or "converted" in note:
            print(f"noted: {note}"[:200])
    is_json = ".json" in name.lower()
    names, rows = expected_json(table) if is_json else expected_csv(table)
    pieces = [pq.read_table(path) for path in table["outputs"]]
    check(f"{name}: columns", all(piece.column_names[: len(names)] == names for piece in pieces), pieces[0].column_names)
    found = [
        list(row)
        for piece in pieces
        for row in zip(*(piece.column(index).to_pylist() for index in range(len(names))))
    ]
    check(f"{name}: rows", len(found) == len(rows), f"{len(found)} instead of {len(rows)}")
    wrong = [(ours, theirs) for ours, theirs in zip(found, rows) if not all(map(same, ours, theirs)) or len(ours) != len(theirs)]
    check(f"{name}: values", not wrong, wrong[:1])

check("enough tables are read", read >= int(sys.argv[2]), f"{read}")
print(f"{read} tables read; {passed} passed, {failed} failed")
sys.exit(failed > 0)
