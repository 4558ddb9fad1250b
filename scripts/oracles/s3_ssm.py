"""Writes crates/llm-exe-aws/tests/cases/s3_ssm.json: requests to S3, Parameter Store, SQS,
EventBridge and Lambda, as botocore (the library of AWS's Python SDK) builds and signs them for a fixed time.
No request is sent.

    pip install botocore && python scripts/oracles/s3_ssm.py
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

OUT = Path(__file__).parents[2] / "crates/llm-exe-aws/tests/cases/s3_ssm.json"
# The example credentials in AWS's documentation.
ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQD+EXAMPLE=="
NOW = datetime.datetime(2026, 3, 1, 12, 34, 56, tzinfo=datetime.timezone.utc)
BODY = "{\"text\": \"Grüße\"}"


def get(bucket, key, **more):
    return {"operation": "get", "bucket": bucket, "key": key, **more}


def send(queue, **more):
    return {"operation": "send", "queue": queue, "message": BODY, **more}


def put_events(bus, **more):
    return {"operation": "events", "bus": bus, "source": "llm-exe", "detail_type": "LLM Result", "detail": BODY, **more}


def invoke(function, **more):
    return {"operation": "invoke", "function": function, "message": BODY, **more}


QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/results"
FIFO = {"group": "llm-exe", "deduplication_id": "ab12"}
BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/results"

# The columns are the name, operation, region, session token and base URL.
CASES = [
    ("get", get("bucket", "prompts/a.md"), "us-east-1", None, None),
    ("get with session token", get("bucket", "a.md"), "eu-central-1", TOKEN, None),
    ("get of a version", get("bucket", "a.md", version="3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo"), "us-west-2", TOKEN, None),
    ("get if changed", get("bucket", "a.md", known="\"9b2cf535f27731c974343645a3985328\""), "us-west-2", None, None),
    ("key with spaces and plus", get("bucket", "my prompts/a + b.md"), "us-east-1", TOKEN, None),
    ("key with non-ASCII letters", get("bucket", "grüße/日本語/🦈.md"), "ap-northeast-1", None, None),
    ("key with reserved characters", get("bucket", "a?b#c&d=e%20f@g:h;i,j$k!l*m'n(o)p"), "us-east-1", None, None),
    ("key with unreserved characters", get("bucket", "a-b_c.d~e"), "us-east-1", None, None),
    ("key with double slashes", get("bucket", "a//b///c"), "us-east-1", None, None),
    ("key with leading slash", get("bucket", "/a"), "us-east-1", None, None),
    ("key with dot segments", get("bucket", "a/./b/../c"), "us-east-1", None, None),
    ("key with brackets and quotes", get("bucket", "a[0]{b}<c>\"d\"|e\\f^g`h"), "us-east-1", None, None),
    ("bucket with dots", get("my.bucket.example", "a b.md"), "eu-west-1", TOKEN, None),
    ("get in China", get("bucket", "a.md"), "cn-north-1", None, None),
    ("get in GovCloud", get("bucket", "a.md"), "us-gov-west-1", TOKEN, None),
    ("base URL with IP address", get("bucket", "a b.md", version="v1"), "us-east-1", None, "http://127.0.0.1:5000"),
    ("base URL with localhost", get("bucket", "a.md"), "us-east-1", TOKEN, "http://localhost:5000"),
    ("base URL with VPC endpoint", get("bucket", "a.md"), "us-east-1", None, "https://vpce-1.s3.us-east-1.vpce.amazonaws.com"),
    ("put", {"operation": "put", "bucket": "bucket", "key": "results/ü.json", "body": BODY, "type": "application/json"}, "us-east-1", TOKEN, None),
    ("put if absent", {"operation": "put", "bucket": "bucket", "key": "a", "body": BODY, "type": "application/json", "if_none_match": "*"}, "us-east-1", None, None),
    ("put if unchanged, with metadata", {"operation": "put", "bucket": "my.bucket", "key": "a", "body": "", "type": "text/plain", "if_match": "\"0a1b\"", "metadata": {"lease": "2026-03-01T12:34:56Z", "hash": "ab12"}}, "eu-west-1", TOKEN, None),
    ("parameter", {"operation": "parameter", "parameter": "/LlmExeLambda/Secret/KeyOpenAI"}, "us-east-1", None, None),
    ("parameter with session token", {"operation": "parameter", "parameter": "/Mine-2/Secret/KeyXAI"}, "eu-central-1", TOKEN, None),
    ("parameter in China", {"operation": "parameter", "parameter": "/a/Secret/b"}, "cn-northwest-1", TOKEN, None),
    ("parameter at base URL", {"operation": "parameter", "parameter": "/a/Secret/b"}, "us-east-1", None, "http://localhost:5000"),
    ("message", send(QUEUE), "eu-central-1", None, None),
    ("message with session token", send(QUEUE), "eu-central-1", TOKEN, None),
    ("message to FIFO queue", send(QUEUE + ".fifo", **FIFO), "eu-central-1", TOKEN, None),
    ("message in China", send("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q"), "cn-north-1", TOKEN, None),
    ("message in GovCloud", send("https://sqs.us-gov-west-1.amazonaws.com/123456789012/q"), "us-gov-west-1", None, None),
    ("message at base URL", send("http://localhost:5000/123456789012/q.fifo", **FIFO), "us-east-1", TOKEN, "http://localhost:5000"),
    ("event", put_events(BUS), "eu-central-1", None, None),
    ("event with session token", put_events(BUS), "eu-central-1", TOKEN, None),
    ("event in China", put_events("arn:aws-cn:events:cn-north-1:123456789012:event-bus/q"), "cn-north-1", TOKEN, None),
    ("event in GovCloud", put_events("arn:aws-us-gov:events:us-gov-west-1:123456789012:event-bus/q"), "us-gov-west-1", None, None),
    ("event at base URL", put_events(BUS), "eu-central-1", TOKEN, "http://localhost:5000"),
    ("function", invoke("orders"), "eu-central-1", None, None),
    ("function with alias", invoke("orders", qualifier="live"), "eu-central-1", TOKEN, None),
    ("latest version of a function", invoke("orders", qualifier="$LATEST"), "eu-central-1", TOKEN, None),
    ("function of another account", invoke("123456789012:function:orders"), "eu-central-1", TOKEN, None),
    ("function in China", invoke("orders"), "cn-north-1", TOKEN, None),
    ("function at base URL", invoke("orders"), "us-east-1", TOKEN, "http://localhost:5000"),
]
SERVICES = {"parameter": "ssm", "send": "sqs", "events": "events", "invoke": "lambda"}


def build_request(spec, region, token, base):
    """Returns the request that botocore would send."""
    requests = []

    def intercept(request, **_):
        requests.append(request)
        response = AWSResponse(request.url, 200, {}, None)
        response._content = b"" if service == "s3" else b"{}"
        return response

    service = SERVICES.get(spec["operation"], "s3")
    client = botocore.session.Session().create_client(
        service,
        region_name=region,
        endpoint_url=base,
        aws_access_key_id=ID,
        aws_secret_access_key=SECRET,
        aws_session_token=token,
        config=Config(
            retries={"max_attempts": 0},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"us_east_1_regional_endpoint": "regional", "payload_signing_enabled": True},
        ),
    )
    client.meta.events.register(f"before-send.{service}", intercept)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: NOW):
        call(client, spec)
    return requests[0]


def call(client, spec):
    """Calls the client method of an operation."""
    if spec["operation"] == "parameter":
        client.get_parameter(Name=spec["parameter"], WithDecryption=True)
        return
    if spec["operation"] == "send":
        fifo = {}
        if "group" in spec:
            fifo = {"MessageGroupId": spec["group"], "MessageDeduplicationId": spec["deduplication_id"]}
        client.send_message(QueueUrl=spec["queue"], MessageBody=spec["message"], **fifo)
        return
    if spec["operation"] == "events":
        entry = {"Source": spec["source"], "DetailType": spec["detail_type"], "Detail": spec["detail"]}
        client.put_events(Entries=[{**entry, "EventBusName": spec["bus"]}])
        return
    if spec["operation"] == "invoke":
        qualifier = {"Qualifier": spec["qualifier"]} if "qualifier" in spec else {}
        client.invoke(FunctionName=spec["function"], InvocationType="RequestResponse", Payload=spec["message"].encode(), **qualifier)
        return
    names = {
        "bucket": "Bucket", "key": "Key", "version": "VersionId", "known": "IfNoneMatch",
        "body": "Body", "type": "ContentType", "metadata": "Metadata",
        "if_none_match": "IfNoneMatch", "if_match": "IfMatch",
    }
    parameters = {names[name]: value for name, value in spec.items() if name in names}
    getattr(client, spec["operation"] + "_object")(**parameters)


def case(name, spec, region, token, base):
    """Returns a test case. It contains only the signed headers and the signature itself."""
    request = build_request(spec, region, token, base)
    headers = {key.lower(): text(value) for key, value in request.headers.items()}
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    names = [*signed, "authorization"]
    body = request.body
    body = body.read() if hasattr(body, "read") else body
    return {
        **spec,
        "name": name,
        "region": region,
        "token": token,
        "base": base,
        "expected": {
            "method": request.method,
            "url": request.url,
            "headers": {name: headers[name] for name in names if name in headers},
            "body": text(body or b""),
        },
    }


def text(value):
    """Decodes a value that may be bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


print("botocore", botocore.__version__)
output = {"time": int(NOW.timestamp()), "cases": [case(*row) for row in CASES]}
OUT.write_text(json.dumps(output, indent=2, ensure_ascii=False) + "\n")
