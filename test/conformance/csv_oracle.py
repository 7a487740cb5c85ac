"""Reads CSV as Python's csv module does, strictly. Usage: csv_oracle.py INPUT OUTPUT

A line of INPUT is {"text", "delimiter", "quote"}; of OUTPUT the rows, or null where the module refuses the text."""

import csv
import io
import json
import sys

csv.field_size_limit(2**31 - 1)


def read(case):
    quoting = {"quotechar": case["quote"]} if case["quote"] else {"quoting": csv.QUOTE_NONE}
    try:
        return list(csv.reader(io.StringIO(case["text"], newline=""), delimiter=case["delimiter"], strict=True, **quoting))
    except csv.Error:
        return None


with open(sys.argv[1], encoding="utf-8") as cases, open(sys.argv[2], "w", encoding="utf-8") as answers:
    for line in cases:
        answers.write(json.dumps(read(json.loads(line))) + "\n")
