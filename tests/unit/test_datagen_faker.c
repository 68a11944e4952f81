/* datagen: FakerJS expressions. The golden values are what @faker-js/faker 8.4.1 gives in node for
 * the same seed (tests/golden/datagen/README.md). */
#include "datagen_test.h"

static void begin(struct fake_host *fake, const char *expression)
{
    json_t *schema = json_pack("{s:{s:s},s:s}", "_meta", "topic", "t", "v", expression);
    char *text = json_dumps(schema, 0);
    fake_init(fake, sluice_plugins_v1()[0], "max.interval", "0", "random.seed", "42",
              "schema.string", text, NULL);
    free(text);
    json_decref(schema);
}

static char *run(const char *expression, size_t times)
{
    struct fake_host fake;
    char *text;
    size_t len;
    begin(&fake, expression);
    if (fake_open(&fake) != SLUICE_OK) FAIL("%s", fake.err.msg);
    fake.room_records = times;
    while (fake.n < times) {
        if (fake_poll(&fake, 0) != SLUICE_OK) FAIL("%s: %s", expression, fake.err.msg);
    }
    FILE *out = open_memstream(&text, &len);
    (void)fputc('[', out);
    for (size_t i = 0; i < times; i++) {
        const struct sluice_value *v = &fake.records[i].value;
        if (i) (void)fputc(',', out);
        CHECK_INT(v->type, SLUICE_MAP);
        if (v->len) put_json(out, &v->u.v[1]);
        else (void)fputs("null", out); /* undefined: left out */
    }
    (void)fputc(']', out);
    (void)fclose(out);
    fake_fini(&fake);
    return text;
}

TEST(faker_gives_what_faker_js_gives)
{
    char *golden = harness_file("golden/datagen/faker_golden.txt", NULL);
    size_t lines = 0, wrong = 0;
    for (char *line = golden, *end; *line; line = end + 1, lines++) {
        end = strchr(line, '\n');
        *end = '\0';
        char *want = strchr(line, '\t');
        *want++ = '\0';
        char *got = run(line, 12);
        if (strcmp(got, want) != 0) {
            (void)fprintf(stderr, "%s\n  got:  %.300s\n  want: %.300s\n", line, got, want);
            wrong++;
        }
        free(got);
    }
    free(golden);
    CHECK(lines > 200);
    CHECK_INT(wrong, 0);
}

TEST(faker_long_seeds_are_lists_of_two_words)
{
    struct mersenne m; /* from node: faker.seed([0x89ABCDEF, 0x01234567]) */
    mersenne_seed(&m, 0x0123456789ABCDEFLL);
    CHECK_DOUBLE(mersenne_next(&m), 3851240871.0 / 4294967296.0);
    CHECK_DOUBLE(mersenne_next(&m), 1496727489.0 / 4294967296.0);
    mersenne_seed(&m, -5);
    CHECK_DOUBLE(mersenne_next(&m), 1844333030.0 / 4294967296.0);
    mersenne_seed(&m, 42);
    CHECK_DOUBLE(mersenne_next(&m), 1608637542.0 / 4294967296.0);
    CHECK_DOUBLE(mersenne_next(&m), 3421126067.0 / 4294967296.0);
}

TEST(mersenne_skips_as_if_it_had_drawn)
{
    struct mersenne a, b;
    const int64_t steps[] = {0, 1, 623, 624, 625, 5000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        mersenne_seed(&a, 7);
        mersenne_seed(&b, 7);
        for (int64_t k = 0; k < steps[i]; k++) (void)mersenne_next(&a);
        mersenne_skip(&b, steps[i]);
        CHECK_INT(a.draws, b.draws);
        CHECK_DOUBLE(mersenne_next(&a), mersenne_next(&b));
    }
}

static void refuses(const char *expression, const char *why)
{
    struct fake_host fake;
    begin(&fake, expression);
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "t.v");
    CHECK_HAS(fake.err.msg, why);
    fake_fini(&fake);
}

TEST(faker_names_unknown_expressions_and_what_is_known)
{
    refuses("abc", "\"abc\" is not known");
    refuses("faker.commerce.prize()", "productName");
    refuses("faker.comerce.price()", "faker.commerce");
    refuses("faker.address.zip()", "zipCode");
    refuses("faker.datatype.number(1000", "expected ',' or ')'");
    refuses("faker.datatype.number(1) faker", "goes on");
    refuses("'abc", "has no end");
    refuses("function(){return 1}", "\"function\" is not known");
    refuses("faker.datatype.uuid(1)", "at most 0 arguments");
    refuses("faker.helpers.multiple((i) => 1)", "\"i\" is not known");
    refuses("new Map()", "new is for Date");
    refuses("'x'.split(',')", "\".split\" is not known");
    refuses("[1, 2", "expected ',' or ']'");
    refuses("{a 1}", "expected ':'");
    refuses("", "unexpected end");
    refuses("((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1",
            "nested too deep");
}

static void fails(const char *expression, const char *why)
{
    struct fake_host fake;
    begin(&fake, expression);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "field v of topic t");
    CHECK_HAS(fake.err.msg, why);
    fake_fini(&fake);
}

TEST(faker_errors_at_run_time_name_the_field)
{
    fails("faker.datatype.number({min: 5, max: 1})", "should be greater than min");
    fails("faker.helpers.arrayElement([])", "empty dataset");
    fails("faker.string.alpha(99999999)", "more than");
    fails("faker.helpers.multiple(() => 1, {count: 99999999})", "more than");
    fails("'ab'.toFixed(1)", "toFixed");
    fails("new Date('nonsense').toISOString()", "Invalid time value");
    fails("faker.date.past(0)", "greater than 0");
    fails("faker.date.birthdate({min: 2147483648, max: -99})", "larger than");
    fails("new Date(1e300).toISOString()", "Invalid time value");
    fails("faker.number.hex({min: 1e30, max: 2e30})", "64 bits");
    fails("''.padStart(99999999, 'x')", "padding");
}
