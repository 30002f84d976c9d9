# SPDX-License-Identifier: Apache-2.0
"""
The serializer upstream with one float32 tensor: serialize and deserialize, a line of JSON.
serializer_upstream.py FOLDER_OF_THE_WHEEL SIZE_BYTES SECONDS

torch is stood in for by NumPy (tests/fidelity/serializer); the copies that upstream makes are the
same: tobytes, the document, the bytes out of it, and the bytearray that the tensor lies in.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "fidelity",
                                "serializer"))
import upstream  # noqa: E402

SERDE = upstream.load(sys.argv[1]).OmniSerializer
import numpy  # noqa: E402
import torch  # noqa: E402


def main():
    size, seconds = int(sys.argv[2]), float(sys.argv[3])
    data = numpy.random.default_rng(1).integers(0, 256, size, numpy.uint8)
    tensor = torch.Tensor(data.view("V4"), torch.float32)
    round_trip(tensor)
    count, begin = 0, time.monotonic()
    while time.monotonic() - begin < seconds:
        back = round_trip(tensor)
        count += 1
    took = time.monotonic() - begin
    if back.shape != tensor.shape or back.array.tobytes() != data.tobytes():
        sys.exit("bench: upstream gives another tensor back")
    print(json.dumps({"what": "codec", "size_bytes": size, "us": round(took / count * 1e6, 1)}))


def round_trip(tensor):
    return SERDE.deserialize(SERDE.serialize(tensor))


main()
