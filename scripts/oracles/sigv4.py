"""Writes crates/llm-exe-aws/tests/cases/sigv4.json: requests to Amazon Bedrock, as botocore (the
library of AWS's Python SDK) builds and signs them for a fixed time. No request is sent.

    pip install botocore && python scripts/oracles/sigv4.py
"""

import datetime
import json
from pathlib import Path
from unittest import mock

import botocore
import botocore.auth
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

OUT = Path(__file__).parents[2] / "crates/llm-exe-aws/tests/cases/sigv4.json"
# The example credentials in AWS's documentation.
ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQD+EXAMPLE=="
ARN = "arn:aws:bedrock:us-east-1:123456789012:"
# The columns are the name, model, operation, region, session token and base URL.
CASES = [
    ("model id", "amazon.nova-pro-v1:0", "converse", "us-east-1", None, None),
    ("session token", "amazon.nova-pro-v1:0", "converse", "us-east-1", TOKEN, None),
    ("model id without version", "example.model", "converse", "eu-central-1", None, None),
    ("model id with region prefix", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "invoke", "us-west-2", TOKEN, None),
    ("ARN of foundation model", "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", "invoke", "us-east-1", None, None),
    ("ARN of inference profile", ARN + "inference-profile/us.meta.llama4-scout-17b-instruct-v1:0", "converse", "us-east-1", TOKEN, None),
    ("ARN of application inference profile", ARN + "application-inference-profile/ab12cd34ef56", "converse", "us-east-1", None, None),
    ("GovCloud partition", "us-gov.anthropic.claude-3-haiku-20240307-v1:0", "invoke", "us-gov-west-1", TOKEN, None),
    ("base URL", "amazon.nova-pro-v1:0", "converse", "us-east-1", None, "http://127.0.0.1:8089"),
    ("base URL with path", "amazon.nova-pro-v1:0", "converse", "us-east-1", None, "https://proxy.example.com/bedrock/v1"),
]
TEXT = "Grüße, ‘quoted’ & more"
NOW = datetime.datetime(2026, 3, 1, 12, 34, 56, tzinfo=datetime.timezone.utc)


def build_request(model, operation, region, token, base):
    """Returns the request that botocore would send."""
    requests = []

    def intercept(request, **_):
        requests.append(request)
        body = b'{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}'
        response = AWSResponse(request.url, 200, {"content-type": "application/json"}, None)
        response._content = body
        return response

    client = botocore.session.Session().create_client(
        "bedrock-runtime",
        region_name=region,
        endpoint_url=base,
        aws_access_key_id=ID,
        aws_secret_access_key=SECRET,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )
    client.meta.events.register("before-send.bedrock-runtime", intercept)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: NOW):
        if operation == "converse":
            client.converse(modelId=model, messages=[{"role": "user", "content": [{"text": TEXT}]}])
        else:
            body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": TEXT}]}
            client.invoke_model(modelId=model, body=json.dumps(body), contentType="application/json")
    return requests[0]


def case(name, model, operation, region, token, base):
    """Returns a test case. `headers` are the signed headers that the caller passes to the signer."""
    request = build_request(model, operation, region, token, base)
    headers = {key.lower(): text(value) for key, value in request.headers.items()}
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    added_by_signer = {"host", "x-amz-date", "x-amz-security-token"}
    signature = ["authorization", "x-amz-date", "x-amz-security-token"]
    return {
        "name": name,
        "model": model,
        "operation": operation,
        "region": region,
        "token": token,
        "base": base,
        "url": request.url,
        "body": text(request.body),
        "headers": {key: headers[key] for key in signed if key not in added_by_signer},
        "signed": {key: headers[key] for key in signature if key in headers},
    }


def text(value):
    """Decodes a value that may be bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


print("botocore", botocore.__version__)
output = {"time": int(NOW.timestamp()), "cases": [case(*row) for row in CASES]}
OUT.write_text(json.dumps(output, indent=2, ensure_ascii=False) + "\n")
