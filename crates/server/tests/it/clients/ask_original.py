"""Asks a server with the stub of the original, `hydro-serving-grpc`. Prints as `ask.py` does."""

import json
import sys
from importlib.metadata import version

import grpc
import hydro_serving_grpc as original

stub = original.PredictionServiceStub(grpc.insecure_channel(sys.argv[1]))


def request(application, signature, sizes, values):
    shape = original.TensorShapeProto(dim=[original.TensorShapeProto.Dim(size=size) for size in sizes])
    images = original.TensorProto(dtype=original.DT_FLOAT, tensor_shape=shape, float_val=values)
    spec = original.ModelSpec(name=application, signature_name=signature)
    return original.PredictRequest(model_spec=spec, inputs={"imgs": images})


def refusal(asked):
    try:
        stub.Predict(asked)
    except grpc.RpcError as error:
        return error.code()
    raise AssertionError("a call was not refused")


answer = stub.Predict(request("mnist-app", "predict", [-1, 28, 28], [0.25] * 1568))
assert list(answer.outputs["class_ids"].int64_val) == [3, 3], answer
assert list(answer.outputs["classes"].string_val) == [b"3", b"3"], answer
assert len(answer.outputs["probabilities"].float_val) == 20, answer

# The vector that was recorded of the original's client.
vector = request("mnist-app", "predict", [-1, 2], [1, 2, 3, 4])
assert len(vector.SerializeToString()) == 71
assert refusal(vector) == grpc.StatusCode.INVALID_ARGUMENT
assert refusal(request("nope", "predict", [784], [0.0] * 784)) == grpc.StatusCode.NOT_FOUND
assert refusal(request("mnist-app", "nope", [784], [0.0] * 784)) == grpc.StatusCode.NOT_FOUND

name = "hydro-serving-grpc"
print(json.dumps({"client": name, "version": version(name), "calls": "Predict, and three that are refused"}))
