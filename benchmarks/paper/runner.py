# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Runs cimc, one process for each question.

In:  a model file and options of `cimc compile` or `cimc run`.
Out: the decoded `--json` report. A command that fails raises RunError with its message.
"""

import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The page whose tables the commands write.
BENCHMARKS = os.path.join(ROOT, "benchmarks", "BENCHMARKS.md")
BUILT_CIMC = os.path.join(ROOT, "build", "frontend", "cli", "cimc")
DEFAULT_CIMC = BUILT_CIMC if os.path.exists(BUILT_CIMC) else "cimc"


class RunError(Exception):
    """A command failed; the text is its command line and standard error."""


def run(command, *, may_differ=False):
    """Standard output. may_differ: exit status 1 is no failure if there is output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not (may_differ and done.returncode == 1 and done.stdout):
        raise RunError("%s\nended with %d\n%s" % (" ".join(command), done.returncode,
                                                  done.stderr.strip()))
    return done.stdout


class Cimc:
    def __init__(self, path):
        self.path = os.path.abspath(path)
        if not os.access(self.path, os.X_OK):
            raise RunError("no program %s: build it (./quickstart) or name it with --cimc" % path)

    def report(self, command, operand, options=()):
        """The report of any command that has --json."""
        return json.loads(run([self.path, command, operand, "--json", *options]))

    def compile(self, model, options=(), output=os.devnull):
        """The report; the program itself is thrown away unless `output` names a file."""
        return self.report("compile", model, ["-o", output, *options])

    def simulate(self, model, options=(), test_data=None):
        """As compile, then executes the program; without test data the evaluator is the reference.
        Wrong answers are a report too: `outputs` and `simulated_cycles` say so."""
        data = ["--test-data", test_data] if test_data else ["--input-fill", "random:1"]
        return self.execute(model, [*data, *options])

    def execute(self, model, options):
        """`cimc run` with these options; they say where the inputs come from."""
        return json.loads(run([self.path, "run", model, "--json", *options], may_differ=True))

    def graph_text(self, model, stage):
        """IR text after the pass `stage`."""
        return run([self.path, "opt", model, "--stop-after", stage])


def find_test_data(model):
    """MODEL's folder of one test image: NAME_data beside NAME.onnx, or its own folder; or None."""
    folder = os.path.dirname(os.path.abspath(model))
    name = os.path.splitext(os.path.basename(model))[0]
    for base in (os.path.join(folder, name + "_data"), folder):
        data = os.path.join(base, "test_data_set_0")
        if os.path.exists(os.path.join(data, "input_0.pb")):
            return data
    return None
