"""Programs that each need a fresh interpreter, after one import of torch for all."""

import json
import subprocess
import sys

from places import ROOT

BENEATH_TRANSFORMERS = (
    "torch._dynamo",
    "torch.distributed.tensor",
    "scipy.optimize",
    "jinja2",
    "PIL.Image",
    "accelerate",
)
"""What transformers imports before a model: most of its seconds, and nothing that registers one."""

# Each program runs in a fork of a process that has loaded torch and nothing of this project.
_FORKS = """
import importlib, json, os, sys
programs, loaded = json.load(sys.stdin)
for name in loaded:
    importlib.import_module(name)
printed = {}
for name, program in programs.items():
    read, write = os.pipe()
    if not os.fork():
        os.dup2(write, 1)
        exec(program, {"__name__": "__main__"})
        sys.exit()
    os.close(write)
    with open(read) as answers:
        printed[name] = answers.read().split()
    code = os.waitstatus_to_exitcode(os.wait()[1])
    if code:
        sys.exit(f"{name}: exit code {code}")
print(json.dumps(printed))
"""


def run_forked(programs, *arguments, loaded=()):
    """Return the words that each of several programs prints; a warning for users is an error.

    The modules that are ``loaded`` before, beside torch, are imported once for all programs.
    """
    command = [sys.executable, "-W", "error::UserWarning", "-c", _FORKS, *arguments]
    given = json.dumps([programs, ["torch", *loaded]])
    done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
