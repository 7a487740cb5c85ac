"""Lints templates with cfn-lint and the CloudFormation schemas that it ships.

Reads from stdin a list of {"name", "template", "regions"}, and prints a list of {"name", "rule", "message", "path"}.

Left out is W3005: CDK names each policy that a role must have before its function is made, and cfn-lint calls that redundant.
"""

import json
import sys

from cfnlint.api import ManualArgs, lint
from cfnlint.helpers import REGIONS

LEFT_OUT = ["W3005"]


def findings(name, template, regions):
    unknown = sorted(set(regions) - set(REGIONS))
    if unknown:
        raise SystemExit(f"cfn-lint knows no region {unknown}")
    args = ManualArgs(regions=regions, ignore_checks=LEFT_OUT)
    for match in lint(json.dumps(template), config=args):
        path = "/".join(str(part) for part in match.path)
        yield {"name": name, "rule": match.rule.id, "message": match.message, "path": path}


print(json.dumps([found for case in json.load(sys.stdin) for found in findings(**case)]))
