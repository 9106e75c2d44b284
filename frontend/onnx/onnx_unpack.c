/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_unpack.c - from a path to an unpacked protobuf message.
 *
 * In: a file and the message it holds. Out: an onnx_source: the message (in an arena; protobuf-c's
 * frees do nothing), and the file's mapping, which every blob that views it keeps alive.
 */
#include "onnx_source.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct onnx_file {
    struct file file;
    atomic_size_t refs;
};

struct onnx_file *onnx_file_share(struct file f)
{
    struct onnx_file *shared = heap_alloc(sizeof *shared);
    *shared = (struct onnx_file){.file = f, .refs = 1};
    return shared;
}

struct onnx_file *onnx_file_open(const char *path, struct arena *names, struct diag *d)
{
    struct file f;
    if (file_open(path, names, d, &f))
        return onnx_file_share(f);
    onnx_note_folder(path, d);
    return NULL;
}

const struct file *onnx_file_of(const struct onnx_file *f)
{
    return &f->file;
}

void onnx_file_unref(void *owner)
{
    struct onnx_file *f = owner;
    if (--f->refs)
        return;
    file_close(&f->file);
    heap_free(f);
}

static void forget_pages(void *owner, const void *data, size_t bytes)
{
    const struct onnx_file *f = owner;
    file_forget(&f->file, data, bytes);
}

/* The message in out->file. */
static bool unpack(const ProtobufCMessageDescriptor *root, struct onnx_source *out, struct diag *d)
{
    ProtobufCAllocator allocator = {arena_hook_alloc, arena_hook_free, out->arena};
    out->externals = ARENA_NEW(out->arena, void *);
    out->bytes = ARENA_NEW(out->arena, uint64_t);
    *out->bytes = out->file->file.size;
    if (!onnx_guard(&out->file->file, root, &out->wire, d))
        return false;
    out->root = protobuf_c_message_unpack(root, &allocator, out->wire.message.n,
                                          (const uint8_t *)out->wire.message.at);
    text_free(&out->wire.message);
    return out->root || diag_error(d, (struct loc){.file = out->file->file.path}, DIAG_ONNX_WIRE,
                                   "is not a well-formed %s", root->short_name);
}

bool onnx_source_open(const char *path, const ProtobufCMessageDescriptor *root,
                      struct onnx_source *out, struct diag *d)
{
    *out = (struct onnx_source){.arena = arena_new()};
    out->file = onnx_file_open(path, out->arena, d);
    out->path = strcmp(path, "-") == 0 ? NULL : arena_strdup(out->arena, path);
    if (out->file && unpack(root, out, d))
        return true;
    onnx_source_close(out);
    return false;
}

bool onnx_source_read(const struct onnx_memory *memory, const char *path,
                      const ProtobufCMessageDescriptor *root, struct onnx_source *out,
                      struct diag *d)
{
    *out = (struct onnx_source){.arena = arena_new()};
    out->path = path ? arena_strdup(out->arena, path) : NULL;
    out->file = onnx_file_share((struct file){.data = memory->bytes,
                                              .size = memory->n,
                                              .path = path ? out->path : "<memory>",
                                              .borrowed = true});
    if (unpack(root, out, d))
        return true;
    onnx_source_close(out);
    return false;
}

void onnx_source_close(struct onnx_source *s)
{
    onnx_wire_free(&s->wire);
    onnx_externals_close(s);
    if (s->file)
        onnx_file_unref(s->file);
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

struct blob *onnx_bytes_view(const struct onnx_bytes *b)
{
    b->file->refs++;
    struct blob *blob = blob_view(b->at, b->n, onnx_file_unref, b->file);
    blob->forget = forget_pages;
    return blob;
}

void onnx_bytes_forget(const struct onnx_bytes *b)
{
    file_forget(&b->file->file, b->at, b->n);
}
