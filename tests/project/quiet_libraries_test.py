"""A library throws; it never prints, ends the process or reads the command line. That is for tools/."""

import re
import tempfile
import unittest
from pathlib import Path

import source_tree

FORBIDDEN = re.compile(
    r"\bstd::(?:cout|cerr|clog|cin|print|println|exit|quick_exit|_Exit|abort|terminate)\b"
    r"|(?<![\w.>:])(?:std::|::)?(?:v?f?printf|puts|fputs|putchar|fputc|perror|exit|_exit|_Exit|abort|getopt|getopt_long)\s*\("
    r"|\bfmt::print\w*|\bargv\b|\bgetenv\b"
)
# path → why it may
ALLOWED = {}


def violations(root):
    found = []
    for path in source_tree.code_files(root, source_tree.LIBRARIES):
        name = path.relative_to(root).as_posix()
        written = path.read_text(encoding="utf-8").split("\n")
        for number, line in source_tree.lines(path):
            if name not in ALLOWED and FORBIDDEN.search(line):
                found.append(f"{name}:{number}: {written[number - 1].strip()}")
    return found


class QuietLibraries(unittest.TestCase):
    maxDiff = None

    def test_hold(self):
        self.assertEqual(violations(source_tree.ROOT), [])

    def test_sees_each_way_to_break_it(self):
        loud = ["std::cout << 1;", 'printf("x");', 'std::fprintf(stderr, "x");', "::exit(1);", "std::abort();",
                'fmt::print("x");', "abort();", 'std::getenv("HOME");', "return std::terminate();"]
        quiet = ["std::snprintf(b, 8, s);", "loop.exit(1);", "// exit(1)", 'f("printf(x)");', "on_exit(f);"]
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            source_tree.write_tree(root, {"train/a.cpp": "\n".join(loud + quiet) + "\n"})
            self.assertEqual(violations(root), [f"train/a.cpp:{i + 1}: {line}" for i, line in enumerate(loud)])

    def test_tools_may(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            source_tree.write_tree(root, {"tools/main.cpp": "std::exit(1);\n"})
            self.assertEqual(violations(root), [])


if __name__ == "__main__":
    unittest.main()
