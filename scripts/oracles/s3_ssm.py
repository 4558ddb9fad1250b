"""Makes crates/llm-exe-aws/tests/cases/s3_ssm.json: requests to S3, Parameter Store, SQS and
EventBridge as botocore, the library of AWS's Python SDK, writes and signs them at a fixed time.
Nothing is sent.

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
# AWS's own examples.
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


QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/results"
FIFO = {"group": "llm-exe", "deduplication_id": "ab12"}
BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/results"

# name, what is asked, region, session token, base URL
CASES = [
    ("a plain key", get("bucket", "prompts/a.md"), "us-east-1", None, None),
    ("another region, a session token", get("bucket", "a.md"), "eu-central-1", TOKEN, None),
    ("a version", get("bucket", "a.md", version="3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo"), "us-west-2", TOKEN, None),
    ("an ETag", get("bucket", "a.md", known="\"9b2cf535f27731c974343645a3985328\""), "us-west-2", None, None),
    ("spaces and a plus", get("bucket", "my prompts/a + b.md"), "us-east-1", TOKEN, None),
    ("letters beyond ASCII", get("bucket", "grüße/日本語/🦈.md"), "ap-northeast-1", None, None),
    ("what is special in URLs", get("bucket", "a?b#c&d=e%20f@g:h;i,j$k!l*m'n(o)p"), "us-east-1", None, None),
    ("unreserved", get("bucket", "a-b_c.d~e"), "us-east-1", None, None),
    ("double slashes", get("bucket", "a//b///c"), "us-east-1", None, None),
    ("a slash in front", get("bucket", "/a"), "us-east-1", None, None),
    ("dots", get("bucket", "a/./b/../c"), "us-east-1", None, None),
    ("brackets and quotes", get("bucket", "a[0]{b}<c>\"d\"|e\\f^g`h"), "us-east-1", None, None),
    ("a bucket with dots", get("my.bucket.example", "a b.md"), "eu-west-1", TOKEN, None),
    ("China", get("bucket", "a.md"), "cn-north-1", None, None),
    ("governments", get("bucket", "a.md"), "us-gov-west-1", TOKEN, None),
    ("an address", get("bucket", "a b.md", version="v1"), "us-east-1", None, "http://127.0.0.1:5000"),
    ("localhost", get("bucket", "a.md"), "us-east-1", TOKEN, "http://localhost:5000"),
    ("another host", get("bucket", "a.md"), "us-east-1", None, "https://vpce-1.s3.us-east-1.vpce.amazonaws.com"),
    ("a head", {"operation": "head", "bucket": "bucket", "key": "a b.md"}, "us-east-1", TOKEN, None),
    ("a head of a version", {"operation": "head", "bucket": "bucket", "key": "a", "version": "v+1"}, "us-east-1", None, None),
    ("a put", {"operation": "put", "bucket": "bucket", "key": "results/ü.json", "body": BODY, "type": "application/json"}, "us-east-1", TOKEN, None),
    ("a put where there is none", {"operation": "put", "bucket": "bucket", "key": "a", "body": BODY, "type": "application/json", "if_none_match": "*"}, "us-east-1", None, None),
    ("a put of a lease", {"operation": "put", "bucket": "my.bucket", "key": "a", "body": "", "type": "text/plain", "if_match": "\"0a1b\"", "metadata": {"lease": "2026-03-01T12:34:56Z", "hash": "ab12"}}, "eu-west-1", TOKEN, None),
    ("a parameter", {"operation": "parameter", "name": "/LlmExeLambda/Secret/KeyOpenAI"}, "us-east-1", None, None),
    ("a parameter with a token", {"operation": "parameter", "name": "/Mine-2/Secret/KeyXAI"}, "eu-central-1", TOKEN, None),
    ("a parameter in China", {"operation": "parameter", "name": "/a/Secret/b"}, "cn-northwest-1", TOKEN, None),
    ("a parameter elsewhere", {"operation": "parameter", "name": "/a/Secret/b"}, "us-east-1", None, "http://localhost:5000"),
    ("a message", send(QUEUE), "eu-central-1", None, None),
    ("a message with a token", send(QUEUE), "eu-central-1", TOKEN, None),
    ("a message for a FIFO queue", send(QUEUE + ".fifo", **FIFO), "eu-central-1", TOKEN, None),
    ("a message in China", send("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q"), "cn-north-1", TOKEN, None),
    ("a message for governments", send("https://sqs.us-gov-west-1.amazonaws.com/123456789012/q"), "us-gov-west-1", None, None),
    ("a message elsewhere", send("http://localhost:5000/123456789012/q.fifo", **FIFO), "us-east-1", TOKEN, "http://localhost:5000"),
    ("an event", put_events(BUS), "eu-central-1", None, None),
    ("an event with a token", put_events(BUS), "eu-central-1", TOKEN, None),
    ("an event in China", put_events("arn:aws-cn:events:cn-north-1:123456789012:event-bus/q"), "cn-north-1", TOKEN, None),
    ("an event for governments", put_events("arn:aws-us-gov:events:us-gov-west-1:123456789012:event-bus/q"), "us-gov-west-1", None, None),
    ("an event elsewhere", put_events(BUS), "eu-central-1", TOKEN, "http://localhost:5000"),
]
SERVICES = {"parameter": "ssm", "send": "sqs", "events": "events"}


def sent(asked, region, token, base):
    """The request that botocore would send."""
    caught = []

    def catch(request, **_):
        caught.append(request)
        response = AWSResponse(request.url, 200, {}, None)
        response._content = b"" if service == "s3" else b"{}"
        return response

    service = SERVICES.get(asked["operation"], "s3")
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
    client.meta.events.register(f"before-send.{service}", catch)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: NOW):
        call(client, asked)
    return caught[0]


def call(client, asked):
    """Asks a client."""
    if asked["operation"] == "parameter":
        client.get_parameter(Name=asked["name"], WithDecryption=True)
        return
    if asked["operation"] == "send":
        fifo = {}
        if "group" in asked:
            fifo = {"MessageGroupId": asked["group"], "MessageDeduplicationId": asked["deduplication_id"]}
        client.send_message(QueueUrl=asked["queue"], MessageBody=asked["message"], **fifo)
        return
    if asked["operation"] == "events":
        entry = {"Source": asked["source"], "DetailType": asked["detail_type"], "Detail": asked["detail"]}
        client.put_events(Entries=[{**entry, "EventBusName": asked["bus"]}])
        return
    names = {
        "bucket": "Bucket", "key": "Key", "version": "VersionId", "known": "IfNoneMatch",
        "body": "Body", "type": "ContentType", "metadata": "Metadata",
        "if_none_match": "IfNoneMatch", "if_match": "IfMatch",
    }
    arguments = {names[name]: value for name, value in asked.items() if name in names}
    getattr(client, asked["operation"] + "_object")(**arguments)


def case(name, asked, region, token, base):
    """A case of the test, without what is the client's own affair."""
    request = sent(asked, region, token, base)
    headers = {key.lower(): text(value) for key, value in request.headers.items()}
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    kept = [*signed, "authorization"]
    body = request.body
    body = body.read() if hasattr(body, "read") else body
    return {
        **asked,
        "name": name,
        "region": region,
        "token": token,
        "base": base,
        "expected": {
            "method": request.method,
            "url": request.url,
            "headers": {key: headers[key] for key in kept if key in headers},
            "body": text(body or b""),
        },
    }


def text(value):
    """Text of what may be bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


print("botocore", botocore.__version__)
made = {"time": int(NOW.timestamp()), "cases": [case(*row) for row in CASES]}
OUT.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
