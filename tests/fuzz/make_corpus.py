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


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def thrift(*fields):
    """A struct of Thrift's compact protocol: fields (id, type, value); a list is (type of elements, elements)."""
    encode = {5: lambda v: varint(v * 2 if v >= 0 else -v * 2 - 1), 8: lambda v: varint(len(v)) + v, 12: lambda v: v}
    encode[6] = encode[5]
    encode[9] = lambda v: bytes([len(v[1]) << 4 | v[0]]) + b"".join(encode[v[0]](each) for each in v[1])
    out, last = b"", 0
    for number, kind, value in fields:
        out += bytes([number - last << 4 | kind]) + encode[kind](value)
        last = number
    return out + b"\0"


def levels(values, bits):
    runs = b"".join(b"\x02" + bytes([value]) for value in values) if bits else b""
    return struct.pack("<I", len(runs)) + runs if bits else b""


def page(kind, slots, encoding, content, codec):
    packed = {0: content, 1: varint(len(content)) + bytes([0xF4]) + struct.pack("<H", len(content) - 1) + content,
              2: gzip.compress(content, mtime=0)}[codec]
    header = thrift((1, 5, kind), (2, 5, len(content)), (3, 5, len(packed)),
                    (7 if kind == 2 else 5, 12, thrift((1, 5, slots), (2, 5, encoding), (3, 5, 3), (4, 5, 3))))
    return header + packed


def parquet(rows, columns, codec=0, notes=()):
    """The footer's struct and all columns: (schema elements, type, slots, pages (kind, slots, encoding, content))."""
    stored, chunks, schema = b"", [], []
    for elements, kind, slots, pages in columns:
        begin = len(stored)
        starts = []
        for each in pages:
            starts.append(4 + len(stored))
            stored += page(*each, codec)
        fields = [(1, 5, kind), (4, 5, codec), (5, 6, slots), (7, 6, len(stored) - begin), (9, 6, starts[-1])]
        if len(pages) > 1:
            fields.append((11, 6, starts[0]))
        chunks.append(thrift((3, 12, thrift(*fields))))
        schema += elements
    root = thrift((4, 8, b"schema"), (5, 5, len({name for elements, *_ in columns for name in elements[:1]})))
    footer = [(1, 5, 2), (2, 9, (12, [root, *schema])), (3, 6, rows),
              (4, 9, (12, [thrift((1, 9, (12, chunks)), (3, 6, rows))]))]
    if notes:
        footer.append((5, 9, (12, [thrift((1, 8, key), (2, 8, text)) for key, text in notes])))
    return thrift(*footer) + stored


def leaf(name, kind, optional=0, *more):
    return thrift((1, 5, kind), (3, 5, optional), (4, 8, name), *more)


def texts(*values):
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


LABEL = ([leaf(b"label", 2)], 2, 2, [(0, 2, 0, struct.pack("<2q", 1, 0))])
PIXELS = ([thrift((3, 5, 1), (4, 8, b"pixels"), (5, 5, 1), (6, 5, 3)), thrift((3, 5, 2), (4, 8, b"list"), (5, 5, 1)),
           leaf(b"element", 1, 1)], 1, 4,
          [(0, 4, 0, levels([0, 1, 0, 1], 1) + levels([3] * 4, 2) + struct.pack("<4i", 1, 2, 3, 255))])
COLOURS = ([leaf(b"colour", 6, 1, (6, 5, 0))], 6, 2,
           [(2, 2, 0, texts(b"red", b"blue")), (0, 2, 8, levels([1, 1], 1) + b"\1\3\2")])
GAPS = ([leaf(b"gaps", 5, 1)], 5, 2, [(0, 2, 0, levels([1, 0], 1) + struct.pack("<d", 2.5))])
PRICES = ([thrift((1, 5, 7), (2, 5, 3), (3, 5, 0), (4, 8, b"y"), (6, 5, 5), (7, 5, 2))], 7, 2,
          [(0, 2, 0, b"\0\1\2\xff\xff\xff")])
DELTAS = ([leaf(b"n", 1)], 1, 2, [(0, 2, 5, b"\x80\1\4\2\2\2\0\0\0\0")])
WORDS = ([leaf(b"words", 6, 0, (6, 5, 0))], 6, 2,
         [(0, 2, 7, b"\x80\1\4\2\0\2\0\0\0\0" + b"\x80\1\4\2\2\0\0\0\0\0" + b"ab")])
HALVES = ([thrift((1, 5, 7), (2, 5, 2), (3, 5, 0), (4, 8, b"h"), (10, 12, thrift((15, 12, thrift()))))], 7, 2,
          [(0, 2, 9, b"\0\0\x3c\xc0")])
NAMED = (b"huggingface", b'{"info":{"features":{"label":{"names":["cat","dog"],"_type":"ClassLabel"}}}}')


def images(content):
    return ([leaf(b"image", 6)], 6, 2, [(0, 2, 0, texts(content, content))])


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
    "parquet_fuzz": {"table": b"\0" + parquet(2, [LABEL, GAPS, HALVES], 0, [NAMED]),
                     "list": b"\0" + parquet(2, [LABEL, PIXELS], 1),
                     "text": b"\4" + parquet(2, [LABEL, COLOURS, GAPS], 2),
                     "targets": b"\2" + parquet(2, [DELTAS, PRICES]),
                     "words": b"\5" + parquet(2, [LABEL, WORDS, COLOURS, DELTAS]),
                     "images": b"\6" + parquet(2, [LABEL, images(SMALL)], 0, [NAMED])},
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
