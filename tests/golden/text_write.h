/* text_write.h - see text.h: schemas and values to text. */
#ifndef SLUICE_TESTS_GOLDEN_TEXT_WRITE_H
#define SLUICE_TESTS_GOLDEN_TEXT_WRITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "data/schema.h"

static void text_code(struct sluice_buf *out, unsigned code)
{
    if (code == '"' || code == '\\') sluice_buf_addf(out, "\\%c", (int)code);
    else if (code >= 0x20 && code <= 0x7e) sluice_buf_addf(out, "%c", (int)code);
    else sluice_buf_addf(out, "\\u%04x", code);
}

static void text_quote(struct sluice_buf *out, const char *s, size_t len)
{
    sluice_buf_adds(out, "\"");
    for (size_t i = 0; i < len;) {
        const unsigned char *b = (const unsigned char *)s + i;
        size_t n = sluice_utf8_char(s + i, len - i);
        unsigned code =
            n == 1   ? b[0]
            : n == 2 ? (b[0] & 31u) << 6 | (b[1] & 63u)
            : n == 3 ? (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u)
            : n == 4 ? (b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 | (b[3] & 63u)
                     : 0xFFFD;
        if (code > 0xFFFF) {
            text_code(out, 0xD800 | (code - 0x10000) >> 10);
            text_code(out, 0xDC00 | ((code - 0x10000) & 0x3FF));
        } else {
            text_code(out, code);
        }
        i += n ? n : 1;
    }
    sluice_buf_adds(out, "\"");
}

static void text_value(struct sluice_buf *out, const struct sluice_value *v);

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Entries in the order of their texts. */
static void text_map(struct sluice_buf *out, const struct sluice_value *v)
{
    char **entries = calloc(v->len + 1, sizeof *entries);
    for (size_t i = 0; i < v->len; i++) {
        struct sluice_buf entry;
        sluice_buf_init(&entry, SLUICE_BUF_MAX);
        text_value(&entry, &v->u.v[2 * i]);
        sluice_buf_adds(&entry, ":");
        text_value(&entry, &v->u.v[2 * i + 1]);
        entries[i] = strdup(sluice_buf_str(&entry));
        sluice_buf_fini(&entry);
    }
    qsort(entries, v->len, sizeof *entries, text_compare);
    sluice_buf_adds(out, "{");
    for (size_t i = 0; i < v->len; i++) {
        sluice_buf_addf(out, "%s%s", i ? "," : "", entries[i]);
        free(entries[i]);
    }
    sluice_buf_adds(out, "}");
    free(entries);
}

static void text_value(struct sluice_buf *out, const struct sluice_value *v)
{
    static const char letters[] = "nyhil";
    float f = (float)v->u.d;
    uint64_t bits;
    uint32_t bits32;
    switch ((enum sluice_type)v->type) {
    case SLUICE_NULL: sluice_buf_adds(out, "null"); return;
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64: sluice_buf_addf(out, "%c%lld", letters[v->type], (long long)v->u.i); return;
    case SLUICE_FLOAT32:
        memcpy(&bits32, &f, 4);
        sluice_buf_addf(out, "f%08x", f != f ? 0x7fc00000 : bits32);
        return;
    case SLUICE_FLOAT64:
        memcpy(&bits, &v->u.d, 8);
        if (v->u.d != v->u.d) bits = UINT64_C(0x7ff8000000000000);
        sluice_buf_addf(out, "d%016llx", (unsigned long long)bits);
        return;
    case SLUICE_BOOLEAN: sluice_buf_adds(out, v->u.i ? "true" : "false"); return;
    case SLUICE_STRING: text_quote(out, v->u.s, v->len); return;
    case SLUICE_BYTES:
        sluice_buf_adds(out, "b");
        for (uint32_t i = 0; i < v->len; i++) {
            sluice_buf_addf(out, "%02x", (unsigned char)v->u.s[i]);
        }
        return;
    case SLUICE_MAP: text_map(out, v); return;
    case SLUICE_ARRAY:
    case SLUICE_STRUCT:
        sluice_buf_adds(out, v->type == SLUICE_ARRAY ? "[" : "(");
        for (uint32_t i = 0; i < v->len; i++) {
            if (i) sluice_buf_adds(out, ",");
            text_value(out, &v->u.v[i]);
        }
        sluice_buf_adds(out, v->type == SLUICE_ARRAY ? "]" : ")");
    }
}

__attribute__((unused)) static void text_schema(struct sluice_buf *out,
                                                const struct sluice_schema *s)
{
    if (!s) {
        sluice_buf_adds(out, "-");
        return;
    }
    sluice_buf_addf(out, "%s%s", s->optional ? "?" : "", sluice_type_name(s->type));
    if (s->type >= SLUICE_ARRAY) sluice_buf_adds(out, "[");
    if (s->type == SLUICE_MAP) {
        text_schema(out, s->key);
        sluice_buf_adds(out, ",");
    }
    if (s->elem) text_schema(out, s->elem);
    for (uint32_t i = 0; i < s->fields_len; i++) {
        if (i) sluice_buf_adds(out, ",");
        text_quote(out, s->fields[i].name, strlen(s->fields[i].name));
        sluice_buf_adds(out, ":");
        text_schema(out, s->fields[i].schema);
    }
    if (s->type >= SLUICE_ARRAY) sluice_buf_adds(out, "]");
    if (s->name) {
        sluice_buf_adds(out, "@");
        text_quote(out, s->name, strlen(s->name));
    }
    if (s->has_version) sluice_buf_addf(out, "#%d", (int)s->version);
    if (s->doc) {
        sluice_buf_adds(out, "!");
        text_quote(out, s->doc, strlen(s->doc));
    }
    for (uint32_t i = 0; i < s->params_len; i++) {
        sluice_buf_adds(out, i ? "," : "%{");
        text_quote(out, s->params[i].key, strlen(s->params[i].key));
        sluice_buf_adds(out, "=");
        text_quote(out, s->params[i].value, strlen(s->params[i].value));
    }
    if (s->params_len) sluice_buf_adds(out, "}");
    if (s->has_dflt) {
        sluice_buf_adds(out, "=");
        text_value(out, &s->dflt);
    }
}

#endif
