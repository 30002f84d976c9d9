# SPDX-License-Identifier: Apache-2.0
"""
The loader upstream, out of its released wheel, on a line protocol: one JSON request per line,
{"path": FILE, "stages": [ID, ...]}, and one JSON answer per line. Run by the Python of the
environment that install.installed_upstream() makes, with the folder of the wheel as argument.

    {"error": TEXT}                                  it raised
    {"edges": null}                                  no configuration
    {"edges": [[FROM, TO, NAME, EXTRA], ...], "stages": {ID: {"view": ..., "primary": ...}},
     "gave_up": BOOL}                                whether it warned that edges are missing

Values are written so that nothing is lost: see value().
"""
import datetime
import importlib
import json
import logging
import os
import sys
import types

PACKAGES = ("vllm_omni", "vllm_omni.distributed", "vllm_omni.distributed.omni_connectors",
            "vllm_omni.distributed.omni_connectors.connectors",
            "vllm_omni.distributed.omni_connectors.utils")


def load_upstream(folder):
    """
    The packages' own __init__ import all of vLLM; empty ones with the right path take their place.
    local_rank asks torch and vLLM for the rank, which loading a configuration never does.
    """
    for name in PACKAGES:
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(folder, *name.split("."))]
        sys.modules[name] = package
    rank = types.ModuleType(f"{PACKAGES[-1]}.local_rank")
    rank.get_connector_local_rank = lambda: 0
    sys.modules[rank.__name__] = rank
    return importlib.import_module(f"{PACKAGES[-1]}.initialization")


class Warned(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record):
        self.count += 1


def value(of):
    """A Python value as JSON that tells 1, 1.0, True and "1" apart and keeps the order of maps."""
    if of is None:
        return ["nil"]
    if isinstance(of, bool):
        return ["bool", of]
    if isinstance(of, int):
        # No MessagePack value holds more than 64 bits: ours keeps such a number as text.
        return ["int", str(of)] if -2**63 <= of < 2**64 else ["text", str(of)]
    if isinstance(of, float):
        return ["float", repr(of)]
    if isinstance(of, str):
        return ["text", of]
    if isinstance(of, (list, tuple)):
        return ["list", [value(item) for item in of]]
    if isinstance(of, dict):
        return ["map", [[value(key), value(item)] for key, item in of.items()]]
    if isinstance(of, datetime.date):  # kept as text by ours
        return ["text", str(of)]
    return ["other", repr(of)]


def view_of(upstream, config, stage):
    try:
        view = upstream.get_connectors_config_for_stage(config, stage)
    except Exception as error:  # the outcome is what is compared
        return {"error": f"{type(error).__name__}: {error}"}
    return [[key, entry["spec"]["name"], value(entry["spec"]["extra"])] for key, entry in view.items()]


def primary_of(upstream, config, stage):
    try:
        spec, from_stage, to_stage = upstream.resolve_omni_kv_config_for_stage(config, stage)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return None if spec is None else [from_stage, to_stage, value(spec)]


def answer(upstream, warned, request):
    warned.count = 0
    try:
        config = upstream.load_omni_transfer_config(request["path"])
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    if config is None:
        return {"edges": None}
    edges = [[start, end, value(spec.name), value(spec.extra)]
             for (start, end), spec in config.connectors.items()]
    stages = {stage: {"view": view_of(upstream, config, stage),
                      "primary": primary_of(upstream, config, stage)} for stage in request["stages"]}
    return {"edges": edges, "stages": stages, "gave_up": warned.count > 0}


def main():
    upstream = load_upstream(sys.argv[1])
    warned = Warned()
    upstream.logger.addHandler(warned)
    upstream.logger.propagate = False
    for line in sys.stdin:
        print(json.dumps(answer(upstream, warned, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
