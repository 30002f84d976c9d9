# SPDX-License-Identifier: Apache-2.0
"""
Three faces of one value: the Python object that upstream serializes, the JSON notation that
`dstest payload` reads and writes, and a plain tree in which two values can be compared to the bit.
"""
import base64
import datetime
import json
import struct

import numpy
from msgspec import msgpack
from PIL import Image

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
FORMS = {"$tensor": "tensor", "$ndarray": "ndarray", "$image": "image"}


def tree_of(value, torch):
    """A nested tuple (kind, ...). What MessagePack has one form for is one kind here too."""
    if value is None:
        return ("nil",)
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int):
        return ("int", value)
    if isinstance(value, float):
        return ("float", struct.pack(">d", value).hex())
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return ("bytes", bytes(value))
    if isinstance(value, (list, tuple)):
        return ("array", *(tree_of(item, torch) for item in value))
    if isinstance(value, dict):
        return ("map", *((tree_of(key, torch), tree_of(item, torch)) for key, item in value.items()))
    if isinstance(value, slice):
        return tree_of([value.start, value.stop, value.step], torch)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return ("text", value.isoformat())
        since = value - EPOCH
        return ("timestamp", since.days * 86400 + since.seconds, since.microseconds * 1000)
    if isinstance(value, msgpack.Ext):
        return ("extension", value.code, bytes(value.data))
    if isinstance(value, torch.Tensor):
        return ("tensor", value.dtype.name, value.shape, value.array.tobytes())
    if isinstance(value, numpy.ndarray):
        return ("ndarray", value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, Image.Image):
        array = numpy.asarray(value, dtype=numpy.uint8)
        return ("image", value.mode, array.shape, array.tobytes())
    raise TypeError(f"no kind of value: {type(value)}")


def notation_of(tree):
    """What `dstest payload make` reads."""
    kind, rest = tree[0], tree[1:]
    if kind == "nil":
        return None
    if kind in ("bool", "int", "text"):
        return rest[0]
    if kind == "float":
        number = struct.unpack(">d", bytes.fromhex(rest[0]))[0]
        return number if number - number == 0 else {"$float": f"0x{rest[0]}"}
    if kind == "bytes":
        return {"$bytes": data_of(rest[0])}
    if kind == "array":
        return [notation_of(item) for item in rest]
    if kind == "map":
        if all(key[0] == "text" and not key[1].startswith("$") for key, _ in rest):
            return {key[1]: notation_of(item) for key, item in rest}
        return {"$map": [[notation_of(key), notation_of(item)] for key, item in rest]}
    if kind == "timestamp":
        return {"$timestamp": list(rest)}
    if kind == "extension":
        return {"$extension": rest[0], "data": data_of(rest[1])}
    return {f"${kind}": rest[0], "shape": list(rest[1]), "data": data_of(rest[2])}


def data_of(data):
    return base64.b64encode(data).decode() if len(data) % 2 else {"hex": data.hex()}


def line_of(tree):
    return json.dumps(notation_of(tree), ensure_ascii=len(str(tree)) % 2 == 0)


def tree_of_line(line):
    """What `dstest payload show --json` wrote."""
    return read(json.loads(line, object_pairs_hook=Pairs))


class Pairs(list):
    """An object, with its keys in order, told apart from an array."""


def read(json_value):
    if isinstance(json_value, Pairs):
        return read_object(json_value)
    if isinstance(json_value, list):
        return ("array", *map(read, json_value))
    return tree_of(json_value, NO_TORCH)


class NO_TORCH:  # pylint: disable=invalid-name,too-few-public-methods
    class Tensor:
        pass


def read_object(pairs):
    fields = dict(pairs)
    word = next((key for key in fields if key.startswith("$")), None)
    if word is None:
        return ("map", *((("text", key), read(item)) for key, item in pairs))
    own = fields[word]
    if word == "$map":
        return ("map", *((read(key), read(item)) for key, item in own))
    if word == "$int":
        return ("int", int(own))
    if word == "$float":
        return ("float", own[2:] if own.startswith("0x") else struct.pack(">d", float(own)).hex())
    if word == "$bytes":
        return ("bytes", read_data(own, None))
    if word == "$timestamp":
        return ("timestamp", *own)
    if word == "$extension":
        return ("extension", own, read_data(fields["data"], None))
    shape = tuple(fields["shape"])
    return (FORMS[word], own, shape, read_data(fields["data"], (word, own, shape)))


def read_data(data, typed):
    if isinstance(data, str):
        return base64.b64decode(data, validate=True)
    fields = dict(data)
    if "size" in fields:
        return bytes([fields["fill"]]) * fields["size"]
    return bytes([fields["fill"]]) * size_of(*typed)


def size_of(word, type_name, shape):
    from torch import SIZES
    element = {"$tensor": lambda: SIZES[type_name], "$ndarray": lambda: numpy.dtype(type_name).itemsize,
               "$image": lambda: 1}[word]()
    return int(numpy.prod(shape, dtype=object)) * element
