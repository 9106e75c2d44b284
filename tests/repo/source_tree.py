"""The files of the tree, and C text without comments and literals, for the structural tests."""
import os
import re

SKIPPED = re.compile(r'^(\.git|__pycache__|build.*|subprojects|node_modules)$')


def list_files(root):
    """Paths relative to root, sorted; build folders and the like left out."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if not SKIPPED.match(f)]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files]
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
