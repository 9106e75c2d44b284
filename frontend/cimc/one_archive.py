#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""One archive of one object out of the rooms' libraries, in which only what is not hidden can be seen from outside.

usage: one_archive.py OUT WHOLE,LIBRARY,... OBJCOPY AR COMPILER...

WHOLE comes in whole, of the other libraries what is needed. So names of the rooms cannot collide with those of a program
that is linked with the archive.
"""
import os
import subprocess
import sys


def main(out, libraries, objcopy, ar, compiler):
    whole, *others = libraries.split(',')
    made = out + '.o'
    subprocess.check_call([*compiler, '-r', '-nostdlib', '-o', made, '-Wl,--whole-archive', whole, '-Wl,--no-whole-archive',
                           '-Wl,--start-group', *others, '-Wl,--end-group'])
    # clang makes the functions by which the loader chooses among clones known to all.
    subprocess.check_call([objcopy, '--localize-hidden', '--wildcard', '--localize-symbol=*.resolver', made])
    if os.path.exists(out):
        os.unlink(out)
    subprocess.check_call([ar, 'rcsD', out, made])
    os.unlink(made)


if __name__ == '__main__':
    main(*sys.argv[1:5], sys.argv[5:])
