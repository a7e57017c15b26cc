"""Writes the seeds in corpus/: a few tiny sound files for each fuzzer, in the form that it takes them.

    python3 tests/fuzz/make_corpus.py
"""

import base64
import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"


def npy(descr, shape, data):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


def npz(method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in (("x", npy("|u1", (2, 3), b"abcdef")), ("y", npy("<i8", (2,), struct.pack("<2q", 0, 1)))):
            archive.writestr(zipfile.ZipInfo(name + ".npy"), content, method)
    return out.getvalue()


def png(width, height, color, rows, exif=None):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + (chunk(b"eXIf", exif) if exif else b"")
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


# 3x2 greys, as Pillow writes them in quality 30, without the JFIF segment.
JPEG = base64.b64decode(
    "/9j/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAAL"
    "CAACAAMBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABkQAQACAwAAAAAAAAAAAAAAAAEAAgQFgv/aAAgBAQAAPwAfZKZaCgUo"
    "BwT/2Q=="
)


def exif_of(orientation):
    """What a telephone says of a picture for which it was held another way."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)


def turned(jpeg, orientation):
    """The same picture with an Exif segment that says so."""
    exif = b"Exif\0\0" + exif_of(orientation)
    return jpeg[:2] + struct.pack(">HH", 0xFFE1, len(exif) + 2) + exif + jpeg[2:]


def tar(members, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    # Python fills up to 20 blocks; two are enough.
    return out.getvalue().rstrip(b"\0").ljust(512, b"\0")


def whole_blocks(archive):
    return archive + bytes(-len(archive) % 512 + 1024)


def safetensors(tensors):
    header, data = {}, b""
    for name, dtype, shape, content in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return json.dumps(header).encode() + data


def bmp(width, height):
    row = bytes(range(width * 3)).ljust((width * 3 + 3) // 4 * 4, b"\0")
    pixels = row * height
    return (b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0) + pixels)


GIF = bytes([0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 2, 0, 2, 0, 0x81, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255,
             255, 0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, 0x44, 0x34, 0x05, 0, 0x3B])
SMALL = png(2, 2, 0, b"\0ab\0cd")
SHARD = [("0.png", SMALL), ("0.cls", b"1")]

SEEDS = {
    "cifar_fuzz": {"ten": b"\0\1\2\3", "hundred": b"\1\1\2\3\4", "raw": b"\2" + bytes(3073)},
    "config_fuzz": {"options": b"# run\nepochs = 3\nhidden = [1, 2]\ndata = \"a/b\"\nquiet = true\n"},
    "csv_fuzz": {"header": b"\0label,a,b\r\n1,2,3\r\n\r\n0,4,5\r\n", "floats": b"\0001;2.5;-3e2\n0;\"1\";2\n",
                 "names": b'\0kind,a\ndog,1\n"a ""cat""",2\n',
                 "second": b"\1a,y\n2,1\n",
                 "targets": b"\2a,y1,y2\n1,2.5,-3\n4, 5,1e3\n", "unnamed_targets": b"\0031,2,3\n4,5,0.5\n"},
    "dataset_fuzz": {
        "pair": safetensors([("images", "U8", [2, 3], b"abcdef"), ("labels", "U8", [2], b"\0\1")]),
        "both": safetensors([("train_x", "F32", [1, 2], bytes(8)), ("test_x", "F32", [1, 2], bytes(8)),
                             ("train_y", "I64", [1], bytes(8)), ("test_y", "I64", [1], bytes(8))]),
    },
    "image_fuzz": {"gray.jpg": JPEG, "turned.jpg": turned(JPEG, 6), "gray.png": SMALL,
                   "turned.png": png(3, 1, 0, b"\0abc", exif_of(6)),
                   "rgb.png": png(2, 1, 2, b"\0abcdef"), "p5.pgm": b"P5 2 2 255\nabcd",
                   "p6.ppm": b"P6\n# c\n2 1 65535\nabcdefghijkl", "a.bmp": bmp(3, 2), "a.gif": GIF,
                   "a.tga": bytes([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 24, 32]) + b"abcdef"},
    "npy_fuzz": {"stored.npz": b"z" + npz(zipfile.ZIP_STORED), "deflated.npz": b"z" + npz(zipfile.ZIP_DEFLATED),
                 "samples": b"s" + npy("<f4", (2, 2), bytes(16)), "packed": b"d" + npy(">i2", (2, 2), bytes(8)),
                 "targets": b"t" + npy("<f8", (2, 2), struct.pack("<4d", 0.5, 1, -2, 3e8)),
                 "targets_header": b"t{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }abcd",
                 "header": b"h{'descr': '<u2', 'fortran_order': True, 'shape': (2, 2), }abcdefgh"},
    "tar_fuzz": {"ustar": b"\1" + whole_blocks(tar(SHARD, tarfile.USTAR_FORMAT)),
                 "pax": b"\1" + whole_blocks(tar([("é" * 60 + ".png", SMALL), ("é" * 60 + ".json", b'{"label": 2}')],
                                                 tarfile.PAX_FORMAT)),
                 "gnu": b"\1" + whole_blocks(tar([("n" * 120 + ".cls", b"0\n"), ("n" * 120 + ".npy",
                                                  npy("|u1", (2,), b"ab"))], tarfile.GNU_FORMAT)),
                 "packed": b"\0" + gzip.compress(whole_blocks(tar(SHARD, tarfile.USTAR_FORMAT)), mtime=0)},
}


def main():
    for fuzzer, seeds in SEEDS.items():
        folder = CORPUS / fuzzer
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in seeds.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
