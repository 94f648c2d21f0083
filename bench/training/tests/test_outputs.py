"""Table, chart and document."""

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock
from xml.etree import ElementTree

from harness import document as harness_document
from harness import paths
from harness.bars import Bar
from training import chart, document, places, table
from training.results import Line
from training.tests.rehearsal import results, sample

BARS = [Bar("at least 4 times faster", "4.10 times", True), Bar("at most 150 MB", "160 MB", False)]


class Outputs(unittest.TestCase):
    def setUp(self) -> None:
        self.results = results(native=[sample(1.0), sample(1.2), sample(1.1)], jax=[sample(4.4)])
        self.results.lines.append(Line("torch", "PyTorch <eager>", 2, absent_because="no such package"))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_the_table_has_median_range_ratio_and_who_is_absent(self) -> None:
        text = table.text(self.results).splitlines()
        self.assertRegex(text[1], r"^the native +2 +1\.10 s +1\.00 s +1\.20 s +1\.00 ")
        self.assertRegex(text[2], r"^the jax +2 +4\.40 s +4\.40 s +4\.40 s +4\.00 ")
        self.assertEqual(text[3], "PyTorch <eager>: not measured, no such package")
        self.assertIn("| the jax | 2 | 4.40 s |", table.markdown(self.results))

    def test_the_chart_is_well_formed_and_has_a_bar_for_everybody_measured(self) -> None:
        self.results.lines[1].label = "JAX <&>"
        chart.write(self.results, self.folder / "chart.svg")
        svg = ElementTree.parse(self.folder / "chart.svg").getroot()
        bars = svg.findall("{http://www.w3.org/2000/svg}path")
        self.assertEqual(len(bars), 2)

    def test_the_document_changes_between_its_marks_only(self) -> None:
        path = self.folder / "benchmarks.md"
        begin, end = harness_document.marks("training")
        path.write_text(f"before\n{begin}\nold figures\n{end}\nafter\n")
        here: dict[str, Any] = {"CHART": self.folder / "b/chart.svg", "RESULTS": self.folder / "b/results.json"}
        with mock.patch.multiple(places, **here), mock.patch.object(paths, "DOCUMENT", path):
            document.write(self.results, BARS)
        text = path.read_text()
        self.assertTrue(text.startswith(f"before\n{begin}\n"))
        self.assertTrue(text.endswith(f"\n{end}\nafter\n"))
        self.assertNotIn("old figures", text)
        for words in ["(b/chart.svg)", "| at most 150 MB | 160 MB | no |", "on Abacus: 2 cores with AVX2", "1.10 s"]:
            self.assertIn(words, text)

    def test_the_kept_results_have_every_run_and_no_path(self) -> None:
        self.results.write(self.folder / "deep/results.json")
        kept = json.loads((self.folder / "deep/results.json").read_text())
        self.assertEqual([run["steps_s"] for run in kept["contenders"][0]["samples"]], [1.0, 1.2, 1.1])
        self.assertNotIn("data_dir", kept["job"])
