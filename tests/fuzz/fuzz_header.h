/* fuzz_header.h - one input through SimpleHeaderConverter as the value of a header; see
 * fuzz_header.c. */
#ifndef SLUICE_TESTS_FUZZ_HEADER_H
#define SLUICE_TESTS_FUZZ_HEADER_H

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/props.h"
#include "base/utf8.h"
#include "data/batch.h"
#include "data/builtins.h"
#include "data/schema.h"
#include "data/values.h"

/* Decodes; false: err, and why is a sentence. What was made fits its schema. */
static bool fuzz_header_read(struct sluice_batch *batch, const void *data, size_t len,
                             const struct sluice_schema **schema, struct sluice_value *v)
{
    struct sluice_err err = {""};
    if (sluice_simple_header_converter.converter->decode(NULL, batch, "t", "h", data, len, schema,
                                                         v, &err) != SLUICE_OK) {
        assert(err.msg[0] && sluice_utf8_valid(err.msg, strlen(err.msg)));
        return false;
    }
    if (*schema) assert(v->type == (*schema)->type);
    else assert(v->type == SLUICE_NULL || v->type == SLUICE_ARRAY || v->type == SLUICE_MAP);
    return true;
}

/* The text of a value; false: there is none. */
static bool fuzz_header_write(const struct sluice_schema *schema, const struct sluice_value *v,
                              struct sluice_buf *out)
{
    struct sluice_err err = {""};
    bool null = false;
    sluice_buf_clear(out);
    if (sluice_simple_header_converter.converter->encode(NULL, "t", "h", schema, v, out, &null,
                                                         &err) != SLUICE_OK) {
        assert(err.msg[0] && sluice_utf8_valid(err.msg, strlen(err.msg)));
        return false;
    }
    return !null;
}

/* What was read is written, or an error says why not; the text is UTF-8 and can be read. */
static void fuzz_header(const void *data, size_t len)
{
    const struct sluice_schema *schema, *again;
    size_t schemas = sluice_schema_count();
    struct sluice_batch batch;
    struct sluice_buf text;
    struct sluice_value v, w;
    sluice_batch_init(&batch);
    sluice_buf_init(&text, (size_t)64 << 20);
    if (fuzz_header_read(&batch, data, len, &schema, &v) && fuzz_header_write(schema, &v, &text)) {
        assert(sluice_utf8_valid(text.data ? text.data : "", text.len));
        char *exact = malloc(text.len ? text.len : 1); /* so that reading behind it is seen */
        if (text.len) memcpy(exact, text.data, text.len);
        bool ok = fuzz_header_read(&batch, exact, text.len, &again, &w);
        assert(ok);
        free(exact);
    }
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
    assert(sluice_schema_count() == schemas);
}

__attribute__((unused)) static bool fuzz_header_file(const char *path)
{
    size_t len;
    char *data = sluice_file_read(path, (size_t)8 << 20, &len, NULL);
    if (!data) return false;
    char *exact = malloc(len ? len : 1);
    memcpy(exact, data, len);
    fuzz_header(exact, len);
    free(exact);
    free(data);
    return true;
}

#endif
