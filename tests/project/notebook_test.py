"""The guide's notebook is what its page makes."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import source_tree


def check(root):
    return subprocess.run([sys.executable, "-B", root / "examples/make_notebook.py", "--check"], capture_output=True,
                          text=True, timeout=60, check=False)


class Notebook(unittest.TestCase):
    def test_is_in_step_with_the_page(self):
        done = check(source_tree.ROOT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_sees_a_page_that_went_on(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ("docs", "examples"):
                shutil.copytree(source_tree.ROOT / name, root / name)
            page = root / "docs/tutorial.md"
            page.write_text(page.read_text(encoding="utf-8").replace("--epochs 10", "--epochs 11"), encoding="utf-8")
            done = check(root)
            self.assertEqual(done.returncode, 1)
            self.assertIn("run examples/make_notebook.py", done.stderr)


if __name__ == "__main__":
    unittest.main()
