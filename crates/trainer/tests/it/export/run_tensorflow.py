"""Loads a SavedModel folder with TensorFlow 2 and runs its signature: FOLDER IMAGES ROWS COLUMNS AGAIN.

IMAGES holds float32 numbers. The variables are saved again, by the graph's own saver, as a bundle called AGAIN.
"""

import json
import sys

import numpy
import tensorflow

folder, images, rows, columns, again = sys.argv[1:]
images = numpy.fromfile(images, "<f4").reshape(-1, int(rows), int(columns))
model = tensorflow.saved_model.load(folder)
predict = model.signatures["predict"]


def answer(images):
    tensors = predict(imgs=tensorflow.constant(images))
    values = {name: tensor.numpy() for name, tensor in tensors.items()}
    values["classes"] = values["classes"].astype(str)
    return {name: value.tolist() for name, value in values.items()}


# The way of TensorFlow 1, which TensorFlow Serving goes as well.
v1 = tensorflow.compat.v1
with v1.Graph().as_default(), v1.Session() as session:
    saver = v1.saved_model.load(session, ["serve"], folder).saver_def
    session.run(saver.save_tensor_name, {saver.filename_tensor_name: again})

variables = {variable.name: variable.shape.as_list() for variable in model.variables}
print(json.dumps({"all": answer(images), "one": answer(images[:1]), "none": answer(images[:0]), "variables": variables}))
