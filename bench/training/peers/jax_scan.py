"""The job in JAX: all steps in one compiled `lax.scan`, with buffers donated; nothing returns to Python in between."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

import mnist

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8

Parameters = list[tuple[Array, Array]]


class State(NamedTuple):
    parameters: Parameters
    first_moments: Parameters
    second_moments: Parameters
    step: Array


def initial_state(widths: list[int], seed: int) -> State:
    key = jax.random.key(seed)
    parameters = []
    for n_inputs, n_outputs in pairwise(widths):
        key, layer_key = jax.random.split(key)
        limit = (6 / (n_inputs + n_outputs)) ** 0.5
        weights = jax.random.uniform(layer_key, (n_inputs, n_outputs), minval=-limit, maxval=limit)
        parameters.append((weights, jnp.zeros(n_outputs)))

    def zeros() -> Parameters:
        return jax.tree.map(jnp.zeros_like, parameters)

    return State(parameters, zeros(), zeros(), jnp.zeros(()))


def logits(parameters: Parameters, images: Array) -> Array:
    *hidden, (weights, bias) = parameters
    activations = images
    for hidden_weights, hidden_bias in hidden:
        activations = jax.nn.relu(activations @ hidden_weights + hidden_bias)
    return activations @ weights + bias


def loss(parameters: Parameters, images: Array, labels: Array) -> Array:
    log_probabilities = jax.nn.log_softmax(logits(parameters, images))
    return -jnp.take_along_axis(log_probabilities, labels[:, None], axis=1).mean()


def adam_step(state: State, gradients: Parameters, learning_rate: float) -> State:
    step = state.step + 1
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, state.first_moments, gradients)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, state.second_moments, gradients)
    rate = learning_rate * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    parameters = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), state.parameters, first, second)
    return State(parameters, first, second, step)


def main() -> None:
    job = mnist.parse_job()
    train, test = mnist.load(job.data_dir, "train"), mnist.load(job.data_dir, "t10k")
    pixels, labels = jnp.asarray(train.pixels), jnp.asarray(train.labels)
    rows = jnp.asarray(mnist.shuffled_rows(len(train.labels), job))

    def train_all(state: State, pixels: Array, labels: Array, rows: Array) -> State:
        def step(state: State, batch: Array) -> tuple[State, None]:
            gradients = jax.grad(loss)(state.parameters, pixels[batch], labels[batch])
            return adam_step(state, gradients, job.learning_rate), None

        return lax.scan(step, state, rows)[0]

    state = initial_state([pixels.shape[1], *mnist.HIDDEN_UNITS, mnist.N_CLASSES], job.seed)
    started = time.perf_counter()
    compiled = jax.jit(train_all, donate_argnums=0).lower(state, pixels, labels, rows).compile()
    preparation_s = time.perf_counter() - started
    jax.block_until_ready((state, pixels, labels, rows))

    started = time.perf_counter()
    state = jax.block_until_ready(compiled(state, pixels, labels, rows))
    steps_s = time.perf_counter() - started

    predicted = logits(state.parameters, jnp.asarray(test.pixels)).argmax(axis=1)
    accuracy = float((predicted == test.labels).mean())
    mnist.report(steps_s=steps_s, preparation_s=preparation_s, accuracy=accuracy, version=f"JAX {jax.__version__}")


if __name__ == "__main__":
    main()
