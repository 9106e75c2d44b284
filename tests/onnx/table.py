#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What ONNX's own tests give, by set and by operator, as Markdown.

usage: table.py LIST

Exit status 77 where the tests are not installed, whose models say which operator each is of: that of its node; of a model of several
nodes that a test of the same name without `_expanded...` has; else `(several)`. Reasons are the most frequent ones of the list.
"""
import collections
import os
import re
import sys

FOLDER = '/usr/share/libonnx-testdata/data'
SETS = ('node', 'pytorch-converted', 'pytorch-operator', 'simple')
VERDICTS = ('passed', 'folded', 'refused', 'disputed')
GRAPH, NODE, OPERATOR = 7, 1, 4    # fields of ModelProto, GraphProto and NodeProto


def varint(data, at):
    x = shift = 0
    while True:
        x |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return x, at


def fields(data, number):
    """The length-delimited fields of that number, of a message that is well-formed."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            at = varint(data, at)[1]
            continue
        n, at = varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
        if tag == number << 3 | 2:
            yield data[at:at + n]
        at += n


def operators(test):
    with open(os.path.join(FOLDER, test, 'model.onnx'), 'rb') as f:
        graph = next(fields(f.read(), GRAPH))
    return [next(fields(node, OPERATOR)).decode() for node in fields(graph, NODE)]


def operator_of(test, tests):
    plain = re.sub('_expanded.*', '', test)
    names = operators(plain if plain in tests else test)
    return names[0] if len(names) == 1 else '(several)'


def read_list(path):
    """test -> (verdict, text)"""
    with open(path, encoding='utf-8') as f:
        lines = [line.rstrip('\n').split(' ', 2) for line in f]
    return {line[0]: (line[1], line[2] if len(line) > 2 else '') for line in lines}


def row(name, verdicts):
    counts = collections.Counter(verdict for verdict, _ in verdicts)
    return '| %s | %s |' % (name, ' | '.join(str(counts[v] or '') for v in VERDICTS))


def why(verdicts):
    """The most frequent reasons, without the codes and what follows a name."""
    texts = (re.sub(r'^[a-z-]+: ', '', text) for verdict, text in verdicts if verdict in ('refused', 'disputed'))
    texts = (re.sub(r'^1 operator is not supported at opset \d+: ', 'there is no ', text).replace('|', '')[:90] for text in texts)
    counts = collections.Counter(texts)
    return '; '.join(text for text, _ in counts.most_common(2))


def main(path):
    if not os.path.isdir(FOLDER):
        return 77
    tests = read_list(path)
    groups = collections.defaultdict(list)
    for test, verdict in tests.items():
        groups[operator_of(test, tests)].append(verdict)
    head = ' | '.join(VERDICTS)
    print('| set | %s |\n|---|%s' % (head, '---|' * len(VERDICTS)))
    for name in SETS:
        print(row(name, [v for test, v in tests.items() if test.startswith(name + '/')]))
    print(row('all', list(tests.values())))
    print('\n| operator | %s | why not |\n|---|%s---|' % (head, '---|' * len(VERDICTS)))
    for name in sorted(groups):
        print('%s %s |' % (row(name, groups[name]), why(groups[name])))
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
