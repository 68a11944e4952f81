/* Schemas are interned and counted; values compared, copied, measured; batches hold schemas. */
#include <math.h>
#include <pthread.h>

#include "data/batch.h"
#include "data/lru.h"
#include "data/values.h"
#include "golden/text.h"

static const struct sluice_schema *intern(const char *text)
{
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    struct text_reader r = {text, &batch};
    const struct sluice_schema *schema = sluice_schema_intern(text_read_schema(&r));
    sluice_batch_fini(&batch); /* the interned one must be a copy */
    return schema;
}

static const char *const different[] = {
    "INT32",
    "?INT32",
    "INT32=i5",
    "INT32=i6",
    "INT32@\"n\"",
    "INT32@\"n\"#1",
    "INT32@\"n\"#2",
    "INT32!\"doc\"",
    "INT32%{\"a\"=\"b\"}",
    "INT32%{\"a\"=\"c\"}",
    "INT32%{\"a\"=\"b\",\"c\"=\"d\"}",
    "STRING",
    "ARRAY[INT32]",
    "ARRAY[?INT32]",
    "MAP[STRING,INT32]",
    "MAP[INT32,STRING]",
    "STRUCT[]",
    "STRUCT[\"a\":INT32]",
    "STRUCT[\"b\":INT32]",
    "STRUCT[\"a\":?INT32]",
    "STRUCT[\"a\":INT32,\"b\":INT32]",
    "STRUCT[\"a\":ARRAY[MAP[STRING,STRUCT[\"x\":FLOAT64=d3ff0000000000000]]]]",
    "ARRAY[INT32]=[i1,i2]",
    "MAP[STRING,INT32]={\"a\":i1}",
    "STRUCT[\"a\":STRING]=(\"x\")",
    "BYTES=b00ff",
};
#define DIFFERENT (sizeof different / sizeof *different)

TEST(equal_descriptions_are_one_schema)
{
    const struct sluice_schema *first[DIFFERENT];
    size_t before = sluice_schema_count();
    for (size_t i = 0; i < DIFFERENT; i++) {
        first[i] = intern(different[i]);
        for (size_t k = 0; k < i; k++) CHECK(first[k] != first[i]);
    }
    struct sluice_buf text;
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    for (size_t i = 0; i < DIFFERENT; i++) {
        const struct sluice_schema *again = intern(different[i]);
        CHECK(again == first[i]);
        sluice_schema_free(again);
        sluice_buf_clear(&text);
        text_schema(&text, first[i]);
        CHECK_STR(sluice_buf_str(&text), different[i]);
    }
    for (size_t i = 0; i < DIFFERENT; i++) sluice_schema_free(first[i]);
    CHECK_INT(sluice_schema_count(), before);
    sluice_buf_fini(&text);
}

TEST(a_parent_holds_its_children)
{
    size_t before = sluice_schema_count();
    const struct sluice_schema *parent = intern("STRUCT[\"a\":ARRAY[INT32],\"b\":ARRAY[INT32]]");
    const struct sluice_schema *child = sluice_schema_hold(parent->fields[0].schema);
    CHECK(child == parent->fields[1].schema);
    sluice_schema_free(parent);
    CHECK_INT(child->elem->type, SLUICE_INT32);
    sluice_schema_free(child);
    sluice_schema_free(NULL);
    CHECK(sluice_schema_hold(NULL) == NULL);
    CHECK_INT(sluice_schema_count(), before);
}

TEST(fields_and_names_are_found)
{
    const struct sluice_schema *schema = intern("STRUCT[\"ab\":INT32,\"a\":INT32]@\"N\"");
    CHECK_INT(sluice_schema_field(schema, "a", 1), 1);
    CHECK_INT(sluice_schema_field(schema, "abc", 2), 0);
    CHECK_INT(sluice_schema_field(schema, "abc", 3), -1);
    CHECK_INT(sluice_schema_field(schema, "", 0), -1);
    CHECK(sluice_schema_named(schema, "N"));
    CHECK(!sluice_schema_named(schema, "n"));
    CHECK(!sluice_schema_named(NULL, "N"));
    CHECK(!sluice_schema_named(schema->fields[0].schema, "N"));
    sluice_schema_free(schema);
    CHECK_STR(sluice_type_json(SLUICE_FLOAT64), "double");
    CHECK_STR(sluice_type_name(SLUICE_FLOAT64), "FLOAT64");
}

TEST(thousands_of_schemas)
{
    static const struct sluice_schema *all[5000];
    static const struct sluice_schema int32 = {.type = SLUICE_INT32};
    size_t before = sluice_schema_count();
    char name[32];
    struct sluice_field field = {name, &int32};
    struct sluice_schema description = {.type = SLUICE_STRUCT, .fields = &field, .fields_len = 1};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            snprintf(name, sizeof name, "f%d", i);
            const struct sluice_schema *schema = sluice_schema_intern(&description);
            if (round) CHECK(schema == all[i]);
            all[i] = schema;
        }
    }
    CHECK_INT(sluice_schema_count(), before + 5001);
    for (int i = 0; i < 5000; i++) {
        sluice_schema_free(all[i]);
        sluice_schema_free(all[i]);
    }
    CHECK_INT(sluice_schema_count(), before);
}

static void *intern_and_free(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++) {
        struct sluice_schema leaf = {.type = SLUICE_INT32, .has_version = true, .version = i % 3};
        struct sluice_schema list = {.type = SLUICE_ARRAY, .elem = &leaf};
        const struct sluice_schema *schema = sluice_schema_intern(&list);
        if (schema->elem->version != i % 3) return (void *)"wrong";
        sluice_schema_free(sluice_schema_hold(schema));
        sluice_schema_free(schema);
    }
    return NULL;
}

TEST(threads_share_the_table)
{
    pthread_t threads[4];
    size_t before = sluice_schema_count();
    for (int i = 0; i < 4; i++) CHECK(!pthread_create(&threads[i], NULL, intern_and_free, NULL));
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        CHECK(!wrong);
    }
    CHECK_INT(sluice_schema_count(), before);
}

/* ---- values ---- */

static struct sluice_value read(struct sluice_batch *batch, const char *text)
{
    struct text_reader r = {text, batch};
    return text_read_value(&r);
}

TEST(values_compare_deeply)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"i1", "i1", true},
        {"i1", "l1", false},
        {"null", "null", true},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"b\"", false},
        {"\"\"", "\"\"", true},
        {"\"a\"", "b61", false},
        {"d7ff8000000000000", "dfff8000000000001", true}, /* NaN */
        {"d0000000000000000", "d8000000000000000", false},
        {"[i1,i2]", "[i1,i2]", true},
        {"[i1,i2]", "[i2,i1]", false},
        {"[i1]", "(i1)", false},
        {"{\"a\":i1,\"b\":i2}", "{\"b\":i2,\"a\":i1}", true},
        {"{\"a\":i1,\"b\":i2}", "{\"b\":i1,\"a\":i2}", false},
        {"{\"a\":i1}", "{\"a\":i1,\"b\":i2}", false},
        {"{[i1]:{}}", "{[i1]:{}}", true},
    };
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sluice_value a = read(&batch, cases[i].a), b = read(&batch, cases[i].b);
        if (sluice_value_equal(&a, &b) != cases[i].equal ||
            sluice_value_equal(&b, &a) != cases[i].equal) {
            FAIL("%s and %s", cases[i].a, cases[i].b);
        }
    }
    sluice_batch_fini(&batch);
}

TEST(a_copy_needs_nothing_of_the_original)
{
    struct sluice_batch from, to;
    sluice_batch_init(&from);
    sluice_batch_init(&to);
    struct sluice_value v = read(&from, "{\"a\":[i1,(\"x\",b00)],\"b\":null}");
    struct sluice_value copy = sluice_value_copy(&to.arena, &v);
    CHECK(sluice_value_equal(&v, &copy));
    CHECK_INT(sluice_value_bytes(&v), sluice_value_bytes(&copy));
    CHECK(sluice_value_bytes(&v) >= 9 * sizeof v + 4);
    sluice_batch_fini(&from);
    CHECK_INT(sluice_value_get(&copy, "a")->len, 2);
    CHECK_INT(sluice_value_get(&copy, "b")->type, SLUICE_NULL);
    CHECK(!sluice_value_get(&copy, "c"));
    CHECK(!sluice_value_get(sluice_value_get(&copy, "a"), "a"));
    sluice_batch_fini(&to);
}

TEST(a_batch_holds_schemas_until_reset)
{
    struct sluice_batch batch;
    size_t before = sluice_schema_count();
    sluice_batch_init(&batch);
    for (int i = 0; i < 100; i++) {
        const struct sluice_schema *schema = intern(i % 2 ? "INT8#7" : "INT8#8");
        sluice_batch_hold(&batch, schema);
        sluice_batch_hold(&batch, schema);
        sluice_schema_free(schema);
    }
    sluice_batch_hold(&batch, NULL);
    CHECK_INT(sluice_schema_count(), before + 2);
    CHECK(batch.held_n <= 4);
    struct sluice_record *rec = sluice_batch_append(&batch);
    CHECK_INT(rec->partition, SLUICE_ANY_PARTITION);
    CHECK(rec->timestamp_ms == SLUICE_NO_TIMESTAMP);
    CHECK(!rec->topic && !rec->headers && rec->value.type == SLUICE_NULL);
    sluice_batch_reset(&batch);
    CHECK_INT(batch.n, 0);
    CHECK_INT(sluice_schema_count(), before);
    sluice_batch_fini(&batch);
}

/* ---- the cache of plans ---- */

static int dropped;
static struct sluice_lru_node *last_dropped;

static void drop(struct sluice_lru_node *node)
{
    dropped++;
    last_dropped = node;
}

TEST(the_least_recently_used_falls_out)
{
    static char keys[100];
    static struct sluice_lru_node nodes[100];
    struct sluice_lru lru;
    sluice_lru_init(&lru, 10, 1000, drop);
    CHECK(!sluice_lru_get(&lru, &keys[0], 0));
    for (int i = 0; i < 100; i++) {
        nodes[i] = (struct sluice_lru_node){.key = &keys[i], .bytes = 10};
        sluice_lru_put(&lru, &nodes[i]);
        CHECK(sluice_lru_get(&lru, &keys[0], 0) == &nodes[0]); /* keeps the first one young */
        CHECK(lru.n <= 10);
    }
    CHECK_INT(dropped, 90);
    CHECK(last_dropped == &nodes[90]);
    nodes[1] = (struct sluice_lru_node){.key = &keys[1], .bytes = 5000};
    sluice_lru_put(&lru, &nodes[1]); /* heavier than all: alone */
    CHECK_INT(lru.n, 1);
    CHECK(sluice_lru_get(&lru, &keys[1], 0) == &nodes[1]);
    nodes[2] = (struct sluice_lru_node){.key = "text", .key_len = 4, .bytes = 1};
    sluice_lru_put(&lru, &nodes[2]);
    char same[] = "text";
    CHECK(sluice_lru_get(&lru, same, 4) == &nodes[2]);
    CHECK(!sluice_lru_get(&lru, same, 3));
    sluice_lru_fini(&lru);
    CHECK_INT(dropped, 102);
}
