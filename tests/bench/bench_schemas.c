/* bench_schemas.c - nanoseconds a record of the converters of a schema registry's formats but Avro:
 * Protobuf and JSON with a JSON Schema, both ways, for a flat record of 20 fields and a change
 * event; beside memcpy of the same bytes in the same run. No registry takes part: it is asked once
 * per schema.
 *
 *     bench_schemas [milliseconds per figure] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "data/converters/json_plan.h"
#include "data/converters/protobuf_plan.h"
#include "data/schema.h"
#include "measure.h"

static struct sluice_value text(const char *s) { return sluice_string(s, strlen(s)); }

/* ---- records ---- */

static const struct sluice_schema string = {.type = SLUICE_STRING}, int64 = {.type = SLUICE_INT64},
                                  int32 = {.type = SLUICE_INT32},
                                  boolean = {.type = SLUICE_BOOLEAN},
                                  real = {.type = SLUICE_FLOAT64},
                                  maybe_string = {.type = SLUICE_STRING, .optional = true},
                                  maybe_int64 = {.type = SLUICE_INT64, .optional = true};
static const struct sluice_field flat_fields[20] = {
    {"id", &int64},       {"user", &int32},    {"name", &string},       {"mail", &string},
    {"active", &boolean}, {"score", &real},    {"a", &maybe_string},    {"b", &maybe_int64},
    {"created", &int64},  {"updated", &int64}, {"city", &string},       {"zip", &int32},
    {"lat", &real},       {"lon", &real},      {"note", &maybe_string}, {"c", &maybe_int64},
    {"kind", &string},    {"version", &int32}, {"deleted", &boolean},   {"total", &int64}};
static const struct sluice_schema flat = {
    .type = SLUICE_STRUCT, .name = "com.acme.Flat", .fields = flat_fields, .fields_len = 20};
static const struct sluice_schema row = {.type = SLUICE_STRUCT,
                                         .optional = true,
                                         .name = "s.public.t.Value",
                                         .fields = flat_fields,
                                         .fields_len = 8};
static const struct sluice_field source_fields[8] = {
    {"version", &string}, {"connector", &string}, {"name", &string},  {"ts_ms", &int64},
    {"db", &string},      {"schema", &string},    {"table", &string}, {"lsn", &maybe_int64}};
static const struct sluice_schema source = {.type = SLUICE_STRUCT,
                                            .name = "io.debezium.connector.postgresql.Source",
                                            .fields = source_fields,
                                            .fields_len = 8};
static const struct sluice_field change_fields[5] = {
    {"before", &row}, {"after", &row}, {"source", &source}, {"op", &string}, {"ts_ms", &int64}};
static const struct sluice_schema change = {
    .type = SLUICE_STRUCT, .name = "s.public.t.Envelope", .fields = change_fields, .fields_len = 5};

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
                                            sluice_null(),
                                            sluice_int64(7),
                                            text("customer"),
                                            sluice_int32(3),
                                            sluice_bool(false),
                                            sluice_int64(99)};
    struct sluice_value *v = sluice_batch_alloc(batch, sizeof values);
    memcpy(v, values, sizeof values);
    return sluice_nested(SLUICE_STRUCT, v, 20);
}

static struct sluice_value make_change(struct sluice_batch *batch)
{
    struct sluice_value after = make_flat(batch);
    after.len = 8;
    const struct sluice_value from[8] = {
        text("3.6.1.Final"),         text("postgresql"),    text("s"),
        sluice_int64(1785000000123), text("postgres"),      text("public"),
        text("content_actions"),     sluice_int64(24023400)};
    struct sluice_value *s = sluice_batch_alloc(batch, sizeof from);
    memcpy(s, from, sizeof from);
    const struct sluice_value values[5] = {sluice_null(), after, sluice_nested(SLUICE_STRUCT, s, 8),
                                           text("c"), sluice_int64(1785000000456)};
    struct sluice_value *v = sluice_batch_alloc(batch, sizeof values);
    memcpy(v, values, sizeof values);
    return sluice_nested(SLUICE_STRUCT, v, 5);
}

/* ---- measuring ---- */

/* One format of one schema, both ways. */
struct format {
    const char *name;
    struct pb_output output; /* Protobuf */
    struct pb_set set;
    const struct pb_reader *reader;
    const struct json_plan *plan; /* JSON */
    bool protobuf;
};

static bool format_write(struct format *f, struct sluice_buf *out, const struct sluice_value *v,
                         struct sluice_err *err)
{
    return f->protobuf ? pb_encode(out, &f->output.root, v, err)
                       : json_encode(out, f->plan, v, err);
}

static bool format_read(struct format *f, struct sluice_batch *batch, const struct sluice_buf *in,
                        struct sluice_value *v, struct sluice_err *err)
{
    struct sluice_json_reader r;
    if (f->protobuf) return pb_decode(batch, f->reader, in->data, in->len, v, err);
    sluice_json_reader_init(&r, batch, in->data, in->len, err);
    return json_decode(&r, f->plan, v);
}

static void fail(const char *what, const struct sluice_err *err)
{
    fprintf(stderr, "%s: %s\n", what, err->msg);
    exit(1);
}

static void measure(const char *what, struct format *f, const struct sluice_value *v,
                    double budget_ns)
{
    struct sluice_batch batch;
    struct sluice_buf out;
    struct sluice_err err = {""};
    struct sluice_value got;
    size_t n = 0;
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    double start = now_ns();
    for (; now_ns() - start < budget_ns; n += 1000) {
        for (int i = 0; i < 1000; i++) {
            sluice_buf_clear(&out);
            if (!format_write(f, &out, v, &err)) fail(what, &err);
        }
    }
    double ns = (now_ns() - start) / (double)n,
           copy_ns = memcpy_ns(out.data, out.len, budget_ns / 4);
    report_record(what, "encode", out.len, ns, copy_ns);
    n = 0;
    start = now_ns();
    for (; now_ns() - start < budget_ns; n += 1000) {
        for (int i = 0; i < 1000; i++) {
            if (i % 50 == 0) sluice_batch_reset(&batch);
            if (!format_read(f, &batch, &out, &got, &err)) fail(what, &err);
        }
    }
    report_record(what, "decode", out.len, (now_ns() - start) / (double)n, copy_ns);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
}

static void run(const char *name, const struct sluice_schema *description,
                const struct sluice_value *v, double budget_ns)
{
    static const struct pb_config config = {.optional_nullables = true, .index_unions = true};
    static const struct json_config json = {.replace_null = true, .loose = true};
    const struct sluice_schema *schema = sluice_schema_intern(description), *read = NULL;
    struct format f = {.protobuf = true};
    struct sluice_err err = {""};
    struct sluice_buf proto;
    char what[64];
    const int32_t path[1] = {0};
    sluice_buf_init(&proto, SLUICE_BUF_MAX);
    pb_set_init(&f.set);
    bool ok =
        pb_output_init(&f.output, &config, schema, &err) && pb_text(&proto, f.output.file, &err);
    const struct pb_file *file = ok ? pb_parse(&f.set, "", proto.data, proto.len, &err) : NULL;
    ok = file && pb_link(&f.set, &err) &&
         pb_input(&f.set.arena, &config, pb_message_at(file, path, 1, &err), 0, &read, &f.reader,
                  &err);
    if (!ok) fail(name, &err);
    snprintf(what, sizeof what, "%s, Protobuf", name);
    measure(what, &f, v, budget_ns);
    f.protobuf = false;
    f.plan = json_plan_new(&f.set.arena, &json, schema, &err);
    if (!f.plan) fail(name, &err);
    snprintf(what, sizeof what, "%s, JSON Schema", name);
    measure(what, &f, v, budget_ns);
    sluice_schema_free(read);
    sluice_schema_free(schema);
    sluice_buf_fini(&proto);
    pb_output_fini(&f.output);
    pb_set_fini(&f.set);
}

int main(int argc, char **argv)
{
    double budget_ns = (argc > 1 ? strtod(argv[1], NULL) : 500) * 1e6;
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    struct sluice_value record = make_flat(&batch), event = make_change(&batch);
    run("20 fields", &flat, &record, budget_ns);
    run("change", &change, &event, budget_ns);
    sluice_batch_fini(&batch);
    return 0;
}
