"""Trains a Keras network of dense layers on drawn digits and saves it as a SavedModel.

Usage: make_keras.py IMAGES LABELS ANSWERS EXPORT SIDE WIDTHS, in the folder in which everything lies. IMAGES holds float32
pixels, SIDE rows and columns of them, LABELS one byte for each image; WIDTHS are those of the hidden layers, with commas.
ANSWERS becomes what TensorFlow says of every image, as one JSON document.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy
import tensorflow as tf

images_path, labels_path, answers_path, export_path, side, widths = sys.argv[1:]
side, widths = int(side), [int(width) for width in widths.split(",")]
images = numpy.fromfile(images_path, dtype="<f4").reshape(-1, side, side)
labels = numpy.fromfile(labels_path, dtype="u1").astype("int32")

tf.keras.utils.set_random_seed(1)
network = tf.keras.Sequential(
    [
        tf.keras.layers.Flatten(input_shape=(side, side)),
        *[tf.keras.layers.Dense(width, activation="relu") for width in widths],
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(10, activation="softmax"),
    ]
)
network.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
network.fit(images, labels, epochs=3, verbose=0)
network.save(export_path)

served = tf.saved_model.load(export_path).signatures["serving_default"]
(input_name,) = served.structured_input_signature[1]
answers = {name: tensor.numpy().tolist() for name, tensor in served(**{input_name: tf.constant(images)}).items()}
with open(answers_path, "w") as file:
    json.dump(answers, file)
print(input_name, " ".join(sorted(answers)))
