/* bq_test.h - what the tests of bigquery-sink share: a task on the fake host beside a stub, and
 * records in one line each. */
#ifndef SLUICE_TESTS_BQ_TEST_H
#define SLUICE_TESTS_BQ_TEST_H

#include <jansson.h>
#include <stdarg.h>

#include "bq_stub.h"
#include "data/schema.h"
#include "fake_host.h"
#include "harness.h"

#define INSERT "/insertAll"
#define BQ_LONG_MS 60000 /* no machine needs so long */
#define NO_TABLE "Not found: Table p:d.t"

static const struct sluice_schema bq_string = {.type = SLUICE_STRING},
                                  bq_string_opt = {.type = SLUICE_STRING, .optional = true},
                                  bq_int32 = {.type = SLUICE_INT32},
                                  bq_int64 = {.type = SLUICE_INT64},
                                  bq_int64_opt = {.type = SLUICE_INT64, .optional = true},
                                  bq_double = {.type = SLUICE_FLOAT64};

struct bq_test {
    struct fake_host fake;
    struct stub *stub;
    const struct sluice_schema *schemas[16];
    size_t schemas_n;
};

static inline const struct sluice_plugin *bq_plugin(void) { return sluice_plugins_v1()[0]; }

/* Quick retries; no decorator, so that no table is asked for first. */
static inline void bq_init(struct bq_test *t)
{
    *t = (struct bq_test){.stub = stub_new()};
    fake_init(&t->fake, bq_plugin(), "project", "p", "defaultDataset", "d", "bigQueryEndpoint",
              t->stub->url, "bigQueryPartitionDecorator", "false", "bigQueryRetryWait", "5",
              "tableUpdateWaitMs", "5", "lingerMs", "5", NULL);
}

static inline void bq_open_task(struct bq_test *t)
{
    enum sluice_verdict verdict = fake_open(&t->fake);
    if (verdict != SLUICE_OK) FAIL("open: %s", t->fake.err.msg);
}

static inline void bq_fini(struct bq_test *t)
{
    fake_fini(&t->fake);
    for (size_t i = 0; i < t->schemas_n; i++) sluice_schema_free(t->schemas[i]);
    stub_free(t->stub);
}

/* name, schema, name, schema, ..., NULL */
static inline __attribute__((sentinel)) const struct sluice_schema *bq_struct(struct bq_test *t,
                                                                              ...)
{
    struct sluice_field fields[32];
    struct sluice_schema schema = {.type = SLUICE_STRUCT, .fields = fields};
    va_list ap;
    va_start(ap, t);
    for (const char *name; (name = va_arg(ap, const char *));) {
        fields[schema.fields_len].name = name;
        fields[schema.fields_len++].schema = va_arg(ap, const struct sluice_schema *);
    }
    va_end(ap);
    return t->schemas[t->schemas_n++] = sluice_schema_intern(&schema);
}

static inline struct sluice_value bq_text(const char *s) { return sluice_string(s, strlen(s)); }

/* n values in memory of the next put. */
static inline struct sluice_value bq_values(struct bq_test *t, enum sluice_type type, size_t n,
                                            const struct sluice_value *values)
{
    size_t count = type == SLUICE_MAP ? 2 * n : n;
    struct sluice_value *copy =
        sluice_batch_alloc(&t->fake.input, count * sizeof *copy + sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    return sluice_nested(type, copy, n);
}

#define BQ_LIST(...)                                                                               \
    sizeof((const struct sluice_value[]){__VA_ARGS__}) / sizeof(struct sluice_value),              \
        (const struct sluice_value[])                                                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* A record of topic t, partition 0. */
static inline struct sluice_record *bq_give(struct bq_test *t, int64_t offset,
                                            const struct sluice_schema *schema, size_t n,
                                            const struct sluice_value *values)
{
    struct sluice_value value = bq_values(t, SLUICE_STRUCT, n, values);
    struct sluice_record *rec = fake_give(&t->fake, "t", 0, offset);
    rec->value_schema = schema;
    rec->value = value;
    return rec;
}

/* One row {f: "v<offset>"}. */
static inline struct sluice_record *bq_give_row(struct bq_test *t, const char *topic,
                                                int32_t partition, int64_t offset)
{
    char *text = sluice_batch_alloc(&t->fake.input, 32);
    snprintf(text, 32, "v%lld", (long long)offset);
    struct sluice_value pair[] = {bq_text("f"), bq_text(text)};
    struct sluice_value value = bq_values(t, SLUICE_MAP, 1, pair);
    struct sluice_record *rec = fake_give(&t->fake, topic, partition, offset);
    rec->value = value;
    return rec;
}

static inline void bq_put_all(struct bq_test *t)
{
    if (fake_put(&t->fake) != SLUICE_OK) FAIL("put: %s", t->fake.err.msg);
}

/* Works until nothing is left, or FAIL; OK must come within BQ_LONG_MS. */
static inline enum sluice_verdict bq_finish(struct bq_test *t)
{
    return fake_flush(&t->fake, BQ_LONG_MS);
}

static inline void bq_finish_ok(struct bq_test *t)
{
    if (bq_finish(t) != SLUICE_OK)
        FAIL("flush: %s; trouble: %s", t->fake.err.msg, t->fake.trouble ? t->fake.trouble : "none");
}

/* Works until the condition holds; it must within BQ_LONG_MS. */
#define BQ_WORK_UNTIL(t, condition)                                                                \
    do {                                                                                           \
        long long bq_end = stub_now() + BQ_LONG_MS;                                                \
        while (!(condition)) {                                                                     \
            if (stub_now() > bq_end) FAIL("never true: %s", #condition);                           \
            if (fake_work(&(t)->fake, 20) == SLUICE_FAIL) FAIL("work: %s", (t)->fake.err.msg);     \
        }                                                                                          \
    } while (0)

/* The i-th insertAll's body; fails the test when there is none. */
static inline const char *bq_body(struct bq_test *t, size_t i)
{
    const struct stub_request *req = stub_request(t->stub, "POST", INSERT, i);
    CHECK(req != NULL);
    return req->body;
}

#endif
