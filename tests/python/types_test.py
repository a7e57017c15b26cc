"""What type checkers are told of the package (python/millrace/__init__.pyi) is what it has."""

import ast
import os
import pathlib
import re
import subprocess
import unittest

import interop

interop.packages("numpy")

import millrace  # noqa: E402  (it needs NumPy)

STUB = pathlib.Path(millrace.__file__).with_suffix(".pyi")


def public(names):
    return {name for name in names if not name.startswith("_")}


def parameters(function):
    """Names and whether they have defaults, of a function of the stub."""
    arguments = function.args
    some = arguments.posonlyargs + arguments.args
    required = len(some) - len(arguments.defaults)
    found = [(argument.arg, i >= required) for i, argument in enumerate(some)]
    found += [(argument.arg, default is not None)
              for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults)]
    return [pair for pair in found if pair[0] != "self"]


def documented(function):
    """The same of a function of the module, from the signature that its help begins with."""
    signature = re.match(r"\w+\((.*)\)( -> |$)", function.__doc__.splitlines()[0]).group(1)
    found = []
    for part in re.split(r", (?=\w+:|\*)", signature):
        name = re.match(r"(\w+): ", part)
        if name and name.group(1) != "self":
            found.append((name.group(1), " = " in part))
    return found


class TypesTest(unittest.TestCase):
    def setUp(self):
        self.stub = {}
        for node in ast.parse(STUB.read_text()).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                self.stub[node.name] = node
            elif isinstance(node, ast.Assign):
                self.stub[node.targets[0].id] = ast.literal_eval(node.value) if node.targets[0].id == "__all__" else None

    def test_names_the_same_things(self):
        self.assertEqual(self.stub["__all__"], millrace.__all__)
        self.assertEqual(public(self.stub), public(millrace.__all__))
        for name in millrace.__all__:
            self.assertTrue(hasattr(millrace, name), name)
        self.assertTrue((STUB.parent / "py.typed").exists())
        self.assertRegex(millrace.__version__, r"^\d+\.\d+\.\d+$")

    def test_classes_have_the_same_members(self):
        for name, node in self.stub.items():
            if isinstance(node, ast.ClassDef) and not name.startswith("_"):
                has = vars(getattr(millrace, name))
                said = {member.name for member in node.body if isinstance(member, ast.FunctionDef)}
                self.assertEqual(public(said), public(has), name)
                self.assertLessEqual(said - {"__init__"}, set(has), name)

    def test_functions_have_the_same_parameters(self):
        looked_at = 0
        for name, node in self.stub.items():
            if isinstance(node, ast.FunctionDef) and name != "train":
                self.assertEqual(parameters(node), documented(getattr(millrace, name)), name)
                looked_at += 1
            elif isinstance(node, ast.ClassDef):
                for member in node.body:
                    if not isinstance(member, ast.FunctionDef) or member.decorator_list or name.startswith("_"):
                        continue
                    if member.name == "__init__" or not member.name.startswith("_"):
                        function = getattr(getattr(millrace, name), member.name)
                        self.assertEqual(parameters(member), documented(function), f"{name}.{member.name}")
                        looked_at += 1
        self.assertGreater(looked_at, 15)

    def test_train_takes_the_options_of_the_program(self):
        text = subprocess.check_output([os.environ["MILLRACE_TRAINER"], "--help"], text=True)
        options = {name.replace("-", "_") for name in re.findall(r"^  --([a-z0-9-]+)", text, re.MULTILINE)}
        self.assertGreater(len(options), 40)
        elsewhere = {"download", "quarantine", "folds", "repeat", "metrics", "report", "trace", "tensorboard", "quiet", "version"}
        self.assertLessEqual(elsewhere, options)
        said = {name for name, _ in parameters(self.stub["train"])}
        self.assertEqual(said - {"test", "validation", "on_epoch"}, options - elsewhere)
        self.assertLessEqual(said, set(re.findall(r"\w+", millrace.train.__doc__)))


if __name__ == "__main__":
    unittest.main()
