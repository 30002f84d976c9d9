# SPDX-License-Identifier: Apache-2.0
"""
Runs one case: builds its world, walks through its steps, ends everything it started.

    steps:  call ----------> judge          begin ... finish -> judge
            world, link, pause: change what is around; requests: ask the relay
"""
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass

from clients import Client, NoAnswer
from judge import difference, requests_difference, shortened
from link import Link
from living import Interrupted
from worlds import CannotStart, FakeWorld, RealWorld, free_port

CALL_DEADLINE_S = 100


@dataclass(frozen=True)
class Setting:
    """Where the programs are, and which pair is to be proved."""
    driver: str      # python or c
    world: str       # fakeds or real
    client_command: tuple
    fakeds: str
    venv: str
    folder: str

    @property
    def pair(self):
        names = {"python": "real client", "c": "C client", "fakeds": "fakeds", "real": "real worker"}
        return f"{names[self.driver]} -> {names[self.world]}"


def is_for(case, setting):
    return setting.world in case.worlds and setting.driver in case.drivers


def needs_own_worker(case):
    return case.own_worker or bool(case.real_flags) or any(step.kind == "world" for step in case.steps)


def run_case(case, setting, shared_world=None):
    """Returns the lines that say what went wrong; none when all was as expected."""
    folder = tempfile.mkdtemp(prefix="case-", dir=setting.folder)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            return Run(case, setting, folder, shared_world, undo).walk()
        except (CannotStart, Interrupted, NoAnswer, OSError) as error:
            return [f"{type(error).__name__}: {error}"]


class Run:
    def __init__(self, case, setting, folder, shared_world, undo):
        self._case = case
        self._setting = setting
        self._folder = folder
        self._undo = undo
        self._clients = {}
        self._pending = {}
        self._link = None
        self._world = None
        self.wrong = []
        address = self._start_world(shared_world)
        if case.link:
            self._link = Link(address)
            undo.callback(self._link.stop)
            address = self._link.address
        self._start_clients(address)

    def walk(self):
        if self._case.init:
            for name, client in self._clients.items():
                answer = client.call({"op": "init"}, CALL_DEADLINE_S)
                if not answer["ok"]:
                    return [f"init of client {name}: {answer['text']}"]
        for number, step in enumerate(self._case.steps, 1):
            self._take(number, step)
        self._end()
        return self.wrong

    def _end(self):
        """Clients leave first, so that the worker can answer them; then it must end cleanly when asked to."""
        for client in self._clients.values():
            client.close()
        if isinstance(self._world, FakeWorld):
            status = self._world.stop()
            if status != 0:
                self.wrong.append(f"fakeds ended with {status} when asked to stop: {self._world.last_words()}")

    def _take(self, number, step):
        if step.kind == "call":
            answer = self._clients[step.by].call(step.request, CALL_DEADLINE_S)
            self._judge(number, step, step.request, answer)
        elif step.kind == "begin":
            self._pending[step.by] = step.request
            self._clients[step.by].begin(step.request)
        elif step.kind == "finish":
            answer = self._clients[step.by].finish(CALL_DEADLINE_S)
            self._judge(number, step, self._pending.pop(step.by), answer)
        elif step.kind == "pause":
            time.sleep(step.argument / 1000)
        elif step.kind == "world":
            verb, arguments = step.argument
            getattr(self._world, verb)(**arguments)
        elif step.kind == "link":
            getattr(self._link, step.argument)()
        elif step.kind == "requests":
            self._judge_requests(number, step.argument)

    def _judge(self, number, step, request, answer):
        differs = difference(step, answer)
        if differs:
            self._say(number, called(request), *differs)

    def _judge_requests(self, number, argument):
        differs = requests_difference(argument, self._link.times_ms(argument[0]))
        if differs:
            self._say(number, "on the wire", *differs)

    def _say(self, number, what, expected, actual):
        self.wrong += [f"step {number}: {what}", f"  expected {expected}", f"  actual   {actual}"]

    def _start_world(self, shared_world):
        if self._case.dead_port:
            self._world = DeadPort(self._setting, self._folder, self._undo)
            return self._world.address
        if self._setting.world == "fakeds":
            self._world = FakeWorld(self._setting.fakeds, self._folder)
            self._undo.callback(self._world.stop)
            self._world.start(self._case.flags, self._case.faults)
        elif shared_world and not needs_own_worker(self._case):
            self._world = shared_world
        else:
            self._world = RealWorld(self._setting.venv, self._folder)
            self._undo.callback(self._world.stop)
            self._world.start(self._case.real_flags)
        return self._world.address

    def _start_clients(self, address):
        for name, options in self._case.clients.items():
            log_dir = os.path.join(self._folder, name)
            os.makedirs(log_dir)
            client = Client(self._setting.client_command, address, options, log_dir)
            self._undo.callback(client.close)
            self._clients[name] = client


class DeadPort:
    """Nobody listens, until `open` starts a fake there."""

    def __init__(self, setting, folder, undo):
        self._fake = FakeWorld(setting.fakeds, folder)
        self._undo = undo
        self.address = f"127.0.0.1:{free_port()}"

    def open(self, **arguments):
        self._undo.callback(self._fake.stop)
        self._fake.start(address=self.address, **arguments)


def called(request):
    words = {name: shortened(value, 80) for name, value in request.items() if name != "op" and value not in (None, 0, False)}
    return f"{request['op']} " + " ".join(f"{name}={value}" for name, value in words.items())
