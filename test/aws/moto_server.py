"""moto's server, with eight things mended. Usage: moto_server.py PORT

- Step Functions takes parameters and gives results of AWS SDK integrations in PascalCase, and times as text; moto
  5.2.1 hands both through as boto3 spells them.
- It names their errors `Bedrock.…`, moto `bedrock.…`.
- A second execution works (getmoto/moto#10077): moto copies all executions with the machine.
- The paths of a ResultWriter are paths into the Map state's input; moto takes them for paths into its results.
- A stack's state machine is put where it runs, with its substitutions. moto's grammar takes no whole number for
  ToleratedFailurePercentage.
- A reference to a function's version gives the version's ARN; moto has none.
- A template's URL names its bucket in the path where S3 is at an address of numbers; moto takes the number for the bucket.
- Choices compare times of any RFC 3339 form, such as that of the context's EnteredTime; moto takes no fractions of seconds.
"""

import copy
import datetime
import re
import sys

import botocore.session
import moto.cloudformation.responses as cloudformation_responses
from moto.awslambda.models import LambdaVersion, lambda_backends
from moto.server import main
from moto.stepfunctions import models
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations.is_operator import (
    IsTimestamp,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer import (
    result_writer_decl,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk as aws_sdk,
)

SESSION = botocore.session.get_session()


def operation_model(task):
    service = SESSION.get_service_model(task._get_boto_service_name())
    action = task.resource.api_action
    return service.operation_model(action[0].upper() + action[1:])


def as_step_functions_has_it(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: as_step_functions_has_it(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_step_functions_has_it(inner) for inner in value]
    return value


def normalise_parameters(self, parameters, boto_service_name=None, service_action_name=None):
    self._to_boto_request(parameters, operation_model(self).input_shape)


def normalise_response(self, response, boto_service_name=None, service_action_name=None):
    self._from_boto_response(response, operation_model(self).output_shape)
    response.update(as_step_functions_has_it(dict(response)))


def write_results(self, env):
    env.stack.pop()
    env.stack.append(copy.deepcopy(env.states.get_input()))
    self.parargs.eval(env=env)
    self.resource_eval.eval_resource(env=env)


def create_stack_machine(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    properties = cloudformation_json["Properties"]
    definition = properties["DefinitionString"]
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace("${%s}" % name, value)
    definition = re.sub(r'("ToleratedFailurePercentage": ?\d+)\b(?!\.)', r"\1.0", definition)
    backend = stepfunctions_parser_backends[account_id][region_name]
    name = properties.get("StateMachineName", resource_name)
    return backend.create_state_machine(name, definition, properties["RoleArn"])


def create_stack_version(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    name = cloudformation_json["Properties"]["FunctionName"]
    function = lambda_backends[account_id][region_name].publish_version(name)
    version = LambdaVersion({"Version": function.version})
    version.physical_resource_id = f"arn:aws:lambda:{region_name}:{account_id}:function:{name}:{function.version}"
    return version


def get_stack_from_s3_url(template_url, account_id, partition):
    return read_template(template_url.replace("//127.0.0.1", "//localhost"), account_id=account_id, partition=partition)


def time_of(text):
    try:
        return datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


read_template = cloudformation_responses.get_stack_from_s3_url
cloudformation_responses.get_stack_from_s3_url = get_stack_from_s3_url
IsTimestamp.string_to_timestamp = staticmethod(time_of)
LambdaVersion.physical_resource_id = None
LambdaVersion.create_from_cloudformation_json = classmethod(create_stack_version)
models.StateMachine.create_from_cloudformation_json = classmethod(create_stack_machine)
models.StateMachine.__deepcopy__ = lambda self, memo: copy.copy(self)
result_writer_decl.ResultWriter._eval_body = write_results
aws_sdk._SERVICE_ERROR_NAMES['bedrock'] = 'Bedrock'
aws_sdk.StateTaskServiceAwsSdk._normalise_parameters = normalise_parameters
aws_sdk.StateTaskServiceAwsSdk._normalise_response = normalise_response

main(["-H", "127.0.0.1", "-p", sys.argv[1]])
