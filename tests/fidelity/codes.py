# SPDX-License-Identifier: Apache-2.0
"""Texts of the status codes as the client prints them, with their numbers."""

TEXT_OF_CODE = {
    0: "OK",
    1: "Key duplicated",
    2: "Invalid parameter",
    3: "Key not found",
    4: "KV store error",
    5: "Runtime error",
    6: "Out of memory",
    7: "IO error",
    8: "Not ready",
    9: "Not authorized",
    10: "Unknown error",
    12: "Out of range",
    13: "No space available",
    19: "Try again",
    21: "Shutting down",
    22: "The worker status is abnormal",
    23: "Client and Worker disconnect",
    24: "The worker timeout",
    25: "The master may timeout/dead",
    26: "Key not found in l2 cache",
    28: "Client and worker version mismatch",
    29: "The server fd has been closed",
    31: "The worker is exiting",
    32: "The cluster is scaling",
    1000: "RPC cancelled",
    1001: "RPC deadline exceeded",
    1002: "RPC unavailable",
    1003: "RPC stream finished",
    2000: "Object already sealed error",
    2004: "Object already exist error",
    2006: "Buffer deprecated",
}

CODE_OF_TEXT = {text: code for code, text in TEXT_OF_CODE.items()}
