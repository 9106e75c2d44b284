# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What the command line tests share: running cimc in a scratch folder, expectations, the bundled model."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import Tap  # noqa: E402


def clip(value):
    return value[:1500] if isinstance(value, (str, bytes)) else value


class Bench:
    def __init__(self, cimc, root, folder):
        self.cimc = os.path.abspath(cimc)
        self.root = os.path.abspath(root)
        self.folder = folder
        self.digits = os.path.join(self.root, 'benchmarks', 'digits')
        self.model = os.path.join(self.digits, 'digits.onnx')
        self.problems = []
        self.skipped = None    # why, where a case could not be run

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), 'rb') as f:
            return f.read()

    def write(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return self.path(name)

    def test_data(self, k):
        return os.path.join(self.digits, 'test_data_set_%d' % k)

    def run(self, *arguments, code=0, stdin=b'', environment=None, stdout=subprocess.PIPE):
        """Runs cimc and expects the exit code, or one of a tuple. Output is text where it can be."""
        done = subprocess.run([self.cimc, *arguments], input=stdin if isinstance(stdin, bytes) else stdin.encode(),
                              stdout=stdout, stderr=subprocess.PIPE, cwd=self.folder, timeout=120,
                              env=dict(os.environ, **(environment or {})))
        done.stderr = done.stderr.decode(errors='replace')
        done.data = done.stdout or b''
        done.stdout = done.data.decode(errors='replace')
        codes = code if isinstance(code, tuple) else (code,)
        self.expect(done.returncode in codes, 'cimc %s: exit code %d, expected %s\n%s' % (
            ' '.join(arguments), done.returncode, ' or '.join(map(str, codes)), done.stderr[:2000]))
        if done.returncode == 0:
            self.expect('error:' not in done.stderr, 'success with an error message: ' + done.stderr[:500])
        elif done.returncode in (1, 2):
            self.expect('error: ' in done.stderr, 'cimc %s: failed without a message' % ' '.join(arguments))
        return done

    def fails(self, *arguments, code, message, **more):
        """Runs cimc, expects the exit code, exactly this standard error, and nothing on standard output."""
        done = self.run(*arguments, code=code, **more)
        self.equal(done.stderr, message + '\n', ' '.join(arguments) + ': standard error')
        self.equal(done.stdout, '', ' '.join(arguments) + ': standard output')

    def expect(self, condition, problem):
        if not condition:
            self.problems.append(problem)

    def equal(self, got, wanted, what):
        if got != wanted:
            self.problems.append('%s\n  expected: %r\n  got:      %r' % (what, clip(wanted), clip(got)))

    def contains(self, text, *parts):
        for part in parts:
            self.expect(part in text, 'there is no %r in:\n%s' % (part, text[:1500]))


def run_cases(cases):
    """Each case is a function of a Bench with its own scratch folder; its comment line names the test point."""
    cimc, root = sys.argv[1:3]
    tap = Tap()
    for case in cases:
        with tempfile.TemporaryDirectory(prefix='cimc-test-') as folder:
            bench = Bench(cimc, root, folder)
            try:
                case(bench)
            except Exception as e:    # a broken case must not hide the others
                bench.problems.append('%s: %s' % (type(e).__name__, e))
            tap.point(case.__doc__.strip(), bench.problems, bench.skipped)
    return tap.finish()
