"""The gateway as Python does it best: FastAPI without its models, orjson in and out, onnxruntime on one thread."""

import os

import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, Request, Response

OUTPUTS = ["class_ids", "classes", "logits", "probabilities"]

_options = onnxruntime.SessionOptions()
_options.intra_op_num_threads = 1
_options.inter_op_num_threads = 1
_session = onnxruntime.InferenceSession(os.environ["MODEL"], _options, providers=["CPUExecutionProvider"])

app = FastAPI()


@app.post("/gateway/applications/mnist-app/predict")
async def predict(request: Request) -> Response:
    images = np.array(orjson.loads(await request.body())["imgs"], dtype=np.float32)
    class_ids, classes, logits, probabilities = _session.run(OUTPUTS, {"imgs": images})
    answer = {
        "class_ids": class_ids,
        "classes": classes.tolist(),
        "logits": logits,
        "probabilities": probabilities,
    }
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
