/* fuzz_avro.h - one input through the parser and decoder of AvroConverter; see fuzz_avro.c. It is:
 * an Avro schema as JSON, a zero, and the octets of a record. */
#ifndef SLUICE_TESTS_FUZZ_AVRO_H
#define SLUICE_TESTS_FUZZ_AVRO_H

#include <assert.h>
#include <stdlib.h>

#include "base/props.h"
#include "data/converters/avro_plan.h"
#include "data/schema.h"
#include "data/values.h"

/* What was read must be written, and read again to the same. */
static void fuzz_avro_again(struct sluice_batch *batch, const struct avro_config *config,
                            const struct sluice_schema *schema, struct sluice_value *v)
{
    struct sluice_err err;
    struct sluice_buf out;
    struct sluice_value again;
    const struct sluice_schema *back = NULL;
    sluice_buf_init(&out, (size_t)64 << 20);
    struct avro_schema *avro = avro_from_connect(batch, config, schema, &err);
    const struct avro_enc *enc = avro ? avro_enc_plan(batch, config, schema, avro, &err) : NULL;
    if (enc && avro_encode(&out, enc, v, &err) &&
        avro_to_connect(batch, config, avro, 0, &back, &err)) {
        const struct avro_dec *dec = avro_dec_plan(batch, avro, avro, back, &err);
        struct avro_reader r;
        avro_reader_init(&r, batch, out.data, out.len, &err);
        bool ok = dec && avro_decode(&r, dec, &again);
        assert(ok);
        assert(r.at == r.end);
    }
    sluice_schema_free(back);
    sluice_buf_fini(&out);
}

static void fuzz_avro(const void *data, size_t len)
{
    struct sluice_batch batch;
    struct sluice_err err;
    struct sluice_value v;
    const char *text = data, *zero = memchr(text, 0, len);
    size_t text_len = zero ? (size_t)(zero - text) : len, schemas = sluice_schema_count();
    const char *body = zero ? zero + 1 : text + len;
    for (int sums = 0; sums < 2; sums++) {
        const struct avro_config config = {
            .metadata = true, .enhanced = !sums, .sums = sums, .scrub = sums, .flatten = sums};
        const struct sluice_schema *schema = NULL;
        struct avro_reader r;
        sluice_batch_init(&batch);
        struct avro_schema *avro = avro_parse(&batch, NULL, 0, text, text_len, &err);
        if (avro && avro_to_connect(&batch, &config, avro, 0, &schema, &err) && schema) {
            const struct avro_dec *dec = avro_dec_plan(&batch, avro, avro, schema, &err);
            avro_reader_init(&r, &batch, body, (size_t)(text + len - body), &err);
            if (dec && avro_decode(&r, dec, &v)) fuzz_avro_again(&batch, &config, schema, &v);
        } else if (avro && !schema) {
            avro_reader_init(&r, &batch, body, (size_t)(text + len - body), &err);
            avro_decode_anything(&r, &v);
        }
        if (avro) avro_resolves(avro, avro, &err);
        sluice_schema_free(schema);
        sluice_batch_fini(&batch);
    }
    assert(sluice_schema_count() == schemas);
}

__attribute__((unused)) static bool fuzz_avro_file(const char *path)
{
    size_t len;
    char *data = sluice_file_read(path, (size_t)8 << 20, &len, NULL);
    if (!data) return false;
    char *exact = malloc(len ? len : 1); /* so that reading behind it is seen */
    memcpy(exact, data, len);
    fuzz_avro(exact, len);
    free(exact);
    free(data);
    return true;
}

#endif
