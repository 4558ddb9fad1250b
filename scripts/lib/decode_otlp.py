"""Decodes an export of spans as a collector does, with OpenTelemetry's own types.

Reads the body of an OTLP/HTTP request in JSON from standard input, and writes the spans as JSON.
Fails if the body has a field that the types do not have, or a value of another type.
"""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# OTLP writes these ids in hexadecimal digits, unlike the JSON of protobuf, which writes bytes in
# base64: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def convert_ids(value):
    if isinstance(value, list):
        return [convert_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    converted = {}
    for name, item in value.items():
        if name in IDS:
            raw = bytes.fromhex(item)
            if len(raw) != IDS[name]:
                sys.exit(f"{name}: expected {IDS[name]} bytes, got {item!r}")
            converted[name] = base64.b64encode(raw).decode()
        else:
            converted[name] = convert_ids(item)
    return converted


request = ExportTraceServiceRequest()
json_format.ParseDict(convert_ids(json.load(sys.stdin)), request)
spans = [
    {
        "name": span.name,
        "kind": span.kind,
        "traceId": span.trace_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "nanoseconds": span.end_time_unix_nano - span.start_time_unix_nano,
        "status": span.status.code,
        "attributes": {
            item.key: getattr(item.value, item.value.WhichOneof("value"))
            if not item.value.HasField("array_value")
            else [entry.string_value for entry in item.value.array_value.values]
            for item in span.attributes
        },
    }
    for resource in request.resource_spans
    for scope in resource.scope_spans
    for span in scope.spans
]
resources = [
    {item.key: item.value.string_value for item in resource.resource.attributes}
    for resource in request.resource_spans
]
json.dump({"resources": resources, "spans": spans}, sys.stdout)
