# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""JSON Schema as far as cimc.schema.json needs it: a few lines instead of a package. Keywords that are not known are an error.

Where the package jsonschema is there, it has to say the same.
"""
try:
    import jsonschema
except ImportError:
    jsonschema = None

TYPES = {'object': dict, 'array': list, 'string': str, 'boolean': bool, 'null': type(None)}
NOTES = {'description', 'title', '$comment', '$schema', '$defs'}


def is_type(x, name):
    if name in ('integer', 'number'):
        return not isinstance(x, bool) and (isinstance(x, int) or isinstance(x, float) and (name == 'number' or x.is_integer()))
    return isinstance(x, TYPES[name])


class Validator:
    def __init__(self, root):
        self.root = root

    def faults(self, x, schema, at):
        """Faults of a value, and which of its keys the schema knows."""
        found, known = [], set()

        def apply(part, keys=True):
            inner, names = self.faults(x, part, at)
            if keys:
                known.update(names)
            return inner
        for word, value in schema.items():
            if word == '$ref':
                found += apply(self.root['$defs'][value.split('/')[-1]])
            elif word == 'allOf':
                for part in value:
                    found += apply(part)
            elif word in ('anyOf', 'oneOf'):
                n = sum(not self.faults(x, part, at)[0] for part in value)
                if n == 0 or word == 'oneOf' and n > 1:
                    found.append('%s: %d of %s hold' % (at, n, word))
            elif word == 'type':
                names = value if isinstance(value, list) else [value]
                if not any(is_type(x, name) for name in names):
                    found.append('%s: %r is no %s' % (at, x, ' or '.join(names)))
            elif word == 'enum':
                if x not in value:
                    found.append('%s: %r is none of %s' % (at, x, value))
            elif word == 'properties' and isinstance(x, dict):
                known |= set(value)
                for key in set(value) & set(x):
                    found += self.faults(x[key], value[key], at + '.' + key)[0]
            elif word == 'required' and isinstance(x, dict):
                found += ['%s: there is no %s' % (at, key) for key in value if key not in x]
            elif word == 'items' and isinstance(x, list):
                for i, item in enumerate(x):
                    found += self.faults(item, value, '%s[%d]' % (at, i))[0]
            elif word in ('minItems', 'maxItems') and isinstance(x, list):
                if (len(x) - value) * (1 if word == 'minItems' else -1) < 0:
                    found.append('%s: %s' % (at, word))
            elif word in ('minimum', 'maximum') and is_type(x, 'number'):
                if (x - value) * (1 if word == 'minimum' else -1) < 0:
                    found.append('%s: %r is beyond %s %r' % (at, x, word, value))
            elif word not in NOTES | {'additionalProperties', 'unevaluatedProperties', 'properties', 'required', 'items', 'minItems', 'maxItems',
                                      'minimum', 'maximum'}:
                raise ValueError('unknown keyword ' + word)
        for word in ('additionalProperties', 'unevaluatedProperties'):    # both are false: keys that nothing above knows
            if schema.get(word) is False and isinstance(x, dict):
                found += ['%s: unknown key %s' % (at, key) for key in x if key not in known]
        return found, known


def faults(x, part, root):
    found = Validator(root).faults(x, part, 'result')[0]
    if jsonschema:
        valid = jsonschema.Draft202012Validator(dict(root, oneOf=[part])).is_valid(x)
        if valid != (not found):
            found.append('jsonschema says it is %s' % ('valid' if valid else 'not valid'))
    return found
