# SPDX-License-Identifier: Apache-2.0
"""
Transfer configurations by chance, as text: both spellings, YAML and JSON, whole ones and broken
ones. Only what ours and upstream must agree on; where they differ on purpose has a table of its own.
"""
import json

# As they stand in a YAML file: what they mean is for the two loaders to say.
IDS = ("0", "1", "2", "3", '"0"', "'1'", "007", "0x10", "1_000", "1:30", "yes", "1.0", "08", "1e3", "-1", "+2",
       "abc", '" 4 "', "0b11", "10", "2001-01-01", "true", "~x", "1.5e+3", ".5", "Off", "0o7", "1__0")
PLAIN_IDS = ("0", "1", "2", "3", "4", "10")
NAMES = ("YuanrongConnector", "SharedMemoryConnector", "MooncakeStoreConnector", "Own")
KEYS = ("yr", "shm", "mc", "'quoted key'", "other-1")
EXTRAS = ("{}", "{host: 10.0.0.1, port: 35001}", "{role: sender}", "{role: null}", "{role: ~, type: T}",
          "{type: mine, a: [1, 2.5, {b: null}]}", "{from_stage: 9, to_stage: x}", "[]", "''",
          "{port: '35001', get_sub_timeout_ms: 1_000, t: 1:30, f: 1e3, g: 1.0e+3, n: .nan, i: -.inf}",
          "{1: one, true: yes, null: nil, 2.5: f}", "{big: 18446744073709551615, more: 99999999999999999999}",
          "{day: 2001-12-14, text: '2001-12-14', list: [[], {}, '']}", "{a: 1, b: 2, a: 3}")
BAD_EXTRAS = ("null", "5", "true", "text")
BAD_REFS = ("5", "null", "true", "[]", "[yr]", "{}", "{extra: {}}", "{name: Own, extra: null}", "nowhere", "''")


class Generator:
    def __init__(self, random):
        self.random = random

    def rarely(self, share=0.04):
        return self.random.random() < share

    def pick(self, words):
        return self.random.choice(words)

    def file(self):
        """(suffix, text)"""
        self.odd = self.rarely(0.35)  # ids of every shape, or the numbers that people use
        if self.rarely(0.25):
            return ".json", self.json_file()
        return self.pick((".yaml", ".yml", ".YAML")), self.yaml_file()

    def id(self):
        return self.pick(IDS) if self.odd else self.pick(PLAIN_IDS)

    def bare_id(self):
        return self.id().strip("\"'")

    # ---- YAML ------------------------------------------------------------------------------

    def yaml_file(self):
        if self.rarely(0.02):
            return self.pick(("", "# nothing\n", "null\n", "{}\n", "[]\n", "5\n", "text\n", "---\n", "[1\n", "a: b: c\n"))
        self.names = self.random.sample(KEYS, self.random.randint(1, len(KEYS)))
        is_newer = self.rarely(0.5)
        parts = ["model: x", "other: {a: [1, 2]}"]
        connectors = self.connectors()
        edges = self.edges()
        if is_newer:
            parts += self.somewhere("connectors", connectors) + self.somewhere("edges", edges)
            parts += self.sometimes(self.runtime(self.pick(("", "connectors: null", "edges: null", connectors, edges,
                                                            "enabled: true")), True))
        else:
            parts += self.sometimes(self.runtime("\n".join(filter(None, (connectors, edges))), False), 0.9)
        if not self.rarely():
            parts.append(self.stages("stages" if is_newer else "stage_args"))
        if is_newer and self.rarely():
            parts.append("stage_args: []")
        self.random.shuffle(parts)
        return "\n".join(parts) + "\n"

    def sometimes(self, text, share=0.3):
        return [text] if self.rarely(share) else []

    def somewhere(self, key, text):
        return [text] if text and self.rarely(0.9) else self.sometimes(f"{key}: {self.pick(('null', '{}', '[]', 'x'))}", 0.1)

    def runtime(self, inside, is_newer):
        if self.rarely(0.06):
            return "runtime: " + self.pick(("null", "false", "[]", "{}", "''", "0", "5", "text") if is_newer
                                           else ("null", "[]", "5", "{}", "''"))
        return "runtime:\n" + indent(inside) if inside else "runtime: {}"

    def connectors(self):
        if self.rarely(0.05):
            return "connectors: " + self.pick(("null", "[]", "yr", "{}", "5", "[yr]"))
        return "connectors:\n" + "\n".join(f"  {name}: {self.entry()}" for name in self.names)

    def entry(self):
        if self.rarely(0.03):
            return self.pick(("null", "[]", "text", "{}", "{extra: {}}", "5"))
        extra = self.pick(BAD_EXTRAS) if self.rarely(0.02) else self.pick(EXTRAS)
        return f"{{name: {self.pick(NAMES)}}}" if self.rarely(0.3) else f"{{name: {self.pick(NAMES)}, extra: {extra}}}"

    def edges(self):
        if self.rarely(0.5):
            return ""
        if self.rarely(0.08):
            return "edges: " + self.pick(("null", "[]", "{}", "5", "text", "{from: 0, to: 1}"))
        return "edges: [" + ", ".join(self.edge() for _ in range(self.random.randint(1, 4))) + "]"

    def edge(self):
        if self.rarely(0.12):
            return self.pick(("{}", "{from: 0}", "{to: 1}", "{from: null, to: 1}", "{from: 2, to: ~}", "5", "null", "[0, 1]", "text"))
        return f"{{from: {self.id()}, to: {self.id()}, window: 3}}"

    def stages(self, key):
        if self.rarely(0.05):
            return f"{key}: " + self.pick(("null", "[]", "{}", "''", "5", "text", "{a: 1}", "[5]", "[{}]", "[null]"))
        return f"{key}:\n" + "\n".join(self.stage(i) for i in range(self.random.randint(1, 4)))

    def stage(self, index):
        id_text = self.id() if self.odd and self.rarely(0.5) else str(index)
        lines = [] if self.rarely(0.01) else [f"stage_id: {id_text}"]
        lines += self.side("input_connectors", "from_stage_") + self.side("output_connectors", "to_stage_")
        if self.rarely(0.3):
            lines.append(f"engine_input_source: {self.sources()}")
        lines.append("engine_args: {x: 1}")
        return "  - " + "\n    ".join(lines)

    def side(self, key, prefix):
        if self.rarely(0.4):
            return []
        if self.rarely(0.04):
            return [f"{key}: " + self.pick(("null", "[]", "{}", "text", "5"))]
        pairs = [f"{self.side_key(prefix)}: {self.reference()}" for _ in range(self.random.randint(1, 2))]
        return [f"{key}: {{{', '.join(pairs)}}}"]

    def side_key(self, prefix):
        if self.rarely(0.03):
            return self.pick(("5", "null", "1.5", f"{prefix}", f"{prefix}{prefix}1", f"1{prefix}", "1:30"))
        return f"{prefix}{self.bare_id().strip()}".replace(": ", "") if self.rarely(0.9) else f'"{self.bare_id()}"'

    def reference(self):
        if self.rarely(0.03):
            return self.pick(BAD_REFS)
        return self.entry() if self.rarely(0.2) else self.pick(self.names)

    def sources(self):
        if self.rarely(0.15):
            return self.pick(("null", "5", "'01'", "''", "{0: a, x: b}", "true", "[]", "1.5"))
        return "[" + ", ".join(self.id() for _ in range(self.random.randint(0, 3))) + "]"

    # ---- JSON ------------------------------------------------------------------------------

    def json_file(self):
        if self.rarely(0.05):
            return self.pick(("", "null", "{}", "[]", "5", '"text"', "{,}", '{"stages": []}', "true"))
        ids = (0, 1, 2, "0", "1", "007", 1.0, True, -1, "x", 1e300, 0.1, 1234567890123456789)
        number = lambda: self.pick(ids) if self.odd else self.random.randint(0, 3)
        extra = lambda: self.pick(({}, {"host": "h", "port": 1}, {"role": None}, {"type": 1, "x": [True, 1.5, 1.0, "é\n"]}))
        entry = lambda: {"name": self.pick(NAMES), "extra": extra()}
        names = {"a": entry(), "b": entry(), "1": entry()}
        reference = lambda: self.pick(("a", "b", "1")) if not self.rarely(0.1) else self.pick((entry(), "zz", 1, None))
        stages = []
        for index in range(self.random.randint(0, 4)):
            stage = {"stage_id": number() if self.odd else index}
            if self.rarely(0.6):
                stage["input_connectors"] = {f"from_stage_{number()}": reference()}
            if self.rarely(0.6):
                stage["output_connectors"] = {f"to_stage_{number()}": reference()}
            if self.rarely(0.3):
                stage["engine_input_source"] = [number() for _ in range(self.random.randint(0, 2))]
            stages.append(stage)
        edges = [{"from": number(), "to": number()} for _ in range(self.random.randint(0, 3))]
        if self.rarely(0.5):
            return json.dumps({"connectors": names, "edges": edges, "stages": stages}, ensure_ascii=self.rarely(0.5))
        return json.dumps({"runtime": {"connectors": names, "edges": edges}, "stage_args": stages}, indent=1)


def indent(text):
    return "\n".join("  " + line for line in text.splitlines())
