/* protobuf_model.c - names, paths and links between .proto files. */
#include "data/converters/protobuf_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void pb_set_init(struct pb_set *set)
{
    memset(set, 0, sizeof *set);
    sluice_arena_init(&set->arena, 16384);
}

void pb_set_fini(struct pb_set *set) { sluice_arena_fini(&set->arena); }

void *pb_grow(struct sluice_arena *arena, void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return items;
    assert(size > 0 && n == *cap);
    size_t grown_cap = *cap ? *cap * 2 : 4;
    void *grown = sluice_arena_alloc(arena, grown_cap * size);
    if (n) memcpy(grown, items, n * size);
    *cap = grown_cap;
    return grown;
}

static const char *const scalars[] = {
    [PB_DOUBLE] = "double",     [PB_FLOAT] = "float",   [PB_INT64] = "int64",
    [PB_UINT64] = "uint64",     [PB_INT32] = "int32",   [PB_FIXED64] = "fixed64",
    [PB_FIXED32] = "fixed32",   [PB_BOOL] = "bool",     [PB_STRING] = "string",
    [PB_BYTES] = "bytes",       [PB_UINT32] = "uint32", [PB_SFIXED32] = "sfixed32",
    [PB_SFIXED64] = "sfixed64", [PB_SINT32] = "sint32", [PB_SINT64] = "sint64",
};

const char *pb_type_name(enum pb_type type)
{
    assert(type < sizeof scalars / sizeof *scalars && scalars[type]);
    return scalars[type];
}

enum pb_type pb_type_of(const char *name)
{
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        if (scalars[i] && strcmp(scalars[i], name) == 0) return (enum pb_type)i;
    }
    return PB_UNKNOWN;
}

const char *pb_param(const struct pb_pairs *params, const char *key)
{
    for (size_t i = 0; i < params->n; i++) {
        if (strcmp(params->items[i].key, key) == 0) return params->items[i].value;
    }
    return NULL;
}

bool pb_is_map(const struct pb_field *field)
{
    if (field->label != PB_REPEATED || field->type != PB_MESSAGE) return false;
    const struct pb_message *entry = field->message;
    assert(entry);
    size_t n = strlen(entry->name);
    return n >= 5 && strcmp(entry->name + n - 5, "Entry") == 0 && entry->fields_n == 2 &&
           strcmp(entry->fields[0].name, "key") == 0 &&
           strcmp(entry->fields[1].name, "value") == 0 && entry->fields[0].label != PB_REPEATED &&
           entry->fields[1].label != PB_REPEATED && entry->fields[0].type != PB_MESSAGE &&
           entry->fields[0].type != PB_GROUP;
}

/* ---- paths ---- */

const struct pb_message *pb_message_at(const struct pb_file *file, const int32_t *path, size_t n,
                                       struct sluice_err *err)
{
    const struct pb_message *at = &file->top;
    for (size_t i = 0; i < n; i++) {
        if (path[i] < 0 || (size_t)path[i] >= at->messages_n) {
            sluice_err_set(err,
                           "the record's message index %d lies outside of the %zu messages of "
                           "%s",
                           path[i], at->messages_n, at->full_name ? at->full_name : "its schema");
            return NULL;
        }
        at = at->messages[path[i]];
    }
    assert(n > 0);
    return at;
}

static bool path_below(const struct pb_message *at, const char *full_name, int32_t *path,
                       size_t *depth)
{
    size_t here = *depth;
    for (size_t i = 0; here < PB_DEPTH && i < at->messages_n; i++) {
        path[here] = (int32_t)i;
        *depth = here + 1;
        if (strcmp(at->messages[i]->full_name, full_name) == 0) return true;
        if (path_below(at->messages[i], full_name, path, depth)) return true;
    }
    *depth = here;
    return false;
}

size_t pb_path_of(const struct pb_file *file, const char *full_name, int32_t path[PB_DEPTH])
{
    size_t depth = 0;
    return path_below(&file->top, full_name, path, &depth) ? depth : 0;
}

/* ---- links ---- */

static bool add_imports(struct pb_set *set, struct sluice_err *err)
{
    for (size_t i = 0; i < set->files_n; i++) { /* grows meanwhile */
        const struct pb_file *file = set->files[i];
        for (size_t k = 0; k < file->imports_n; k++) {
            const char *name = file->imports[k];
            bool there = false;
            for (size_t j = 0; j < set->files_n; j++) {
                there = there || strcmp(set->files[j]->name, name) == 0;
            }
            const char *text = there ? NULL : pb_well_known(name);
            if (text && !pb_parse(set, name, text, strlen(text), err)) return false;
        }
    }
    return true; /* what is missing shows when a type is */
}

static int named_compare(const void *a, const void *b)
{
    const struct pb_named *x = a, *y = b;
    return strcmp(x->full_name, y->full_name);
}

static const struct pb_named *find_full(const struct pb_set *set, const char *full_name)
{
    struct pb_named key = {.full_name = full_name};
    if (set->types_n == 0) return NULL;
    return bsearch(&key, set->types, set->types_n, sizeof key, named_compare);
}

/* From the innermost scope outwards, as protoc looks names up. */
static const struct pb_named *find(struct pb_set *set, const char *scope, const char *name)
{
    if (*name == '.') return find_full(set, name + 1);
    size_t scope_len = strlen(scope), name_len = strlen(name);
    char *full = sluice_arena_alloc(&set->arena, scope_len + name_len + 2);
    for (;;) {
        memcpy(full, scope, scope_len);
        size_t at = scope_len;
        if (at) full[at++] = '.';
        memcpy(full + at, name, name_len + 1);
        const struct pb_named *named = find_full(set, full);
        if (named || scope_len == 0) return named;
        while (scope_len && scope[scope_len - 1] != '.') scope_len--;
        if (scope_len) scope_len--;
    }
}

static bool link_fields(struct pb_set *set, struct pb_message *message, struct sluice_err *err)
{
    for (size_t i = 0; i < message->fields_n; i++) {
        struct pb_field *field = &message->fields[i];
        if (field->type != PB_UNKNOWN && field->type != PB_GROUP) continue;
        const struct pb_named *named = find(set, message->full_name, field->type_name);
        if (!named) {
            return sluice_err_set(err,
                                  "field %s.%s has the type %s, which neither the schema nor what "
                                  "it imports defines",
                                  message->full_name, field->name, field->type_name);
        }
        field->message = named->message;
        field->enumeration = named->enumeration;
        if (field->type == PB_UNKNOWN) field->type = named->message ? PB_MESSAGE : PB_ENUM;
        if (field->enumeration && field->enumeration->n == 0) {
            return sluice_err_set(err, "the enum %s has no values", named->full_name);
        }
    }
    for (size_t i = 0; i < message->messages_n; i++) {
        if (!link_fields(set, message->messages[i], err)) return false;
    }
    return true;
}

bool pb_link(struct pb_set *set, struct sluice_err *err)
{
    if (!add_imports(set, err)) return false;
    if (set->types_n) qsort(set->types, set->types_n, sizeof *set->types, named_compare);
    for (size_t i = 1; i < set->types_n; i++) {
        if (strcmp(set->types[i - 1].full_name, set->types[i].full_name) == 0) {
            return sluice_err_set(err, "the schema defines %s twice", set->types[i].full_name);
        }
    }
    for (size_t i = 0; i < set->files_n; i++) {
        if (!link_fields(set, &set->files[i]->top, err)) return false;
    }
    return true;
}
