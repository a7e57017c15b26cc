#!/usr/bin/env python3
"""Makes examples/tutorial.ipynb of docs/tutorial.md, which is the one that people edit.

    examples/make_notebook.py            writes the notebook
    examples/make_notebook.py --check    exits with 1 where it is not what would be written

Blocks marked sh or python become cells; a block marked text after one is its output, and so is a picture after that.
Everything else is text. What is for one of the two only stands between comments:

    <!-- page -->              <!-- notebook
    …                          …
    <!-- /page -->             -->
"""

import base64
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/tutorial.md"
NOTEBOOK = ROOT / "examples/tutorial.ipynb"

PIECE = re.compile(r"^```(?P<kind>sh|python|text)\n(?P<code>.*?)^```\n|^!\[(?P<alt>[^\]]*)\]\((?P<picture>[^)]+)\)\n",
                   re.MULTILINE | re.DOTALL)


def for_notebook(page):
    """The page's text as the notebook has it."""
    text = re.sub(r"^<!-- page -->\n.*?^<!-- /page -->\n", "", page, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^<!-- notebook\n(.*?)^-->\n", r"\1", text, flags=re.MULTILINE | re.DOTALL)


def source(text):
    return text.strip("\n").splitlines(keepends=True)


def markdown(text):
    # Links are from the page's folder.
    return {"cell_type": "markdown", "metadata": {},
            "source": source(re.sub(r"\]\((?![a-z]+:|#)", "](../docs/", text))}


def code(kind, text):
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
            "source": source("%%bash\n" + text if kind == "sh" else text)}


def picture(path):
    return {"image/png": base64.b64encode((PAGE.parent / path).read_bytes()).decode("ascii")}


def cells_of(text):
    cells = []
    at = 0
    open_cell = None  # the code cell that an output or picture right here belongs to
    for match in PIECE.finditer(text):
        between = text[at:match.start()]
        at = match.end()
        if between.strip():
            cells.append(markdown(between))
            open_cell = None
        if match["kind"] == "text":
            if open_cell is None:
                raise SystemExit(f"{PAGE}: an output that follows no code: {match['code'][:60]!r}")
            open_cell["outputs"].append({"name": "stdout", "output_type": "stream",
                                         "text": match["code"].splitlines(keepends=True)})
        elif match["kind"]:
            open_cell = code(match["kind"], match["code"])
            cells.append(open_cell)
        elif open_cell is not None:
            open_cell["outputs"].append({"data": picture(match["picture"]), "metadata": {}, "output_type": "display_data"})
        else:
            name = Path(match["picture"]).name
            cell = markdown(f"![{match['alt']}](attachment:{name})")
            cells.append({**cell, "attachments": {name: picture(match["picture"])}})
    if text[at:].strip():
        cells.append(markdown(text[at:]))
    return [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells)]


def notebook_of(page):
    notebook = {
        "cells": cells_of(for_notebook(page)),
        "metadata": {"accelerator": "GPU", "colab": {"provenance": []},
                     "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                     "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main():
    made = notebook_of(PAGE.read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--check"]:
        if not NOTEBOOK.exists() or NOTEBOOK.read_text(encoding="utf-8") != made:
            raise SystemExit(f"{NOTEBOOK.name} is not what docs/tutorial.md makes; run examples/make_notebook.py")
    elif sys.argv[1:]:
        raise SystemExit(__doc__)
    else:
        NOTEBOOK.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
