# SPDX-License-Identifier: Apache-2.0
"""
Puts what we compare ourselves with into virtual environments, each once:

    installed           the real client and worker
    installed_upstream  the connector upstream, out of its released wheel and without vLLM and torch
"""
import fcntl
import os
import shutil
import subprocess

PACKAGE = "openyuanrong-datasystem==0.8.1"
PYTHONS = ("python3.11", "python3.10", "python3.9")  # the package has wheels for these
UPSTREAM = "vllm-omni==0.30.0"
UPSTREAM_NEEDS = ("msgspec", "numpy", "pillow", "pyyaml")  # of the parts that are used here
UPSTREAM_PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.10", "python3")
DEADLINE_S = 600


class Unavailable(Exception):
    """One line that says why the package is not there."""


def installed(venv):
    """Returns when the package can be imported in `venv`; installs it when needed."""
    with one_at_a_time(venv):
        install(venv, PYTHONS, [[PACKAGE]], "import yr.datasystem.kv_client")


def installed_upstream(venv):
    """
    Returns when the released wheel and what its connectors import lie in `venv`. The package itself
    cannot be imported, since that needs vLLM: who uses it makes empty packages in its place, whose
    __path__ points into upstream_folder(), and imports the modules below.
    """
    with one_at_a_time(venv):
        install(venv, UPSTREAM_PYTHONS, [["--no-deps", UPSTREAM], UPSTREAM_NEEDS],
                "import msgspec, numpy, PIL, yaml; from importlib.metadata import version; "
                f"assert version('vllm-omni') == '{UPSTREAM.split('==')[1]}'")


def upstream_folder(venv):
    """Where vllm_omni/ and its dist-info lie."""
    done = subprocess.run([os.path.join(venv, "bin", "python"), "-c",
                           "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
                          stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    return done.stdout.strip()


def one_at_a_time(venv):
    """Two runs beside each other must not both make the same environment."""
    os.makedirs(os.path.dirname(venv), exist_ok=True)
    lock = open(f"{venv}.lock", "w", encoding="utf-8")  # closed, and so released, by `with`
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def install(venv, pythons, package_lists, proof):
    """`proof` is what Python must be able to run afterwards."""
    python = os.path.join(venv, "bin", "python")
    if can_run(python, proof):
        return
    maker = next((found for found in map(shutil.which, pythons) if found), None)
    if maker is None:
        raise Unavailable(f"none of {', '.join(pythons)} on this machine, and the wheel needs one")
    shutil.rmtree(venv, ignore_errors=True)
    run([maker, "-m", "venv", venv], "no virtual environment (Debian package python3-venv)")
    for packages in package_lists:
        run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
            f"{' '.join(packages)} cannot be installed (no network, or no wheel for this machine)")
    if not can_run(python, proof):
        raise Unavailable(f"{package_lists[0][-1]} is installed but cannot be used")


def can_run(python, statement):
    if not os.access(python, os.X_OK):
        return False
    done = subprocess.run([python, "-c", statement], stdout=subprocess.DEVNULL,
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
