"""MiniStack, with Bedrock played by Quarry's emulator. Usage: ministack_server.py EMULATOR_URL

What the emulator gets has passed MiniStack's IAM, as the role of the caller. Beside, as AWS has it:

- Step Functions has an SDK integration of Bedrock: getModelInvocationJob asks the emulator.
- A function's error has the name that it was thrown with; MiniStack calls all of them Runtime.HandlerError.
- A job is created on its model or profile, and looked at by its own ARN; MiniStack has `*` for the resource of both.
- A request by HTTP/2 is signed with `:authority`, as clients of Bedrock's runtime do it.
- Each environment of a function has a /tmp of its own.
- An alarm may be of an expression of metrics. It is there, with its actions; what it is of is not worked out.
- An alarm reaches a topic whose policy lets CloudWatch publish for this alarm, and its history tells of each action.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
import types
import urllib.error
import urllib.parse
import urllib.request

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import bedrock, bedrock_runtime, cloudwatch, lambda_svc, sns, stepfunctions
from ministack.services.cloudformation import provisioners

EMULATOR = sys.argv.pop(1)


def ask(method, path, query, body):
    target = EMULATOR + path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
    request = urllib.request.Request(target, data=body or None, method=method)
    request.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def as_sent(path):
    """MiniStack hands a path on decoded: an ARN, or a model's id, is one part of it."""
    parts = re.match(r"(/model-invocation-job/|/model/)(.+?)(/stop|/invoke|/converse)?$", path)
    return parts[1] + urllib.parse.quote(parts[2], safe="") + (parts[3] or "") if parts else path


def forwarding(handle):
    async def handle_request(method, path, headers, body, query_params):
        if not path.startswith(("/model-invocation-job", "/model/")):
            return await handle(method, path, headers, body, query_params)
        status, answered, text = await asyncio.to_thread(ask, method, as_sent(path), query_params, body)
        kept = {k.lower(): v for k, v in answered.items() if k.lower() in ("content-type", "x-amzn-errortype", "x-amzn-requestid")}
        return status, kept, text

    return handle_request


def as_step_functions_has_it(value):
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: as_step_functions_has_it(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_step_functions_has_it(inner) for inner in value]
    return value


integration = stepfunctions._invoke_aws_sdk_integration


def invoke_integration(resource, input_data):
    if not resource.endswith("aws-sdk:bedrock:getModelInvocationJob"):
        return integration(resource, input_data)
    path = "/model-invocation-job/" + urllib.parse.quote(input_data["JobIdentifier"], safe="")
    status, headers, text = ask("GET", path, {}, None)
    if status == 200:
        return as_step_functions_has_it(json.loads(text))
    name = headers.get("x-amzn-errortype", headers.get("X-Amzn-Errortype", "BedrockException"))
    raise stepfunctions._ExecutionError("Bedrock." + name, text.decode())


def open_process(*arguments, cwd, env, **options):
    return subprocess.Popen(*arguments, cwd=cwd, env={**env, "TMPDIR": cwd}, **options)


execute = lambda_svc._execute_function_with_config_scope


def execute_with_error_names(record, event):
    result = execute(record, event)
    name = re.search(r"^thrown (\S+)$", result.get("log") or "", re.MULTILINE)
    if result.get("error") and name and result["body"]["errorType"] == "Runtime.HandlerError":
        result["body"]["errorType"] = name[1]
    return result


extract = iam_actions.extract_resource_arn


def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
    if service not in ("bedrock", "bedrock-runtime"):
        return extract(service, method, path, headers, body, query_params, region, account_id)
    job = re.match(r"/model-invocation-job/(arn:.+?)(?:/stop)?$", urllib.parse.unquote(path))
    if job:
        return job[1]
    invoked = re.match(r"/model/(.+)/(?:invoke|converse)$", urllib.parse.unquote(path))
    if not invoked and path != "/model-invocation-job":
        return "*"
    model = invoked[1] if invoked else json.loads(body)["modelId"]
    is_profile = re.match(r"(us|eu|apac|global)\.", model)
    owned = f"{region}:{account_id}:inference-profile" if is_profile else f"{region}::foundation-model"
    return f"arn:aws:bedrock:{owned}/{model}"


pin = app.pin_signed_request


def pin_signed_request(method, raw_path, query_params, raw_headers, *arguments, **options):
    authority = [(b":authority", value) for name, value in raw_headers if name == b"host"]
    return pin(method, raw_path, query_params, [*raw_headers, *authority], *arguments, **options)


alarm_record = provisioners._cw_metric_alarm_record


def any_alarm_record(name, props):
    stats = [metric["MetricStat"] for metric in props.get("Metrics") or [] if "MetricStat" in metric]
    if not stats:
        return alarm_record(name, props)
    first = {"Statistic": stats[0]["Stat"], "Period": stats[0]["Period"], **stats[0]["Metric"]}
    return alarm_record(name, {**{key: value for key, value in props.items() if key != "Metrics"}, **first})


dispatch_actions = cloudwatch._dispatch_alarm_actions
ACTIONS_OF = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


def dispatch_as_cloudwatch(alarm, old_state, new_state, reason):
    field = ACTIONS_OF[new_state]
    topics = (alarm.get(field) or []) if alarm.get("ActionsEnabled", True) else []
    allowed = [topic for topic in topics if sns.topic_policy_allows(topic, "cloudwatch.amazonaws.com", alarm["AlarmArn"], get_account_id())]
    dispatch_actions({**alarm, field: allowed}, old_state, new_state, reason)
    for topic in topics:
        refusal = f"CloudWatch Alarms is not authorized to perform: SNS:Publish on resource: {topic}"
        cloudwatch._history_entries().append({
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": f"Successfully executed action {topic}" if topic in allowed else f'Failed to execute action {topic}. Received error: "{refusal}"',
            "HistoryData": "{}",
        })


cloudwatch._dispatch_alarm_actions = dispatch_as_cloudwatch
provisioners._cw_metric_alarm_record = any_alarm_record
app.pin_signed_request = pin_signed_request
iam_actions.extract_resource_arn = extract_resource_arn
lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": open_process})
script = lambda_runtime._NODEJS_WORKER_SCRIPT
lambda_runtime._NODEJS_WORKER_SCRIPT = script.replace('trace: err.stack || ""', 'trace: "thrown " + err.name + "\\n" + err.stack')
assert lambda_runtime._NODEJS_WORKER_SCRIPT != script
lambda_svc._execute_function_with_config_scope = execute_with_error_names
bedrock.handle_request = forwarding(bedrock.handle_request)
bedrock_runtime.handle_request = forwarding(bedrock_runtime.handle_request)
stepfunctions._invoke_aws_sdk_integration = invoke_integration
app.main()
