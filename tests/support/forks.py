"""Programs that each need a fresh interpreter, after one import of torch for all."""

import json
import subprocess
import sys

from places import ROOT

# Each program runs in a fork of a process that has loaded torch and nothing of this project.
_FORKS = """
import json, os, sys, torch
printed = {}
for name, program in json.load(sys.stdin).items():
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


def run_forked(programs, *arguments):
    """Return the words that each of several programs prints; a warning for users is an error."""
    command = [sys.executable, "-W", "error::UserWarning", "-c", _FORKS, *arguments]
    given = json.dumps(programs)
    done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
