"""The order of the runs, and what becomes of who fails."""

import io
import unittest
from dataclasses import dataclass, field
from pathlib import Path

from harness.environments import CannotInstall
from training.contenders import CannotRun, Contender, Sample
from training.job import Job
from training.rounds import measure
from training.tests.rehearsal import sample

JOB = Job(Path("images"))


@dataclass
class Rehearsal(Contender):
    """Writes its runs into a common log; fails in the round of `fails_with_seed`."""

    log: list[str] = field(default_factory=list)
    fails_with_seed: int = 0
    is_installable: bool = True

    def prepare(self) -> None:
        if not self.is_installable:
            raise CannotInstall("no such package")

    def measure(self, job: Job, seed: int) -> Sample:
        self.log.append(f"{self.name}{seed}")
        if seed == self.fails_with_seed:
            raise CannotRun("ended with code 1")
        return sample(float(seed))


class Rounds(unittest.TestCase):
    def setUp(self) -> None:
        self.log: list[str] = []

    def contender(self, name: str, *, fails_with_seed: int = 0, is_installable: bool = True) -> Rehearsal:
        return Rehearsal(name, name, 1, self.log, fails_with_seed, is_installable)

    def test_every_round_begins_with_another_contender(self) -> None:
        lines = measure([self.contender(name) for name in "abc"], JOB, 3, io.StringIO())
        self.assertEqual(self.log, ["a1", "b1", "c1", "b2", "c2", "a2", "c3", "a3", "b3"])
        self.assertEqual([line.name for line in lines], ["a", "b", "c"])
        self.assertEqual((lines[0].steps_min_s, lines[0].steps_s, lines[0].steps_max_s), (1.0, 2.0, 3.0))

    def test_who_fails_once_is_absent_with_the_reason_and_not_run_again(self) -> None:
        failing, whole = measure([self.contender("a", fails_with_seed=2), self.contender("b")], JOB, 3, io.StringIO())
        self.assertEqual((failing.samples, failing.absent_because), ([], "ended with code 1"))
        self.assertEqual(len(whole.samples), 3)
        self.assertEqual(self.log, ["a1", "b1", "b2", "a2", "b3"])

    def test_who_cannot_be_installed_is_absent_with_the_reason(self) -> None:
        absent, whole = measure([self.contender("a", is_installable=False), self.contender("b")], JOB, 1, io.StringIO())
        self.assertEqual((absent.samples, absent.absent_because), ([], "no such package"))
        self.assertEqual(len(whole.samples), 1)
