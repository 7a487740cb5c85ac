"""A task that labels the day's reviews. The run_id is the day's, so a task that is tried again goes on, and pays for nothing twice."""

import json
import os
import subprocess
from datetime import datetime, timedelta

from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False)
def label_reviews():
    @task(retries=3, retry_delay=timedelta(minutes=5), execution_timeout=timedelta(hours=48))
    def label(ds: str) -> dict:
        done = subprocess.run(
            [
                "npx", "quarry", "run", f"reviews/{ds}.csv", "--run-id", f"reviews-{ds}", "--json",
                "--model-id", "us.amazon.nova-lite-v1:0", "--prompt-template", "Good or bad? {review}",
                "--max-cost-usd", "20",
            ],
            cwd=os.environ["QUARRY_PROJECT"],  # the folder with quarry.config.json: target, bucket, role
            stdout=subprocess.PIPE,
            text=True,
        )
        summary = json.loads(done.stdout)
        if done.returncode not in (0, 2):  # 2: some rows have no answer, and say why
            raise RuntimeError(summary["message"])
        return {"rows": summary["rows"], "files": summary["output_paths"]}

    label()


label_reviews()
