/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* enums.c - the texts of enums.def, and what its values mean where a table says it best. */
#include "ir_internal.h"

#include <string.h>

#define ENUM(name) static const char *const texts_##name[] = {
#define CHOICE(name, id, text) text,
#define END_ENUM(name, count)                                                                      \
    }                                                                                              \
    ;
#include "enums.def"
#undef ENUM
#undef CHOICE
#undef END_ENUM

static const struct {
    const char *const *texts;
    unsigned n;
} enums[] = {
#define ENUM(name)                                                                                 \
    {                                                                                              \
        texts_##name,
#define CHOICE(name, id, text)
#define END_ENUM(name, count)                                                                      \
    count                                                                                          \
    }                                                                                              \
    ,
#include "enums.def"
#undef ENUM
#undef CHOICE
#undef END_ENUM
};

static unsigned enum_of(enum ir_attr_kind kind)
{
    if (!ir_attr_is_enum(kind))
        BUG("attribute kind %d has no choices", (int)kind);
    return (unsigned)kind - IR_ATTR_blob - 1;
}

const char *ir_choice_text(enum ir_attr_kind kind, unsigned choice)
{
    unsigned e = enum_of(kind);
    return choice < enums[e].n ? enums[e].texts[choice] : NULL;
}

bool ir_choice_parse(enum ir_attr_kind kind, const char *text, size_t n, unsigned *out)
{
    unsigned e = enum_of(kind);
    for (*out = 0; *out < enums[e].n; ++*out) {
        if (strlen(enums[e].texts[*out]) == n && memcmp(enums[e].texts[*out], text, n) == 0)
            return true;
    }
    return false;
}

#define ENUM(name)                                                                                 \
    const char *ir_##name##_name(enum ir_##name x)                                                 \
    {                                                                                              \
        const char *text = ir_choice_text(IR_ATTR_enum_##name, x);                                 \
        return text ? text : "?";                                                                  \
    }
#define CHOICE(name, id, text)
#define END_ENUM(name, count)
#include "enums.def"
#undef ENUM
#undef CHOICE
#undef END_ENUM

bool ir_dtype_parse(const char *name, size_t n, enum ir_dtype *out)
{
    unsigned choice;
    bool known = ir_choice_parse(IR_ATTR_enum_dtype, name, n, &choice);
    if (known)
        *out = (enum ir_dtype)choice;
    return known;
}

const uint8_t *ir_order_axes(enum ir_order order)
{
    static const uint8_t axes[IR_N_ORDERS][3] = {
        [IR_NO_ORDER] = {0, 1, 2}, [IR_HWC] = {0, 1, 2}, [IR_HCW] = {0, 2, 1}, [IR_WHC] = {1, 0, 2},
        [IR_WCH] = {1, 2, 0},      [IR_CHW] = {2, 0, 1}, [IR_CWH] = {2, 1, 0},
    };
    return axes[order];
}
