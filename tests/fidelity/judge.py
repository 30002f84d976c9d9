# SPDX-License-Identifier: Apache-2.0
"""Compares one answer with what the table says, and words the difference."""
import hashlib
import re

from codes import TEXT_OF_CODE

TRACE_LINES = re.compile(r"\s*Line of code\s*: ?\d+\s+File\s*: ?\S+\s+traceId\s*: ?[^\s.,\]]*")
TRACE_INLINE = re.compile(r",? ?traceId\s*: ?[^\s.,\]]*")
THREAD = re.compile(r"Thread ID \d+ ")


def sentence_of(text):
    """The message of a status text without thread, line, file and trace id."""
    found = re.match(r"code: \[([^\]]*)\], msg: \[(.*)\]\s*$", text, re.S)
    if not found:
        return text
    code_text, message = found.groups()
    message = THREAD.sub("", message)
    message = message.replace(f"{code_text}. ", "", 1) if message.startswith(f"{code_text}. ") else message
    message = TRACE_LINES.sub("", message)
    return plain_dots(TRACE_INLINE.sub("", message).strip())


def plain_dots(sentence):
    """A sentence's own last dot is kept or dropped depending on what is appended; that is no difference."""
    return sentence.replace(".. RPC", ". RPC").rstrip(".")


def text_fits(expected, text):
    parts = [re.escape(part) for part in plain_dots(expected).split("…")]
    return re.fullmatch(".*".join(parts), sentence_of(text), re.S) is not None


def difference(step, answer):
    """None when the answer is as the table says, else expected and actual as two texts."""
    fits = any(answer_fits(one, answer) for one in step.answers)
    took_ms = answer["took_us"] / 1000
    in_time = (step.least_ms is None or took_ms >= step.least_ms) and (step.most_ms is None or took_ms <= step.most_ms)
    if fits and in_time:
        return None
    return expected_words(step), actual_words(answer)


def answer_fits(expected, answer):
    if expected.ok is not None and expected.ok != answer["ok"]:
        return False
    if expected.code is not None and expected.code != answer.get("code"):
        return False
    if expected.raised is not None and expected.raised != answer.get("raised"):
        return False
    if expected.text is not None and not text_fits(expected.text, answer["text"]):
        return False
    return all(field_fits(name, value, answer.get(name)) for name, value in expected.fields.items())


def field_fits(name, expected, actual):
    if name != "values":
        return expected == actual
    return actual is not None and len(expected) == len(actual) and all(map(value_fits, expected, actual))


def value_fits(expected, actual):
    if expected is None or actual is None:
        return expected is None and actual is None
    if isinstance(expected, tuple):
        size, unit, *corrupted = expected
        same = digest_of_repeated(unit, size) == actual["sha256"]
        return size == actual["size"] and same != bool(corrupted)
    data = expected.encode() if isinstance(expected, str) else expected
    return len(data) == actual["size"] and hashlib.sha256(data).hexdigest() == actual["sha256"]


def digest_of_repeated(unit, size):
    digest, piece = hashlib.sha256(), unit * (65536 // len(unit))
    for _ in range(size // len(piece)):
        digest.update(piece)
    digest.update(piece[:size % len(piece)])
    return digest.hexdigest()


def expected_words(step):
    words = " or ".join(answer_words(answer) for answer in step.answers)
    if step.most_ms is not None:
        words += f", in {step.least_ms:.0f} to {step.most_ms:.0f} ms"
    return words


def answer_words(answer):
    if answer.ok is None:
        return "anything"
    if not answer.ok:
        name = TEXT_OF_CODE.get(answer.code, answer.raised)
        return f"{name}: {answer.text or '…'}"
    return "OK " + " ".join(f"{name} {shortened(value)}" for name, value in answer.fields.items())


def actual_words(answer):
    if not answer["ok"]:
        name = TEXT_OF_CODE.get(answer.get("code"), answer.get("raised"))
        words = f"{name}: {sentence_of(answer['text'])}"
    else:
        words = "OK " + " ".join(f"{name} {shortened(shown(name, answer[name]))}"
                                 for name in ("values", "exists", "failed", "sizes") if answer.get(name) is not None)
    return f"{words}, in {answer['took_us'] / 1000:.0f} ms"


def shown(name, value):
    if name != "values":
        return value
    return [None if one is None else bytes.fromhex(one["hex"]) if "hex" in one else (one["size"], one["sha256"][:8])
            for one in value]


def shortened(value, limit=200):
    text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def requests_difference(argument, times_ms):
    """Compares the times of requests on the wire; each may be off by 15 % or 50 ms."""
    operation, expected, count = argument
    number = count if count is not None else len(expected)
    fits = len(times_ms) == number and all(
        abs(actual - wanted) <= max(50, 0.15 * wanted) for actual, wanted in zip(times_ms, expected))
    if fits:
        return None
    return f"{number} {operation} requests at {expected or '…'} ms", f"{len(times_ms)} at {times_ms} ms"
