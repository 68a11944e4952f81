/* text.c - see text.h. No state. */
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool text_reserve(struct text *text, size_t n)
{
    if (n <= text->cap - text->len) return true;
    size_t cap = text->cap ? text->cap : 4096;
    while (cap - text->len < n) cap *= 2;
    char *data = realloc(text->data, cap);
    if (!data) return false;
    text->data = data;
    text->cap = cap;
    return true;
}

bool text_add(struct text *text, const void *data, size_t n)
{
    if (!n) return true;
    if (!text_reserve(text, n)) return false;
    memcpy(text->data + text->len, data, n);
    text->len += n;
    return true;
}

void text_fini(struct text *text)
{
    free(text->data);
    memset(text, 0, sizeof(*text));
}

size_t text_char(const char *s, size_t n, unsigned *units, bool *valid)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    *units = 1;
    *valid = len == 1 || (p[0] >= 0xC2 && p[0] <= 0xF4 && n >= len);
    for (size_t i = 1; *valid && i < len; i++) *valid = (p[i] & 0xC0) == 0x80;
    if (*valid && len > 2) {
        /* Overlong forms, surrogates and what lies beyond U+10FFFF. */
        *valid = !(p[0] == 0xE0 && p[1] < 0xA0) && !(p[0] == 0xED && p[1] > 0x9F) &&
                 !(p[0] == 0xF0 && p[1] < 0x90) && !(p[0] == 0xF4 && p[1] > 0x8F);
    }
    if (!*valid) return 1;
    if (len == 4) *units = 2;
    return len;
}

int64_t text_units(const char *s, size_t n)
{
    int64_t units = 0;
    for (size_t i = 0; i < n;) {
        unsigned more;
        bool valid;
        i += text_char(s + i, n - i, &more, &valid);
        units += more;
    }
    return units;
}

size_t text_repair(const char *s, size_t n, char *out)
{
    size_t written = 0;
    for (size_t i = 0; i < n;) {
        unsigned units;
        bool valid;
        size_t len = text_char(s + i, n - i, &units, &valid);
        const char *from = valid ? s + i : "\xEF\xBF\xBD";
        size_t bytes = valid ? len : 3;
        memcpy(out + written, from, bytes);
        written += bytes;
        i += len;
    }
    return written;
}

static bool add_text(struct text *text, const char *s) { return text_add(text, s, strlen(s)); }

static bool add_real(struct text *text, double d, bool single)
{
    char digits[40];
    if (isnan(d)) return add_text(text, "NaN");
    if (isinf(d)) return add_text(text, d < 0 ? "-Infinity" : "Infinity");
    for (int n = 1; n <= 17; n++) {
        snprintf(digits, sizeof(digits), "%.*g", n, d);
        double back = strtod(digits, NULL);
        if (single ? (float)back == (float)d : back == d) break;
    }
    if (!add_text(text, digits)) return false;
    return strpbrk(digits, ".e") ? true : add_text(text, ".0");
}

/* Java leaves null fields of a struct out. */
static bool add_struct(struct text *text, const struct sluice_schema *schema,
                       const struct sluice_value *value)
{
    bool first = true;
    if (!add_text(text, "Struct{")) return false;
    for (uint32_t i = 0; i < value->len; i++) {
        const struct sluice_field *field = &schema->fields[i];
        if (value->u.v[i].type == SLUICE_NULL) continue;
        if (!add_text(text, first ? "" : ",") || !add_text(text, field->name) ||
            !add_text(text, "=") || !text_add_value(text, field->schema, &value->u.v[i])) {
            return false;
        }
        first = false;
    }
    return add_text(text, "}");
}

static bool add_items(struct text *text, const struct sluice_schema *schema,
                      const struct sluice_value *value)
{
    bool map = value->type == SLUICE_MAP;
    const struct sluice_schema *key = schema ? schema->key : NULL;
    const struct sluice_schema *elem = schema ? schema->elem : NULL;
    if (!add_text(text, map ? "{" : "[")) return false;
    for (uint32_t i = 0; i < value->len; i++) {
        const struct sluice_value *item = &value->u.v[map ? 2 * i + 1 : i];
        if (i && !add_text(text, ", ")) return false;
        if (map && (!text_add_value(text, key, &value->u.v[2 * i]) || !add_text(text, "="))) {
            return false;
        }
        if (!text_add_value(text, elem, item)) return false;
    }
    return add_text(text, map ? "}" : "]");
}

bool text_add_value(struct text *text, const struct sluice_schema *schema,
                    const struct sluice_value *value)
{
    char digits[32];
    switch (value->type) {
    case SLUICE_NULL: return add_text(text, "null");
    case SLUICE_BOOLEAN: return add_text(text, value->u.i ? "true" : "false");
    case SLUICE_STRING:
    case SLUICE_BYTES: return text_add(text, value->u.s, value->len);
    case SLUICE_FLOAT32: return add_real(text, value->u.d, true);
    case SLUICE_FLOAT64: return add_real(text, value->u.d, false);
    case SLUICE_STRUCT: return add_struct(text, schema, value);
    case SLUICE_ARRAY:
    case SLUICE_MAP: return add_items(text, schema, value);
    default:
        snprintf(digits, sizeof(digits), "%lld", (long long)value->u.i);
        return add_text(text, digits);
    }
}
