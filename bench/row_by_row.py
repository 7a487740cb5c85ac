"""The usual recipe in Python, row by row, as the AWS sample does it that this project succeeds.

Its Lambdas (aws-samples/amazon-bedrock-samples, poc-to-prod/bedrock-batch-orchestrator) read the dataset in chunks of a
job's size; pandas `to_dict`, `str.format`, a list of records, `json.dumps` of each, one `join`; the rows beside it as
Parquet. Then they read an output file whole, cut it into lines, `json.loads` each, and merge the list with the rows.
Here the files are local, the record ids are Quarry's (the sample's are random), and tokens are kept as well.
"""

import glob
import json
import os
import resource
import sys
import time

import pandas as pd
import pyarrow.parquet as pq

TEMPLATE = "Judge this answer.\n\n{source}\n\nReasoning: {rationale}\n\nAnswer: {target}"
PART_ROWS = 50_000


def chunks_of(path, rows):
    """The rows of each part, from the first: as many parts of one size as Quarry makes."""
    parts = -(-rows // PART_ROWS)
    bounds = [(rows * part // parts, rows * (part + 1) // parts) for part in range(parts)]
    if path.endswith(".csv"):
        with pd.read_csv(path, dtype=str, keep_default_na=False, iterator=True) as reader:
            for first, last in bounds:
                yield first, reader.get_chunk(last - first)
    else:
        table = pq.read_table(path)
        for first, last in bounds:
            yield first, table.slice(first, last - first).to_pandas()


def process_input(text, record_id):
    content = [{"text": text}]
    return {
        "recordId": record_id,
        "modelInput": {
            "messages": [{"role": "user", "content": content}],
            "inferenceConfig": {"maxTokens": 512},
        },
    }


def prepare(directory, name, rows):
    os.makedirs(os.path.join(directory, "recipe"), exist_ok=True)
    for part, (first, chunk) in enumerate(chunks_of(os.path.join(directory, name), int(rows))):
        path = os.path.join(directory, "recipe", str(part))
        chunk["record_id"] = [f"r{index:010d}" for index in range(first, first + len(chunk))]
        records = [process_input(TEMPLATE.format(**row), row["record_id"]) for row in chunk.to_dict("records")]
        body = "\n".join(json.dumps(record) for record in records)
        with open(path + ".jsonl", "wb") as output:
            output.write(body.encode())
        chunk.to_parquet(path + ".parquet", index=False, compression="snappy")


def read_jsonl(path):
    with open(path, "rb") as file:
        chunks = file.read().decode("utf-8").split("}\n{")
    if len(chunks) > 1:
        chunks = [chunks[0] + "}"] + ["{" + chunk + "}" for chunk in chunks[1:-1]] + ["{" + chunks[-1]]
    return [json.loads(chunk) for chunk in chunks]


def process_output(record):
    output = record["modelOutput"]
    return {
        "record_id": record["recordId"],
        "response": output["output"]["message"]["content"][0]["text"],
        "stop_reason": output["stopReason"],
        "input_tokens": output["usage"]["inputTokens"],
        "output_tokens": output["usage"]["outputTokens"],
    }


def collect(directory):
    for name in sorted(glob.glob(os.path.join(directory, "parts", "*.out"))):
        path = os.path.join(directory, "recipe", os.path.basename(name)[: -len(".out")])
        rows = pd.read_parquet(path + ".parquet")
        records = read_jsonl(name)
        answers = [process_output(record) for record in records]
        joined = pd.DataFrame(answers).merge(rows, on="record_id")
        joined.to_parquet(path + ".result.parquet", index=False, compression="snappy")


started = time.perf_counter()
{"prepare": prepare, "collect": collect}[sys.argv[1]](*sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "workSeconds": time.perf_counter() - started,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "peakMb": usage.ru_maxrss / 1024,
        }
    )
)
