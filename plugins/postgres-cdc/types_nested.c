/* types_nested.c - values with parts: arrays, hstore, points, vectors: see types.h. */
#include "types.h"

#include <stdlib.h>
#include <string.h>

static bool bad(struct cdc_memory *memory, const char *why)
{
    memory->why = why;
    return false;
}

/* ---- arrays: {1,NULL,"a \"quoted\" one"} ---- */

struct scan {
    const char *p, *end;
    struct cdc_memory *memory;
};

/* Reads "..." with backslash escapes; borrows when there are none. p is behind the first quote. */
static bool quoted(struct scan *in, const char **s, uint32_t *len)
{
    const char *start = in->p;
    while (in->p < in->end && *in->p != '"' && *in->p != '\\') in->p++;
    if (in->p < in->end && *in->p == '"') {
        *s = start;
        *len = (uint32_t)(in->p++ - start);
        return true;
    }
    char *copy = cdc_take(in->memory, (size_t)(in->end - start));
    size_t n = (size_t)(in->p - start);
    memcpy(copy, start, n);
    while (in->p < in->end && *in->p != '"') {
        if (*in->p == '\\' && ++in->p == in->end) return false;
        copy[n++] = *in->p++;
    }
    if (in->p == in->end) return false;
    in->p++;
    *s = copy;
    *len = (uint32_t)n;
    return true;
}

/* Upper bound of the items between these braces: one more than the delimiters at this level. */
static size_t count_items(const struct scan *in, char delim)
{
    size_t n = 1;
    int depth = 0;
    bool inside = false;
    for (const char *p = in->p; p < in->end && depth >= 0; p++) {
        if (*p == '\\') p++;
        else if (*p == '"') inside = !inside;
        else if (inside) continue;
        else if (*p == '{') depth++;
        else if (*p == '}') depth--;
        else if (*p == delim && depth == 0) n++;
    }
    return n;
}

static bool read_item(const struct cdc_binding *binding, struct scan *in, struct sluice_value *out)
{
    const struct cdc_binding *elem = binding->elem;
    const char *s;
    uint32_t len;
    if (*in->p == '"') {
        in->p++;
        return quoted(in, &s, &len) && elem->convert(elem, in->memory, s, len, out);
    }
    s = in->p;
    while (in->p < in->end && *in->p != binding->delim && *in->p != '}') in->p++;
    len = (uint32_t)(in->p - s);
    if (len == 4 && !memcmp(s, "NULL", 4)) {
        *out = sluice_null();
        return true;
    }
    return len && elem->convert(elem, in->memory, s, len, out);
}

static bool read_array(const struct cdc_binding *binding, struct scan *in, struct sluice_value *out)
{
    if (in->p == in->end || *in->p++ != '{') return false;
    if (in->p < in->end && *in->p == '}') {
        in->p++;
        *out = sluice_nested(SLUICE_ARRAY, NULL, 0);
        return true;
    }
    size_t n = 0, max = count_items(in, binding->delim);
    struct sluice_value *items = cdc_take(in->memory, max * sizeof(*items));
    while (in->p < in->end && n < max) {
        if (!read_item(binding, in, &items[n++]) || in->p == in->end) return false;
        char c = *in->p++;
        if (c == '}') {
            *out = sluice_nested(SLUICE_ARRAY, items, n);
            return true;
        }
        if (c != binding->delim) return false;
    }
    return false;
}

/* Behind the lower bounds that are not 1, which stand before the braces: [0:2]={...}. */
static struct scan array_begin(struct cdc_memory *memory, const char *text, uint32_t len)
{
    const char *start = len && *text == '[' ? memchr(text, '=', len) : NULL;
    return (struct scan){start ? start + 1 : text, text + len, memory};
}

static bool has_dimensions(const struct scan *in)
{
    return in->end - in->p > 1 && in->p[0] == '{' && in->p[1] == '{';
}

bool cdc_to_array(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                  uint32_t len, struct sluice_value *out)
{
    struct scan in = array_begin(memory, text, len);
    if (has_dimensions(&in)) return bad(memory, "arrays of more than one dimension have no schema");
    memory->why = "not an array";
    return read_array(binding, &in, out) && in.p == in.end;
}

bool cdc_array_outline(const struct cdc_binding *binding, struct cdc_memory *memory,
                       const char *text, uint32_t len, struct sluice_value *out)
{
    struct scan in = array_begin(memory, text, len);
    if (binding->convert != cdc_to_array || !has_dimensions(&in)) return false;
    in.p++;
    size_t n = count_items(&in, binding->delim);
    struct sluice_value *items = cdc_take(memory, n * sizeof(*items));
    for (size_t i = 0; i < n; i++) items[i] = sluice_null();
    *out = sluice_nested(SLUICE_ARRAY, items, n);
    return true;
}

/* ---- hstore: "key"=>"value", "key"=>NULL ---- */

static bool read_pair(struct scan *in, struct sluice_value *key, struct sluice_value *value)
{
    const char *s;
    uint32_t len;
    if (in->p == in->end || *in->p++ != '"' || !quoted(in, &s, &len)) return false;
    *key = sluice_string(s, len);
    if (in->end - in->p < 3 || memcmp(in->p, "=>", 2)) return false;
    in->p += 2;
    if (*in->p == '"') {
        in->p++;
        if (!quoted(in, &s, &len)) return false;
        *value = sluice_string(s, len);
        return true;
    }
    if (in->end - in->p < 4 || memcmp(in->p, "NULL", 4)) return false;
    in->p += 4;
    *value = sluice_null();
    return true;
}

static size_t json_escape(char *out, const char *s, uint32_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    char *p = out;
    for (uint32_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        const char *at = c ? strchr("\"\\\b\f\n\r\t", c) : NULL;
        if (at) {
            *p++ = '\\';
            *p++ = "\"\\bfnrt"[at - "\"\\\b\f\n\r\t"];
        } else if (c < 32) {
            memcpy(p, "\\u00", 4);
            p[4] = hex[c >> 4];
            p[5] = hex[c & 15];
            p += 6;
        } else {
            *p++ = (char)c;
        }
    }
    return (size_t)(p - out);
}

static char *json_string(char *p, const struct sluice_value *v)
{
    if (v->type == SLUICE_NULL) {
        memcpy(p, "null", 4);
        return p + 4;
    }
    *p++ = '"';
    p += json_escape(p, v->u.s, v->len);
    *p++ = '"';
    return p;
}

static struct sluice_value json_object(struct cdc_memory *memory, const struct sluice_value *pairs,
                                       size_t n)
{
    size_t size = 2;
    for (size_t i = 0; i < 2 * n; i++) size += (size_t)pairs[i].len * 6 + 8;
    char *start = cdc_take(memory, size), *p = start;
    *p++ = '{';
    for (size_t i = 0; i < n; i++) {
        if (i) *p++ = ',';
        p = json_string(p, &pairs[2 * i]);
        *p++ = ':';
        p = json_string(p, &pairs[2 * i + 1]);
    }
    *p++ = '}';
    return sluice_string(start, (size_t)(p - start));
}

bool cdc_to_hstore(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                   uint32_t len, struct sluice_value *out)
{
    struct scan in = {text, text + len, memory};
    size_t n = 0, max = len / 6 + 1; /* "k"=>"" takes at least six characters with its comma */
    struct sluice_value *pairs = cdc_take(memory, 2 * max * sizeof(*pairs));
    while (in.p < in.end) {
        if (n == max || !read_pair(&in, &pairs[2 * n], &pairs[2 * n + 1]))
            return bad(memory, "not an hstore");
        n++;
        while (in.p < in.end && (*in.p == ',' || *in.p == ' ')) in.p++;
    }
    *out = binding->schema.type == SLUICE_MAP ? sluice_nested(SLUICE_MAP, pairs, n)
                                              : json_object(memory, pairs, n);
    return true;
}

/* ---- points and vectors ---- */

static bool read_double(struct scan *in, double *out)
{
    char copy[64], *end;
    size_t n = 0;
    while (in->p < in->end && !strchr(",)]}:", *in->p) && n + 1 < sizeof(copy))
        copy[n++] = *in->p++;
    copy[n] = 0;
    *out = strtod(copy, &end);
    return n && !*end;
}

static bool skip(struct scan *in, char c)
{
    if (in->p == in->end || *in->p != c) return false;
    in->p++;
    return true;
}

/* {x, y, wkb, srid}; the WKB is little-endian. */
bool cdc_to_point(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                  uint32_t len, struct sluice_value *out)
{
    (void)binding;
    struct scan in = {text, text + len, memory};
    double xy[2];
    if (!skip(&in, '(') || !read_double(&in, &xy[0]) || !skip(&in, ',') ||
        !read_double(&in, &xy[1]) || !skip(&in, ')') || in.p != in.end)
        return bad(memory, "not a point");
    char *wkb = cdc_take(memory, 21);
    memcpy(wkb, "\1\1\0\0\0", 5);
    memcpy(wkb + 5, xy, 16);
    struct sluice_value *fields = cdc_take(memory, 4 * sizeof(*fields));
    fields[0] = sluice_float64(xy[0]);
    fields[1] = sluice_float64(xy[1]);
    fields[2] = sluice_bytes(wkb, 21);
    fields[3] = sluice_null();
    *out = sluice_nested(SLUICE_STRUCT, fields, 4);
    return true;
}

bool cdc_to_vector(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                   uint32_t len, struct sluice_value *out)
{
    struct scan in = {text, text + len, memory};
    if (!skip(&in, '[')) return bad(memory, "not a vector");
    size_t n = 0, max = count_items(&in, ',');
    struct sluice_value *items = cdc_take(memory, max * sizeof(*items));
    do {
        double d;
        if (n == max || !read_double(&in, &d)) return bad(memory, "not a vector");
        bool single = binding->schema.elem->type == SLUICE_FLOAT32;
        items[n] = sluice_float64(single ? (double)(float)d : d);
        items[n++].type = binding->schema.elem->type;
    } while (skip(&in, ','));
    if (!skip(&in, ']') || in.p != in.end) return bad(memory, "not a vector");
    *out = sluice_nested(SLUICE_ARRAY, items, n);
    return true;
}

bool cdc_to_sparse_vector(const struct cdc_binding *binding, struct cdc_memory *memory,
                          const char *text, uint32_t len, struct sluice_value *out)
{
    (void)binding;
    struct scan in = {text, text + len, memory};
    size_t n = 0, max = len / 3 + 1;
    struct sluice_value *pairs = cdc_take(memory, 2 * max * sizeof(*pairs));
    double index, value;
    if (!skip(&in, '{')) return bad(memory, "not a sparse vector");
    while (!skip(&in, '}')) {
        if (n == max || !read_double(&in, &index) || !(index >= 0 && index <= INT16_MAX) ||
            !skip(&in, ':') || !read_double(&in, &value))
            return bad(memory, "not a sparse vector");
        pairs[2 * n] = sluice_int(SLUICE_INT16, (int16_t)index);
        pairs[2 * n++ + 1] = sluice_float64(value);
        skip(&in, ',');
    }
    if (!skip(&in, '/') || !read_double(&in, &index) || !(index >= 0 && index <= INT16_MAX) ||
        in.p != in.end)
        return bad(memory, "not a sparse vector");
    struct sluice_value *fields = cdc_take(memory, 2 * sizeof(*fields));
    fields[0] = sluice_int(SLUICE_INT16, (int16_t)index);
    fields[1] = sluice_nested(SLUICE_MAP, pairs, n);
    *out = sluice_nested(SLUICE_STRUCT, fields, 2);
    return true;
}
