/* fuzz_schemas.h - one input through the readers of .proto texts, Protobuf messages and JSON
 * Schemas; see fuzz_schemas.c. The first byte says which: P, M or J. */
#ifndef SLUICE_TESTS_FUZZ_SCHEMAS_H
#define SLUICE_TESTS_FUZZ_SCHEMAS_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/props.h"
#include "data/converters/json_schema_text.h"
#include "data/converters/protobuf_plan.h"
#include "data/schema.h"
#include "data/values.h"

static const struct pb_config fuzz_config = {
    .optional_nullables = true, .optional_proto2 = true, .wrap_raw = true, .index_unions = true};

static const char fuzz_proto[] =
    "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";\n"
    "import \"google/type/date.proto\"; import \"google/type/timeofday.proto\";\n"
    "import \"confluent/type/decimal.proto\"; import \"google/protobuf/struct.proto\";\n"
    "message M { int32 a = 1; optional string b = 2; repeated sint64 c = 3; repeated bytes d = 4;\n"
    "  map<string, N> e = 5; oneof f { uint32 g = 6; N h = 7; bool i = 8; } E j = 9;\n"
    "  google.protobuf.Timestamp k = 10; google.type.Date l = 11; google.type.TimeOfDay m = 12;\n"
    "  confluent.type.Decimal n = 13; repeated float o = 14; double p = 15; fixed64 q = 16;\n"
    "  map<int32, double> r = 17; repeated N s = 18; google.protobuf.Value t = 300; }\n"
    "message N { string x = 1; repeated N y = 2; sfixed32 z = 3; E e = 4; }\n"
    "enum E { ZERO = 0; ONE = 1; FAR = -7; }";

/* The first message of a text as schema and reader, in the set. */
static bool fuzz_read_text(struct pb_set *set, const char *text, size_t len,
                           const struct sluice_schema **schema, const struct pb_reader **reader)
{
    struct sluice_err err;
    int32_t path[1] = {0};
    const struct pb_file *file = pb_parse(set, "", text, len, &err);
    *schema = NULL;
    if (!file || !pb_link(set, &err)) return false;
    const struct pb_message *message = pb_message_at(file, path, 1, &err);
    return message && pb_input(&set->arena, &fuzz_config, message, 0, schema, reader, &err);
}

/* What was read must be written by its schema, and that be read to the same. */
static void fuzz_again(struct sluice_batch *batch, const struct sluice_schema *schema,
                       const struct sluice_value *v)
{
    struct pb_output output;
    struct pb_set set;
    struct sluice_buf text, data;
    struct sluice_err err;
    struct sluice_value again;
    const struct sluice_schema *schema_again = NULL;
    const struct pb_reader *reader;
    pb_set_init(&set);
    sluice_buf_init(&text, (size_t)64 << 20);
    sluice_buf_init(&data, (size_t)64 << 20);
    if (pb_output_init(&output, &fuzz_config, schema, &err) && output.root.kind == PB_STRUCT &&
        pb_text(&text, output.file, &err)) {
        bool ok = fuzz_read_text(&set, text.data, text.len, &schema_again, &reader);
        if (ok && v && pb_encode(&data, &output.root, v, &err)) {
            ok = pb_decode(batch, reader, data.data, data.len, &again, &err);
            assert(ok && sluice_value_equal(v, &again));
        }
    }
    sluice_schema_free(schema_again);
    sluice_buf_fini(&text);
    sluice_buf_fini(&data);
    pb_output_fini(&output);
    pb_set_fini(&set);
}

static void fuzz_protobuf(const char *text, size_t text_len, const void *data, size_t len)
{
    struct pb_set set;
    struct sluice_batch batch;
    struct sluice_err err;
    struct sluice_value v;
    const struct sluice_schema *schema;
    const struct pb_reader *reader;
    pb_set_init(&set);
    sluice_batch_init(&batch);
    if (fuzz_read_text(&set, text, text_len, &schema, &reader)) {
        bool ok = pb_decode(&batch, reader, data, len, &v, &err);
        fuzz_again(&batch, schema, ok && data != text ? &v : NULL);
    }
    sluice_schema_free(schema);
    sluice_batch_fini(&batch);
    pb_set_fini(&set);
}

/* A schema that was read must be written to a text that is read again. */
static void fuzz_json_schema(const char *text, size_t len)
{
    struct json_schema_config config = {.flatten_singletons = true};
    struct sluice_buf out;
    struct sluice_err err;
    config.write.loose = config.read.loose = config.read.replace_null = true;
    sluice_buf_init(&out, (size_t)64 << 20);
    struct json_schema_text texts[1] = {{NULL, text, len}};
    const struct sluice_schema *schema = json_schema_text_read(&config, texts, 1, 0, &err);
    if (schema && json_schema_text_write(&out, &config, schema, &err)) {
        texts[0] = (struct json_schema_text){NULL, out.data, out.len};
        sluice_schema_free(json_schema_text_read(&config, texts, 1, 0, &err));
    }
    sluice_schema_free(schema);
    sluice_buf_fini(&out);
}

static void fuzz_schemas(const void *data, size_t len)
{
    const char *text = data;
    size_t schemas = sluice_schema_count();
    if (len == 0) return;
    if (*text == 'P') fuzz_protobuf(text + 1, len - 1, text + 1, len - 1);
    if (*text == 'M') fuzz_protobuf(fuzz_proto, sizeof fuzz_proto - 1, text + 1, len - 1);
    if (*text == 'J') fuzz_json_schema(text + 1, len - 1);
    assert(sluice_schema_count() == schemas);
}

__attribute__((unused)) static bool fuzz_schemas_file(const char *path)
{
    size_t len;
    char *data = sluice_file_read(path, (size_t)8 << 20, &len, NULL);
    if (!data) return false;
    char *exact = malloc(len ? len : 1); /* so that reading behind it is seen */
    memcpy(exact, data, len);
    fuzz_schemas(exact, len);
    free(exact);
    free(data);
    return true;
}

#endif
