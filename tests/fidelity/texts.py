# SPDX-License-Identifier: Apache-2.0
"""Messages as the real client shows them, without thread, line, file and trace id (see judge.py)."""

MISS = "Cannot get objects from worker"
KEY_RULE = ("The key contains illegal char(s), allowed regex format: ^[a-zA-Z0-9\\-_!@#%\\^\\*\\(\\)\\+\\=\\:;]*$ "
            "or the length of key must be no more than 255. Current key: ")
NO_KEYS = "The keys are empty"
EMPTY_FIRST_KEY = "keys[0] can not be empty"
TOO_MANY_KEYS = "The objectKeys size exceed 10000."
EMPTY_VALUE = "The dataSize value should be bigger than zero."
MODE_FIXED = "The write mode, consistency type or cache type cannot be modified."
NO_L2 = ("The key is set to WRITE_THROUGH_L2_CACHE, WRITE_BACK_L2_CACHE or WRITE_BACK_L2_CACHE_EVICT, "
         "but L2_cache_type is set to none.")
MODE_CONFLICT = ("Inconsistency in publish or set cache whose key already exists in datasystem, please delete the old cache "
                 "or keep parameter the same as the old cache, newMeta: (consistency_type, write_mode, cache_type), ")
SILENCE = ("[RPC_RECV_TIMEOUT] Rpc service for client … has not responded within the allowed time. "
           "Detail: code: [Try again], msg: […The queue is empty within allowed time: … ms…]")
DECLARED_LOST = "Client … disconnected from worker."
UNKNOWN_CLIENT = "The client id (…) does not exist."
WORKER_NOT_READY = "Worker not ready"
NO_SPACE = "Shared memory no space in arena: …"
OVER_LIMIT = "Resource allocation has reached the threshold limit.Total allocated …, required size …, threshold size: …"


def refused(sentence, budget_ms=5000):
    """How a refusal by the worker ends when the operation has a retry loop and nothing was retried."""
    return f"{sentence}. RPC Retry detail: [ ] with 0 times in {budget_ms} ms."


def retried(sentence, detail, times, budget_ms):
    return f"{sentence}. RPC Retry detail: [ {detail} ] with {times} times in {budget_ms} ms."
