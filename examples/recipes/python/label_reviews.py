"""Labels a table by the command line, and reads the answers as Arrow. Needs Node 24, the package, and pyarrow."""

import json
import subprocess
import sys

import pyarrow.parquet as pq


def label(dataset: str, *options: str):
    command = [
        "npx", "quarry", "run", dataset, "--json",
        "--model-id", "us.amazon.nova-lite-v1:0",
        "--prompt-template", "What does this review say? {review}",
        "--output-schema", '{"mood": "good | bad", "score": "number 0..1"}',
        *options,
    ]
    # Progress goes to stderr, as it comes; stdout has the summary.
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    summary = json.loads(done.stdout)
    if done.returncode == 1:
        raise RuntimeError(summary["message"])
    # 2: some rows have no answer, and their error_code says why.
    return summary, pq.ParquetDataset(summary["output_paths"]).read()


if __name__ == "__main__":
    summary, table = label(*sys.argv[1:])
    answered = table.filter(table["mood"].is_valid())
    print(json.dumps({"rows": table.num_rows, "answered": answered.num_rows, "cost_usd": summary["cost_usd"]}))
    print(answered.group_by("mood").aggregate([("score", "mean")]).to_pylist(), file=sys.stderr)
