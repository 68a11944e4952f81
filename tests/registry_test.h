/* registry_test.h - for tests of the converters of a schema registry: one converter on the fake
 * registry, schemas and values as lines of text (golden/text.h). */
#ifndef SLUICE_TESTS_REGISTRY_TEST_H
#define SLUICE_TESTS_REGISTRY_TEST_H

#include "data/builtins.h"
#include "data/values.h"
#include "fake_host.h"
#include "fake_registry.h"
#include "golden/text.h"

struct registry_test {
    struct fake_host fake;
    const struct sluice_plugin *plugin;
    struct sluice_batch batch;
    struct sluice_buf out, text;
    const struct sluice_schema *schemas[64];
    size_t schemas_n, schemas_before;
    struct sluice_err err;
    bool null;
};

/* config: "key=value;key=value" or "-". */
__attribute__((unused)) static void test_open(struct registry_test *t,
                                              const struct sluice_plugin *plugin,
                                              const char *config)
{
    memset(t, 0, sizeof *t);
    t->plugin = plugin;
    t->schemas_before = sluice_schema_count();
    sluice_batch_init(&t->batch);
    sluice_buf_init(&t->out, SLUICE_BUF_MAX);
    sluice_buf_init(&t->text, SLUICE_BUF_MAX);
    fake_init(&t->fake, plugin, "schema.registry.url", "http://127.0.0.1:1", NULL);
    fake_configure(&t->fake, config);
    if (fake_open(&t->fake) != SLUICE_OK) FAIL("cannot open: %s", t->fake.err.msg);
}

__attribute__((unused)) static void test_close(struct registry_test *t)
{
    for (size_t i = 0; i < t->schemas_n; i++) sluice_schema_free(t->schemas[i]);
    sluice_batch_fini(&t->batch);
    sluice_buf_fini(&t->out);
    sluice_buf_fini(&t->text);
    fake_fini(&t->fake);
    fake_registry_reset();
    CHECK_INT(sluice_schema_count(), t->schemas_before);
}

__attribute__((unused)) static const struct sluice_schema *test_schema(struct registry_test *t,
                                                                       const char *line)
{
    struct text_reader r = {line, &t->batch};
    const struct sluice_schema *schema = sluice_schema_intern(text_read_schema(&r));
    if (*r.at) FAIL("the schema ends early: %s", r.at);
    return t->schemas[t->schemas_n++] = schema;
}

__attribute__((unused)) static struct sluice_value test_value(struct registry_test *t,
                                                              const char *line)
{
    struct text_reader r = {line, &t->batch};
    return text_read_value(&r);
}

/* Into t->out. */
__attribute__((unused)) static enum sluice_verdict test_encode(struct registry_test *t,
                                                               const struct sluice_schema *schema,
                                                               const struct sluice_value *v)
{
    sluice_buf_clear(&t->out);
    return t->plugin->converter->encode(t->fake.self, "t", NULL, schema, v, &t->out, &t->null,
                                        &t->err);
}

/* The bytes are copied to where reading behind them is seen. */
__attribute__((unused)) static enum sluice_verdict test_decode(struct registry_test *t,
                                                               const void *data, size_t len,
                                                               const struct sluice_schema **schema,
                                                               struct sluice_value *v)
{
    char *exact = sluice_batch_alloc(&t->batch, 1), *heap = malloc(len ? len : 1);
    (void)exact;
    memcpy(heap, data, len);
    enum sluice_verdict verdict = t->plugin->converter->decode(t->fake.self, &t->batch, "t", NULL,
                                                               heap, len, schema, v, &t->err);
    if (verdict == SLUICE_OK) *v = sluice_value_copy(&t->batch.arena, v);
    free(heap);
    return verdict;
}

__attribute__((unused)) static const char *test_schema_text(struct registry_test *t,
                                                            const struct sluice_schema *schema)
{
    sluice_buf_clear(&t->text);
    text_schema(&t->text, schema);
    return sluice_buf_str(&t->text);
}

__attribute__((unused)) static const char *test_value_text(struct registry_test *t,
                                                           const struct sluice_value *v)
{
    sluice_buf_clear(&t->text);
    text_value(&t->text, v);
    return sluice_buf_str(&t->text);
}

/* A line of schema and value through the converter: what text the registry got. */
__attribute__((unused)) static const char *test_registered(struct registry_test *t,
                                                           const char *schema, const char *value)
{
    struct sluice_value v = test_value(t, value);
    if (test_encode(t, test_schema(t, schema), &v) != SLUICE_OK) FAIL("%s", t->err.msg);
    if (fake_schemas_n == 0) FAIL("nothing was registered");
    return fake_schemas[fake_schemas_n - 1].text;
}

/* What the bytes of t->out are read as, as "schema value". */
__attribute__((unused)) static const char *test_read_back(struct registry_test *t)
{
    const struct sluice_schema *schema;
    struct sluice_value v;
    if (test_decode(t, t->out.data, t->out.len, &schema, &v) != SLUICE_OK) FAIL("%s", t->err.msg);
    sluice_buf_clear(&t->text);
    text_schema(&t->text, schema);
    sluice_buf_adds(&t->text, " ");
    text_value(&t->text, &v);
    return sluice_buf_str(&t->text);
}

#endif
