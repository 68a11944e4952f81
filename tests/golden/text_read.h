/* text_read.h - see text.h: text to schemas and values. Everything goes to the batch; a mistake
 * fails the test. */
#ifndef SLUICE_TESTS_GOLDEN_TEXT_READ_H
#define SLUICE_TESTS_GOLDEN_TEXT_READ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "data/batch.h"
#include "data/schema.h"
#include "harness.h"

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
__attribute__((unused)) static struct sluice_schema *text_read_schema(struct text_reader *r)
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

#endif
