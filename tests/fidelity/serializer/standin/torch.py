# SPDX-License-Identifier: Apache-2.0
"""
Stands in for torch, as far as the serializer upstream uses it: element types, and tensors that are
bytes with a shape. An element is opaque bytes of the type's size, so bfloat16 and the eight-bit
floats need no arithmetic. Whatever torch refuses in these few functions is refused here too.
"""
import numpy

SIZES = {
    "float32": 4, "bfloat16": 2, "float16": 2, "int64": 8, "int32": 4, "uint8": 1, "bool": 1, "float64": 8, "int8": 1,
    "int16": 2, "uint16": 2, "uint32": 4, "uint64": 8, "complex32": 4, "complex64": 8, "complex128": 16,
    "float8_e4m3fn": 1, "float8_e4m3fnuz": 1, "float8_e5m2": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1}
ALIASES = {"float": "float32", "double": "float64", "half": "float16", "short": "int16", "int": "int32", "long": "int64",
           "chalf": "complex32", "cfloat": "complex64", "cdouble": "complex128"}


class dtype:  # pylint: disable=invalid-name
    def __init__(self, name, itemsize):
        self.name, self.itemsize = name, itemsize

    def __repr__(self):
        return f"torch.{self.name}"


class Tensor:
    """`array` holds opaque elements, so that NumPy knows shapes and strides and nothing else."""

    def __init__(self, array, element):
        self.array, self.dtype = array, element

    @property
    def shape(self):
        return self.array.shape

    def detach(self):
        return self

    def cpu(self):
        return self

    def dim(self):
        return self.array.ndim

    def is_contiguous(self):
        return self.array.flags.c_contiguous

    def contiguous(self):
        return Tensor(numpy.ascontiguousarray(self.array), self.dtype)

    def t(self):
        return Tensor(self.array.T, self.dtype)

    def reshape(self, shape):
        wanted = shape if isinstance(shape, (list, tuple)) else [shape]
        if any(isinstance(size, bool) or not isinstance(size, int) for size in wanted):
            raise TypeError("reshape(): argument 'shape' must be tuple of ints")
        if any(size < -1 for size in wanted):
            raise RuntimeError(f"invalid shape dimension in {wanted}")
        return Tensor(self.array.reshape(wanted), self.dtype)

    def view(self, element):
        if not isinstance(element, dtype):
            raise TypeError("view() received an invalid combination of arguments")
        if self.dim() == 0 and element.itemsize != self.dtype.itemsize:
            raise RuntimeError("self.dim() cannot be 0 to view a tensor as another size")
        return Tensor(self.array.view(f"V{element.itemsize}"), element)

    def numpy(self):
        return self.array.view(numpy.uint8)


class Generator:
    """Named in annotations only."""


def empty(shape, dtype):  # pylint: disable=redefined-outer-name
    wanted = shape if isinstance(shape, (list, tuple)) else [shape]
    if any(size < 0 for size in wanted):
        raise RuntimeError("Trying to create tensor with negative dimension")
    return Tensor(numpy.zeros(wanted, f"V{dtype.itemsize}"), dtype)


def frombuffer(buffer, dtype):  # pylint: disable=redefined-outer-name
    return Tensor(numpy.frombuffer(buffer, dtype=f"V{dtype.itemsize}"), dtype)


TYPES = {name: dtype(name, size) for name, size in SIZES.items()}


def __getattr__(name):
    """torch.float32 and the others; as plain names they would hide Python's own int and bool."""
    if ALIASES.get(name, name) in TYPES:
        return TYPES[ALIASES.get(name, name)]
    raise AttributeError(f"module 'torch' has no attribute '{name}'")
