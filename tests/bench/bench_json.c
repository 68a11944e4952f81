/* bench_json.c - nanoseconds per record and MB/s of JsonConverter, both ways, for a change event
 * with and without schemas and for a flat record of 20 fields; beside memcpy of the same bytes in
 * the same run, so that the ratio means something on any machine.
 *
 *     bench_json [milliseconds per figure] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "data/batch.h"
#include "data/builtins.h"
#include "data/schema.h"
#include "measure.h"

/* ---- a host of defaults ---- */

static bool with_schemas;

static bool flag(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    return strcmp(key, "schemas.enable") != 0 || with_schemas;
}

static const char *str(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    return strcmp(key, "decimal.format") == 0 ? "BASE64" : "";
}

static int64_t num(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    (void)key;
    return 1000;
}

static const struct sluice_host host = {.size = sizeof host, .flag = flag, .str = str, .num = num};

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
                                  boolean = TYPE(BOOLEAN), maybe_string = MAYBE(STRING),
                                  maybe_int64 = MAYBE(INT64), maybe_double = MAYBE(FLOAT64);
static const struct sluice_schema snapshot = {
    .type = SLUICE_STRING,
    .optional = true,
    .name = "io.debezium.data.Enum",
    .has_version = true,
    .version = 1,
    .has_dflt = true,
    .dflt = {.type = SLUICE_STRING, .len = 5, .u.s = "false"}};

static const struct sluice_field row_fields[] = {{"id", &int64},
                                                 {"userid", &int32},
                                                 {"content_id", &maybe_string},
                                                 {"liked", &boolean},
                                                 {"score", &maybe_double},
                                                 {"note", &maybe_string},
                                                 {"created", &maybe_int64},
                                                 {"device", &maybe_string}};
static const struct sluice_schema row = {.type = SLUICE_STRUCT,
                                         .optional = true,
                                         .name = "p.public.content_actions.Value",
                                         .fields = row_fields,
                                         .fields_len = 8};
static const struct sluice_field source_fields[] = {
    {"version", &string},        {"connector", &string},  {"name", &string},
    {"ts_ms", &int64},           {"snapshot", &snapshot}, {"db", &string},
    {"sequence", &maybe_string}, {"ts_us", &maybe_int64}, {"ts_ns", &maybe_int64},
    {"schema", &string},         {"table", &string},      {"txId", &maybe_int64},
    {"lsn", &maybe_int64},       {"xmin", &maybe_int64},  {"origin", &maybe_string},
    {"origin_lsn", &maybe_int64}};
static const struct sluice_schema source = {.type = SLUICE_STRUCT,
                                            .has_version = true,
                                            .version = 1,
                                            .name = "io.debezium.connector.postgresql.Source",
                                            .fields = source_fields,
                                            .fields_len = 16};
static const struct sluice_field block_fields[] = {
    {"id", &string}, {"total_order", &int64}, {"data_collection_order", &int64}};
static const struct sluice_schema block = {.type = SLUICE_STRUCT,
                                           .optional = true,
                                           .name = "event.block",
                                           .fields = block_fields,
                                           .fields_len = 3};
static const struct sluice_field envelope_fields[] = {
    {"before", &row}, {"after", &row},         {"source", &source},     {"transaction", &block},
    {"op", &string},  {"ts_ms", &maybe_int64}, {"ts_us", &maybe_int64}, {"ts_ns", &maybe_int64}};
static const struct sluice_schema envelope = {.type = SLUICE_STRUCT,
                                              .has_version = true,
                                              .version = 2,
                                              .name = "p.public.content_actions.Envelope",
                                              .fields = envelope_fields,
                                              .fields_len = 8};

static struct sluice_value text(const char *s) { return sluice_string(s, strlen(s)); }

static struct sluice_value make_change(struct sluice_batch *batch)
{
    struct sluice_value *r = sluice_batch_alloc(batch, 8 * sizeof *r);
    r[0] = sluice_int64(123456);
    r[1] = sluice_int32(4711);
    r[2] = text("content-00042-of-a-series");
    r[3] = sluice_bool(true);
    r[4] = sluice_float64(12345.678);
    r[5] = text("a note with a \"quote\" and some length to it, as people write");
    r[6] = sluice_int64(1785000000123456);
    r[7] = text("mobile/android");
    struct sluice_value *s = sluice_batch_alloc(batch, 16 * sizeof *s);
    const struct sluice_value values[16] = {text("3.6.1.Final"),
                                            text("postgresql"),
                                            text("p"),
                                            sluice_int64(1785000000123),
                                            sluice_null(),
                                            text("postgres"),
                                            text("[\"24023128\",\"24023400\"]"),
                                            sluice_int64(1785000000123456),
                                            sluice_int64(1785000000123456000),
                                            text("public"),
                                            text("content_actions"),
                                            sluice_int64(555),
                                            sluice_int64(24023400),
                                            sluice_null(),
                                            sluice_null(),
                                            sluice_null()};
    memcpy(s, values, sizeof values);
    struct sluice_value *e = sluice_batch_alloc(batch, 8 * sizeof *e);
    e[0] = sluice_null();
    e[1] = sluice_nested(SLUICE_STRUCT, r, 8);
    e[2] = sluice_nested(SLUICE_STRUCT, s, 16);
    e[3] = sluice_null();
    e[4] = text("c");
    e[5] = sluice_int64(1785000000456);
    e[6] = sluice_int64(1785000000456789);
    e[7] = sluice_int64(1785000000456789012);
    return sluice_nested(SLUICE_STRUCT, e, 8);
}

static struct sluice_field flat_fields[20];
static char flat_names[20][24];
static struct sluice_schema flat = {
    .type = SLUICE_STRUCT, .name = "flat", .fields = flat_fields, .fields_len = 20};

static struct sluice_value make_flat(struct sluice_batch *batch)
{
    struct sluice_value *v = sluice_batch_alloc(batch, 20 * sizeof *v);
    for (int i = 0; i < 20; i++) {
        snprintf(flat_names[i], sizeof flat_names[i], "field_%d", i);
        flat_fields[i].name = flat_names[i];
        flat_fields[i].schema = i % 4 == 0   ? &int64
                                : i % 4 == 1 ? &maybe_string
                                : i % 4 == 2 ? &maybe_double
                                             : &boolean;
        v[i] = i % 4 == 0   ? sluice_int64(1000000 * i + 17)
               : i % 4 == 1 ? text("some words of a usual length")
               : i % 4 == 2 ? sluice_float64(0.1 * i + 1000)
                            : sluice_bool(i % 8 == 3);
    }
    return sluice_nested(SLUICE_STRUCT, v, 20);
}

/* ---- measuring ---- */

static void measure(const char *what, const struct sluice_schema *description,
                    const struct sluice_value *v, double budget_ns)
{
    const struct sluice_schema *schema = description ? sluice_schema_intern(description) : NULL;
    const struct sluice_converter *json = sluice_json_converter.converter;
    struct sluice_batch batch;
    struct sluice_buf out;
    struct sluice_err err = {""};
    void *self;
    bool null;
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    sluice_json_converter.open(NULL, &host, NULL, &self, &err);
    size_t n = 0;
    double start = now_ns();
    while (now_ns() - start < budget_ns) {
        for (int i = 0; i < 1000; i++) {
            sluice_buf_clear(&out);
            if (json->encode(self, "t", NULL, schema, v, &out, &null, &err) != SLUICE_OK) {
                fprintf(stderr, "%s: %s\n", what, err.msg);
                exit(1);
            }
        }
        n += 1000;
    }
    double ns = (now_ns() - start) / (double)n;
    double copy_ns = memcpy_ns(out.data, out.len, budget_ns / 4);
    report_record(what, "encode", out.len, ns, copy_ns);
    n = 0;
    start = now_ns();
    while (now_ns() - start < budget_ns) {
        for (int i = 0; i < 1000; i++) {
            const struct sluice_schema *got;
            struct sluice_value value;
            if (i % 50 == 0) sluice_batch_reset(&batch);
            if (json->decode(self, &batch, "t", NULL, out.data, out.len, &got, &value, &err) !=
                SLUICE_OK) {
                fprintf(stderr, "%s: %s\n", what, err.msg);
                exit(1);
            }
        }
        n += 1000;
    }
    report_record(what, "decode", out.len, (now_ns() - start) / (double)n, copy_ns);
    sluice_json_converter.close(self);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
    sluice_schema_free(schema);
}

int main(int argc, char **argv)
{
    double budget_ns = (argc > 1 ? strtod(argv[1], NULL) : 500) * 1e6;
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    struct sluice_value change = make_change(&batch), record = make_flat(&batch);
    with_schemas = false;
    measure("change, schemas off", &envelope, &change, budget_ns);
    measure("20 fields, schemas off", &flat, &record, budget_ns);
    with_schemas = true;
    measure("change, schemas on", &envelope, &change, budget_ns);
    measure("20 fields, schemas on", &flat, &record, budget_ns);
    sluice_batch_fini(&batch);
    return 0;
}
