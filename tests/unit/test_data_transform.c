/* ExtractNewRecordState beyond the Debezium vectors: envelopes without a schema, the older options,
 * wrong names; and the string and byte-array converters' reading. */
#include "data/builtins.h"
#include "data/json_text.h"
#include "fake_host.h"
#include "golden/text.h"

static struct sluice_batch batch;
static struct sluice_buf out;
static struct sluice_err err;

/* A change event as schemaless JSON through the transform: what it became, or the verdict. */
static const char *apply(struct fake_host *fake, const char *json)
{
    static struct sluice_record rec;
    memset(&rec, 0, sizeof rec);
    rec.topic = "t";
    if (!sluice_json_parse(&batch, json, strlen(json), &rec.value, NULL, &err)) FAIL("%s", err.msg);
    sluice_buf_clear(&out);
    switch (fake->plugin->transform->apply(fake->self, &batch, &rec, &err)) {
    case SLUICE_OK:
        CHECK(sluice_json_value(&out, &rec.value, &err));
        if (strcmp(rec.topic, "t") != 0) sluice_buf_addf(&out, " to %s", rec.topic);
        for (uint32_t i = 0; i < rec.headers_len; i++) {
            sluice_buf_addf(&out, " %s=", rec.headers[i].key);
            CHECK(sluice_json_value(&out, &rec.headers[i].value, &err));
        }
        return sluice_buf_str(&out);
    case SLUICE_DROP: return "drop";
    default: return err.msg;
    }
}

#define CREATE                                                                                     \
    "{\"before\":null,\"after\":{\"id\":1,\"n\":null},\"source\":{\"table\":\"t\",\"lsn\":7},"     \
    "\"op\":\"c\",\"ts_ms\":5}"
#define DELETE                                                                                     \
    "{\"before\":{\"id\":1},\"after\":null,\"source\":{\"table\":\"t\",\"lsn\":7},\"op\":\"d\"}"
#define TRUNCATE "{\"source\":{},\"before\":null,\"op\":\"t\"}"

static void with(const char *key, const char *value, const char *key2, const char *value2,
                 const char *const *cases)
{
    struct fake_host fake;
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    fake_init(&fake, &sluice_extract_new_record_state, NULL);
    if (key) fake_set(&fake, key, value);
    if (key2) fake_set(&fake, key2, value2);
    if (fake_open(&fake) != SLUICE_OK) FAIL("%s", fake.err.msg);
    for (; *cases; cases += 2) CHECK_STR(apply(&fake, cases[0]), cases[1]);
    fake_fini(&fake);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
}

TEST(envelopes_without_schema_are_unwrapped)
{
    with(NULL, NULL, NULL, NULL,
         (const char *const[]){CREATE, "{\"id\":1,\"n\":null}", DELETE, "null", TRUNCATE, "drop",
                               "null", "drop", "{\"id\":1}", "{\"id\":1}", "[1]", "[1]",
                               "{\"op\":\"c\",\"after\":{\"a\":1}}",
                               "{\"op\":\"c\",\"after\":{\"a\":1}}", NULL});
    with("delete.tombstone.handling.mode", "rewrite", "add.fields", "op,table,lsn:pos,ts_ms,nope",
         (const char *const[]){
             CREATE,
             "{\"id\":1,\"n\":null,\"__deleted\":\"false\",\"__op\":\"c\",\"__table\":\"t\","
             "\"__pos\":7,\"__ts_ms\":5}",
             DELETE,
             "{\"id\":1,\"__deleted\":\"true\",\"__op\":\"d\",\"__table\":\"t\",\"__pos\":7}",
             NULL});
    with("add.headers", "op,table", "route.by.field", "id",
         (const char *const[]){
             CREATE,
             "cannot route the record of topic t: Field 'id' is not of type STRING "
             "(route.by.field)",
             NULL});
    with("add.headers", "op,table", "delete.tombstone.handling.mode", "drop",
         (const char *const[]){CREATE, "{\"id\":1,\"n\":null} __op=\"c\" __table=\"t\"", DELETE,
                               "drop", NULL});
}

TEST(older_options_still_count)
{
    with("drop.tombstones", "false", NULL, NULL,
         (const char *const[]){"null", "null", DELETE, "drop", NULL});
    with("delete.handling.mode", "none", NULL, NULL,
         (const char *const[]){"null", "drop", DELETE, "null", NULL});
    with("delete.handling.mode", "rewrite", "drop.tombstones", "false",
         (const char *const[]){"null", "null", DELETE, "{\"id\":1,\"__deleted\":\"true\"}", NULL});
    /* the newer one wins */
    with("delete.handling.mode", "rewrite", "delete.tombstone.handling.mode", "drop",
         (const char *const[]){DELETE, "drop", NULL});
}

TEST(wrong_names_are_refused)
{
    static const char *const wrong[] = {"a:b:c", ":b", ".a", "a:"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct fake_host fake;
        fake_init(&fake, &sluice_extract_new_record_state, "add.fields", wrong[i], NULL);
        CHECK_INT(fake_open(&fake), SLUICE_FAIL);
        CHECK_HAS(fake.err.msg, wrong[i]);
        CHECK_HAS(fake.err.msg, "add.fields");
        fake_fini(&fake);
    }
}

TEST(a_row_may_be_added_to_a_row)
{
    struct fake_host fake;
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    fake_init(&fake, &sluice_extract_new_record_state, "add.fields", "before:old", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    struct text_reader schema = {"STRUCT[\"before\":?STRUCT[\"a\":INT8],\"after\":?STRUCT[\"a\":"
                                 "INT8]]@\"x.Envelope\"",
                                 &batch};
    struct text_reader value = {"((y1),(y2))", &batch};
    struct sluice_record *rec = sluice_batch_append(&batch);
    const struct sluice_schema *held = sluice_schema_intern(text_read_schema(&schema));
    rec->value_schema = held;
    rec->value = text_read_value(&value);
    CHECK_INT(fake.plugin->transform->apply(fake.self, &batch, rec, &err), SLUICE_OK);
    text_value(&out, &rec->value);
    CHECK_STR(sluice_buf_str(&out), "(y2,(y1))");
    sluice_schema_free(held);
    fake_fini(&fake);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
}

/* ---- string and byte-array converters ---- */

static const char *read(const struct sluice_plugin *plugin, const char *encoding, const char *data,
                        size_t len)
{
    struct fake_host fake;
    const struct sluice_schema *schema;
    struct sluice_value v;
    sluice_batch_reset(&batch);
    sluice_buf_clear(&out);
    fake_init(&fake, plugin, NULL);
    if (encoding) fake_set(&fake, "converter.encoding", encoding);
    if (fake_open(&fake) != SLUICE_OK) FAIL("%s", fake.err.msg);
    CHECK_INT(plugin->converter->decode(fake.self, &batch, "t", NULL, data, len, &schema, &v, &err),
              SLUICE_OK);
    text_schema(&out, schema);
    sluice_buf_adds(&out, " ");
    text_value(&out, &v);
    fake_fini(&fake);
    return sluice_buf_str(&out);
}

TEST(strings_and_octets_are_read)
{
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    CHECK_STR(read(&sluice_string_converter, NULL, NULL, 0), "?STRING null");
    CHECK_STR(read(&sluice_string_converter, NULL, "", 0), "?STRING \"\"");
    CHECK_STR(read(&sluice_string_converter, NULL, "\xc3\xa9", 2), "?STRING \"\\u00e9\"");
    CHECK_STR(read(&sluice_string_converter, NULL, "a\xe9", 2), "?STRING \"a\\ufffd\"");
    CHECK_STR(read(&sluice_string_converter, "ISO-8859-1", "a\xe9", 2), "?STRING \"a\\u00e9\"");
    CHECK_STR(read(&sluice_string_converter, "US-ASCII", "a\xe9", 2), "?STRING \"a\\ufffd\"");
    CHECK_STR(read(&sluice_bytes_converter, NULL, "a\xe9", 2), "?BYTES b61e9");
    CHECK_STR(read(&sluice_bytes_converter, NULL, NULL, 0), "?BYTES null");
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
}

TEST(strings_are_written_in_their_encoding)
{
    struct fake_host fake;
    bool null;
    struct sluice_value v = sluice_string("a\xc3\xa9\xe2\x82\xac", 6);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    fake_init(&fake, &sluice_string_converter, "converter.encoding", "ISO-8859-1", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake.plugin->converter->encode(fake.self, "t", NULL, NULL, &v, &out, &null, &err),
              SLUICE_OK);
    CHECK_MEM(out.data, out.len, "a\xe9?", 3);
    fake_fini(&fake);
    sluice_buf_fini(&out);
}

TEST(octets_only_through_the_byte_array_converter)
{
    struct fake_host fake;
    bool null;
    struct sluice_schema text = {.type = SLUICE_STRING};
    struct sluice_value v = sluice_string("a", 1), octets = sluice_bytes("\0\1", 2);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    fake_init(&fake, &sluice_bytes_converter, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    const struct sluice_converter *converter = fake.plugin->converter;
    CHECK_INT(converter->encode(fake.self, "t", NULL, &text, &v, &out, &null, &err), SLUICE_FAIL);
    CHECK_STR(err.msg, "Invalid schema type for ByteArrayConverter: STRING");
    CHECK_INT(converter->encode(fake.self, "t", NULL, NULL, &v, &out, &null, &err), SLUICE_FAIL);
    CHECK_HAS(err.msg, "not compatible");
    CHECK_INT(converter->encode(fake.self, "t", NULL, NULL, &octets, &out, &null, &err), SLUICE_OK);
    CHECK_MEM(out.data, out.len, "\0\1", 2);
    fake_fini(&fake);
    sluice_buf_fini(&out);
}
