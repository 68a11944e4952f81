/* AvroConverter's schemas and binary against what Java's AvroData and Avro's own library gave
 * (tests/golden/java/avro/run.sh), and what no golden file says: resolution, limits, hostile
 * bytes. */
#include "data/converters/avro_plan.h"
#include "data/schema.h"
#include "golden/text.h"

/* ---- golden files ---- */

static struct avro_config config_of(const char *text)
{
    struct avro_config config = {.metadata = !strstr(text, "connect.meta.data=false"),
                                 .enhanced = strstr(text, "enhanced.avro.schema.support=true"),
                                 .flatten = false};
    return config;
}

static void check_text(int line, struct sluice_buf *got, const char *want)
{
    const char *text = sluice_buf_str(got);
    if (strcmp(text, want) != 0) FAIL("line %d:\n got  %s\n want %s", line, text, want);
}

static void check_error(int line, const char *want, const struct sluice_err *err)
{
    char core[200];
    snprintf(core, sizeof core, "%.*s", (int)strcspn(want, ":("), want); /* then Java's classes */
    char *found = strstr(core, " but found");
    if (found) *found = '\0';
    if (!strstr(err->msg, core)) FAIL("line %d: error \"%s\", wanted \"%s\"", line, err->msg, want);
}

static size_t written, wrote_nothing;

static void write_value(int line, struct sluice_batch *batch, const struct avro_enc *enc,
                        const char *value_text, const char *want)
{
    struct text_reader r = {value_text, batch};
    struct sluice_buf out, text;
    struct sluice_err err = {""};
    struct sluice_value v = text_read_value(&r);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    bool ok = enc ? avro_encode(&out, enc, &v, &err) : avro_encode_anything(&out, &v, &err);
    if (*want == '!') {
        if (ok) FAIL("line %d: no error, wanted %s", line, want);
        wrote_nothing++;
    } else {
        if (!ok) FAIL("line %d: %s", line, err.msg);
        text_octets(&text, out.data, out.len);
        check_text(line, &text, want);
        written++;
    }
    sluice_buf_fini(&out);
    sluice_buf_fini(&text);
}

static void write_row(char **cols, int line)
{
    struct avro_config config = config_of(cols[1]);
    struct sluice_batch batch;
    struct sluice_buf text;
    struct sluice_err err = {""};
    sluice_batch_init(&batch);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    struct text_reader r = {cols[2], &batch};
    const struct sluice_schema *description = text_read_schema(&r);
    const struct sluice_schema *schema = description ? sluice_schema_intern(description) : NULL;
    struct avro_schema *avro = avro_from_connect(&batch, &config, schema, &err);
    bool ok = avro && avro_print(&text, avro, &err);
    if (cols[3][0] == '!') {
        if (ok) FAIL("line %d: no error, wanted %s", line, cols[3]);
        check_error(line, cols[3] + 1, &err);
    } else {
        if (!ok) FAIL("line %d: %s", line, err.msg);
        check_text(line, &text, cols[3]);
        const struct avro_enc *enc =
            schema ? avro_enc_plan(&batch, &config, schema, avro, &err) : NULL;
        if (schema && !enc) FAIL("line %d: %s", line, err.msg);
        for (int i = 4; i + 1 < 16 && *cols[i]; i += 2)
            write_value(line, &batch, enc, cols[i], cols[i + 1]);
    }
    sluice_schema_free(schema);
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

TEST(writes_schemas_and_values_as_java)
{
    size_t before = sluice_schema_count();
    CHECK(text_rows("golden/avro/write.txt", write_row) > 400);
    CHECK(written > 1400);
    CHECK(wrote_nothing < 10);
    CHECK_INT(sluice_schema_count(), before);
}

static size_t read_values;

static void read_value(int line, struct sluice_batch *batch, const struct avro_dec *dec,
                       const char *octets, const char *want)
{
    struct sluice_err err = {""};
    struct sluice_buf text;
    struct avro_reader r;
    struct sluice_value v;
    size_t len;
    char *data = text_read_octets(octets, &len);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    avro_reader_init(&r, batch, data, len, &err);
    if (!avro_decode(&r, dec, &v)) FAIL("line %d: %s", line, err.msg);
    CHECK(r.at == r.end);
    text_value(&text, &v);
    if (*want != '!') check_text(line, &text, want);
    read_values++;
    for (size_t cut = 0; cut < len;
         cut++) { /* each prefix is refused, and no byte behind it read */
        char *part = malloc(cut ? cut : 1);
        memcpy(part, data, cut);
        avro_reader_init(&r, batch, part, cut, &err);
        if (avro_decode(&r, dec, &v)) FAIL("line %d: %zu of %zu bytes were enough", line, cut, len);
        free(part);
    }
    free(data);
    sluice_buf_fini(&text);
}

static void read_row(char **cols, int line)
{
    struct avro_config config = config_of(cols[1]);
    struct sluice_batch batch;
    struct sluice_buf text;
    struct sluice_err err = {""};
    const struct sluice_schema *schema = NULL;
    sluice_batch_init(&batch);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    struct avro_schema *avro = avro_parse(&batch, NULL, 0, cols[2], strlen(cols[2]), &err);
    if (!avro) FAIL("line %d: %s", line, err.msg);
    bool ok = avro_to_connect(&batch, &config, avro, 0, &schema, &err);
    if (cols[3][0] == '!') {
        if (ok) FAIL("line %d: no error, wanted %s", line, cols[3]);
        check_error(line, cols[3] + 1, &err);
    } else {
        if (!ok) FAIL("line %d: %s", line, err.msg);
        text_schema(&text, schema);
        check_text(line, &text, cols[3]);
        const struct avro_dec *dec = avro_dec_plan(&batch, avro, avro, schema, &err);
        if (!dec) FAIL("line %d: %s", line, err.msg);
        for (int i = 4; i + 1 < 16 && *cols[i]; i += 2)
            read_value(line, &batch, dec, cols[i], cols[i + 1]);
    }
    sluice_schema_free(schema);
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

TEST(reads_schemas_and_values_as_java)
{
    size_t before = sluice_schema_count();
    CHECK(text_rows("golden/avro/read.txt", read_row) > 600);
    CHECK(read_values > 1500);
    CHECK_INT(sluice_schema_count(), before);
}
