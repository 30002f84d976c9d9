# SPDX-License-Identifier: Apache-2.0
"""The comparison itself, run by the Python that has upstream's serializer:
compare.py FOLDER_OF_THE_WHEEL DSTEST COUNT SEED"""
import base64
import random
import subprocess
import sys
import time

import upstream

SERDE = upstream.load(sys.argv[1]).OmniSerializer

# After upstream.load(), which makes torch.
import torch  # noqa: E402
from msgspec import msgpack  # noqa: E402

from generate import Generator  # noqa: E402
from hostile import AGREED, DEVIATIONS, NOT_ENCODED, REFUSED, TAKEN  # noqa: E402
from notation import line_of, tree_of, tree_of_line  # noqa: E402

DSTEST, COUNT, SEED = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
DAMAGED_COUNT = 3000
DEADLINE_S = 40
SHOWN_MAX = 20
STRICTER = ("is no size", "data does not fit the shape", "without bytes 'data'")  # what ours says where upstream looks away
PLAIN = ("nil", "bool", "edge", "int", "float", "text", "bytes", "list", "dict")


def main():
    print(f"        [serializer] seed {SEED}, {COUNT} values", flush=True)
    tally = Tally()
    chance = random.Random(SEED)
    for stage in (both_directions, damaged, not_encoded, agreed, deviations, objects):
        begin, before = time.monotonic(), tally.passed
        stage(chance, tally)
        print(f"        [serializer] {stage.__name__.replace('_', ' ')}: {tally.passed - before} agree, "
              f"{time.monotonic() - begin:.1f} s", flush=True)
    print(f"{tally.passed} passed, {tally.failed} failed, 0 skipped")
    return 1 if tally.failed else 0


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def judge(self, name, document, *wrong):
        """`wrong` are texts, empty where all is well."""
        wrong = [text for text in wrong if text]
        if not wrong:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= SHOWN_MAX:
            print(f"FAIL [serializer] {name}: {'; '.join(wrong)}\n       {document[:60].hex()}"
                  f"{'...' if len(document) > 60 else ''} ({len(document)} bytes)", flush=True)


# ---- ours, one process for a whole list ------------------------------------------------------

def dstest(lines, *arguments):
    done = subprocess.run([DSTEST, "payload", *arguments, "--lines"], input="".join(f"{line}\n" for line in lines),
                          stdout=subprocess.PIPE, text=True, encoding="utf-8", timeout=DEADLINE_S, check=False)
    if done.returncode not in (0, 2):
        raise SystemExit(f"dstest payload ended with {done.returncode}")
    answers = done.stdout.split("\n")[:-1]
    if len(answers) != len(lines):
        raise SystemExit(f"dstest payload answered {len(answers)} lines to {len(lines)}")
    return answers


def make(lines):
    """Documents, or None where ours refuses."""
    return [None if answer.startswith("error") else base64.b64decode(answer) for answer in dstest(lines, "make")]


def show(documents):
    """Lines of notation, or None where ours refuses."""
    return [None if answer.startswith("error") else answer for answer in show_or_reason(documents)]


def show_or_reason(documents):
    """Lines of notation, or "error: offset N: ..."."""
    return dstest([base64.b64encode(document).decode() for document in documents], "show", "--json")


def decode_upstream(document):
    """The tree, or None where upstream refuses."""
    try:
        return tree_of(SERDE.deserialize(document), torch)
    except RecursionError:
        return None
    except Exception:  # whatever it raises is a refusal
        return None


# ---- stages ------------------------------------------------------------------------------------

def both_directions(chance, tally):
    generator = Generator(chance, torch)
    cases = list(generator.typed()) + [(f"value {i}", generator.value(3)) for i in range(COUNT)]
    trees = [tree_of(value, torch) for _, value in cases]
    theirs = [SERDE.serialize(value) for _, value in cases]
    ours = make([line_of(tree) for tree in trees])
    shown = show(theirs)
    again = make([line or "{" for line in shown])
    for (name, _), tree, document, made, line, remade in zip(cases, trees, theirs, ours, shown, again):
        tally.judge(name, document,
                    "" if made == document else f"ours encodes {made[:60].hex() if made else None}",
                    "" if line and tree_of_line(line) == tree else f"ours decodes {str(line)[:200]}",
                    "" if remade == document else "decoded by ours and encoded again: other bytes",
                    "" if made and decode_upstream(made) == tree else "upstream decodes another value")


def damaged(chance, tally):
    """Valid documents with bytes changed, cut off or put in: the same verdict, the same value."""
    generator = Generator(chance, torch)
    documents = []
    while len(documents) < DAMAGED_COUNT:
        document = bytearray(SERDE.serialize(generator.value(3, PLAIN)))
        if len(document) > 2000:
            continue
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(document) + 1)
            how = chance.randrange(4)
            if how == 0:
                del document[at:]
            elif how == 1:
                document.insert(at, chance.randrange(256))
            elif at < len(document):
                document[at] = chance.choice((chance.randrange(256), document[at] ^ 1 << chance.randrange(8)))
        documents.append(bytes(document))
    for document, line in zip(documents, show_or_reason(documents)):
        theirs = decode_upstream(document)
        if theirs and line.startswith("error") and any(reason in line for reason in STRICTER):
            continue  # a deviation that has a row of its own
        line = None if line.startswith("error") else line
        if theirs is None and line and has_extension_as_key(tree_of_line(line)):
            continue  # likewise
        mine = in_microseconds(tree_of_line(line)) if line else None
        tally.judge("damaged document", document,
                    "" if (mine is None) == (theirs is None) else f"ours {'takes' if mine else 'refuses'} it",
                    "" if mine is None or theirs is None or mine == theirs else f"{mine} is not {theirs}"[:300])


def has_extension_as_key(tree, is_key=False):
    if tree[0] == "extension":
        return is_key
    if tree[0] == "array":
        return any(has_extension_as_key(item, is_key) for item in tree[1:])
    return tree[0] == "map" and any(has_extension_as_key(key, True) or has_extension_as_key(value)
                                    for key, value in tree[1:])


def in_microseconds(tree):
    """Python's datetime rounds to microseconds; ours keeps what was sent."""
    if tree[0] == "timestamp":
        return ("timestamp", tree[1], (tree[2] + 500) // 1000 * 1000)
    if tree[0] == "array":
        return ("array", *map(in_microseconds, tree[1:]))
    if tree[0] == "map":
        return ("map", *((in_microseconds(key), in_microseconds(value)) for key, value in tree[1:]))
    return tree


def not_encoded(_, tally):
    for (name, value, _), made in zip(NOT_ENCODED, make([row[2] for row in NOT_ENCODED])):
        try:
            document = SERDE.serialize(value)
        except Exception:  # whatever it raises is a refusal
            document = None
        tally.judge(f"encoding {name}", document or b"", "" if document is None else "upstream encodes it",
                    "" if made is None else "ours encodes it")


def agreed(_, tally):
    for (name, document, outcome), line in zip(AGREED, show([row[1] for row in AGREED])):
        theirs = decode_upstream(document)
        is_taken = outcome == TAKEN
        tally.judge(name, document,
                    "" if (theirs is not None) == is_taken else f"upstream: not {outcome}",
                    "" if (line is not None) == is_taken else f"ours: not {outcome}",
                    "" if not (line and theirs) or tree_of_line(line) == theirs else f"{line} is not {theirs}"[:300])


def deviations(_, tally):
    for (name, document, theirs, ours, why), line in zip(DEVIATIONS, show([row[1] for row in DEVIATIONS])):
        outcomes = (TAKEN if decode_upstream(document) is not None else REFUSED, TAKEN if line else REFUSED)
        tally.judge(name, document, "" if outcomes == (theirs, ours) else
                    f"{outcomes[0]} upstream and {outcomes[1]} here; expected {theirs}, {ours}, because {why}")


def objects(_, tally):
    """Which maps upstream makes objects of, and which of them it cannot."""
    request = {"request_id": "r", "prompt": None, "prompt_token_ids": [1], "outputs": [], "finished": True}
    completion = {"index": 0, "text": "t", "token_ids": [], "finish_reason": None}
    logprobs = {"cumulative_logprob": None, "logprobs": None}
    rows = (
        {"finished": True}, {"finished": False, "images": []}, {"finished": None, "final_output_type": "text"},
        {"final_output_type": "text", "images": []}, {**request, "images": []},
        request, {**request, "prompt_logprobs": None}, {**request, "prompt_logprobs": None, "unknown": 1},
        {key: value for key, value in request.items() if key != "outputs"},
        completion, {**completion, **logprobs}, {**completion, **logprobs, "index": 1.5},
        {**completion, **logprobs, "index": "0"}, {**completion, "logprobs": None}, {**completion, **logprobs, "more": [1]},
        {**request, "prompt_logprobs": None, **completion},
        {"a": {**completion, **logprobs}}, {"__tensor__": False, **completion, **logprobs},
    )
    documents = [msgpack.encode(row) for row in rows]
    answers = [show_head(document) for document in documents]
    for row, document, head in zip(rows, documents, answers):
        try:
            found = type(SERDE.deserialize(document)).__name__
        except Exception:  # whatever it raises is a refusal
            found = "refused"
        mine = "refused" if "which upstream refuses" in head else head.split("upstream's ")[1] if "upstream's " in head else "dict"
        tally.judge(f"object {sorted(row)}", document, "" if found == mine else f"{found} upstream, {mine} here")


def show_head(document):
    """The line of the outermost value in the tree."""
    done = subprocess.run([DSTEST, "payload", "show", "--levels", "1"], input=document, stdout=subprocess.PIPE, check=True)
    return next(line for line in done.stdout.decode().splitlines() if line.strip().startswith("0 "))


if __name__ == "__main__":
    sys.exit(main())
