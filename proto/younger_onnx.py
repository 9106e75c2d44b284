# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""usage: younger_onnx.py ONNX_PROTO OUT

The installed ONNX schema with the fields that younger ones have and that the importer reads."""
import re
import sys

FIELDS = {
    'NodeProto': ['optional string overload = 8;'],                         # IR version 10
    'FunctionProto': ['repeated AttributeProto attribute_proto = 11;',      # IR version 9
                      'optional string overload = 13;'],                    # IR version 10
}


def with_field(schema, message, field):
    name, number = re.search(r'(\w+) = (\d+);', field).groups()
    head = re.search(r'^message %s \{\n' % message, schema, re.MULTILINE)
    body = schema[head.end():schema.index('\n}', head.end())]
    if re.search(r'\b%s = %s;' % (name, number), body):
        return schema
    return schema[:head.end()] + '  %s\n' % field + schema[head.end():]


def main(source, out):
    with open(source, encoding='utf-8') as f:
        schema = f.read()
    for message, fields in FIELDS.items():
        for field in fields:
            schema = with_field(schema, message, field)
    with open(out, 'w', encoding='utf-8') as f:
        f.write(schema)


if __name__ == '__main__':
    main(*sys.argv[1:])
