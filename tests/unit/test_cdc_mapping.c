/* Masks, hashes, cuts, source types, and names for Avro. */
#include <stdlib.h>
#include <string.h>

#include "fake_host.h"
#include "harness.h"
#include "mapping.h"

static struct cdc_settings settings;
static struct cdc_types types;
static struct cdc_pool pool;
static struct cdc_mappings mappings;
static struct fake_host fake;
static struct cdc_memory memory;
extern const struct sluice_plugin *const *sluice_plugins_v1(void);

enum { TEXT_OID = 25, VARCHAR_OID = 1043, INT_OID = 23, BYTEA_OID = 17 };

static void start(void)
{
    static const struct {
        uint32_t oid;
        const char *name;
    } known[] = {
        {TEXT_OID, "text"}, {VARCHAR_OID, "varchar"}, {INT_OID, "int4"},  {BYTEA_OID, "bytea"},
        {1700, "numeric"},  {1114, "timestamp"},      {1186, "interval"}, {1560, "bit"}};
    fake_init(&fake, sluice_plugins_v1()[0], NULL);
    memory = (struct cdc_memory){.host = &fake.host, .batch = &fake.batch};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        cdc_types_put(&types, &(struct cdc_type){.oid = known[i].oid,
                                                 .typmod = -1,
                                                 .kind = 'b',
                                                 .schema = (char *)"pg_catalog",
                                                 .name = (char *)known[i].name});
    settings.placeholder = "gone";
    settings.placeholder_len = 4;
}

static void finish(void)
{
    sluice_batch_reset(&fake.batch);
    cdc_mappings_free(&mappings);
    cdc_types_free(&types);
    cdc_pool_free(&pool);
    fake_fini(&fake);
}

static void add(const char *key, const char *list)
{
    struct sluice_err err = {{0}};
    if (!cdc_mappings_add(&mappings, &pool, key, list, &err)) FAIL("%s: %s", key, err.msg);
}

/* What a value of s.t.<column> becomes. */
static const char *mapped(const char *column, uint32_t oid, int32_t typmod, const char *text)
{
    struct cdc_source_type type;
    struct cdc_binding b, *plain = NULL;
    struct sluice_value v;
    cdc_source_type(&types, oid, typmod, false, false, &type);
    CHECK(cdc_bind(&types, &settings, oid, typmod, &pool, &b));
    const struct cdc_mapping *m = cdc_mappings_find(&mappings, "s", "t", column, &type);
    if (!m) return "none";
    bool changes = cdc_mapping_apply(m, column, &type, &pool, &b, &plain);
    CHECK(changes == (plain != NULL));
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1); /* exactly as long: reading past it is found */
    memcpy(copy, text, len);
    CHECK(b.convert(&b, &memory, copy, (uint32_t)len, &v));
    const char *out = cdc_pool_strdup(&pool, fake_text(&fake, &b.schema, &v));
    free(copy);
    return out;
}

TEST(masks_and_cuts)
{
    start();
    add("column.mask.with.3.chars", "s\\.t\\.(m|n)");
    add("column.mask.with.0.chars", "s.t.zero");
    add("column.truncate.to.2.chars", "s.t.c.*, s.t.n");
    cdc_mappings_sort(&mappings);
    CHECK_STR(mapped("m", TEXT_OID, -1, "secret"), "\"***\"");
    CHECK_STR(mapped("M", TEXT_OID, -1, ""), "\"***\"");
    CHECK_STR(mapped("zero", TEXT_OID, -1, "secret"), "\"\"");
    CHECK_STR(mapped("m", INT_OID, -1, "12"), "12");
    CHECK_STR(mapped("n", TEXT_OID, -1, "secret"), "\"se\""); /* cuts are asked first */
    CHECK_STR(mapped("c", TEXT_OID, -1, "äöü"), "\"äö\"");
    CHECK_STR(mapped("c", TEXT_OID, -1, "a😀"), "\"a\""); /* no half of a pair */
    CHECK_STR(mapped("c", TEXT_OID, -1, "😀x"), "\"😀\"");
    CHECK_STR(mapped("c", TEXT_OID, -1, "a"), "\"a\"");
    CHECK_STR(mapped("c", TEXT_OID, -1, "a\xe2\x82"), "\"a\""); /* cut amid a character */
    CHECK_STR(mapped("c", BYTEA_OID, -1, "\\x010203"), "x'0102'");
    CHECK_STR(mapped("c", VARCHAR_OID, 4 + 2, "ab"), "\"ab\"");
    CHECK_STR(mapped("other", TEXT_OID, -1, "a"), "none");
    finish();
}

TEST(hashes)
{
    start();
    add("column.mask.hash.SHA-256.with.salt.CzQMA0cB5K", "s.t.a");
    add("column.mask.hash.sha-256.with.salt.salt", "s.t.long");
    add("column.mask.hash.MD5.with.salt.s", "s.t.pair");
    add("column.mask.hash.v2.SHA-512.with.salt.a.b", "s.t.b");
    CHECK_STR(mapped("a", TEXT_OID, -1, "hello"),
              "\"b4d39ab0d198fb4cac8b2f023da74f670bcaf192dcc79b5d6361b7ae6b2fafdf\"");
    CHECK_STR(mapped("a", VARCHAR_OID, 4 + 20, "test"), "\"8e68c68edbbac316dfe2\"");
    CHECK_STR(mapped("b", VARCHAR_OID, 4 + 20, "hi"), "\"8797828c9cc505abc514\"");
    CHECK_STR(mapped("pair", TEXT_OID, -1, "ä😀€"), "\"cbfeee425debfee4659ba181ac5a593d\"");
    char *text = malloc(70001);
    memset(text, 'x', 70000);
    text[70000] = 0;
    CHECK_STR(mapped("long", TEXT_OID, -1, text),
              "\"7fab0c0461220b8c55bbb93baf32883ff3a4680ded26e5063b3e5aa09c98a713\"");
    free(text);
    finish();
}

TEST(unavailable_values_are_mapped_too)
{
    start();
    struct cdc_source_type type;
    struct cdc_binding b, *plain;
    struct sluice_value v;
    add("column.mask.with.2.chars", "s.t.a");
    cdc_source_type(&types, TEXT_OID, -1, false, false, &type);
    CHECK(cdc_bind(&types, &settings, TEXT_OID, -1, &pool, &b));
    CHECK(cdc_mapping_apply(&mappings.items[0], "a", &type, &pool, &b, &plain));
    CHECK(cdc_unavailable(&b, &memory, &v));
    CHECK_STR(fake_text(&fake, &b.schema, &v), "\"**\"");
    CHECK_STR(b.schema.params[0].key, "masked");
    CHECK_INT(plain->schema.params_len, 0);
    finish();
}

TEST(wrong_rules_are_refused)
{
    static const char *const keys[] = {"column.mask.with.x.chars",
                                       "column.mask.with..chars",
                                       "column.mask.with.5",
                                       "column.mask.with.9999999999.chars",
                                       "column.truncate.to.-1.chars",
                                       "column.mask.hash.NOPE.with.salt.x",
                                       "column.mask.hash.SHA-256.with.salt.",
                                       "column.mask.hash.v2.SHA-256",
                                       "column.mask.hash"};
    start();
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        struct sluice_err err = {{0}};
        CHECK(!cdc_mappings_add(&mappings, &pool, keys[i], "a", &err));
        CHECK(err.msg[0] != 0);
    }
    struct sluice_err err = {{0}};
    CHECK(!cdc_mappings_add(&mappings, &pool, "column.mask.with.1.chars", "(", &err));
    CHECK_HAS(err.msg, "regular expression");
    finish();
}

static const char *source(uint32_t oid, int32_t typmod, bool serial, bool snapshot)
{
    struct cdc_source_type t;
    cdc_source_type(&types, oid, typmod, serial, snapshot, &t);
    return cdc_pool_format(&pool, "%s %d %s", t.name, t.length,
                           t.has_scale ? cdc_pool_format(&pool, "%d", t.scale) : "-");
}

TEST(source_types)
{
    start();
    CHECK_STR(source(INT_OID, -1, true, true), "serial 10 0");
    CHECK_STR(source(INT_OID, -1, true, false), "int4 10 0");
    CHECK_STR(source(1700, -1, false, true), "numeric 0 -");
    CHECK_STR(source(1700, -1, false, false), "numeric 131089 0");
    CHECK_STR(source(1700, (8 << 16 | 2) + 4, false, true), "numeric 8 2");
    CHECK_STR(source(1114, 3, false, true), "timestamp 26 3");
    CHECK_STR(source(1114, -1, false, true), "timestamp 29 6");
    CHECK_STR(source(1186, -1, false, true), "interval 49 6");
    CHECK_STR(source(1560, 5, false, true), "bit 5 0");
    CHECK_STR(source(VARCHAR_OID, 4 + 9, false, true), "varchar 9 0");
    CHECK_STR(source(TEXT_OID, -1, false, true), "text 2147483647 0");
    finish();
}

TEST(adjusted_names)
{
    start();
    const enum cdc_adjustment avro = CDC_ADJUST_AVRO, unicode = CDC_ADJUST_AVRO_UNICODE;
    const char *same = "a-b";
    CHECK(cdc_adjusted(CDC_ADJUST_NONE, true, &pool, same) == same);
    CHECK_STR(cdc_adjusted(avro, true, &pool, "a_b1"), "a_b1");
    CHECK_STR(cdc_adjusted(avro, true, &pool, "1st.x"), "_1st_x");
    CHECK_STR(cdc_adjusted(avro, false, &pool, "p-1.s.t.Value"), "p_1.s.t.Value");
    CHECK_STR(cdc_adjusted(avro, true, &pool, "käse😀"), "k_se__");
    CHECK_STR(cdc_adjusted(unicode, true, &pool, "1a_b"), "_u0031a_u005fb");
    CHECK_STR(cdc_adjusted(unicode, true, &pool, "ä€😀"), "_u00e4_u20ac_ud83d_ude00");
    CHECK_STR(cdc_adjusted(unicode, false, &pool, "p.x"), "p.x");
    CHECK_STR(cdc_adjusted(avro, true, &pool, ""), "");
    finish();
}
