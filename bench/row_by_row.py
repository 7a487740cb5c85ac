"""The usual recipe, row by row: pandas to_dict, str.format, json.dumps; then json.loads and a merge on the id.

It does what Quarry's Prepare and Collect do: JSONL and Parquet for each part of 50,000 rows, and a result for each part.
"""

import glob
import json
import os
import resource
import sys
import time

import pandas as pd

TEMPLATE = "Explain: {source} because {rationale}"
PART_ROWS = 50_000


def read_input(path):
    if path.endswith(".csv"):
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.read_parquet(path)


def parts_of(rows):
    """The first row of each part, and the first after it."""
    count = -(-rows // PART_ROWS)
    return [(rows * part // count, rows * (part + 1) // count) for part in range(count)]


def prepare(directory, name):
    os.makedirs(os.path.join(directory, "recipe"), exist_ok=True)
    rows = read_input(os.path.join(directory, name))
    rows_seconds = 0.0
    for part, (first, last) in enumerate(parts_of(len(rows))):
        path = os.path.join(directory, "recipe", str(part))
        some = rows.iloc[first:last]
        ids = [f"r{index:010d}" for index in range(first, last)]
        with open(path + ".jsonl", "w", encoding="utf-8") as output:
            for record_id, row in zip(ids, some.to_dict("records")):
                prompt = TEMPLATE.format(**row)
                body = {
                    "messages": [{"role": "user", "content": [{"text": prompt}]}],
                    "inferenceConfig": {"maxTokens": 512},
                }
                record = {"recordId": record_id, "modelInput": body}
                output.write(json.dumps(record, ensure_ascii=False) + "\n")
        started = time.perf_counter()
        some.assign(record_id=ids).to_parquet(path + ".parquet", index=False)
        rows_seconds += time.perf_counter() - started
    return {"parquetSeconds": rows_seconds}


def collect(directory, which):
    names = sorted(glob.glob(os.path.join(directory, "parts", "*.out" if which == "all" else which + ".out")))
    for name in names:
        answers = []
        with open(name, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                output = record["modelOutput"]
                answers.append(
                    {
                        "record_id": record["recordId"],
                        "response": output["output"]["message"]["content"][0]["text"],
                        "stop_reason": output["stopReason"],
                        "input_tokens": output["usage"]["inputTokens"],
                        "output_tokens": output["usage"]["outputTokens"],
                    }
                )
        part = os.path.basename(name)[: -len(".out")]
        rows = pd.read_parquet(os.path.join(directory, "recipe", part + ".parquet"))
        joined = rows.merge(pd.DataFrame(answers), on="record_id", how="left")
        joined.to_parquet(os.path.join(directory, "recipe", part + ".result.parquet"), index=False)
    return {}


started = time.perf_counter()
more = {"prepare": prepare, "collect": collect}[sys.argv[1]](sys.argv[2], sys.argv[3])
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "workSeconds": time.perf_counter() - started,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "peakMb": usage.ru_maxrss / 1024,
            **more,
        }
    )
)
