"""Makes crates/llm-exe-aws/tests/cases/sigv4.json: requests to Amazon Bedrock as botocore, the
library of AWS's Python SDK, writes and signs them at a fixed time. Nothing is sent.

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
# AWS's own examples.
ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQD+EXAMPLE=="
ARN = "arn:aws:bedrock:us-east-1:123456789012:"
# name, model, operation, region, session token, base URL
CASES = [
    ("a plain id", "amazon.nova-pro-v1:0", "converse", "us-east-1", None, None),
    ("a session token", "amazon.nova-pro-v1:0", "converse", "us-east-1", TOKEN, None),
    ("an id without a version", "somebody.model", "converse", "eu-central-1", None, None),
    ("a region prefix", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "invoke", "us-west-2", TOKEN, None),
    ("a foundation model's ARN", "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", "invoke", "us-east-1", None, None),
    ("an inference profile's ARN", ARN + "inference-profile/us.meta.llama4-scout-17b-instruct-v1:0", "converse", "us-east-1", TOKEN, None),
    ("an application's ARN", ARN + "application-inference-profile/ab12cd34ef56", "converse", "us-east-1", None, None),
    ("the partition for governments", "us-gov.anthropic.claude-3-haiku-20240307-v1:0", "invoke", "us-gov-west-1", TOKEN, None),
    ("another base URL", "amazon.nova-pro-v1:0", "converse", "us-east-1", None, "http://127.0.0.1:8089"),
    ("a base URL with a path", "amazon.nova-pro-v1:0", "converse", "us-east-1", None, "https://proxy.example.com/bedrock/v1"),
]
TEXT = "Grüße, ‘quoted’ & more"
NOW = datetime.datetime(2026, 3, 1, 12, 34, 56, tzinfo=datetime.timezone.utc)


def sent(model, operation, region, token, base):
    """The request that botocore would send."""
    caught = []

    def catch(request, **_):
        caught.append(request)
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
    client.meta.events.register("before-send.bedrock-runtime", catch)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: NOW):
        if operation == "converse":
            client.converse(modelId=model, messages=[{"role": "user", "content": [{"text": TEXT}]}])
        else:
            body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": TEXT}]}
            client.invoke_model(modelId=model, body=json.dumps(body), contentType="application/json")
    return caught[0]


def case(name, model, operation, region, token, base):
    """A case of the test, without what is the client's own affair."""
    request = sent(model, operation, region, token, base)
    headers = {key.lower(): text(value) for key, value in request.headers.items()}
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    ours = {"host", "x-amz-date", "x-amz-security-token"}
    kept = ["authorization", "x-amz-date", "x-amz-security-token"]
    return {
        "name": name,
        "model": model,
        "operation": operation,
        "region": region,
        "token": token,
        "base": base,
        "url": request.url,
        "body": text(request.body),
        "headers": {key: headers[key] for key in signed if key not in ours},
        "signed": {key: headers[key] for key in kept if key in headers},
    }


def text(value):
    """Text of what may be bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


print("botocore", botocore.__version__)
made = {"time": int(NOW.timestamp()), "cases": [case(*row) for row in CASES]}
OUT.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
