"""Drives the emulator with boto3, whose requests and parsers are made from AWS's own service model."""

import json
import os
import sys
import time
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL, DIRECTORY = sys.argv[1], sys.argv[2]
NOVA = "us.amazon.nova-micro-v1:0"
CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
ROLE = "arn:aws:iam::123456789012:role/batch"
OPTIONS = dict(
    endpoint_url=URL,
    region_name="us-east-1",
    aws_access_key_id="dummy",
    aws_secret_access_key="dummy",
    config=Config(retries={"total_max_attempts": 1}),
)
bedrock = boto3.client("bedrock", **OPTIONS)
runtime = boto3.client("bedrock-runtime", **OPTIONS)


def object_path(uri):
    return os.path.join(DIRECTORY, "objects", uri.removeprefix("s3://"))


def write_records(uri, model_inputs):
    path = object_path(uri)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for index, model_input in enumerate(model_inputs):
            file.write(json.dumps({"recordId": f"r{index:06d}", "modelInput": model_input}) + "\n")


def nova_input(prompt):
    return {"messages": [{"role": "user", "content": [{"text": prompt}]}]}


def create(name, **more):
    request = dict(
        jobName=name,
        roleArn=ROLE,
        modelId=NOVA,
        inputDataConfig={"s3InputDataConfig": {"s3Uri": f"s3://data-bucket/{name}.jsonl", "s3InputFormat": "JSONL"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://data-bucket/out/"}},
    )
    return bedrock.create_model_invocation_job(**{**request, **more})["jobArn"]


def wait(arn):
    for _ in range(300):
        job = bedrock.get_model_invocation_job(jobIdentifier=arn)
        if job["status"] in ("Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"):
            return job
        time.sleep(0.1)
    raise AssertionError("the job does not end")


def read_output(arn, name):
    folder = object_path(f"s3://data-bucket/out/{arn[-12:]}")
    with open(f"{folder}/{name}.jsonl.out", encoding="utf-8", newline="\n") as file:
        lines = [json.loads(line) for line in file]
    with open(f"{folder}/manifest.json.out", encoding="utf-8") as file:
        return lines, json.load(file)


def expect_error(code, status, call):
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"no {code}")


def test_job_runs_to_completion():
    write_records("s3://data-bucket/complete.jsonl", [nova_input(f"Question {i}") for i in range(120)])
    arn = create("complete", tags=[{"key": "team", "value": "x"}], clientRequestToken="complete-1")
    job = wait(arn)
    assert job["status"] == "Completed", job
    assert job["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert job["ResponseMetadata"]["RequestId"]
    assert job["modelId"] == f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{NOVA}"
    assert job["endTime"] >= job["submitTime"] and job["jobExpirationTime"] > job["endTime"]
    lines, manifest = read_output(arn, "complete")
    assert len(lines) == 120 and manifest["successRecordCount"] == 120
    ids = [line["recordId"] for line in lines]
    assert ids != sorted(ids) and len(set(ids)) == 120
    for line in lines:
        question = f"Question {int(line['recordId'][1:])}"
        assert line["modelInput"] == nova_input(question)
        assert f'begins "{question}"' in line["modelOutput"]["output"]["message"]["content"][0]["text"]
    assert bedrock.list_tags_for_resource(resourceARN=arn)["tags"] == [{"key": "team", "value": "x"}]
    assert create("complete", clientRequestToken="complete-1") == arn
    assert bedrock.get_model_invocation_job(jobIdentifier=arn[-12:])["jobArn"] == arn


def test_converse_job_spells_out_nulls():
    write_records("s3://data-bucket/converse.jsonl", [nova_input(f"Question {i}") for i in range(100)])
    arn = create("converse", modelInvocationType="Converse", modelId=CLAUDE)
    assert wait(arn)["status"] == "Completed"
    lines, _ = read_output(arn, "converse")
    assert all(line["modelOutput"]["output"]["message"]["content"][0]["toolUse"] is None for line in lines)


def test_records_with_bad_bodies_do_not_fail_the_job():
    write_records("s3://data-bucket/bad.jsonl", [{"messages": []} for _ in range(100)])
    arn = create("bad", modelId=CLAUDE)
    assert wait(arn)["status"] == "Completed"
    lines, manifest = read_output(arn, "bad")
    assert manifest["errorRecordCount"] == 100
    assert lines[0]["error"] == {"errorCode": 400, "errorMessage": "anthropic_version: Field required"}


def test_job_with_too_few_records_fails():
    write_records("s3://data-bucket/few.jsonl", [nova_input("a")] * 99)
    job = wait(create("few"))
    assert job["status"] == "Failed", job
    assert job["message"] == "Batch job contains less records (99) than the required minimum of: 100", job


def test_stop():
    write_records("s3://data-bucket/stop.jsonl", [nova_input("a")] * 100)
    arn = create("stop")
    bedrock.stop_model_invocation_job(jobIdentifier=arn)
    assert wait(arn)["status"] == "Stopped"
    expect_error("ConflictException", 400, lambda: bedrock.stop_model_invocation_job(jobIdentifier=arn))


def test_list_with_paginator():
    paginator = bedrock.get_paginator("list_model_invocation_jobs")
    pages = list(paginator.paginate(sortBy="CreationTime", sortOrder="Ascending", PaginationConfig={"PageSize": 2}))
    names = [job["jobName"] for page in pages for job in page["invocationJobSummaries"]]
    assert names[:2] == ["complete", "converse"] and len(names) == len(set(names)) == 5, names
    found = bedrock.list_model_invocation_jobs(statusEquals="Failed", nameContains="ew")["invocationJobSummaries"]
    assert [job["jobName"] for job in found] == ["few"]


def test_errors():
    expect_error("ConflictException", 400, lambda: create("complete"))
    expect_error("ValidationException", 400, lambda: create("a_b"))
    message = expect_error("ValidationException", 400, lambda: create("x", modelId="anthropic.claude-opus-4-7-v1"))
    assert message == "Batch inference is not supported for the requested model."
    expect_error(
        "ResourceNotFoundException", 404, lambda: bedrock.get_model_invocation_job(jobIdentifier="abcdefghijkl")
    )


def test_invoke_model():
    response = runtime.invoke_model(modelId=NOVA, body=json.dumps(nova_input("Hello")))
    body = json.loads(response["body"].read())
    assert body["output"]["message"]["content"][0]["text"].startswith(f"[simulated {NOVA}] "), body
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-bedrock-input-token-count"] == "2", headers
    embedding = runtime.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "a"}))
    assert len(json.loads(embedding["body"].read())["embedding"]) == 1024


def test_converse():
    response = runtime.converse(
        modelId=NOVA,
        messages=nova_input("Hello")["messages"],
        system=[{"text": "Be brief."}],
        inferenceConfig={"maxTokens": 5},
    )
    assert response["stopReason"] == "max_tokens" and response["usage"]["outputTokens"] == 5, response
    # langchain-aws always sends a list of system blocks.
    assert runtime.converse(modelId=NOVA, messages=nova_input("Hello")["messages"], system=[])["stopReason"] == "end_turn"
    message = expect_error("ValidationException", 400, lambda: runtime.converse(modelId=NOVA, messages=nova_input(" ")["messages"]))
    assert message.startswith("The text field in the ContentBlock object at messages.0.content.0 is blank."), message
    bare = CLAUDE.removeprefix("us.")
    message = expect_error(
        "ValidationException", 400, lambda: runtime.converse(modelId=bare, messages=nova_input("Hello")["messages"])
    )
    assert message.startswith(f"Invocation of model ID {bare} with on-demand throughput isn’t supported."), message
    expect_error("ValidationException", 400, lambda: runtime.converse(modelId="amazon.titan-embed-text-v2:0", messages=[]))


passed = failed = 0
for name, test in [item for item in globals().items() if item[0].startswith("test_")]:
    try:
        test()
        passed += 1
        print(f"ok   {name}")
    except Exception:  # noqa: BLE001 - every failure is reported, and counted
        failed += 1
        print(f"FAIL {name}")
        traceback.print_exc()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
