"""Trains the original's DNNClassifier on drawn digits and exports it as the original's script does.

Usage: make_estimator.py IMAGES LABELS ANSWERS EXPORT SIDE WIDTHS, in the folder in which everything lies. IMAGES holds float32
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
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)

estimator = tf.estimator.DNNClassifier(
    hidden_units=widths,
    feature_columns=[tf.feature_column.numeric_column("imgs", shape=(side, side))],
    n_classes=10,
    model_dir="estimator",
    optimizer=lambda: tf.keras.optimizers.legacy.Adam(learning_rate=0.001),
)
training = tf.compat.v1.estimator.inputs.numpy_input_fn(
    x={"imgs": images}, y=labels, batch_size=64, num_epochs=None, shuffle=True
)
estimator.train(input_fn=training, steps=200)
with tf.Graph().as_default():
    imgs = tf.compat.v1.placeholder(tf.float32, shape=(None, side, side), name="imgs")
    receiver = tf.estimator.export.build_raw_serving_input_receiver_fn({"imgs": imgs})
exported = estimator.export_saved_model("exported", receiver)
os.rename(exported.decode(), export_path)

served = tf.saved_model.load(export_path).signatures["predict"]
answers = {name: tensor.numpy() for name, tensor in served(imgs=tf.constant(images)).items()}
with open(answers_path, "w") as file:
    json.dump({name: answer.tolist() for name, answer in answers.items() if answer.dtype.kind in "fi"}, file)
print(tf.__version__, " ".join(sorted(answers)))
