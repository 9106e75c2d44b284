/* attrs.c - attributes handled by their descriptors, so that no operation is named here. */
#include "ir_internal.h"

#include <string.h>

static void copy_list(struct ir_ints *list, struct arena *a)
{
    int64_t *at = ARENA_ARRAY(a, int64_t, list->n);
    if (list->n)
        memcpy(at, list->at, list->n * sizeof *at);
    list->at = at;
}

union ir_attrs *ir_attrs_copy(enum ir_opcode opcode, const union ir_attrs *from, struct arena *a)
{
    const struct ir_op_desc *desc = &ir_op_descs[opcode];
    union ir_attrs *to = ARENA_NEW(a, union ir_attrs);
    if (from)
        *to = *from;
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        void *field = (char *)to + desc->attrs[i].offset;
        if (desc->attrs[i].kind == IR_ATTR_ints)
            copy_list(field, a);
    }
    return to;
}
