/* text.h - schemas and values as one line of text, for golden files: the twin of java/Text.java.
 *
 *     ?STRUCT["a":INT32=i5,"b":MAP[STRING,?INT8]]@"name"#version!"doc"%{"k"="v"}=default
 *     y1 h1 i1 l1: integers; f, d: bits in hex; "text"; b0aff: octets; [..] {k:v} (struct) null true
 *
 * Header only, because a test is one file. */
#ifndef SLUICE_TESTS_GOLDEN_TEXT_H
#define SLUICE_TESTS_GOLDEN_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/props.h"
#include "base/utf8.h"
#include "data/batch.h"
#include "data/schema.h"
#include "harness.h"

/* ---- writing ---- */

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
        unsigned code = n == 1   ? b[0]
                        : n == 2 ? (b[0] & 31u) << 6 | (b[1] & 63u)
                        : n == 3 ? (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u)
                        : n == 4 ? (b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 |
                                       (b[3] & 63u)
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
    case SLUICE_NULL:
        sluice_buf_adds(out, "null");
        return;
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
        sluice_buf_addf(out, "%c%lld", letters[v->type], (long long)v->u.i);
        return;
    case SLUICE_FLOAT32:
        memcpy(&bits32, &f, 4);
        sluice_buf_addf(out, "f%08x", f != f ? 0x7fc00000 : bits32);
        return;
    case SLUICE_FLOAT64:
        memcpy(&bits, &v->u.d, 8);
        if (v->u.d != v->u.d) bits = UINT64_C(0x7ff8000000000000);
        sluice_buf_addf(out, "d%016llx", (unsigned long long)bits);
        return;
    case SLUICE_BOOLEAN:
        sluice_buf_adds(out, v->u.i ? "true" : "false");
        return;
    case SLUICE_STRING:
        text_quote(out, v->u.s, v->len);
        return;
    case SLUICE_BYTES:
        sluice_buf_adds(out, "b");
        for (uint32_t i = 0; i < v->len; i++) {
            sluice_buf_addf(out, "%02x", (unsigned char)v->u.s[i]);
        }
        return;
    case SLUICE_MAP:
        text_map(out, v);
        return;
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

/* ---- reading; everything goes to the batch, a mistake fails the test ---- */

struct text_reader {
    const char *at;
    struct sluice_batch *batch;
};

static bool text_take(struct text_reader *r, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(r->at, word, n) != 0) return false;
    r->at += n;
    return true;
}

static char *text_string(struct text_reader *r, size_t *len)
{
    char *out = sluice_batch_alloc(r->batch, strlen(r->at) + 1), *to = out;
    unsigned high = 0;
    if (!text_take(r, "\"")) FAIL("a quoted text was expected at: %.60s", r->at);
    for (; *r->at != '"'; r->at++) {
        if (!*r->at) FAIL("a text has no end");
        if (*r->at == '\\' && *++r->at == 'u') {
            unsigned code;
            if (sscanf(r->at + 1, "%4x", &code) != 1) FAIL("bad escape: %.60s", r->at);
            r->at += 4;
            if (code >= 0xD800 && code < 0xDC00) {
                high = code;
                continue;
            }
            if (code >= 0xDC00 && code < 0xE000) {
                code = 0x10000 + ((high & 0x3FF) << 10) + (code & 0x3FF);
            }
            to += sluice_utf8_put(code, to);
            continue;
        }
        *to++ = *r->at;
    }
    r->at++;
    *to = '\0';
    if (len) *len = (size_t)(to - out);
    return out;
}

static struct sluice_value text_read_value(struct text_reader *r);

static struct sluice_value text_read_children(struct text_reader *r, enum sluice_type type,
                                              char close)
{
    size_t n = 0;
    struct sluice_value *items = sluice_batch_alloc(r->batch, 4096 * sizeof *items);
    while (*r->at != close) {
        if (n && n < 4094 && !text_take(r, type == SLUICE_MAP && n % 2 ? ":" : ",")) {
            FAIL("a separator was expected at: %.60s", r->at);
        }
        items[n++] = text_read_value(r);
    }
    r->at++;
    return sluice_nested(type, items, type == SLUICE_MAP ? n / 2 : n);
}

static struct sluice_value text_read_value(struct text_reader *r)
{
    static const char letters[] = "yhil";
    char c = *r->at;
    char *end;
    if (text_take(r, "null")) return sluice_null();
    if (text_take(r, "true")) return sluice_bool(true);
    if (text_take(r, "false")) return sluice_bool(false);
    if (c == '"') {
        size_t len;
        char *s = text_string(r, &len);
        return sluice_string(s, len);
    }
    r->at++;
    if (c == '[') return text_read_children(r, SLUICE_ARRAY, ']');
    if (c == '(') return text_read_children(r, SLUICE_STRUCT, ')');
    if (c == '{') return text_read_children(r, SLUICE_MAP, '}');
    if (c == 'b') {
        size_t n = strspn(r->at, "0123456789abcdef") / 2;
        char *octets = sluice_batch_alloc(r->batch, n);
        for (size_t i = 0; i < n; i++, r->at += 2) {
            unsigned x;
            if (sscanf(r->at, "%2x", &x) == 1) octets[i] = (char)x;
        }
        return sluice_bytes(octets, n);
    }
    if (c == 'f' || c == 'd') {
        struct sluice_value v = sluice_float64(0);
        uint64_t bits = strtoull(r->at, &end, 16);
        uint32_t bits32 = (uint32_t)bits;
        float f;
        memcpy(&f, &bits32, 4);
        if (c == 'f') v.u.d = (double)f;
        else memcpy(&v.u.d, &bits, 8);
        v.type = c == 'f' ? SLUICE_FLOAT32 : SLUICE_FLOAT64;
        r->at = end;
        return v;
    }
    const char *letter = c ? strchr(letters, c) : NULL;
    if (!letter) FAIL("a value was expected at: %.60s", r->at - 1);
    long long i = strtoll(r->at, &end, 10);
    r->at = end;
    return sluice_int((enum sluice_type)(SLUICE_INT8 + (letter - letters)), i);
}

/* NULL for "-". A description: not interned. */
static struct sluice_schema *text_read_schema(struct text_reader *r)
{
    if (text_take(r, "-")) return NULL;
    struct sluice_schema *s = sluice_batch_alloc(r->batch, sizeof *s);
    memset(s, 0, sizeof *s);
    s->optional = text_take(r, "?");
    for (int type = SLUICE_STRUCT; type > SLUICE_NULL && !s->type; type--) {
        if (text_take(r, sluice_type_name((enum sluice_type)type))) s->type = (uint8_t)type;
    }
    if (!s->type) FAIL("a type was expected at: %.60s", r->at);
    if (s->type >= SLUICE_ARRAY && !text_take(r, "[")) FAIL("no [ at: %.60s", r->at);
    if (s->type == SLUICE_STRUCT) {
        struct sluice_field *fields = sluice_batch_alloc(r->batch, 256 * sizeof *fields);
        while (*r->at != ']' && s->fields_len < 256) {
            if (s->fields_len) text_take(r, ",");
            fields[s->fields_len].name = text_string(r, NULL);
            text_take(r, ":");
            fields[s->fields_len++].schema = text_read_schema(r);
        }
        s->fields = fields;
    }
    if (s->type == SLUICE_MAP) {
        s->key = text_read_schema(r);
        text_take(r, ",");
    }
    if (s->type == SLUICE_MAP || s->type == SLUICE_ARRAY) s->elem = text_read_schema(r);
    if (s->type >= SLUICE_ARRAY && !text_take(r, "]")) FAIL("no ] at: %.60s", r->at);
    if (text_take(r, "@")) s->name = text_string(r, NULL);
    if (text_take(r, "#")) {
        char *end;
        s->has_version = true;
        s->version = (int32_t)strtol(r->at, &end, 10);
        r->at = end;
    }
    if (text_take(r, "!")) s->doc = text_string(r, NULL);
    if (text_take(r, "%{")) {
        struct sluice_param *params = sluice_batch_alloc(r->batch, 16 * sizeof *params);
        while (!text_take(r, "}") && s->params_len < 16) {
            if (s->params_len) text_take(r, ",");
            params[s->params_len].key = text_string(r, NULL);
            text_take(r, "=");
            params[s->params_len++].value = text_string(r, NULL);
        }
        s->params = params;
    }
    if (text_take(r, "=")) {
        s->has_dflt = true;
        s->dflt = text_read_value(r);
    }
    return s;
}

/* ---- octets: "-" is null, "=" comes before the rest ---- */

__attribute__((unused)) static void text_octets(struct sluice_buf *out, const char *data, size_t len)
{
    sluice_buf_adds(out, "=");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '\\') sluice_buf_adds(out, "\\\\");
        else if (c < 0x20 || c > 0x7e) sluice_buf_addf(out, "\\x%02x", c);
        else sluice_buf_addf(out, "%c", c);
    }
}

/* NULL for "-". The copy is exactly as long, so that reading behind it is seen. */
__attribute__((unused)) static char *text_read_octets(const char *text, size_t *len)
{
    if (*text != '=') return NULL;
    char *out = malloc(strlen(text)), *to = out;
    for (text++; *text; text++) {
        unsigned x;
        if (*text == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &x) == 1) {
            *to++ = (char)x;
            text += 3;
        } else {
            if (*text == '\\') text++;
            *to++ = *text;
        }
    }
    *len = (size_t)(to - out);
    char *exact = malloc(*len ? *len : 1);
    memcpy(exact, out, *len);
    free(out);
    return exact;
}

/* ---- files ---- */

/* Calls row() for each line of a file below tests/, cut at its tabs; absent columns are "". */
__attribute__((unused)) static size_t text_rows(const char *path, void (*row)(char **cols, int line))
{
    struct sluice_err err;
    char full[512];
    snprintf(full, sizeof full, "%s/%s", SLUICE_TEST_DIR, path);
    char *text = sluice_file_read(full, (size_t)8 << 20, NULL, &err);
    if (!text) FAIL("%s", err.msg);
    size_t n = 0;
    char *next;
    for (char *at = text; *at; at = next) {
        char *cols[16];
        next = at + strcspn(at, "\n");
        if (*next) *next++ = '\0';
        for (int i = 0; i < 16; i++) {
            cols[i] = at;
            at += strcspn(at, "\t");
            if (*at) *at++ = '\0';
        }
        row(cols, (int)++n);
    }
    free(text);
    return n;
}

#endif
