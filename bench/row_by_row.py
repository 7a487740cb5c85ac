"""The usual recipe, row by row: pandas to_dict, str.format, json.dumps; then json.loads and a merge on the id."""

import json
import os
import resource
import sys
import time

import pandas as pd

TEMPLATE = "Explain: {source} because {rationale}"


def prepare(directory):
    rows = pd.read_csv(os.path.join(directory, "input.csv"), dtype=str, keep_default_na=False)
    with open(os.path.join(directory, "recipe.jsonl"), "w", encoding="utf-8") as output:
        for index, row in enumerate(rows.to_dict("records")):
            prompt = TEMPLATE.format(**row)
            body = {
                "messages": [{"role": "user", "content": [{"text": prompt}]}],
                "inferenceConfig": {"maxTokens": 512},
            }
            record = {"recordId": f"r{index:010d}", "modelInput": body}
            output.write(json.dumps(record, ensure_ascii=False) + "\n")


def collect(directory):
    answers = []
    with open(os.path.join(directory, "text.out"), encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            output = record["modelOutput"]
            answers.append(
                {
                    "__quarry_record_id": record["recordId"],
                    "response": output["output"]["message"]["content"][0]["text"],
                    "stop_reason": output["stopReason"],
                    "input_tokens": output["usage"]["inputTokens"],
                    "output_tokens": output["usage"]["outputTokens"],
                }
            )
    rows = pd.read_parquet(os.path.join(directory, "parts", "0.parquet"))
    joined = rows.merge(pd.DataFrame(answers), on="__quarry_record_id", how="left")
    joined.to_parquet(os.path.join(directory, "recipe.parquet"), index=False)


started = time.perf_counter()
{"prepare": prepare, "collect": collect}[sys.argv[1]](sys.argv[2])
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - started,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "peakMb": usage.ru_maxrss / 1024,
        }
    )
)
