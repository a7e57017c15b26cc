"""MNIST's files for the peers of the benchmarks, which are not to depend on what they are raced against."""
import gzip
import pathlib

import numpy


def idx(path):
    data = gzip.decompress(pathlib.Path(path).read_bytes())
    dimensions = data[3]
    shape = numpy.frombuffer(data, ">u4", dimensions, 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape)


def digits(folder, split="train"):
    """Images [n, 28, 28] and labels [n] as uint8; `split` is train or t10k."""
    return tuple(idx(pathlib.Path(folder) / f"{split}-{part}-ubyte.gz") for part in ("images-idx3", "labels-idx1"))
