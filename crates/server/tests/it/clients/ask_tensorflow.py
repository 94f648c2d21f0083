"""Asks a server with a client of TensorFlow Serving. Prints as `ask.py` does."""

import json
import sys
from importlib.metadata import version

import grpc
import numpy as np
from min_tfs_client.requests import TensorServingClient
from min_tfs_client.tensors import tensor_proto_to_ndarray

host, port = sys.argv[1].split(":")
client = TensorServingClient(host, int(port))

for kind in [np.float32, np.float64, np.uint8, np.int32, np.int64]:
    images = np.ones((2, 28, 28), kind)
    answer = client.predict_request("mnist-app", {"imgs": images})
    assert tensor_proto_to_ndarray(answer.outputs["class_ids"]).tolist() == [[3], [3]], answer
    assert tensor_proto_to_ndarray(answer.outputs["probabilities"]).shape == (2, 10), answer
assert answer.model_spec.version.value == 1, answer

answer = client.predict_request("mnist", {"imgs": images}, model_version=2)
assert tensor_proto_to_ndarray(answer.outputs["class_ids"]).tolist() == [[4], [4]], answer

try:
    client.predict_request("mnist-app", {"imgs": np.ones((2, 27))})
    raise AssertionError("a call was not refused")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error

name = "min-tfs-client"
calls = "Predict by application and by version, in five types"
print(json.dumps({"client": name, "version": version(name), "calls": calls}))
