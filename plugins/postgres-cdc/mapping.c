/* mapping.c - rules for single columns: see mapping.h. */
#include "mapping.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define MASK_MAX 1000000u
#define JAVA_SHORT_MAX 65535u

/* ---- options ---- */

static const char truncate_key[] = "column.truncate.to.", mask_key[] = "column.mask.with.",
                  hash_key[] = "column.mask.hash.", v2_key[] = "column.mask.hash.v2.",
                  chars_end[] = ".chars", salt_part[] = ".with.salt.";

static bool starts(const char *s, const char *with) { return !strncmp(s, with, strlen(with)); }

bool cdc_mapping_key(const char *key)
{
    return starts(key, "column.mask.") || starts(key, "column.truncate.");
}

/* The number of "<start>N.chars". */
static bool chars_of(const char *key, const char *start, uint32_t *out)
{
    if (!starts(key, start)) return false;
    const char *digits = key + strlen(start);
    size_t n = strspn(digits, "0123456789");
    if (!n || n > 9 || strcmp(digits + n, chars_end) != 0) return false;
    *out = (uint32_t)strtoul(digits, NULL, 10);
    return true;
}

/* "ALG.with.salt.SALT" after start. */
static bool hash_of(struct cdc_mapping *mapping, struct cdc_pool *pool, const char *key,
                    const char *start, char algorithm[64])
{
    if (!starts(key, start)) return false;
    const char *name = key + strlen(start);
    size_t n = strcspn(name, ".");
    if (!n || n >= 64 || !starts(name + n, salt_part) || !name[n + strlen(salt_part)]) return false;
    memcpy(algorithm, name, n);
    algorithm[n] = 0;
    mapping->salt = cdc_pool_strdup(pool, name + n + strlen(salt_part));
    return true;
}

static bool take_algorithm(struct cdc_mapping *mapping, const char *name, struct sluice_err *err)
{
    mapping->md = EVP_MD_fetch(NULL, strcasecmp(name, "SHA") ? name : "SHA-1", NULL);
    mapping->hash = EVP_MD_CTX_new();
    if (mapping->md && mapping->hash && EVP_MD_get_size(mapping->md) > 0) return true;
    return cdc_error(err, "hash algorithm '%s' is not known; try SHA-256", name);
}

bool cdc_mappings_add(struct cdc_mappings *mappings, struct cdc_pool *pool, const char *key,
                      const char *list, struct sluice_err *err)
{
    mappings->items = cdc_realloc(mappings->items, (mappings->n + 1) * sizeof(*mappings->items));
    struct cdc_mapping *m = &mappings->items[mappings->n++];
    memset(m, 0, sizeof(*m));
    char algorithm[64];
    if (!strcmp(key, "column.propagate.source.type")) m->kind = CDC_MAP_SOURCE_TYPE;
    else if (!strcmp(key, "datatype.propagate.source.type")) m->kind = CDC_MAP_SOURCE_TYPE_BY_TYPE;
    else if (chars_of(key, truncate_key, &m->length)) m->kind = CDC_MAP_TRUNCATE;
    else if (chars_of(key, mask_key, &m->length)) m->kind = CDC_MAP_MASK;
    else if (hash_of(m, pool, key, v2_key, algorithm)) m->kind = CDC_MAP_HASH_V2;
    else if (hash_of(m, pool, key, hash_key, algorithm)) m->kind = CDC_MAP_HASH;
    else
        return cdc_error(err,
                         "is none of column.mask.with.<n>.chars, column.truncate.to.<n>.chars, "
                         "column.mask.hash.<algorithm>.with.salt.<salt>, "
                         "column.mask.hash.v2.<algorithm>.with.salt.<salt>; values would leak");
    if (m->kind == CDC_MAP_MASK) {
        if (m->length > MASK_MAX)
            return cdc_error(err, "a mask has at most %u characters", MASK_MAX);
        char *mask = cdc_pool_alloc(pool, m->length + 1);
        memset(mask, '*', m->length);
        m->mask = mask;
    }
    if (m->salt && !take_algorithm(m, algorithm, err)) return false;
    return cdc_patterns_parse(&m->names, list, err);
}

void cdc_mappings_sort(struct cdc_mappings *mappings)
{
    for (size_t i = 1; i < mappings->n; i++) { /* few, and stable */
        struct cdc_mapping m = mappings->items[i];
        size_t at = i;
        for (; at && mappings->items[at - 1].kind > m.kind; at--)
            mappings->items[at] = mappings->items[at - 1];
        mappings->items[at] = m;
    }
}

void cdc_mappings_free(struct cdc_mappings *mappings)
{
    for (size_t i = 0; i < mappings->n; i++) {
        cdc_patterns_free(&mappings->items[i].names);
        EVP_MD_CTX_free(mappings->items[i].hash);
        EVP_MD_free((EVP_MD *)mappings->items[i].md);
    }
    free(mappings->items);
    memset(mappings, 0, sizeof(*mappings));
}

const struct cdc_mapping *cdc_mappings_find(const struct cdc_mappings *mappings, const char *schema,
                                            const char *table, const char *column,
                                            const struct cdc_source_type *type)
{
    if (!mappings->n) return NULL;
    char *by_name = cdc_format("%s.%s.%s", schema, table, column);
    char *by_type = cdc_format("%s.%s.%s", schema, table, type->name);
    const struct cdc_mapping *found = NULL;
    for (size_t i = 0; i < mappings->n && !found; i++) {
        const struct cdc_mapping *m = &mappings->items[i];
        const char *name = m->kind == CDC_MAP_SOURCE_TYPE_BY_TYPE ? by_type : by_name;
        if (cdc_patterns_match(&m->names, name) >= 0) found = m;
    }
    free(by_name);
    free(by_type);
    return found;
}

/* ---- changing values ---- */

/* Bytes of the first n UTF-16 units; a pair that does not fit as a whole is left out. */
static uint32_t prefix(const char *s, uint32_t len, uint32_t n)
{
    uint32_t units = 0, at = 0;
    while (at < len) {
        unsigned char c = (unsigned char)s[at];
        uint32_t bytes = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        units += bytes == 4 ? 2 : 1;
        if (units > n || bytes > len - at) break;
        at += bytes;
    }
    return at;
}

/* What Java's serialization makes of a String: a head and "modified" UTF-8, in which a pair of
 * UTF-16 units is two characters of three bytes. */
static bool hash_as_object(EVP_MD_CTX *hash, struct cdc_memory *memory, const char *s, uint32_t len)
{
    unsigned char *out = cdc_take(memory, 13 + (size_t)len / 4 * 6 + 4), *start = out + 13, *p;
    p = start;
    for (uint32_t i = 0; i < len;) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0xf0 || len - i < 4) {
            *p++ = c;
            i++;
            continue;
        }
        uint32_t point = (uint32_t)(c & 7) << 18 | ((uint32_t)s[i + 1] & 63) << 12 |
                         ((uint32_t)s[i + 2] & 63) << 6 | ((uint32_t)s[i + 3] & 63);
        const uint32_t units[2] = {0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff)};
        for (int u = 0; u < 2; u++) {
            *p++ = (unsigned char)(0xe0 | units[u] >> 12);
            *p++ = (unsigned char)(0x80 | (units[u] >> 6 & 63));
            *p++ = (unsigned char)(0x80 | (units[u] & 63));
        }
        i += 4;
    }
    uint64_t n = (uint64_t)(p - start);
    size_t digits = n > JAVA_SHORT_MAX ? 8 : 2;
    unsigned char *head = start - digits - 5;
    memcpy(head, n > JAVA_SHORT_MAX ? "\xac\xed\0\5\x7c" : "\xac\xed\0\5\x74", 5);
    for (size_t i = 0; i < digits; i++) head[5 + i] = (unsigned char)(n >> (8 * (digits - 1 - i)));
    return EVP_DigestUpdate(hash, head, (size_t)(p - head)) == 1;
}

static struct sluice_value hashed(const struct cdc_mapping *m, struct cdc_memory *memory,
                                  int32_t length, const struct sluice_value *value)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool ok = EVP_DigestInit_ex(m->hash, m->md, NULL) == 1 &&
              EVP_DigestUpdate(m->hash, m->salt, strlen(m->salt)) == 1;
    if (ok && m->kind == CDC_MAP_HASH_V2)
        ok = EVP_DigestUpdate(m->hash, value->u.s, value->len) == 1;
    else if (ok) ok = hash_as_object(m->hash, memory, value->u.s, value->len);
    if (!ok || EVP_DigestFinal_ex(m->hash, digest, &n) != 1) return sluice_string("", 0);
    char *text = cdc_take(memory, 2 * (size_t)n + 1);
    for (unsigned i = 0; i < n; i++) {
        text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    uint32_t len = 2 * n;
    if (length > 0 && len > (uint32_t)length) len = (uint32_t)length;
    return sluice_string(text, len);
}

void cdc_mapping_value(const struct cdc_binding *binding, struct cdc_memory *memory,
                       struct sluice_value *value)
{
    const struct cdc_mapping *m = binding->mapping;
    bool text = value->type == SLUICE_STRING;
    if (m->kind == CDC_MAP_MASK) *value = sluice_string(m->mask, m->length);
    else if (m->kind == CDC_MAP_TRUNCATE && text)
        value->len = prefix(value->u.s, value->len, m->length);
    else if (m->kind == CDC_MAP_TRUNCATE && value->type == SLUICE_BYTES)
        value->len = value->len < m->length ? value->len : m->length;
    else if (m->kind != CDC_MAP_TRUNCATE && text) *value = hashed(m, memory, binding->scale, value);
}

static bool to_mapped(const struct cdc_binding *binding, struct cdc_memory *memory,
                      const char *text, uint32_t len, struct sluice_value *out)
{
    if (!binding->elem->convert(binding->elem, memory, text, len, out)) return false;
    cdc_mapping_value(binding, memory, out);
    return true;
}

static void describe(const char *column, const struct cdc_source_type *type, struct cdc_pool *pool,
                     struct sluice_schema *schema)
{
    char *name = cdc_pool_strdup(pool, type->name);
    for (char *p = name; *p; p++) *p = (char)(isascii((unsigned char)*p) ? toupper(*p) : *p);
    cdc_schema_param(pool, schema, "__debezium.source.column.type", name);
    if (type->has_length)
        cdc_schema_param(pool, schema, "__debezium.source.column.length",
                         cdc_pool_format(pool, "%d", type->length));
    if (type->has_scale)
        cdc_schema_param(pool, schema, "__debezium.source.column.scale",
                         cdc_pool_format(pool, "%d", type->scale));
    cdc_schema_param(pool, schema, "__debezium.source.column.name", column);
}

bool cdc_mapping_apply(const struct cdc_mapping *mapping, const char *column,
                       const struct cdc_source_type *type, struct cdc_pool *pool,
                       struct cdc_binding *binding, struct cdc_binding **plain)
{
    bool changes = type->text;
    struct cdc_binding before = *binding;
    switch (mapping->kind) {
    case CDC_MAP_SOURCE_TYPE:
    case CDC_MAP_SOURCE_TYPE_BY_TYPE: describe(column, type, pool, &binding->schema); return false;
    case CDC_MAP_TRUNCATE:
        changes = type->length < 0 || (uint32_t)type->length > mapping->length;
        if (changes)
            cdc_schema_param(pool, &binding->schema, "truncateLength",
                             cdc_pool_format(pool, "%u", mapping->length));
        break;
    default: cdc_schema_param(pool, &binding->schema, "masked", "true");
    }
    if (!changes) return false;
    *plain = cdc_pool_alloc(pool, sizeof(**plain));
    **plain = before;
    binding->elem = *plain;
    binding->mapping = mapping;
    binding->scale = type->length;
    binding->convert = to_mapped;
    return true;
}

/* ---- names that Avro allows ---- */

static bool fine(enum cdc_adjustment mode, bool field, bool first, uint32_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    if (c == '_') return mode == CDC_ADJUST_AVRO;
    return !first && ((c >= '0' && c <= '9') || (c == '.' && !field));
}

const char *cdc_adjusted(enum cdc_adjustment mode, bool field, struct cdc_pool *pool,
                         const char *name)
{
    if (mode == CDC_ADJUST_NONE) return name;
    struct cdc_text out = {0};
    cdc_text_adds(&out, "");
    for (const unsigned char *p = (const unsigned char *)name; *p;) {
        uint32_t c = *p++;
        if (c >= 0xc0) {
            c &= c >= 0xf0 ? 7 : c >= 0xe0 ? 15 : 31;
            while ((*p & 0xc0) == 0x80) c = c << 6 | (*p++ & 63);
        }
        char ascii = (char)c;
        bool first = !out.len;
        if (c < 0x80 && fine(mode, field, first, c)) {
            cdc_text_add(&out, &ascii, 1);
            continue;
        }
        /* Each UTF-16 unit on its own. */
        uint32_t units[2] = {c > 0xffff ? 0xd7c0 + (c >> 10) : c, 0xdc00 + (c & 0x3ff)};
        for (int u = 0; u < (c > 0xffff ? 2 : 1); u++) {
            if (mode == CDC_ADJUST_AVRO) cdc_text_adds(&out, "_");
            else cdc_text_addf(&out, units[u] > 0xff ? "_u%x" : "_u00%x", units[u]);
        }
        if (first && c >= '0' && c <= '9' && mode == CDC_ADJUST_AVRO) cdc_text_add(&out, &ascii, 1);
    }
    const char *adjusted = strcmp(out.s, name) ? cdc_pool_strdup(pool, out.s) : name;
    cdc_text_free(&out);
    return adjusted;
}
