# SPDX-License-Identifier: Apache-2.0
"""
The serializer upstream, out of its released wheel. Stood in for: torch, and what is imported from
vLLM, of which only the two classes that are rebuilt from maps do anything.
"""
import dataclasses
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types
import typing

HERE = os.path.dirname(os.path.abspath(__file__))
# Their own __init__ import more of vLLM than can be stood in for.
PACKAGES = ("vllm_omni", "vllm_omni.inputs", "vllm_omni.lora", "vllm_omni.distributed",
            "vllm_omni.distributed.omni_connectors", "vllm_omni.distributed.omni_connectors.utils")


def load(folder):
    """The module with OmniSerializer. `folder` is where the wheel lies."""
    sys.path.insert(0, os.path.join(HERE, "standin"))
    sys.modules.setdefault("typing_extensions", typing)
    sys.meta_path.insert(0, Vllm())
    outputs = importlib.import_module("vllm.outputs")
    outputs.CompletionOutput = CompletionOutput
    outputs.RequestOutput = RequestOutput
    for name in PACKAGES:
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(folder, *name.split("."))]
        sys.modules[name] = package
    sys.path.append(folder)
    return importlib.import_module(f"{PACKAGES[-1]}.serialization")


class Anything:
    def __init_subclass__(cls, **_):
        super().__init_subclass__()


class Vllm(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Every module below vllm exists, and every name in one is an empty class."""

    def find_spec(self, name, path=None, target=None):
        is_ours = name == "vllm" or name.startswith("vllm.")
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if is_ours else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        def make(name):
            if name.startswith("__"):
                raise AttributeError(name)
            made = type(name, (Anything,), {})
            setattr(module, name, made)
            return made
        module.__getattr__ = make


@dataclasses.dataclass
class CompletionOutput:
    """The fields of vLLM's class of this name; those without a default must be in the map."""
    index: int
    text: str
    token_ids: typing.Any
    cumulative_logprob: typing.Any
    logprobs: typing.Any
    routed_experts: typing.Any = None
    finish_reason: typing.Any = None
    stop_reason: typing.Any = None
    lora_request: typing.Any = None


class RequestOutput:
    def __init__(self, request_id, prompt, prompt_token_ids, prompt_logprobs, outputs, finished, metrics=None,
                 lora_request=None, encoder_prompt=None, encoder_prompt_token_ids=None, num_cached_tokens=None, *,
                 kv_transfer_params=None, **_):
        self.request_id, self.prompt, self.prompt_token_ids = request_id, prompt, prompt_token_ids
        self.prompt_logprobs, self.outputs, self.finished = prompt_logprobs, outputs, finished
        self.metrics, self.lora_request, self.encoder_prompt = metrics, lora_request, encoder_prompt
        self.encoder_prompt_token_ids, self.num_cached_tokens = encoder_prompt_token_ids, num_cached_tokens
        self.kv_transfer_params = kv_transfer_params
