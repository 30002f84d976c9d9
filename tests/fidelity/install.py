# SPDX-License-Identifier: Apache-2.0
"""Puts the real client and worker into a virtual environment, once."""
import os
import shutil
import subprocess

PACKAGE = "openyuanrong-datasystem==0.8.1"
PYTHONS = ("python3.11", "python3.10", "python3.9")  # the package has wheels for these
DEADLINE_S = 600


class Unavailable(Exception):
    """One line that says why the package is not there."""


def installed(venv):
    """Returns when the package can be imported in `venv`; installs it when needed."""
    python = os.path.join(venv, "bin", "python")
    if imports(python):
        return
    maker = next((found for found in map(shutil.which, PYTHONS) if found), None)
    if maker is None:
        raise Unavailable(f"none of {', '.join(PYTHONS)} on this machine, and the wheel needs one")
    shutil.rmtree(venv, ignore_errors=True)
    os.makedirs(os.path.dirname(venv), exist_ok=True)
    run([maker, "-m", "venv", venv], "no virtual environment (Debian package python3-venv)")
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE],
        f"{PACKAGE} cannot be installed (no network, or no wheel for this machine)")
    if not imports(python):
        raise Unavailable(f"{PACKAGE} is installed but cannot be imported")


def imports(python):
    if not os.access(python, os.X_OK):
        return False
    done = subprocess.run([python, "-c", "import yr.datasystem.kv_client"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=60, check=False)
    return done.returncode == 0


def run(command, reason):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{reason}: not finished within {DEADLINE_S} s") from None
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines()
        raise Unavailable(f"{reason}: {lines[-1] if lines else 'no output'}")
