# SPDX-License-Identifier: Apache-2.0
"""Values by chance, as Python objects that upstream serializes. What they are not is objects of
vLLM's: those have cases of their own, since they come back as other bytes than they went."""
import datetime
import struct

import numpy
from msgspec import msgpack
from PIL import Image

LENGTHS = (0, 1, 2, 15, 16, 31, 32, 33, 255, 256)
LONG_LENGTHS = (4096, 65535, 65536, 70001)
EDGES = (0, 1, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63,
         2**64 - 1, -1, -32, -33, -128, -129, -32768, -32769, -2**31, -2**31 - 1, -2**53 - 1, -2**63)
LETTERS = ("a", "\u00e9", "\u20ac", "\U0001f600", "\x00", '"', "\\", "\n", "\u2028", "$", "\x7f", "\ufeff")
NUMPY_TYPES = [order + code for code in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "f16", "c8", "c16", "c32",
                                         "U3", "M8[ns]", "M8[D]", "M8[25s]", "m8[ms]", "m8[us]")
               for order in ("<", ">")] + ["|b1", "|i1", "|u1", "|S5"]
MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "YCbCr": 3, "HSV": 3}
KINDS = ("nil", "bool", "edge", "int", "float", "text", "bytes", "time", "naive", "extension", "slice",
         "tensor", "ndarray", "image", "list", "tuple", "dict")


class Generator:
    def __init__(self, random, torch):
        self.random, self.torch = random, torch

    def value(self, depth=3, kinds=KINDS):
        allowed = kinds if depth > 0 else [kind for kind in kinds if kind not in ("list", "tuple", "dict")]
        return getattr(self, self.random.choice(allowed))(depth)

    def typed(self):
        """One value for each element type and mode there is, empty and without dimensions too."""
        for name in self.torch.SIZES:
            for shape in ((), (0,), (2, 0, 3), (1,), (2, 3), (300, 20)):
                yield f"tensor {name} {list(shape)}", self.tensor_of(name, shape)
            yield f"tensor {name}, transposed", self.tensor_of(name, (3, 4)).t()
        for name in NUMPY_TYPES:
            for shape in ((), (0, 2), (3,), (2, 5)):
                yield f"ndarray {name} {list(shape)}", self.ndarray_of(name, shape)
            yield f"ndarray {name}, transposed", self.ndarray_of(name, (3, 4)).T
            yield f"ndarray {name}, every second", self.ndarray_of(name, (9,))[::2]
        for mode in MODES:
            for size in ((1, 1), (5, 3), (64, 64)):
                yield f"image {mode} {size}", self.image_of(mode, size)

    # ---- kinds -----------------------------------------------------------------------------

    def nil(self, _):
        return None

    def bool(self, _):
        return self.random.random() < 0.5

    def edge(self, _):
        return self.random.choice(EDGES)

    def int(self, _):
        return self.random.getrandbits(self.random.randint(1, 63)) * self.random.choice((1, -1))

    def float(self, _):
        bits = self.random.getrandbits(64)
        if self.random.random() < 0.3:
            bits = self.random.choice((0, 1 << 63, 0x7FF8 << 48, 0xFFF8 << 48 | 1, 0x7FF0 << 48, 0x3FF0 << 48, 1))
        return struct.unpack(">d", bits.to_bytes(8, "big"))[0]

    def length(self):
        return self.random.choice(LONG_LENGTHS if self.random.random() < 0.02 else LENGTHS)

    def text(self, _):
        letters = self.random.choice(LETTERS) + self.random.choice(LETTERS) + "b"
        return "".join(self.random.choices(letters, k=self.length()))

    def bytes(self, _):
        return bytes([self.random.randrange(256)]) * 40 if self.random.random() < 0.2 else self.random.randbytes(self.length())

    def time(self, _):
        seconds = self.random.choice((0, -1, 2**32 - 1, 2**32, 2**34 - 1, 2**34, -62135596800 + 86400, 253402214400,
                                      self.random.randrange(-10**10, 10**11)))
        microseconds = self.random.choice((0, 0, 1, 999999))
        return (datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
                + datetime.timedelta(seconds=seconds, microseconds=microseconds))

    def naive(self, _):
        return datetime.datetime(2026, 1, 2, 3, 4, 5, self.random.choice((0, 1, 500000)))

    def extension(self, _):
        code = self.random.choice([code for code in range(-128, 128) if code != -1])
        return msgpack.Ext(code, self.random.randbytes(self.random.choice((0, 1, 2, 3, 4, 8, 16, 17, 255, 256))))

    def slice(self, _):
        return slice(None, self.random.randrange(9), self.random.choice((None, 2)))

    def tensor(self, _):
        return self.tensor_of(self.random.choice(list(self.torch.SIZES)), self.shape())

    def ndarray(self, _):
        return self.ndarray_of(self.random.choice(NUMPY_TYPES), self.shape())

    def image(self, _):
        return self.image_of(self.random.choice(list(MODES)), (self.random.randint(1, 9), self.random.randint(1, 9)))

    def list(self, depth):
        return [self.value(depth - 1) for _ in range(self.count())]

    def tuple(self, depth):
        return tuple(self.value(depth - 1) for _ in range(self.count()))

    def dict(self, depth):
        return {self.key(): self.value(depth - 1) for _ in range(self.count())}

    # ---- parts -----------------------------------------------------------------------------

    def count(self):
        return self.random.choice((0, 1, 2, 3, 5, 15, 16, 17)) if self.random.random() < 0.8 else 0

    def key(self):
        key = self.value(0, ("text", "text", "text", "int", "edge", "bool", "nil", "bytes", "float"))
        return (1, key) if self.random.random() < 0.05 else key

    def shape(self):
        return tuple(self.random.choice((0, 1, 2, 3, 7, 30)) for _ in range(self.random.randint(0, 4)))

    def tensor_of(self, name, shape):
        size = self.torch.SIZES[name]
        array = numpy.frombuffer(self.data(int(numpy.prod(shape)) * size), f"V{size}").reshape(shape)
        return self.torch.Tensor(array, getattr(self.torch, name))

    def ndarray_of(self, name, shape):
        element = numpy.dtype(name)
        data = self.data(int(numpy.prod(shape)) * element.itemsize)
        return numpy.frombuffer(data, element).reshape(shape)

    def image_of(self, mode, size):
        return Image.frombytes(mode, size, self.data(size[0] * size[1] * MODES[mode]))

    def data(self, len_bytes):
        return bytes(len_bytes) if self.random.random() < 0.1 else self.random.randbytes(len_bytes)
