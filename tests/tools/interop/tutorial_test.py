"""The guide as a notebook: every cell of it runs, on drawn digits and the CPU.

Run as: tutorial_test.py TRAINER TOOLS. Skipped without the packages nbclient, ipykernel, numpy, pillow and safetensors.
"""

import os
import re
import sys
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE.parents[2] / "support")]
import interop  # noqa: E402
import programs  # noqa: E402

nbclient, nbformat, *_ = interop.packages("nbclient", "nbformat", "ipykernel", "numpy", "PIL", "safetensors")

ROOT = HERE.parents[3]


def text_of(cell):
    return "".join(o["text"] for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")


def pictures_of(cell):
    return sum("image/png" in o.get("data", {}) for o in cell.outputs)


class Tutorial(programs.ProgramTest):
    def run_notebook(self, notebook):
        environment = {"MILLRACE": str(ROOT), "MILLRACE_BIN": str(Path(programs.TRAINER).parent),
                       "MILLRACE_TUTORIAL": str(self.top), "LAST_EPOCHS": "1", "IPYTHONDIR": str(self.top / "ipython"),
                       "HOME": str(self.top)}
        with mock.patch.dict(os.environ, environment):
            nbclient.NotebookClient(notebook, timeout=programs.TIMEOUT, kernel_name="python3",
                                    resources={"metadata": {"path": str(self.top)}}).execute()

    def test_every_cell_runs(self):
        self.call("synth", self.top / "data", "--count", "6000", "--test-count", "500", program=programs.TOOLS)
        stored = nbformat.read(ROOT / "examples/tutorial.ipynb", as_version=4)
        nbformat.validate(stored)
        fresh = nbformat.read(ROOT / "examples/tutorial.ipynb", as_version=4)
        self.run_notebook(fresh)
        pairs = [(a, b) for a, b in zip(stored.cells, fresh.cells) if a.cell_type == "code"]
        self.assertGreater(len(pairs), 15)
        for before, after in pairs:
            with self.subTest(after.source):
                self.assertEqual(bool(text_of(after)), bool(text_of(before)))
                self.assertEqual(pictures_of(after), pictures_of(before))
        everything = "\n".join(text_of(after) for _, after in pairs)
        self.assertEqual(len(re.findall(r"(?m)^Epoch \[\d\]", everything)), 10 + 6)
        accuracies = [float(a) for a in re.findall(r"(?m)^Test, .*test_acc: ([01]\.\d+)$", everything)]
        self.assertEqual(len(accuracies), 3)
        self.assertGreater(accuracies[1], accuracies[0])  # the recipe beats the plain run
        self.assertRegex(everything, r"Loading went on \d+% of the epoch; \d+% of that beside computing\.")
        self.assertTrue((self.top / "model.onnx").is_file())
        self.assertTrue((self.top / "report.html").is_file())

    def test_a_cell_that_fails_is_seen(self):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%%bash\nfalse")])
        with self.assertRaises(nbclient.exceptions.CellExecutionError):
            self.run_notebook(notebook)


if __name__ == "__main__":
    programs.main()
