"""The documents tell the truth: links lead somewhere, and the table of options is what the trainer takes.

Run as: readme_test.py TRAINER
"""

import re
import subprocess
import sys
import unittest

import source_tree

# Options that every program has and the table does not list.
UNLISTED = {"--help"}


def broken_links(root):
    found = []
    for path in source_tree.files(root):
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                found.append(f"{path.relative_to(root).as_posix()}: {target}")
    return found


def options_in_table(text):
    """Of docs/options.md: each row's first cell holds one or more, as `--name VALUE`."""
    rows = re.findall(r"^\| (`-[^|]*)\|", text, re.MULTILINE)
    return {option for row in rows for option in re.findall(r"--[a-z][a-z-]*", row)}


def options_in_help(text):
    return set(re.findall(r"^ {2}(?:-\w, ?)?(--[a-z][a-z-]*)", text, re.MULTILINE))


class Documents(unittest.TestCase):
    maxDiff = None
    trainer = ""

    def test_links_lead_somewhere(self):
        self.assertEqual(broken_links(source_tree.ROOT), [])

    def test_the_tables_list_the_trainers_options(self):
        def options_of(*command):
            shown = subprocess.run([self.trainer, *command, "--help"], capture_output=True, text=True, timeout=60, check=True)
            return options_in_help(shown.stdout)

        page = (source_tree.ROOT / "docs" / "options.md").read_text(encoding="utf-8")
        trainer, search = page.split("## trainer search")
        self.assertEqual(options_in_table(trainer), options_of() - UNLISTED)
        self.assertEqual(options_in_table(search), options_of("search") - options_of())

    def test_reads_both_lists(self):
        self.assertEqual(options_in_table("| `--data DIR` | x |\n| `--epochs N`, `--batch N` | y --no |\n"),
                         {"--data", "--epochs", "--batch"})
        self.assertEqual(options_in_help("Options:\n  -h,--help    Print\n  --data TEXT  see --no\n"), {"--help", "--data"})


if __name__ == "__main__":
    Documents.trainer = sys.argv.pop(1)
    unittest.main()
