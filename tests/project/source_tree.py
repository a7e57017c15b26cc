"""What the rules of the source tree look at: the project's files, and C++ with comments taken out."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("formats", "compute", "loader", "train")
CODE_FOLDERS = (*LIBRARIES, "tools", "python", "tests", "bench", "examples")
CODE_SUFFIXES = (".h", ".cpp", ".cu", ".cuh")
NOT_OURS = ("build", "data", "checkpoints", ".git", ".cache", "__pycache__")

_TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)")
      | (?P<string>"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE,
)


def files(root=ROOT):
    """Every file of the tree that is not a product of building, testing or training."""
    found = []
    for path in sorted(root.iterdir()):
        if path.name in NOT_OURS:
            continue
        if path.is_dir():
            found.extend(p for p in sorted(path.rglob("*")) if p.is_file() and "__pycache__" not in p.parts)
        else:
            found.append(path)
    return found


def code_files(root=ROOT, folders=CODE_FOLDERS):
    """C++ and CUDA files of the folders named."""
    found = []
    for folder in folders:
        found.extend(p for p in sorted((root / folder).rglob("*")) if p.suffix in CODE_SUFFIXES)
    return found


def blank(text, strings):
    """`text` with comments, and string literals where `strings`, replaced by spaces; line numbers stay."""

    def replace(match):
        if match.lastgroup != "comment" and match.group("comment") is None and not strings:
            return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))

    return _TOKENS.sub(replace, text)


def lines(path, strings=True):
    """(number, line) of a C++ file without comments, and without string literals where `strings`."""
    return list(enumerate(blank(path.read_text(encoding="utf-8"), strings).split("\n"), start=1))


def write_tree(root, contents):
    """Writes {path: text} under `root`: the broken trees that show that a rule can fail."""
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
