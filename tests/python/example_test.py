"""examples/pytorch_loop.py trains: PyTorch, fed by the module."""

import contextlib
import io
import pathlib
import re
import sys
import tempfile

import interop

numpy, torch = interop.packages("numpy", "torch")

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def main():
    sys.path.insert(0, str(EXAMPLES))
    import pytorch_loop

    # Four patterns under noise: a network that learns nothing is right once in four.
    random = numpy.random.default_rng(0)
    y = random.integers(0, 4, 6000).astype(numpy.uint8)
    x = random.integers(0, 120, (6000, 8, 8)).astype(numpy.uint8)
    x += random.integers(0, 120, (4, 8, 8)).astype(numpy.uint8)[y]
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        numpy.save(pathlib.Path(folder) / "x_train.npy", x)
        numpy.save(pathlib.Path(folder) / "y_train.npy", y)
        with contextlib.redirect_stdout(said):
            pytorch_loop.main(folder, "3")
    accuracies = [float(value) for value in re.findall(r"^Epoch \[\d\], val_acc: (\S+)$", said.getvalue(), re.MULTILINE)]
    assert len(accuracies) == 3, said.getvalue()
    assert accuracies[-1] > 0.9, accuracies


if __name__ == "__main__":
    main()
