"""Loaders of others, as bench/loaders.py races them: each function delivers what its docstring says, and returns how
many samples a second of processor time gave. Processor time is that of all threads and worker processes.

Each loader reads its own form of the data, as its manual has it. Making that form is not measured, nor is the
start: what counts is the difference of a long run and a short one.
"""
import pathlib
import resource

import numpy

from mnist import digits

BATCH_OF_DIGITS = 128
BATCH_OF_PHOTOS = 32


def processor_seconds():
    return sum(used.ru_utime + used.ru_stime
               for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)))


def rate(seconds, each, run):
    """Samples per processor second of run(n), which delivers n times `each` samples and ends its workers."""

    def took(count):
        before = processor_seconds()
        run(count)
        return processor_seconds() - before

    took(1)
    count = 2
    while True:
        passed = took(count) - took(1)
        if passed >= seconds:
            return (count - 1) * each / passed
        count = 1 + int((count - 1) * max(2.0, min(20.0, 1.3 * seconds / max(passed, 1e-3)))) + 1


def drain(batches, expected):
    """Looks at each batch; the samples must be all there."""
    seen = sum(len(batch[1]) for batch in batches)
    if seen != expected:
        raise SystemExit(f"loader_peers.py: expected {expected} samples, found {seen}")


def rate_of_epochs(seconds, batches, samples):
    """Of batches that can be gone through again, `samples` in all."""

    def run(epochs):
        for _ in range(epochs):
            drain(batches, samples)

    return rate(seconds, samples, run)


def rate_of_millrace(seconds, data, batch):
    """Of our loader's Python module: each loop is an epoch."""
    import millrace

    return rate_of_epochs(seconds, millrace.Loader(data, batch, workers=1), len(data))


# MNIST's training images as uint8, in a new random order each epoch, in batches of 128 with labels.


def digits_millrace_python(folder, _scratch, seconds):
    """IDX files, decoded once into memory."""
    import millrace

    return rate_of_millrace(seconds, millrace.open(folder).train, BATCH_OF_DIGITS)


def digits_pytorch(folder, _scratch, seconds):
    """A DataLoader over tensors in memory, without workers: for samples this small they cost more than they bring."""
    import torch

    images, labels = digits(folder)
    data = torch.utils.data.TensorDataset(torch.tensor(images), torch.tensor(labels))
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH_OF_DIGITS, shuffle=True)
    return rate_of_epochs(seconds, loader, len(images))


def digits_webdataset(folder, scratch, seconds):
    """A tar file of arrays, read in order and mixed in a buffer of 10,000."""
    import webdataset

    images, labels = digits(folder)
    path = scratch / "digits.tar"
    with webdataset.TarWriter(str(path)) as out:
        for i, (image, label) in enumerate(zip(images, labels)):
            out.write({"__key__": f"{i:06}", "npy": image, "cls": int(label)})
    data = (webdataset.WebDataset(str(path), shardshuffle=False).shuffle(10_000).decode().to_tuple("npy", "cls")
            .batched(BATCH_OF_DIGITS))
    return rate_of_epochs(seconds, data, len(images))


def digits_streaming(folder, scratch, seconds):
    """MosaicML Streaming: shards of arrays, shuffled."""
    import streaming
    import torch

    images, labels = digits(folder)
    with streaming.MDSWriter(out=str(scratch / "mds"), columns={"x": "ndarray:uint8:28,28", "y": "int"}) as out:
        for image, label in zip(images, labels):
            out.write({"x": image, "y": int(label)})
    data = streaming.StreamingDataset(local=str(scratch / "mds"), shuffle=True, batch_size=BATCH_OF_DIGITS)
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH_OF_DIGITS,
                                         collate_fn=lambda rows: (numpy.stack([row["x"] for row in rows]),
                                                                  numpy.array([row["y"] for row in rows])))
    return rate_of_epochs(seconds, loader, len(images))


def digits_ffcv(folder, scratch, seconds):
    """FFCV: one file of arrays, mapped, in random order."""
    from ffcv.fields import IntField, NDArrayField
    from ffcv.fields.decoders import IntDecoder, NDArrayDecoder
    from ffcv.loader import Loader, OrderOption
    from ffcv.writer import DatasetWriter

    images, labels = digits(folder)
    path = str(scratch / "digits.beton")

    class Pairs:
        def __len__(self):
            return len(images)

        def __getitem__(self, i):
            return images[i], int(labels[i])

    fields = {"x": NDArrayField(numpy.dtype("uint8"), (28, 28)), "y": IntField()}
    DatasetWriter(path, fields, num_workers=1).from_indexed_dataset(Pairs())
    loader = Loader(path, batch_size=BATCH_OF_DIGITS, num_workers=1, order=OrderOption.RANDOM, os_cache=True,
                    drop_last=False, pipelines={"x": [NDArrayDecoder()], "y": [IntDecoder()]})
    return rate_of_epochs(seconds, loader, len(images))


# JPEG photos as RGB of side × side, in batches of 32.


def photos_millrace_python(folder, side, seconds):
    """A folder of images, decoded anew each epoch."""
    import millrace

    data = millrace.open(folder, size=(side, side), channels=3, stream=True).train
    return rate_of_millrace(seconds, data, BATCH_OF_PHOTOS)


def photo_paths(folder):
    paths = sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not paths:
        raise SystemExit(f"loader_peers.py: {folder}: no JPEG files")
    return paths


def with_data_loader(folder, seconds, load):
    """A worker of PyTorch's DataLoader that calls load(path) for each photo."""
    import torch

    torch.set_num_threads(1)
    paths = photo_paths(folder)

    class Photos(torch.utils.data.Dataset):
        def __init__(self, count):
            self.count = count

        def __len__(self):
            return self.count

        def __getitem__(self, index):
            return load(paths[index % len(paths)]), index % 10

    def run(count):
        photos = count * BATCH_OF_PHOTOS
        drain(torch.utils.data.DataLoader(Photos(photos), batch_size=BATCH_OF_PHOTOS, num_workers=1), photos)

    return rate(seconds, BATCH_OF_PHOTOS, run)


def with_pillow(folder, side, seconds, draft):
    import torch
    from PIL import Image

    def load(path):
        with Image.open(path) as image:
            if draft:
                image.draft("RGB", (side, side))
            small = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
        return torch.from_numpy(numpy.array(small))

    return with_data_loader(folder, seconds, load)


def photos_pillow(folder, side, seconds):
    """PyTorch's DataLoader with Pillow, as torchvision's ImageFolder and Resize do it."""
    return with_pillow(folder, side, seconds, draft=False)


def photos_pillow_draft(folder, side, seconds):
    """The same with Pillow's own scaled decoding, which tutorials do not use."""
    return with_pillow(folder, side, seconds, draft=True)


def photos_torchvision(folder, side, seconds):
    """PyTorch's DataLoader with torchvision's own JPEG decoder and resize."""
    from torchvision.io import ImageReadMode, decode_jpeg, read_file
    from torchvision.transforms.v2.functional import resize

    return with_data_loader(folder, seconds, lambda path: resize(
        decode_jpeg(read_file(str(path)), mode=ImageReadMode.RGB), [side, side], antialias=True))


def photos_spdl(folder, side, seconds):
    """SPDL: its batches of images, resized by FFmpeg's filters."""
    import spdl.io

    paths = [str(path) for path in photo_paths(folder)]

    def run(count):
        for b in range(count):
            batch = [paths[(b * BATCH_OF_PHOTOS + i) % len(paths)] for i in range(BATCH_OF_PHOTOS)]
            pixels = spdl.io.to_numpy(spdl.io.load_image_batch(batch, width=side, height=side, pix_fmt="rgb24"))
            if pixels.shape != (BATCH_OF_PHOTOS, side, side, 3):
                raise SystemExit(f"loader_peers.py: spdl: found {pixels.shape}")

    return rate(seconds, BATCH_OF_PHOTOS, run)


def photos_dali(folder, side, seconds):
    """NVIDIA DALI on the CPU, one thread."""
    from nvidia.dali import fn, pipeline_def, types

    paths = [str(path) for path in photo_paths(folder)]

    @pipeline_def(batch_size=BATCH_OF_PHOTOS, num_threads=1, device_id=None)
    def photos():
        encoded, labels = fn.readers.file(files=paths, labels=[0] * len(paths))
        return fn.resize(fn.decoders.image(encoded, device="cpu", output_type=types.RGB), size=(side, side)), labels

    pipeline = photos()
    pipeline.build()

    def run(count):
        for _ in range(count):
            pixels, _ = pipeline.run()
            if pixels.as_array().shape != (BATCH_OF_PHOTOS, side, side, 3):
                raise SystemExit("loader_peers.py: dali: not the photos that were asked for")

    return rate(seconds, BATCH_OF_PHOTOS, run)
