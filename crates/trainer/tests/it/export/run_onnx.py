"""Checks an ONNX file and runs it in onnxruntime: MODEL IMAGES ROWS COLUMNS, where IMAGES holds float32 numbers."""

import json
import sys

import numpy
import onnx
import onnxruntime

model, images, rows, columns = sys.argv[1:]
onnx.checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
images = numpy.fromfile(images, "<f4").reshape(-1, int(rows), int(columns))


def answer(images):
    names = [output.name for output in session.get_outputs()]
    values = session.run(None, {"imgs": images})
    return {name: value.tolist() for name, value in zip(names, values)}


origin = session.get_modelmeta().custom_metadata_map["slipway.export"]
print(json.dumps({"all": answer(images), "one": answer(images[:1]), "none": answer(images[:0]), "origin": origin}))
