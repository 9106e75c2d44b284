/* blob.c - reference-counted payloads of constants. */
#include "ir_internal.h"

#include <stdlib.h>
#include <string.h>

enum { SPLAT_MAX = 16 };
struct splat_blob {
    struct blob blob;
    unsigned char element[SPLAT_MAX];
};

struct blob *blob_view(const void *data, size_t bytes, void (*release)(void *), void *owner)
{
    struct blob *b = heap_alloc(sizeof *b);
    *b = (struct blob){.data = data, .bytes = bytes, .refs = 1, .release = release, .owner = owner};
    b->hash = hash_bytes(data, bytes, 0);
    return b;
}

struct blob *blob_own(void *data, size_t bytes)
{
    return blob_view(data, bytes, free, data);
}

struct blob *blob_splat(const void *element, size_t elem_bytes)
{
    if (elem_bytes > SPLAT_MAX)
        BUG("splat element of %zu bytes", elem_bytes);
    struct splat_blob *s = heap_alloc(sizeof *s);
    memcpy(s->element, element, elem_bytes);
    s->blob = (struct blob){.data = s->element, .bytes = elem_bytes, .splat = true, .refs = 1};
    s->blob.hash = hash_bytes(s->element, elem_bytes, 0);
    return &s->blob;
}

struct blob *blob_ref(struct blob *b)
{
    if (b->refs == UINT32_MAX)
        BUG("too many references to a blob");
    b->refs++;
    return b;
}

void blob_unref(struct blob *b)
{
    if (!b || --b->refs)
        return;
    if (b->release)
        b->release(b->owner);
    free(b);
}

void blob_forget(const struct blob *b)
{
    if (b->forget)
        b->forget(b->owner, b->data, b->bytes);
}

struct blob *ir_op_blob(const struct ir_op *op)
{
    return op->opcode == IR_constant ? op->attrs->constant.data : NULL;
}

bool ir_blob_fits(const struct blob *b, const struct ir_type *t)
{
    int64_t n;
    size_t elem = ir_dtype_bytes((enum ir_dtype)t->dtype);
    if (!ir_type_count(t, &n))
        return false;
    return b->bytes == (b->splat ? elem : (size_t)n * elem);
}
