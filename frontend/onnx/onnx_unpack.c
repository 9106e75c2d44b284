/*
 * onnx_unpack.c - from a path to an unpacked protobuf message.
 *
 * In: a file and the message it holds. Out: an onnx_source: the message (in an arena; protobuf-c's
 * frees do nothing), and the file's mapping, which every blob that views it keeps alive.
 */
#include "onnx_internal.h"

#include <stdlib.h>
#include <string.h>

struct onnx_file {
    struct file file;
    size_t refs;
};

static void file_unref(void *owner)
{
    struct onnx_file *f = owner;
    if (--f->refs)
        return;
    file_close(&f->file);
    free(f);
}

static void *alloc_in_arena(void *arena, size_t bytes)
{
    return arena_alloc(arena, bytes);
}

static void keep_in_arena(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

bool onnx_source_open(const char *path, const ProtobufCMessageDescriptor *root,
                      struct onnx_source *out, struct diag *d)
{
    *out = (struct onnx_source){.arena = arena_new()};
    struct file f;
    if (!file_open(path, out->arena, d, &f)) {
        onnx_source_close(out);
        return false;
    }
    out->file = heap_alloc(sizeof *out->file);
    *out->file = (struct onnx_file){.file = f, .refs = 1};
    ProtobufCAllocator allocator = {alloc_in_arena, keep_in_arena, out->arena};
    bool ok = onnx_guard(&f, root, &out->wire, d);
    if (ok) {
        out->root = protobuf_c_message_unpack(root, &allocator, out->wire.message.n,
                                              (const uint8_t *)out->wire.message.at);
        text_free(&out->wire.message);
        ok = out->root != NULL;
        if (!ok)
            diag_error(d, (struct loc){.file = f.path}, DIAG_ONNX_WIRE, "is not a well-formed %s",
                       root->short_name);
    }
    if (!ok)
        onnx_source_close(out);
    return ok;
}

void onnx_source_close(struct onnx_source *s)
{
    onnx_wire_free(&s->wire);
    if (s->file)
        file_unref(s->file);
    arena_free(s->arena);
    *s = (struct onnx_source){0};
}

const struct onnx_cut *onnx_source_cut(const struct onnx_source *s, const Onnx__TensorProto *t)
{
    uint32_t index;
    if (t->base.n_unknown_fields == 0)
        return NULL;
    const ProtobufCMessageUnknownField *mark = &t->base.unknown_fields[0];
    if (mark->tag != ONNX_MARK || mark->len != sizeof index)
        BUG("a field came through the guard unknown");
    memcpy(&index, mark->data, sizeof index);
    return &s->wire.cuts[index];
}

struct blob *onnx_source_view(const struct onnx_source *s, const void *data, size_t bytes)
{
    s->file->refs++;
    struct blob *b = blob_view(data, bytes, file_unref, s->file);
    onnx_source_forget(s, data, bytes); /* hashing has read it; it is not needed in memory yet */
    return b;
}

void onnx_source_forget(const struct onnx_source *s, const void *data, size_t bytes)
{
    file_forget(&s->file->file, data, bytes);
}
