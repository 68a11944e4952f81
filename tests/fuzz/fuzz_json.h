/* fuzz_json.h - one input through every reader of JSON and header text; see fuzz_json.c. */
#ifndef SLUICE_TESTS_FUZZ_JSON_H
#define SLUICE_TESTS_FUZZ_JSON_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/props.h"
#include "data/batch.h"
#include "data/builtins.h"
#include "data/json_text.h"
#include "data/schema.h"
#include "data/values.h"

static bool fuzz_schemas;

static bool fuzz_flag(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    return strcmp(key, "schemas.enable") != 0 || fuzz_schemas;
}

static const char *fuzz_str(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    return strcmp(key, "decimal.format") == 0 ? "BASE64" : "";
}

static int64_t fuzz_num(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    (void)key;
    return 10;
}

/* What a converter read it must write, and read the written to an equal value. */
static void fuzz_converter(const struct sluice_plugin *plugin, const void *data, size_t len)
{
    static const struct sluice_host host = {
        .size = sizeof host, .flag = fuzz_flag, .str = fuzz_str, .num = fuzz_num};
    struct sluice_batch batch;
    struct sluice_buf out;
    struct sluice_err err;
    const struct sluice_schema *schema, *again;
    struct sluice_value v, w;
    void *self;
    bool null = false;
    sluice_batch_init(&batch);
    sluice_buf_init(&out, (size_t)64 << 20);
    plugin->open(NULL, &host, NULL, &self, &err);
    if (plugin->converter->decode(self, &batch, "t", "h", data, len, &schema, &v, &err) ==
            SLUICE_OK &&
        plugin->converter->encode(self, "t", "h", schema, &v, &out, &null, &err) == SLUICE_OK &&
        plugin == &sluice_json_converter && !null) {
        bool ok = plugin->converter->decode(self, &batch, "t", "h", out.data, out.len, &again, &w,
                                            &err) == SLUICE_OK;
        assert(ok);
        assert(again == schema);
        if (schema) assert(sluice_value_equal(&v, &w));
    }
    plugin->close(self);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
}

static void fuzz_json(const void *data, size_t len)
{
    struct sluice_batch batch;
    struct sluice_value v;
    struct sluice_err err;
    size_t schemas = sluice_schema_count();
    sluice_batch_init(&batch);
    sluice_json_parse(&batch, data, len, &v, NULL, &err);
    sluice_batch_fini(&batch);
    for (int on = 0; on < 2; on++) {
        fuzz_schemas = on;
        fuzz_converter(&sluice_json_converter, data, len);
    }
    fuzz_converter(&sluice_simple_header_converter, data, len);
    fuzz_converter(&sluice_string_converter, data, len);
    assert(sluice_schema_count() == schemas);
}

__attribute__((unused)) static bool fuzz_json_file(const char *path)
{
    size_t len;
    char *data = sluice_file_read(path, (size_t)8 << 20, &len, NULL);
    if (!data) return false;
    char *exact = malloc(len ? len : 1); /* so that reading behind it is seen */
    memcpy(exact, data, len);
    fuzz_json(exact, len);
    free(exact);
    free(data);
    return true;
}

#endif
