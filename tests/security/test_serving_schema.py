"""Whatever the OpenAPI document allows or forbids: no request makes the server fail or surprise."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

FEW = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,  # the same requests each time
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

# Statuses, content types and bodies are those that the document tells of.
CONFORMANCE = [content_type_conformance, response_schema_conformance, status_code_conformance]


def send_some(operation: APIOperation, mode: GenerationMode) -> set[int]:
    """Statuses of the answers; none if nothing of this operation can be wrong."""
    seen: set[int] = set()

    @FEW
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        answer = case.call(timeout=60)
        seen.add(answer.status_code)
        assert answer.status_code < 500, f"{case.as_curl_command()}: {answer.text}"
        case.validate_response(answer, checks=CONFORMANCE)

    try:
        send()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
    return seen


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_is_answered_with_a_fault(tone_url: str, mode: GenerationMode):
    schema = schemathesis.openapi.from_url(f"{tone_url}/openapi.json")
    results = list(schema.get_all_operations())
    operations = [result.ok() for result in results if isinstance(result, Ok)]
    assert len(operations) == len(results)
    statuses = {operation.label: send_some(operation, mode) for operation in operations}
    assert statuses["POST /v1/generations"]
    assert len(statuses) >= 10
    assert statuses["GET /v1/jobs/{job_id}"] <= {404, 405, 422}
