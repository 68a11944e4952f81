/* datagen: Avro schemas with arg.properties. The golden texts are what the Avro Random Generator
 * made of the same schemas and seed (tests/golden/datagen/README.md). */
#include "fake_host.h"
#include "harness.h"
#include "java_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct sluice_plugin *const *sluice_plugins_v1(void);

static void put_text(FILE *out, const char *s, size_t len)
{
    (void)fputc('"', out);
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)s[i];
        int more = c < 0x80 ? 0 : c < 0xE0 ? 1 : 2;
        unsigned point = more == 0 ? c : more == 1 ? c & 0x1Fu : c & 0x0Fu;
        for (int k = 1; k <= more; k++)
            point = point << 6 | ((unsigned char)s[i + (size_t)k] & 0x3F);
        i += (size_t)more + 1;
        if (point < 32 || point == '"' || point == '\\' || point >= 127) {
            (void)fprintf(out, "\\u%04x", point);
        } else {
            (void)fputc((int)point, out);
        }
    }
    (void)fputc('"', out);
}

static int by_key(const void *a, const void *b)
{
    const struct sluice_value *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int c = memcmp(x->u.s, y->u.s, n);
    return c ? c : (x->len > y->len) - (x->len < y->len);
}

/* The form of ArgOracle.java: doubles as bits, bytes as hex, maps sorted. */
static void put_value(FILE *out, const struct sluice_schema *schema, const struct sluice_value *v)
{
    uint64_t bits;
    switch (v->type) {
    case SLUICE_NULL: (void)fputs("null", out); return;
    case SLUICE_BOOLEAN: (void)fputs(v->u.i ? "true" : "false", out); return;
    case SLUICE_STRING: put_text(out, v->u.s, v->len); return;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        memcpy(&bits, &v->u.d, sizeof(bits));
        (void)fprintf(out, "%016llx", (unsigned long long)bits);
        return;
    case SLUICE_BYTES:
        (void)fputs("\"hex:", out);
        for (uint32_t i = 0; i < v->len; i++) (void)fprintf(out, "%02x", (unsigned char)v->u.s[i]);
        (void)fputc('"', out);
        return;
    case SLUICE_ARRAY:
    case SLUICE_STRUCT:
        (void)fputc(v->type == SLUICE_ARRAY ? '[' : '{', out);
        for (uint32_t i = 0; i < v->len; i++) {
            if (i) (void)fputc(',', out);
            if (v->type == SLUICE_STRUCT) (void)fprintf(out, "\"%s\":", schema->fields[i].name);
            put_value(out, v->type == SLUICE_STRUCT ? schema->fields[i].schema : schema->elem,
                      &v->u.v[i]);
        }
        (void)fputc(v->type == SLUICE_ARRAY ? ']' : '}', out);
        return;
    case SLUICE_MAP: {
        struct sluice_value sorted[64];
        CHECK(v->len <= 32);
        memcpy(sorted, v->u.v, 2 * v->len * sizeof(*sorted));
        qsort(sorted, v->len, 2 * sizeof(*sorted), by_key);
        (void)fputc('{', out);
        for (uint32_t i = 0; i < v->len; i++) {
            if (i) (void)fputc(',', out);
            put_value(out, NULL, &sorted[2 * i]);
            (void)fputc(':', out);
            put_value(out, schema->elem, &sorted[2 * i + 1]);
        }
        (void)fputc('}', out);
        return;
    }
    default: (void)fprintf(out, "%lld", (long long)v->u.i); return;
    }
}

static char *line_of(const struct sluice_record *rec)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    put_value(out, rec->value_schema, &rec->value);
    (void)fclose(out);
    return text;
}

static const struct sluice_plugin *datagen(void) { return sluice_plugins_v1()[0]; }

static void begin(struct fake_host *fake)
{
    fake_init(fake, datagen(), "kafka.topic", "t", "max.interval", "0", "random.seed", "42", NULL);
}

static void check_golden(const char *name)
{
    char path[128];
    struct fake_host fake;
    (void)snprintf(path, sizeof(path), "golden/datagen/%s.avsc", name);
    char *schema = harness_file(path, NULL);
    (void)snprintf(path, sizeof(path), "golden/datagen/%s.txt", name);
    char *want = harness_file(path, NULL);
    begin(&fake);
    fake_set(&fake, "schema.string", schema);
    if (fake_open(&fake) != SLUICE_OK) FAIL("%s", fake.err.msg);
    fake.room_records = 7; /* several polls: what is drawn must not depend on them */
    size_t n = 0;
    for (char *line = want, *end; *line; line = end + 1, n++) {
        end = strchr(line, '\n');
        *end = '\0';
        while (fake.n <= n) CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
        char *got = line_of(&fake.records[n]);
        CHECK_STR(got, line);
        free(got);
    }
    CHECK(n >= 50);
    fake_fini(&fake);
    free(schema);
    free(want);
}

TEST(arg_types_draw_as_the_random_generator) { check_golden("arg_types"); }

TEST(arg_iterations_step_as_the_random_generator) { check_golden("arg_iteration"); }

TEST(arg_regexes_walk_as_generex) { check_golden("arg_regex"); }

TEST(java_random_is_javas)
{
    struct java_random r;
    java_random_seed(&r, 42); /* what Java 17 gives for new Random(42) */
    CHECK_INT(java_random_int(&r), -1170105035);
    CHECK_INT(java_random_below(&r, 10), 3);
    CHECK_INT(java_random_below(&r, 16), 10);
    CHECK_INT(java_random_long(&r), 884324181205335268);
    CHECK(java_random_bool(&r));
    double d = java_random_double(&r);
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    CHECK_INT(bits, 4598663022256506966);
    CHECK_INT(java_random_below(&r, 2000000011), 1429255519);
}

/* ---- one schema of one field ---- */

static void open_field(struct fake_host *fake, const char *type)
{
    char schema[2048];
    (void)snprintf(schema, sizeof(schema),
                   "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"f\",\"type\":%s}]}",
                   type);
    begin(fake);
    fake_set(fake, "schema.string", schema);
}

static void refuses(const char *type, const char *why)
{
    struct fake_host fake;
    open_field(&fake, type);
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, why);
    fake_fini(&fake);
}

TEST(arg_properties_are_checked)
{
    refuses("{\"type\":\"int\",\"arg.properties\":{\"range\":{\"min\":3,\"max\":3}}}",
            "'min' field must be strictly less than 'max' field in range property");
    refuses("{\"type\":\"int\",\"arg.properties\":{\"options\":[]}}",
            "options property cannot be empty");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"options\":[\"a\"],\"regex\":\"a\"}}",
            "Cannot specify regex prop when options prop is given");
    refuses("{\"type\":\"int\",\"arg.properties\":{\"iteration\":{\"start\":1},\"range\":{}}}",
            "Cannot specify range prop when iteration prop is given");
    refuses("{\"type\":\"int\",\"arg.properties\":{\"options\":[1,\"x\"]}}",
            "Invalid option for int schema");
    refuses("{\"type\":\"boolean\",\"arg.properties\":{\"odds\":1.5}}",
            "odds property must be in the range [0.0, 1.0]");
    refuses("{\"type\":\"boolean\",\"arg.properties\":{\"iteration\":{\"start\":true,\"step\":1}}}",
            "cannot contain step field");
    refuses("{\"type\":\"int\",\"arg.properties\":{\"iteration\":{\"start\":1,\"step\":0}}}",
            "cannot be zero");
    refuses("{\"type\":\"int\",\"arg.properties\":{\"iteration\":{\"start\":1,\"restart\":1}}}",
            "cannot be equal");
    refuses("{\"type\":\"int\",\"arg.properties\":{\"iteration\":"
            "{\"start\":1,\"restart\":9,\"step\":-1}}}",
            "must be positive");
    refuses("{\"type\":\"int\",\"arg.properties\":{\"iteration\":{}}}", "must contain start");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"length\":{\"min\":4,\"max\":4}}}",
            "max field must be strictly greater than min field");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"length\":-1}}", "cannot be negative");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"length\":99999999}}", "at most");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"regex\":\"a{2\"}}", "expected '}'");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"regex\":\"[a-\"}}", "regex:");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"regex\":\"(a\"}}", "expected ')'");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"regex\":\"~a\"}}", "not supported");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"regex\":\"#\"}}", "nothing matches");
    refuses("{\"type\":\"string\",\"arg.properties\":{\"regex\":\"((a{999}){999}){999}\"}}",
            "too large");
    refuses("\"Address\"", "not a defined name");
    refuses("[\"int\",[\"null\"]]", "Nested union");
    refuses("{\"type\":\"string\",\"arg.properties\":7}", "must be given as object");
    refuses("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[]}", "no symbols");
    refuses("{\"type\":\"array\"}", "No items type");
    refuses("{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}", "Can't redefine");
    refuses("[\"null\",\"r\"]", "contains itself");
}

/* Fills values with n records' field f. */
static void run_field(struct fake_host *fake, const char *type, size_t n)
{
    open_field(fake, type);
    if (fake_open(fake) != SLUICE_OK) FAIL("%s", fake->err.msg);
    while (fake->n < n) CHECK_INT(fake_poll(fake, 0), SLUICE_OK);
}

static const struct sluice_value *field(const struct fake_host *fake, size_t i)
{
    return &fake->records[i].value.u.v[0];
}

TEST(arg_ranges_are_half_open_even_where_upstream_overflows)
{
    struct fake_host fake;
    run_field(&fake, "{\"type\":\"int\",\"arg.properties\":{\"range\":{\"max\":10}}}", 3000);
    bool low = false;
    for (size_t i = 0; i < 3000; i++) {
        CHECK(field(&fake, i)->u.i < 10);
        low = low || field(&fake, i)->u.i < -1000000000;
    }
    CHECK(low);
    fake_fini(&fake);
    run_field(&fake, "{\"type\":\"long\",\"arg.properties\":{\"range\":{\"min\":-10}}}", 3000);
    for (size_t i = 0; i < 3000; i++) CHECK(field(&fake, i)->u.i >= -10);
    fake_fini(&fake);
    bool seen[20] = {false};
    run_field(&fake, "{\"type\":\"int\",\"arg.properties\":{\"range\":{\"min\":-10,\"max\":10}}}",
              3000);
    for (size_t i = 0; i < 3000; i++) {
        CHECK(field(&fake, i)->u.i >= -10 && field(&fake, i)->u.i < 10);
        seen[field(&fake, i)->u.i + 10] = true;
    }
    for (int i = 0; i < 20; i++) CHECK(seen[i]);
    fake_fini(&fake);
}

TEST(arg_long_regexes_return_promptly)
{
    struct fake_host fake;
    run_field(&fake, "{\"type\":\"string\",\"arg.properties\":{\"regex\":\"[a-zA-Z0-9]{32}\"}}",
              500);
    for (size_t i = 0; i < 500; i++) {
        CHECK_INT(field(&fake, i)->len, 32);
        for (int k = 0; k < 32; k++) {
            char c = field(&fake, i)->u.s[k];
            CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
        }
    }
    fake_fini(&fake);
    run_field(&fake, "{\"type\":\"string\",\"arg.properties\":{\"regex\":\"(a|b)*abb[0-9]{4,6}\"}}",
              500);
    for (size_t i = 0; i < 500; i++) CHECK(field(&fake, i)->len >= 8 && field(&fake, i)->len <= 15);
    fake_fini(&fake);
    run_field(&fake, "{\"type\":\"string\",\"arg.properties\":{\"regex\":\"x.*\",\"length\":2000}}",
              20);
    for (size_t i = 0; i < 20; i++) CHECK(field(&fake, i)->len >= 2000);
    fake_fini(&fake);
}

TEST(arg_unions_and_odds)
{
    struct fake_host fake;
    int kinds[3] = {0};
    run_field(&fake, "[\"null\",\"string\",\"int\"]", 3000);
    for (size_t i = 0; i < 3000; i++) {
        const struct sluice_value *v = field(&fake, i);
        if (v->type == SLUICE_NULL) kinds[0]++;
        else kinds[v->u.v[0].type == SLUICE_STRING ? 1 : 2]++;
    }
    for (int i = 0; i < 3; i++) CHECK(kinds[i] > 850 && kinds[i] < 1150);
    const struct sluice_schema *schema = fake.records[0].value_schema->fields[0].schema;
    CHECK_STR(schema->name, "io.confluent.connect.avro.Union");
    CHECK(schema->optional);
    CHECK_INT(schema->fields_len, 2);
    fake_fini(&fake);
    for (int odds = 0; odds <= 4; odds++) {
        char type[100];
        size_t hits = 0;
        (void)snprintf(type, sizeof(type),
                       "{\"type\":\"boolean\",\"arg.properties\":{\"odds\":%.2f}}", odds / 4.0);
        run_field(&fake, type, 4000);
        for (size_t i = 0; i < 4000; i++) hits += (size_t)field(&fake, i)->u.i;
        CHECK(hits >= (size_t)odds * 1000 - (odds ? 150 : 0) && hits <= (size_t)odds * 1000 + 150);
        if (odds == 0) CHECK_INT(hits, 0);
        if (odds == 4) CHECK_INT(hits, 4000);
        fake_fini(&fake);
    }
}

TEST(arg_schema_is_what_avro_data_makes)
{
    struct fake_host fake;
    char *schema = harness_file("golden/datagen/arg_types.avsc", NULL);
    begin(&fake);
    fake_set(&fake, "schema.string", schema);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    const struct sluice_schema *s = fake.records[0].value_schema;
    CHECK_STR(s->name, "golden.types");
    CHECK_INT(s->type, SLUICE_STRUCT);
    for (uint32_t i = 0; i < s->fields_len; i++) {
        const struct sluice_schema *f = s->fields[i].schema;
        const char *name = s->fields[i].name;
        if (strcmp(name, "price") == 0) {
            CHECK_STR(f->name, "org.apache.kafka.connect.data.Decimal");
            CHECK_STR(f->params[0].value, "2");
        } else if (strcmp(name, "day") == 0) {
            CHECK_STR(f->name, "org.apache.kafka.connect.data.Date");
            CHECK_INT(f->version, 1);
        } else if (strcmp(name, "suit") == 0) {
            CHECK_INT(f->type, SLUICE_STRING);
            CHECK_STR(f->params[0].value, "golden.suit");
        } else if (strcmp(name, "maybe") == 0) {
            CHECK_INT(f->type, SLUICE_STRING);
            CHECK(f->optional);
        }
    }
    fake_fini(&fake);
    free(schema);
}
