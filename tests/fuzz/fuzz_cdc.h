/* fuzz_cdc.h - one input as the text of a value of every Postgres type in every mode, as an array
 * of it, as a column's default, and as every message of pgoutput; see fuzz_cdc.c. What is converted
 * must fit its schema; what is not must say why. */
#ifndef SLUICE_TESTS_FUZZ_CDC_H
#define SLUICE_TESTS_FUZZ_CDC_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/props.h"
#include "fake_host.h"
#include "fuzz/fuzz_cdc_messages.h"
#include "types.h"

extern const struct sluice_plugin *const *sluice_plugins_v1(void);

enum {
    FUZZ_MODES = 6,
    FUZZ_TYPES = 46,
    FUZZ_EXTENSIONS = 8,
    FUZZ_BINDINGS = 2 * FUZZ_MODES * FUZZ_TYPES
};

static struct fuzz_cdc { /* made once */
    struct fake_host fake;
    struct cdc_pool pool;
    struct cdc_types types;
    struct cdc_settings settings[FUZZ_MODES];
    struct cdc_binding bindings[FUZZ_BINDINGS];
    size_t n;
} fuzz_cdc_state;

struct fuzz_type {
    const char *name;
    int32_t typmod;
};

#define FUZZ_NUMERIC(precision, scale) (((precision) << 16 | ((scale)&0x7ff)) + 4)

/* At last, those of extensions. */
static const struct fuzz_type fuzz_types[FUZZ_TYPES] = {{"bool", -1},
                                                        {"int2", -1},
                                                        {"int4", -1},
                                                        {"int8", -1},
                                                        {"oid", -1},
                                                        {"float4", -1},
                                                        {"float8", -1},
                                                        {"numeric", -1},
                                                        {"numeric", FUZZ_NUMERIC(5, 2)},
                                                        {"numeric", FUZZ_NUMERIC(3, -2)},
                                                        {"numeric", FUZZ_NUMERIC(1000, 1000)},
                                                        {"money", -1},
                                                        {"bit", 1},
                                                        {"bit", 8},
                                                        {"varbit", -1},
                                                        {"text", -1},
                                                        {"varchar", 9},
                                                        {"bpchar", 9},
                                                        {"bytea", -1},
                                                        {"uuid", -1},
                                                        {"json", -1},
                                                        {"xml", -1},
                                                        {"tsvector", -1},
                                                        {"inet", -1},
                                                        {"tsrange", -1},
                                                        {"date", -1},
                                                        {"time", -1},
                                                        {"time", 3},
                                                        {"timetz", -1},
                                                        {"timestamp", -1},
                                                        {"timestamp", 0},
                                                        {"timestamp", 3},
                                                        {"timestamptz", -1},
                                                        {"timestamptz", 0},
                                                        {"timestamptz", 3},
                                                        {"interval", -1},
                                                        {"point", -1},
                                                        {"box", -1},
                                                        {"hstore", -1},
                                                        {"citext", -1},
                                                        {"ltree", -1},
                                                        {"geometry", -1},
                                                        {"geography", -1},
                                                        {"vector", -1},
                                                        {"halfvec", -1},
                                                        {"sparsevec", -1}};

static void fuzz_cdc_settings(void)
{
    static const enum cdc_decimal_mode decimals[] = {CDC_DECIMAL_PRECISE, CDC_DECIMAL_STRING,
                                                     CDC_DECIMAL_DOUBLE};
    static const enum cdc_binary_mode binaries[] = {CDC_BINARY_BYTES, CDC_BINARY_BASE64,
                                                    CDC_BINARY_BASE64_URL, CDC_BINARY_HEX};
    for (int i = 0; i < FUZZ_MODES; i++) {
        struct cdc_settings *s = &fuzz_cdc_state.settings[i];
        s->placeholder = "gone";
        s->placeholder_len = 4;
        s->money_digits = i % 5;
        s->time = (enum cdc_time_mode)i; /* there are six */
        s->decimal = decimals[i % 3];
        s->binary = binaries[i % 4];
        s->hstore_map = i % 2;
        s->interval_string = i % 2;
        s->unknown_types = i % 2;
    }
}

static void fuzz_cdc_start(void)
{
    struct fuzz_cdc *f = &fuzz_cdc_state;
    fake_init(&f->fake, sluice_plugins_v1()[0], NULL);
    fuzz_cdc_settings();
    for (uint32_t t = 0; t < FUZZ_TYPES; t++) {
        const struct fuzz_type *of = &fuzz_types[t];
        struct cdc_type type = {
            .oid = 2 * t + 1,
            .typmod = -1,
            .kind = 'b',
            .delim = *of->name == 'g'   ? ':'
                     : *of->name == 'b' ? ';'
                                        : ',',
            .schema = (char *)(t < FUZZ_TYPES - FUZZ_EXTENSIONS ? "pg_catalog" : "public"),
            .name = (char *)of->name};
        cdc_types_put(&f->types, &type);
        type.oid++;
        type.elem = 2 * t + 1;
        type.name = (char *)"_array";
        cdc_types_put(&f->types, &type);
    }
    for (uint32_t t = 0; t < 2 * FUZZ_TYPES; t++)
        for (int mode = 0; mode < FUZZ_MODES; mode++)
            f->n += cdc_bind(&f->types, &f->settings[mode], t + 1, fuzz_types[t / 2].typmod,
                             &f->pool, &f->bindings[f->n]);
    assert(f->n > FUZZ_BINDINGS / 2);
}

static bool fuzz_fits(const struct sluice_schema *schema, const struct sluice_value *v);

static bool fuzz_parts_fit(const struct sluice_schema *schema, const struct sluice_value *v)
{
    if (v->type == SLUICE_STRUCT && v->len != schema->fields_len) return false;
    uint32_t n = v->type == SLUICE_MAP ? 2 * v->len : v->len;
    for (uint32_t i = 0; i < n; i++) {
        const struct sluice_schema *part = v->type == SLUICE_STRUCT ? schema->fields[i].schema
                                           : v->type == SLUICE_MAP && i % 2 == 0 ? schema->key
                                                                                 : schema->elem;
        if (!fuzz_fits(part, &v->u.v[i])) return false;
    }
    return true;
}

/* Looks at every byte, so that AddressSanitizer sees those that are nobody's. */
static bool fuzz_fits(const struct sluice_schema *schema, const struct sluice_value *v)
{
    if (v->type == SLUICE_NULL) return schema->optional;
    if (v->type != schema->type) return false;
    switch (v->type) {
    case SLUICE_INT16: return v->u.i >= INT16_MIN && v->u.i <= INT16_MAX;
    case SLUICE_INT32: return v->u.i >= INT32_MIN && v->u.i <= INT32_MAX;
    case SLUICE_FLOAT32: return v->u.d != v->u.d || (double)(float)v->u.d == v->u.d;
    case SLUICE_STRING:
    case SLUICE_BYTES: return !v->len || memchr(v->u.s, '\n', v->len) != v->u.s + v->len;
    case SLUICE_STRUCT:
    case SLUICE_ARRAY:
    case SLUICE_MAP: return fuzz_parts_fit(schema, v);
    default: return true;
    }
}

static void fuzz_cdc_values(const char *text, uint32_t len, const char *terminated)
{
    struct fuzz_cdc *f = &fuzz_cdc_state;
    for (size_t i = 0; i < f->n; i++) {
        struct cdc_memory memory = {.host = &f->fake.host, .batch = &f->fake.batch};
        const struct cdc_binding *b = &f->bindings[i];
        struct sluice_value v = {0};
        if (b->convert(b, &memory, text, len, &v)) assert(fuzz_fits(&b->schema, &v));
        else assert(memory.why);
        if (cdc_default(b, &memory, terminated, &v)) assert(fuzz_fits(&b->schema, &v));
        sluice_batch_reset(&f->fake.batch);
    }
}

static void fuzz_cdc(const void *data, size_t len)
{
    if (!fuzz_cdc_state.n) fuzz_cdc_start();
    char *terminated = malloc(len + 1); /* as a default, the text ends at the first NUL */
    memcpy(terminated, data, len);
    terminated[len] = 0;
    fuzz_cdc_values(data, (uint32_t)len, terminated);
    free(terminated);
    fuzz_cdc_messages(data, len);
}

static void fuzz_cdc_end(void)
{
    struct fuzz_cdc *f = &fuzz_cdc_state;
    if (!f->n) return;
    cdc_types_free(&f->types);
    cdc_pool_free(&f->pool);
    fake_fini(&f->fake);
    memset(f, 0, sizeof(*f));
}

/* Replays a file, from memory of exactly its size. */
static bool fuzz_cdc_file(const char *path)
{
    size_t len;
    char *data = sluice_file_read(path, 1 << 20, &len, NULL);
    if (!data) return false;
    char *exact = malloc(len ? len : 1);
    memcpy(exact, data, len);
    fuzz_cdc(exact, len);
    free(exact);
    free(data);
    return true;
}

#endif
