# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The files of the tree, and C text without comments and literals, for the structural tests."""
import os
import re

SKIPPED = re.compile(r'^(\.git|__pycache__|build.*|subprojects|node_modules)$')


def list_files(root):
    """Paths relative to root, sorted; build folders and the like left out."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if not SKIPPED.match(f)]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files if f != '.git']    # a file in a worktree
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as f:
        return f.read()


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(text, keep_strings=False):
    """C text with comments and literals replaced by blanks; line numbers stay."""
    def replacement(match):
        token = match.group()
        if keep_strings and token[0] in '"\'':
            return token
        return re.sub(r'[^\n]', ' ', token)
    return TOKEN.sub(replacement, text)


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def functions(code):
    """(name, line of its brace, lines) of each function. The format puts a function's braces alone at the left edge."""
    lines, start = code.split('\n'), None
    for i, text in enumerate(lines):
        if text.rstrip() == '{' and i:
            head = i - 1
            while head > 0 and lines[head][:1] in ' \t':    # a long head goes on indented
                head -= 1
            start, found = i, re.search(r'(\w+)\s*\(', ' '.join(lines[head:i]))
        elif text.startswith('}') and start is not None:
            yield found.group(1) if found else '?', start + 1, i - start + 1
            start = None
