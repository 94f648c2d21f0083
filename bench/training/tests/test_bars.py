"""Which promises hold."""

import unittest

from training.bars import bars
from training.results import Results
from training.tests.rehearsal import results, sample


def broken(measured: Results) -> list[str]:
    return [bar.words for bar in bars(measured) if not bar.holds]


def all_at_their_bars() -> Results:
    return results(
        native=[sample(1.0, wall_s=1.59, memory_mb=150.0)],
        native_1=[sample(2.0)],
        native_avx2=[sample(1.5)],
        native_default=[sample(2.5)],
        jax=[sample(4.0)],
        jax_1=[sample(7.0)],
        torch_eager=[sample(8.0)],
        torch_compiled=[sample(8.0)],
        tensorflow=[sample(10.0)],
    )


class Bars(unittest.TestCase):
    def test_a_promise_holds_at_its_very_bar(self) -> None:
        self.assertEqual(broken(all_at_their_bars()), [])

    def test_a_promise_breaks_just_beyond_its_bar(self) -> None:
        for name, just_beyond, words in [
            ("native", sample(1.0, wall_s=1.61), "the whole program takes at most 0.6 s more than its steps"),
            ("native", sample(1.0, wall_s=1.5, memory_mb=150.1), "at most 150 MB of memory"),
            ("jax", sample(3.99), "at least 4 times faster than JAX on two cores"),
            ("jax-1", sample(6.99), "at least 3.5 times faster than JAX on one core"),
            ("native-avx2", sample(1.61), "at least 2.5 times faster than JAX on two cores, with AVX2 only"),
            ("torch-eager", sample(7.99), "at least 8 times faster than PyTorch, eager"),
            ("torch-compiled", sample(7.99), "at least 8 times faster than PyTorch, compiled"),
            ("tensorflow", sample(9.99), "at least 10 times faster than TensorFlow"),
            ("native-default", sample(2.51), "the default recipe takes at most 2.5 times the tutorial's time"),
        ]:
            measured = all_at_their_bars()
            line = measured.line(name)
            assert line is not None
            line.samples = [just_beyond]
            self.assertEqual(broken(measured), [words])

    def test_a_promise_without_its_contender_does_not_hold(self) -> None:
        measured = all_at_their_bars()
        measured.lines = [line for line in measured.lines if line.name != "tensorflow"]
        self.assertEqual(broken(measured), ["at least 10 times faster than TensorFlow"])

    def test_medians_are_compared_and_the_most_memory_counts(self) -> None:
        measured = all_at_their_bars()
        native = measured.line("native")
        assert native is not None
        native.samples = [sample(0.5), sample(1.0, memory_mb=151.0), sample(9.0)]
        self.assertEqual(broken(measured), ["at most 150 MB of memory"])
