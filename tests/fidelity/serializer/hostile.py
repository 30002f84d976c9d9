# SPDX-License-Identifier: Apache-2.0
"""
Documents that one of the two refuses, or both, or neither. Where they differ, ours differs on
purpose, and the reason stands beside it; both outcomes are checked, so that a row which is no
longer true fails.
"""
from msgspec import msgpack

TAKEN, REFUSED = "taken", "refused"


def marked(marker, dtype, shape, data, **more):
    type_key = "mode" if marker == "__pil_image__" else "dtype"
    return msgpack.encode({marker: True, type_key: dtype, "shape": shape, "data": data, **more})


def tensor(dtype, shape, data, **more):
    return marked("__tensor__", dtype, shape, data, **more)


def ndarray(dtype, shape, data):
    return marked("__ndarray__", dtype, shape, data)


def image(mode, shape, data):
    return marked("__pil_image__", mode, shape, data)


# (what, document, outcome of both)
AGREED = (
    ("no byte at all", b"", REFUSED),
    ("byte 0xc1", b"\xc1", REFUSED),
    ("bytes after the document", b"\x01\x02", REFUSED),
    ("an array that ends too early", b"\x93\x01\x02", REFUSED),
    ("an array announced with 2^32-1 items", b"\xdd\xff\xff\xff\xff", REFUSED),
    ("a map announced with 2^32-1 pairs", b"\xdf\xff\xff\xff\xff\x01", REFUSED),
    ("text announced with 4 GiB", b"\xdb\xff\xff\xff\xffa", REFUSED),
    ("text that is not UTF-8", b"\xa1\xff", REFUSED),
    ("text with a surrogate", b"\xa3\xed\xa0\x80", REFUSED),
    ("text in a longer form than needed", b"\xa2\xc0\x80", REFUSED),
    ("a timestamp of five bytes", b"\xc7\x05\xff\x00\x00\x00\x00\x00", REFUSED),
    ("a timestamp of 10^9 nanoseconds", b"\xd7\xff" + ((10**9 << 34).to_bytes(8, "big")), REFUSED),
    ("a timestamp in the year 10000", b"\xc7\x0c\xff\x00\x00\x00\x00" + (253402300800).to_bytes(8, "big"), REFUSED),
    ("a map as a map's key", b"\x81\x80\x01", REFUSED),
    ("an array with a map as a map's key", b"\x81\x91\x80\x01", REFUSED),
    ("an array as a map's key", b"\x81\x91\x01\x01", TAKEN),
    ("a longer integer than needed", b"\xcf\x00\x00\x00\x00\x00\x00\x00\x01", TAKEN),
    ("a longer text than needed", b"\xdb\x00\x00\x00\x01a", TAKEN),
    ("a float32", b"\xca\x3f\x80\x00\x00", TAKEN),
    ("a key twice", b"\x82\xa1a\x01\xa1a\x02", TAKEN),
    ("1, true and 1.0 as keys", b"\x83\x01\x01\xc3\x02\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\x03", TAKEN),
    ("490 levels", b"\x91" * 490 + b"\x01", TAKEN),
    ("20000 levels", b"\x91" * 20000 + b"\x01", REFUSED),
    ("a tensor of an unknown type", tensor("float33", [1], b"abcd"), REFUSED),
    ("a tensor with too little data", tensor("float32", [2], b"abcd"), REFUSED),
    ("a tensor with too much data", tensor("float32", [1], b"abcdefgh"), REFUSED),
    ("a tensor with half an element", tensor("float32", [1], b"abc"), REFUSED),
    ("a tensor whose shape is -1", tensor("int16", [-1, 2], b"abcdefgh"), TAKEN),
    ("a tensor with two -1", tensor("int16", [-1, -1], b"abcdefgh"), REFUSED),
    ("a tensor with -2", tensor("int16", [-2], b"abcdefgh"), REFUSED),
    ("a tensor whose -1 leaves a rest", tensor("int16", [-1, 3], b"abcdefgh"), REFUSED),
    ("a tensor whose shape is an integer", tensor("int16", 4, b"abcdefgh"), TAKEN),
    ("a tensor whose shape is text", tensor("int16", "4", b"abcdefgh"), REFUSED),
    ("a tensor whose shape holds a float", tensor("int16", [4.0], b"abcdefgh"), REFUSED),
    ("a tensor without a type", msgpack.encode({"__tensor__": True, "shape": [1], "data": b"a"}), REFUSED),
    ("a tensor without a shape", msgpack.encode({"__tensor__": True, "dtype": "uint8", "data": b"a"}), REFUSED),
    ("a tensor without data", msgpack.encode({"__tensor__": True, "dtype": "uint8", "shape": [1]}), REFUSED),
    ("a tensor whose data is text", tensor("uint8", [1], "a"), REFUSED),
    ("a tensor whose type is a number", tensor(5, [1], b"a"), REFUSED),
    ("a tensor by an alias", tensor("half", [1], b"ab"), TAKEN),
    ("a tensor with an extra key", tensor("uint8", [1], b"a", device="cpu"), TAKEN),
    ("an empty tensor", tensor("float32", [0, 3], b""), TAKEN),
    ("an empty tensor whose shape is -1", tensor("float32", [-1], b""), REFUSED),
    ("a marker that is 1", msgpack.encode({"__tensor__": 1, "dtype": "uint8", "shape": [1], "data": b"a"}), TAKEN),
    ("a marker that is text", msgpack.encode({"__ndarray__": "x", "dtype": "|u1", "shape": [1], "data": b"a"}), TAKEN),
    ("a marker that is false", msgpack.encode({"__tensor__": False}), TAKEN),
    ("a marker that is nil", msgpack.encode({"__ndarray__": None, "dtype": 1}), TAKEN),
    ("a marker that is 0.0", msgpack.encode({"__pil_image__": 0.0}), TAKEN),
    ("two markers, of which the tensor wins", msgpack.encode(
        {"__ndarray__": True, "__tensor__": True, "dtype": "bfloat16", "shape": [1], "data": b"ab"}), TAKEN),
    ("an ndarray of a plain name", ndarray("float32", [1], b"abcd"), TAKEN),
    ("an ndarray of a letter", ndarray("f", [1], b"abcd"), TAKEN),
    ("an ndarray of an unknown type", ndarray("f3", [1], b"abc"), REFUSED),
    ("an ndarray of objects", ndarray("|O", [1], b"abcdefgh"), REFUSED),
    ("an ndarray with a boolean in its shape", ndarray("<f4", [True], b"abcd"), REFUSED),
    ("an ndarray with too little data", ndarray("<f4", [2], b"abcd"), REFUSED),
    ("an ndarray without data", ndarray("<f4", [1], b""), REFUSED),
    ("an empty ndarray with its shape", ndarray("<f4", [0, 3], b""), TAKEN),
    ("an ndarray whose shape is -1", ndarray("<f4", [-1], b"abcdefgh"), TAKEN),
    ("an image of an unknown mode", image("RGBZ", [1, 1, 3], b"abc"), REFUSED),
    ("an image of mode I", image("I", [1, 1], b"\x00"), REFUSED),
    ("an image with too little data", image("RGB", [1, 2, 3], b"abc"), REFUSED),
)

# (what, document, outcome upstream, outcome of ours, why)
DEVIATIONS = (
    ("a tensor without data but with elements", tensor("float32", [2, 3], b""), TAKEN, REFUSED,
     "upstream hands out memory that nobody has written"),
    ("a tensor whose data is 0", tensor("float32", [0], 0), TAKEN, REFUSED,
     "upstream asks only whether data is true before it makes an empty tensor"),
    ("an extension as a map's key", b"\x81\xd4\x05\x00\x01", REFUSED, TAKEN,
     "any type but map may be a key; msgspec's extensions cannot be hashed"),
    ("a broken tensor in an extra key of a tensor", tensor("uint8", [1], b"a", more={"__tensor__": True}),
     TAKEN, REFUSED, "children are restored first, so that nothing broken is passed on"),
    ("an ndarray whose shape is -2", ndarray("<f4", [-2], b"abcdefgh"), TAKEN, REFUSED,
     "only -1 is a size to be inferred; NumPy takes any negative one for it"),
    ("an ndarray of a structured type", ndarray("i4,f4", [1], b"abcdefgh"), TAKEN, REFUSED,
     "structured types are refused by name"),
    ("505 levels", b"\x91" * 505 + b"\x01", REFUSED, TAKEN, "ours counts to 512; what Python's stack holds is not a rule"),
)

# (what, value upstream is given, notation ours is given): refused by both when encoding.
NOT_ENCODED = (
    ("2^64", 2**64, "18446744073709551616"),
    ("-2^63 - 1", -2**63 - 1, "-9223372036854775809"),
    ("2^64 as a key", {2**64: 1}, '{"$map": [[18446744073709551616, 1]]}'),
    ("half a surrogate pair", "\ud800", '"\\ud800"'),
    ("half a surrogate pair in a list", ["\udc00"], '["\\udc00"]'),
)
