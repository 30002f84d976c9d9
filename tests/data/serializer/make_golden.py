# SPDX-License-Identifier: Apache-2.0
"""Writes golden.txt and numpy_types.txt with msgspec and NumPy (pip install msgspec numpy).

golden.txt: case, length of the document, its first bytes in hex (all of them up to 160).
numpy_types.txt: a type string, then what NumPy prints for it and its size, or "-" when it refuses.
"""

import datetime
import struct

import numpy as np
from msgspec import msgpack

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
LENGTHS = [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536]
INTEGERS = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63,
            2**64 - 1, -1, -32, -33, -128, -129, -32768, -32769, -2**31, -2**31 - 1, -2**63]
FLOATS = [0x0, 0x8000000000000000, 0x3FF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000,
          0x7FF8000000000000, 0xFFF8000000000001, 0x7FEFFFFFFFFFFFFF, 0x1]
TIMES = [(0, 0), (2**32 - 1, 0), (2**32, 0), (0, 5000), (2**34 - 1, 999999000), (2**34, 0),
         (-1, 500000000), (-62135596800, 0), (253402300799, 0)]


def marked(marker, type_key, type_name, shape, data):
    return {marker: True, type_key: type_name, "shape": shape, "data": data}


def cases():
    yield "nil", None
    yield "true", True
    yield "false", False
    for n in INTEGERS:
        yield f"int:{n}", n
    for bits in FLOATS:
        yield f"float:{bits:016x}", struct.unpack(">d", bits.to_bytes(8, "big"))[0]
    for n in LENGTHS:
        yield f"text:{n}", "a" * n
        yield f"bytes:{n}", b"b" * n
        yield f"array:{n}", [None] * n
        yield f"map:{n}", {i: True for i in range(n)}
    for n in (0, 1, 2, 3, 4, 5, 8, 12, 16, 17, 255, 256, 65536):
        yield f"extension:{n}", msgpack.Ext(7, b"x" * n)
    yield "extension-negative", msgpack.Ext(-128, b"xy")
    for seconds, nanoseconds in TIMES:
        moment = EPOCH + datetime.timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
        yield f"timestamp:{seconds}:{nanoseconds}", moment
    yield "unicode", "h\u00e9 \u20ac \U0001f600 \x00"
    yield "nested", {"a": [1, -1, {"b": b"\x00\xff"}], "": None, (1, 2): [[]]}
    yield "tensor", marked("__tensor__", "dtype", "float32", [2, 3], bytes(range(24)))
    yield "tensor-scalar", marked("__tensor__", "dtype", "int64", [], bytes(range(8)))
    yield "tensor-empty", marked("__tensor__", "dtype", "bfloat16", [0, 4], b"")
    array = np.frombuffer(bytes(range(8)), dtype="<f4")
    yield "ndarray", marked("__ndarray__", "dtype", array.dtype.str, [2], array.tobytes())
    yield "ndarray-bytes", marked("__ndarray__", "dtype", "|u1", [1, 2], b"\x01\x02")
    yield "image", marked("__pil_image__", "mode", "RGB", [1, 2, 3], bytes(range(6)))
    yield "image-gray", marked("__pil_image__", "mode", "L", [2, 2], bytes(range(4)))


TYPES = """bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64
float128 complex64 complex128 complex256 half single double longdouble csingle cdouble clongdouble
intc uintc intp uintp int uint float complex byte ubyte short ushort long ulong longlong ulonglong
object datetime64 timedelta64 datetime64[ns] timedelta64[ms] datetime64[25s] ? b B h H i I l L q Q p
P e f d g F D G M m O c n N b1 i1 i2 i4 i8 i3 u1 u2 u4 u8 f2 f4 f8 f16 f12 c8 c16 c32 c4 S5 U3 a5 M8
M8[ns] m8[D] M8[us] M8[generic] M8[7D] M8[1s] M8[xx] =f4 <f4 >f4 |f4 <i1 >u1 >b1 <? >e =H <S3 >U2
>M8[ns] =U4 f f1 f3 i16 Bool FLOAT32 <float32 >int16 <=f4 <f i8,f4 2f4 (2,)f4 S-1 U99999999999 M4 b8
?1 m2[s] f4f4 int0 uint0 Int32 q8 d8 h2 L8 B1 l8 e2 g16 F8 D16 < > = | [ M8[ M8[] M8[ns m8[1]""".split()


def main():
    with open("golden.txt", "w", encoding="ascii") as out:
        for name, value in cases():
            document = msgpack.encode(value)
            out.write(f"{name} {len(document)} {document[:160].hex()}\n")
    with open("numpy_types.txt", "w", encoding="ascii") as out:
        for name in TYPES:
            try:
                dtype = np.dtype(name)
                refused = dtype.hasobject or dtype.kind == "V"
                out.write(f"{name} -\n" if refused else f"{name} {dtype.str} {dtype.itemsize}\n")
            except (TypeError, ValueError, SyntaxError):
                out.write(f"{name} -\n")


main()
