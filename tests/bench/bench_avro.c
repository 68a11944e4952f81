/* bench_avro.c - records a second of Avro's binary by plans, both ways, for a flat record of 20
 * fields and a change event; beside memcpy of the same bytes in the same run. No registry takes
 * part: it is asked once per schema.
 *
 *     bench_avro [milliseconds per figure] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/converters/avro_plan.h"
#include "data/schema.h"
#include "measure.h"

static struct sluice_value text(const char *s) { return sluice_string(s, strlen(s)); }

/* ---- records ---- */

#define TYPE(t)                                                                                    \
    {                                                                                              \
        .type = SLUICE_##t                                                                         \
    }
#define MAYBE(t)                                                                                   \
    {                                                                                              \
        .type = SLUICE_##t, .optional = true                                                       \
    }
static const struct sluice_schema string = TYPE(STRING), int64 = TYPE(INT64), int32 = TYPE(INT32),
                                  boolean = TYPE(BOOLEAN), real = TYPE(FLOAT64),
                                  maybe_string = MAYBE(STRING), maybe_int64 = MAYBE(INT64);

static const struct sluice_field flat_fields[20] = {
    {"id", &int64},       {"user", &int32},    {"name", &string},       {"mail", &string},
    {"active", &boolean}, {"score", &real},    {"a", &maybe_string},    {"b", &maybe_int64},
    {"created", &int64},  {"updated", &int64}, {"city", &string},       {"zip", &int32},
    {"lat", &real},       {"lon", &real},      {"note", &maybe_string}, {"c", &maybe_int64},
    {"kind", &string},    {"version", &int32}, {"deleted", &boolean},   {"total", &int64}};
static const struct sluice_schema flat = {
    .type = SLUICE_STRUCT, .name = "com.acme.Flat", .fields = flat_fields, .fields_len = 20};

static struct sluice_value make_flat(struct sluice_batch *batch)
{
    const struct sluice_value values[20] = {sluice_int64(123456),
                                            sluice_int32(4711),
                                            text("Maria Example"),
                                            text("maria@example.com"),
                                            sluice_bool(true),
                                            sluice_float64(1234.5678),
                                            text("content-00042"),
                                            sluice_null(),
                                            sluice_int64(1785000000123),
                                            sluice_int64(1785000000456),
                                            text("Hamburg"),
                                            sluice_int32(20095),
                                            sluice_float64(53.55),
                                            sluice_float64(9.99),
                                            text("a note of some length, as people write"),
                                            sluice_int64(7),
                                            text("customer"),
                                            sluice_int32(3),
                                            sluice_bool(false),
                                            sluice_int64(99900)};
    struct sluice_value *v = sluice_batch_alloc(batch, sizeof values);
    memcpy(v, values, sizeof values);
    return sluice_nested(SLUICE_STRUCT, v, 20);
}

static const struct sluice_field row_fields[] = {
    {"id", &int64}, {"user", &int32}, {"content", &maybe_string}, {"note", &maybe_string}};
static const struct sluice_schema row = {.type = SLUICE_STRUCT,
                                         .optional = true,
                                         .name = "p.public.t.Value",
                                         .fields = row_fields,
                                         .fields_len = 4};
static const struct sluice_field source_fields[] = {
    {"version", &string},   {"connector", &string},      {"name", &string},     {"ts_ms", &int64},
    {"db", &string},        {"sequence", &maybe_string}, {"schema", &string},   {"table", &string},
    {"txId", &maybe_int64}, {"lsn", &maybe_int64},       {"xmin", &maybe_int64}};
static const struct sluice_schema source = {.type = SLUICE_STRUCT,
                                            .name = "io.debezium.connector.postgresql.Source",
                                            .fields = source_fields,
                                            .fields_len = 11};
static const struct sluice_field envelope_fields[] = {{"before", &row},
                                                      {"after", &row},
                                                      {"source", &source},
                                                      {"op", &string},
                                                      {"ts_ms", &maybe_int64}};
static const struct sluice_schema envelope = {.type = SLUICE_STRUCT,
                                              .name = "p.public.t.Envelope",
                                              .fields = envelope_fields,
                                              .fields_len = 5};

static struct sluice_value make_change(struct sluice_batch *batch)
{
    struct sluice_value *v = sluice_batch_alloc(batch, 20 * sizeof *v);
    const struct sluice_value after[4] = {sluice_int64(123456), sluice_int32(4711),
                                          text("content-00042-of-a-series"),
                                          text("a note of some length, as people write")};
    const struct sluice_value from[11] = {text("3.6.1.Final"), text("postgresql"),
                                          text("p"),           sluice_int64(1785000000123),
                                          text("postgres"),    text("[\"24023128\",\"24023400\"]"),
                                          text("public"),      text("t"),
                                          sluice_int64(555),   sluice_int64(24023400),
                                          sluice_null()};
    memcpy(v + 5, after, sizeof after);
    memcpy(v + 9, from, sizeof from);
    v[0] = sluice_null();
    v[1] = sluice_nested(SLUICE_STRUCT, v + 5, 4);
    v[2] = sluice_nested(SLUICE_STRUCT, v + 9, 11);
    v[3] = text("c");
    v[4] = sluice_int64(1785000000456);
    return sluice_nested(SLUICE_STRUCT, v, 5);
}

/* ---- measuring ---- */

static void report(const char *what, double ns, size_t bytes, double copy_ns)
{
    printf("%-22s %7.1f ns  %6.2f M records/s  %7.0f MB/s  %5.1f x memcpy\n", what, ns, 1e3 / ns,
           (double)bytes * 1e3 / ns, ns / copy_ns);
}

#define BLOCK 200

static void measure(const char *name, const struct sluice_schema *description,
                    struct sluice_value (*make)(struct sluice_batch *), double ms)
{
    const struct avro_config config = {.metadata = true};
    struct sluice_batch plans, batch;
    struct sluice_buf buf;
    struct sluice_err err = {""};
    const struct sluice_schema *schema = sluice_schema_intern(description), *connect = NULL;
    char what[64];
    sluice_batch_init(&plans);
    sluice_batch_init(&batch);
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    struct sluice_value v = make(&plans), read;
    struct avro_schema *avro = avro_from_connect(&plans, &config, schema, &err);
    const struct avro_enc *enc = avro ? avro_enc_plan(&plans, &config, schema, avro, &err) : NULL;
    bool ok = enc && avro_to_connect(&plans, &config, avro, 0, &connect, &err);
    const struct avro_dec *dec = ok ? avro_dec_plan(&plans, avro, avro, connect, &err) : NULL;
    if (!dec || !avro_encode(&buf, enc, &v, &err)) {
        fprintf(stderr, "%s: %s\n", name, err.msg);
        exit(1);
    }
    size_t bytes = buf.len, n = 0;
    char *data = malloc(bytes), *copy = malloc(bytes);
    memcpy(data, buf.data, bytes);
    double start = now_ns(), end;
    do {
        for (int i = 0; i < BLOCK; i++) {
            memcpy(copy, data, bytes);
            __asm__ volatile("" : : "r"(copy) : "memory");
        }
        n += BLOCK;
    } while ((end = now_ns()) - start < ms * 1e6 / 4);
    double copy_ns = (end - start) / (double)n;
    n = 0;
    start = now_ns();
    do {
        for (int i = 0; i < BLOCK && ok; i++) {
            buf.len = 0;
            ok = avro_encode(&buf, enc, &v, &err);
        }
        n += BLOCK;
    } while ((end = now_ns()) - start < ms * 1e6 && ok);
    snprintf(what, sizeof what, "%s write", name);
    report(what, (end - start) / (double)n, bytes, copy_ns);
    n = 0;
    start = now_ns();
    do {
        sluice_batch_reset(&batch);
        for (int i = 0; i < BLOCK && ok; i++) {
            struct avro_reader r;
            avro_reader_init(&r, &batch, data, bytes, &err);
            ok = avro_decode(&r, dec, &read);
        }
        n += BLOCK;
    } while ((end = now_ns()) - start < ms * 1e6 && ok);
    snprintf(what, sizeof what, "%s read", name);
    report(what, (end - start) / (double)n, bytes, copy_ns);
    if (!ok) fprintf(stderr, "%s: %s\n", name, err.msg);
    free(data);
    free(copy);
    sluice_schema_free(schema);
    sluice_schema_free(connect);
    sluice_batch_fini(&plans);
    sluice_batch_fini(&batch);
    sluice_buf_fini(&buf);
}

int main(int argc, char **argv)
{
    double ms = argc > 1 ? strtod(argv[1], NULL) : 500;
    measure("flat 20 fields", &flat, make_flat, ms);
    measure("change event", &envelope, make_change, ms);
    return 0;
}
