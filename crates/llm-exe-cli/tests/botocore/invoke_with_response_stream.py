"""Calls InvokeWithResponseStream with botocore for each payload in the JSON list on standard input.

Prints a line of JSON for each response: its status, its chunks with the time of their arrival, and
the event InvokeComplete. The argument is the URL of the server.
"""

import json
import sys
import time

import botocore.session
from botocore.config import Config


def main() -> None:
    session = botocore.session.Session()
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    client = session.create_client(
        "lambda",
        region_name="us-east-1",
        endpoint_url=sys.argv[1],
        config=Config(retries={"total_max_attempts": 1}),
    )
    for payload in json.load(sys.stdin):
        response = client.invoke_with_response_stream(
            FunctionName="llm-exe", LogType="Tail", Payload=json.dumps(payload)
        )
        chunks, complete = [], None
        for event in response["EventStream"]:
            if "PayloadChunk" in event:
                text = event["PayloadChunk"]["Payload"].decode()
                chunks.append({"text": text, "seconds": time.monotonic()})
            else:
                complete = event["InvokeComplete"]
        line = {
            "status": response["StatusCode"],
            "version": response["ExecutedVersion"],
            "chunks": chunks,
            "complete": complete,
        }
        print(json.dumps(line), flush=True)


main()
