"""Table, chart and document."""

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

from harness import document, paths
from serving import outputs
from serving.bars import bars
from serving.results import Line
from serving.tests.test_bars import all_at_their_bars


class Outputs(unittest.TestCase):
    def setUp(self) -> None:
        self.results = all_at_their_bars()
        for line in self.results.lines:
            line.starts_ms, line.memory_mb, line.peaks_mb = [20.0], [10.0], [20.0]
        self.results.lines.append(Line("absent", "a <peer>", absent_because="no such package"))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_the_table_has_every_load_and_who_is_absent(self) -> None:
        text = outputs.text(self.results).splitlines()
        self.assertRegex(text[1], r"^Slipway +1 image, 16 connections +60,000 +60,000 ")
        self.assertRegex(text[-2], r"^Furnace +V2 gRPC, 1 image, 16 connections +10,000 +10,000 ")
        self.assertEqual(text[-1], "a <peer>: not measured, no such package")

    def test_the_chart_is_well_formed_and_the_fastest_comes_first(self) -> None:
        outputs.chart(self.results, self.folder / "chart.svg")
        svg = ElementTree.parse(self.folder / "chart.svg").getroot()
        labels = [text.text for text in svg.findall("{http://www.w3.org/2000/svg}text")]
        self.assertEqual([labels.index(label) for label in ["axum", "Slipway", "FastAPI"]], [2, 4, 6])

    def test_the_document_changes_between_its_marks_only(self) -> None:
        path = self.folder / "benchmarks.md"
        begin, end = document.marks("serving")
        path.write_text(f"before\n{begin}\nold figures\n{end}\nafter\n")
        with (
            mock.patch.object(paths, "DOCUMENT", path),
            mock.patch("serving.places.CHART", self.folder / "b/chart.svg"),
            mock.patch("serving.places.RESULTS", self.folder / "b/results.json"),
        ):
            outputs.write_document(self.results, bars(self.results))
        text = path.read_text()
        self.assertTrue(text.startswith(f"before\n{begin}\n") and text.endswith(f"\n{end}\nafter\n"))
        self.assertNotIn("old figures", text)
        for words in [
            "(b/chart.svg)",
            "| at most 15 MB of memory with 16 connections | 10.0 MB | yes |",
            "| 57,000 | 57,000 |",
        ]:
            self.assertIn(words, text)

    def test_the_kept_results_have_every_run(self) -> None:
        self.results.write(self.folder / "results.json")
        kept = json.loads((self.folder / "results.json").read_text())
        self.assertEqual(kept["lines"][0]["loads"]["one"][0]["requests_s"], 60_000)
