# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Test points in the Test Anything Protocol, which meson reads."""
import sys


class Tap:
    def __init__(self):
        self.n_points = 0
        self.n_failed = 0

    def point(self, name, problems=(), skip=None):
        """One test point: it passes if `problems`, a list of texts, is empty. They go to standard error, which meson shows."""
        self.n_points += 1
        problems = list(problems)
        self.n_failed += bool(problems)
        print('%s %d - %s%s' % ('not ok' if problems else 'ok', self.n_points, name.replace('#', '\\#'),
                                ' # SKIP ' + skip if skip else ''))
        sys.stdout.flush()
        for problem in problems:
            print('%s: %s' % (name, problem), file=sys.stderr)

    def finish(self):
        """Prints the plan; returns the exit code."""
        print('1..%d' % self.n_points)
        return 1 if self.n_failed else 0
