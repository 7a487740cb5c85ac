"""Reads CSV as Python's csv module does, strictly. Usage: csv_oracle.py INPUT OUTPUT

A line of INPUT is {"text", "delimiter", "quote", "escape"}; of OUTPUT the rows, or null where the module refuses the text."""

import csv
import io
import json
import sys

csv.field_size_limit(2**31 - 1)


def read(case):
    quoting = {"quotechar": case["quote"]} if case["quote"] else {"quoting": csv.QUOTE_NONE}
    text = case["text"]
    if case["escape"]:
        quoting["escapechar"] = case["escape"]
        # Of an escaped newline in the last record the module says "unexpected end of data" where none ends the record.
        before = text.removesuffix("\n")
        is_escaped = (len(before) - len(before.rstrip(case["escape"]))) % 2 == 1
        text += "" if text.endswith("\n") and not is_escaped else "\n"
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=case["delimiter"], strict=True, **quoting))
    except csv.Error:
        return None


with open(sys.argv[1], encoding="utf-8") as cases, open(sys.argv[2], "w", encoding="utf-8") as answers:
    for line in cases:
        answers.write(json.dumps(read(json.loads(line))) + "\n")
