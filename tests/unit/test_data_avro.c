/* AvroConverter's schemas and binary against what Java's AvroData and Avro's own library gave
 * (tests/golden/java/avro/run.sh), and what no golden file says: resolution, limits, hostile
 * bytes. */
#include <dirent.h>

#include "data/converters/avro_plan.h"
#include "data/schema.h"
#include "fuzz/fuzz_avro.h"
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
    size_t len = 0;
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
/* ---- hostile bytes ---- */

static uint32_t random_state = 88172645u;

static uint32_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

TEST(corpus_with_bytes_changed)
{
    char folder[512], path[1024];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/fuzz/corpus/avro", SLUICE_TEST_DIR);
    DIR *dir = opendir(folder);
    if (!dir) FAIL("no %s", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t len;
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (!fuzz_avro_file(path)) FAIL("cannot read %s", path);
        char *data = sluice_file_read(path, 1 << 20, &len, NULL);
        for (int round = 0; round < 150 && len && len < 4000; round++) {
            char *copy = malloc(len);
            memcpy(copy, data, len);
            for (uint32_t k = 0; k <= round % 3u; k++)
                copy[next_random() % len] = (char)(next_random() % 3 ? next_random() : 0xFF);
            fuzz_avro(copy, round % 5 == 0 ? next_random() % len : len);
            free(copy);
        }
        free(data);
        n++;
    }
    closedir(dir);
    CHECK(n >= 25);
}

/* Few bytes must not ask for much memory. */
TEST(bytes_that_claim_too_much)
{
    static const char empties[] =
        "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}}";
    static const char octets[] = "\xfe\xff\xff\xff\x07"; /* a billion of them */
    const struct avro_config config = {.metadata = true};
    const struct sluice_schema *schema;
    struct sluice_batch batch;
    struct sluice_err err = {""};
    struct avro_reader r;
    struct sluice_value v;
    sluice_batch_init(&batch);
    struct avro_schema *avro = avro_parse(&batch, NULL, 0, empties, strlen(empties), &err);
    CHECK(avro && avro_to_connect(&batch, &config, avro, 0, &schema, &err));
    const struct avro_dec *dec = avro_dec_plan(&batch, avro, avro, schema, &err);
    size_t before = batch.arena.used;
    avro_reader_init(&r, &batch, octets, 5, &err);
    CHECK(!avro_decode(&r, dec, &v));
    CHECK_HAS(err.msg, "more than the 0 bytes");
    CHECK(batch.arena.used - before < 1000);
    sluice_schema_free(schema);
    sluice_batch_fini(&batch);
}

/* ---- resolution ---- */

static void check_resolve(const char *writer, const char *reader, const char *octets, size_t len,
                          const char *want)
{
    const struct avro_config config = {.metadata = false, .flatten = true};
    const struct sluice_schema *schema = NULL;
    struct sluice_batch batch;
    struct sluice_buf text;
    struct sluice_err err = {""};
    struct avro_reader r;
    struct sluice_value v;
    sluice_batch_init(&batch);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    struct avro_schema *w = avro_parse(&batch, NULL, 0, writer, strlen(writer), &err);
    struct avro_schema *to = avro_parse(&batch, NULL, 0, reader, strlen(reader), &err);
    if (!w || !to) FAIL("%s", err.msg);
    if (*want == '!') {
        if (avro_resolves(w, to, &err)) FAIL("%s reads %s", reader, writer);
        CHECK_HAS(err.msg, want + 1);
    } else {
        if (!avro_resolves(w, to, &err) || !avro_to_connect(&batch, &config, to, 0, &schema, &err))
            FAIL("%s", err.msg);
        const struct avro_dec *dec = avro_dec_plan(&batch, w, to, schema, &err);
        avro_reader_init(&r, &batch, octets, len, &err);
        if (!dec || !avro_decode(&r, dec, &v)) FAIL("%s: %s", writer, err.msg);
        CHECK(r.at == r.end);
        text_value(&text, &v);
        CHECK_STR(sluice_buf_str(&text), want);
    }
    sluice_schema_free(schema);
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define DEFAULT(name, type, dflt) "{\"name\":\"" name "\",\"type\":" type ",\"default\":" dflt "}"

TEST(resolution_by_avros_rules)
{
    check_resolve("\"int\"", "\"long\"", "\x03", 1, "l-2");
    check_resolve("\"int\"", "\"double\"", "\x04", 1, "d4000000000000000");
    check_resolve("\"long\"", "\"float\"", "\x04", 1, "f40000000");
    check_resolve("\"float\"", "\"double\"", "\0\0\0\x40", 4, "d4000000000000000");
    check_resolve("\"string\"", "\"bytes\"", "\x02x", 2, "b78");
    check_resolve("\"bytes\"", "\"string\"", "\x02x", 2, "\"x\"");
    check_resolve("\"long\"", "\"int\"", "", 0, "!long cannot be read as int");
    check_resolve("\"string\"", "[\"null\",\"string\"]", "\x02x", 2, "\"x\"");
    check_resolve("[\"null\",\"int\"]", "[\"null\",\"long\"]", "\x02\x04", 2, "l2");
    check_resolve("[\"int\"]", "\"long\"", "\0\x04", 2, "l2");
    check_resolve("[\"int\",\"string\"]", "[\"string\",\"long\",\"int\"]", "\0\x04", 2,
                  "(null,null,i2)");
    check_resolve("[\"int\",\"boolean\"]", "\"int\"", "", 0, "!boolean cannot be read as int");
    check_resolve("{\"type\":\"array\",\"items\":\"int\"}",
                  "{\"type\":\"array\",\"items\":\"long\"}", "\x02\x06\0", 3, "[l3]");
    check_resolve(
        RECORD("R", FIELD("a", "\"int\"") "," FIELD("gone", "[\"null\",\"string\"]") "," FIELD(
                        "b", "\"int\"")),
        RECORD("R", DEFAULT("new", "\"string\"", "\"d\"") "," FIELD("b", "\"long\"") "," DEFAULT(
                        "u", "[\"null\",\"int\"]", "null") "," FIELD("a", "\"int\"")),
        "\x02\x02\x06"
        "abc\x04",
        7, "(\"d\",l2,null,i1)");
    check_resolve(RECORD("R", FIELD("a", "\"int\"")), RECORD("R", FIELD("b", "\"int\"")), "", 0,
                  "!a field b, without default");
    check_resolve(RECORD("R", FIELD("a", "\"int\"")),
                  RECORD("R", "{\"name\":\"z\",\"aliases\":[\"a\"],\"type\":\"int\"}"), "\x02", 1,
                  "(i1)");
    check_resolve("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\",\"C\"]}",
                  "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"C\",\"D\"],\"default\":\"D\"}",
                  "\x02", 1, "\"D\"");
    check_resolve("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}",
                  "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\"]}", "", 0,
                  "!does not know the symbol A");
    check_resolve("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}",
                  "{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", "", 0,
                  "!F cannot be read as F");
    check_resolve(
        RECORD("R",
               FIELD("m",
                     "{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":[\"null\",{"
                     "\"type\":\"fixed\",\"name\":\"F\",\"size\":2}]}}") "," FIELD("k", "\"int\"")),
        RECORD("R", FIELD("k", "\"int\"")), "\x02\x02k\x04\0\x02zz\0\0\x0a", 11, "(i5)");
}
