/* bench_transforms.c - nanoseconds per record of chains of three transforms, for a flat record of
 * 20 fields, a change event and a map; beside JsonConverter's encode of the record that comes out,
 * in the same run, so that the ratio means something on any machine.
 *
 *     bench_transforms [milliseconds per figure] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "data/builtins.h"
#include "data/json_text.h"
#include "data/schema.h"
#include "measure.h"
#include "plugin/host.h"
#include "plugin/options.h"

#define CHAIN_MAX 3
#define BATCH 100 /* records between resets, as a poll brings them */

/* ---- chains ---- */

struct step {
    const struct sluice_plugin *plugin;
    const char *config[8]; /* key, value, ..., NULL */
};

struct chain {
    const char *name;
    struct step steps[CHAIN_MAX];
};

struct opened {
    const struct sluice_plugin *plugin;
    struct sluice_conf *conf;
    void *self;
};

static void stop(const char *what, const struct sluice_err *err)
{
    fprintf(stderr, "%s: %s\n", what, err->msg);
    exit(1);
}

static void open_plugin(struct opened *o, const struct sluice_plugin *plugin,
                        const char *const *config)
{
    static const struct sluice_host host = {.size = sizeof host,
                                            .str = sluice_conf_str,
                                            .num = sluice_conf_num,
                                            .real = sluice_conf_real,
                                            .flag = sluice_conf_flag,
                                            .list = sluice_conf_list,
                                            .entry = sluice_conf_entry};
    struct sluice_err err = {""};
    struct sluice_map map = {0};
    for (; *config; config += 2) sluice_map_set(&map, config[0], config[1]);
    o->plugin = plugin;
    o->conf = sluice_conf_new(plugin, &map, "", &err);
    if (!o->conf || plugin->open(NULL, &host, o->conf, &o->self, &err) != SLUICE_OK) {
        stop(plugin->name, &err);
    }
    sluice_map_fini(&map);
}

static void close_plugin(struct opened *o)
{
    o->plugin->close(o->self);
    sluice_conf_free(o->conf);
}

/* ---- records ---- */

static struct sluice_value text(const char *s) { return sluice_string(s, strlen(s)); }

static const struct sluice_schema int64 = {.type = SLUICE_INT64},
                                  boolean = {.type = SLUICE_BOOLEAN},
                                  maybe_text = {.type = SLUICE_STRING, .optional = true},
                                  maybe_real = {.type = SLUICE_FLOAT64, .optional = true};

static char flat_names[20][24];
static struct sluice_field flat_fields[20];
static struct sluice_value flat_values[20], flat_entries[40];
static const struct sluice_schema flat = {
    .type = SLUICE_STRUCT, .name = "flat", .fields = flat_fields, .fields_len = 20};

static void make_flat(void)
{
    static const struct sluice_schema *const kinds[4] = {&int64, &maybe_text, &maybe_real,
                                                         &boolean};
    for (int i = 0; i < 20; i++) {
        snprintf(flat_names[i], sizeof flat_names[i], "field_%d", i);
        flat_fields[i] = (struct sluice_field){flat_names[i], kinds[i % 4]};
        flat_values[i] = i % 4 == 0   ? sluice_int64(1000000 * i + 17)
                         : i % 4 == 1 ? text("some words of a usual length")
                         : i % 4 == 2 ? sluice_float64(0.1 * i + 1000)
                                      : sluice_bool(i % 8 == 3);
        flat_entries[2 * i] = text(flat_names[i]);
        flat_entries[2 * i + 1] = flat_values[i];
    }
}

/* A row of 8 fields and where it came from, 6 fields. */
static const struct sluice_field nested_fields[] = {
    {"id", &int64},        {"name", &maybe_text}, {"score", &maybe_real},  {"liked", &boolean},
    {"note", &maybe_text}, {"created", &int64},   {"device", &maybe_text}, {"count", &int64}};
static const struct sluice_schema nested = {
    .type = SLUICE_STRUCT, .optional = true, .fields = nested_fields, .fields_len = 8};
static const struct sluice_field event_fields[] = {
    {"after", &nested}, {"before", &nested}, {"op", &maybe_text}, {"ts_ms", &int64}};
static const struct sluice_schema event = {
    .type = SLUICE_STRUCT, .name = "event", .fields = event_fields, .fields_len = 4};
static struct sluice_value nested_values[8], event_values[4];

static void make_event(void)
{
    const struct sluice_value row[8] = {sluice_int64(123456),
                                        text("content-00042-of-a-series"),
                                        sluice_float64(12345.678),
                                        sluice_bool(true),
                                        text("a note with some length to it, as people write"),
                                        sluice_int64(1785000000123456),
                                        text("mobile/android"),
                                        sluice_int64(7)};
    memcpy(nested_values, row, sizeof row);
    event_values[0] = sluice_nested(SLUICE_STRUCT, nested_values, 8);
    event_values[1] = sluice_null();
    event_values[2] = text("c");
    event_values[3] = sluice_int64(1785000000456);
}

/* ---- measuring ---- */

static void fill(struct sluice_record *rec, const struct sluice_schema *schema,
                 struct sluice_value value)
{
    rec->topic = rec->origin_topic = "orders";
    rec->partition = 3;
    rec->timestamp_ms = 1785000000456;
    rec->value_schema = schema;
    rec->value = value;
}

static double chain_ns(const struct chain *chain, const struct sluice_schema *schema,
                       struct sluice_value value, double budget_ns, struct sluice_batch *batch,
                       struct sluice_record *last)
{
    struct opened steps[CHAIN_MAX];
    struct sluice_err err = {""};
    size_t n = 0, steps_n = 0;
    for (; steps_n < CHAIN_MAX && chain->steps[steps_n].plugin; steps_n++) {
        open_plugin(&steps[steps_n], chain->steps[steps_n].plugin, chain->steps[steps_n].config);
    }
    double best = 1e12;
    for (double start = now_ns(), end = start; end - start < budget_ns; n += BATCH) {
        double from = now_ns();
        sluice_batch_reset(batch);
        for (int i = 0; i < BATCH; i++) {
            struct sluice_record *rec = sluice_batch_append(batch);
            fill(rec, schema, value);
            for (size_t k = 0; k < steps_n; k++) {
                if (steps[k].plugin->transform->apply(steps[k].self, batch, rec, &err) !=
                    SLUICE_OK) {
                    stop(chain->name, &err);
                }
            }
            *last = *rec;
        }
        end = now_ns();
        if ((end - from) / BATCH < best) best = (end - from) / BATCH;
    }
    for (size_t k = 0; k < steps_n; k++) close_plugin(&steps[k]);
    return best;
}

static double encode_ns(const struct sluice_record *rec, double budget_ns, size_t *bytes)
{
    static const char *const config[] = {"schemas.enable", "false", NULL};
    struct opened json;
    struct sluice_buf out;
    struct sluice_err err = {""};
    bool null;
    double best = 1e12;
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    open_plugin(&json, &sluice_json_converter, config);
    for (double start = now_ns(), end = start; end - start < budget_ns;) {
        double from = now_ns();
        for (int i = 0; i < BATCH; i++) {
            sluice_buf_clear(&out);
            if (json.plugin->converter->encode(json.self, rec->topic, NULL, rec->value_schema,
                                               &rec->value, &out, &null, &err) != SLUICE_OK) {
                stop("encode", &err);
            }
        }
        end = now_ns();
        if ((end - from) / BATCH < best) best = (end - from) / BATCH;
    }
    *bytes = out.len;
    close_plugin(&json);
    sluice_buf_fini(&out);
    return best;
}

static void measure(const struct chain *chain, const struct sluice_schema *description,
                    struct sluice_value value, double budget_ns)
{
    const struct sluice_schema *schema = description ? sluice_schema_intern(description) : NULL;
    struct sluice_batch batch;
    struct sluice_record last = {0};
    size_t bytes = 0;
    sluice_batch_init(&batch);
    double ns = chain_ns(chain, schema, value, budget_ns, &batch, &last);
    double json_ns = encode_ns(&last, budget_ns / 2, &bytes);
    printf("%-46s %7.1f ns/record   JSON of %4zu bytes %7.1f ns, ratio %.2f\n", chain->name, ns,
           bytes, json_ns, ns / json_ns);
    sluice_batch_fini(&batch);
    sluice_schema_free(schema);
}

#define INSERT                                                                                     \
    {                                                                                              \
        &sluice_insert_field_value,                                                                \
        {                                                                                          \
            "static.field", "source", "static.value", "prod", "timestamp.field", "at", NULL        \
        }                                                                                          \
    }
#define CAST(spec)                                                                                 \
    {                                                                                              \
        &sluice_cast_value, { "spec", spec, NULL }                                                 \
    }
#define FLATTEN                                                                                    \
    {                                                                                              \
        &sluice_flatten_value, { "delimiter", "_", NULL }                                          \
    }

int main(int argc, char **argv)
{
    double budget_ns = (argc > 1 ? strtod(argv[1], NULL) : 500) * 1e6;
    const struct chain flat_chain = {"InsertField, Cast, Flatten; 20 fields",
                                     {INSERT, CAST("field_0:int32,field_6:float32"), FLATTEN}};
    const struct chain event_chain = {"Flatten, Cast, InsertField; nested event",
                                      {FLATTEN, CAST("after_count:int32,ts_ms:string"), INSERT}};
    const struct chain map_chain = {"InsertField, Cast, Flatten; map of 20",
                                    {INSERT, CAST("field_0:int32,field_6:float32"), FLATTEN}};
    const struct chain extract_chain = {
        "ExtractField, InsertField, Cast; nested event",
        {{&sluice_extract_field_value, {"field", "after", NULL}}, INSERT, CAST("count:int32")}};
    make_flat();
    make_event();
    measure(&flat_chain, &flat, sluice_nested(SLUICE_STRUCT, flat_values, 20), budget_ns);
    measure(&event_chain, &event, sluice_nested(SLUICE_STRUCT, event_values, 4), budget_ns);
    measure(&extract_chain, &event, sluice_nested(SLUICE_STRUCT, event_values, 4), budget_ns);
    measure(&map_chain, NULL, sluice_nested(SLUICE_MAP, flat_entries, 20), budget_ns);
    return 0;
}
