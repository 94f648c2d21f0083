"""The job as the original tutorial had it: TensorFlow's `DNNClassifier` fed by `numpy_input_fn`, in graph mode."""

from __future__ import annotations

import os
import tempfile
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

import mnist

v1 = tf.compat.v1


class StepClock(v1.train.SessionRunHook):  # type: ignore[misc]
    """When the first step ended, and when the last one did."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.last = 0.0

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last


def input_of(images: mnist.Images, job: mnist.Job, *, training: bool) -> Any:
    return v1.estimator.inputs.numpy_input_fn(
        x={"imgs": images.pixels.reshape(-1, 28, 28)},
        y=images.labels,
        batch_size=job.batch_size,
        num_epochs=None if training else 1,
        shuffle=training,
    )


def main() -> None:
    job = mnist.parse_job()
    v1.disable_eager_execution()
    tf.get_logger().setLevel("ERROR")
    train, test = mnist.load(job.data_dir, "train"), mnist.load(job.data_dir, "t10k")
    with tempfile.TemporaryDirectory() as models_dir:
        classifier = v1.estimator.DNNClassifier(
            hidden_units=list(mnist.HIDDEN_UNITS),
            feature_columns=[tf.feature_column.numeric_column("imgs", shape=[28, 28])],
            n_classes=mnist.N_CLASSES,
            optimizer=v1.train.AdamOptimizer(job.learning_rate),
            config=tf.estimator.RunConfig(tf_random_seed=job.seed, model_dir=models_dir),
        )
        clock = StepClock()
        started = time.perf_counter()
        classifier.train(input_of(train, job, training=True), steps=job.steps, hooks=[clock])
        scores = classifier.evaluate(input_of(test, job, training=False))

    first = clock.first or clock.last
    mnist.report(
        # The first step ends when the graph has been built; the others have run between the two times.
        steps_s=(clock.last - first) * job.steps / (job.steps - 1),
        preparation_s=first - started,
        accuracy=float(scores["accuracy"]),
        version=f"TensorFlow {tf.__version__}, Estimator",
    )


if __name__ == "__main__":
    main()
