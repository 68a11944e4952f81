/* java.util.regex and SimpleDateFormat: what Java itself gave (tests/golden/java/run.sh), replayed;
 * and patterns that explode. */
#include "base/buf.h"
#include "data/java_date.h"
#include "data/java_regex.h"
#include "golden/text.h"

static struct sluice_batch batch;
static struct sluice_err err;

static const char *unquote(const char *text, size_t *len)
{
    struct text_reader r = {text, &batch};
    return text_string(&r, len);
}

/* Java's result: "text" or !error. */
static void check_replaced(int line, struct sluice_java_regex *regex, char **cols, bool all,
                           const char *want)
{
    struct sluice_buf out;
    size_t len, want_len = 0;
    const char *text = unquote(cols[2], &len), *by = unquote(cols[4], NULL);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    enum sluice_match match = sluice_java_regex_replace(regex, text, len, by, all, &out, &err);
    if (*want == '!') {
        if (match != SLUICE_MATCH_FAILED) FAIL("line %d: no error, wanted %s", line, want);
        CHECK_STR(err.msg, want + 1);
    } else {
        if (match == SLUICE_MATCH_FAILED) FAIL("line %d: %s", line, err.msg);
        const char *expected = unquote(want, &want_len);
        if (out.len != want_len || memcmp(out.data, expected, want_len) != 0) {
            FAIL("line %d: %s on %s: got %s, wanted %s", line, cols[1], cols[2],
                 sluice_buf_str(&out), expected);
        }
    }
    sluice_buf_fini(&out);
}

static void regex_row(char **cols, int line)
{
    sluice_batch_reset(&batch);
    const char *pattern = unquote(cols[1], NULL);
    struct sluice_java_regex *regex = sluice_java_regex_new(pattern, 0, &err);
    if (strcmp(cols[0], "bad") == 0) {
        if (regex) FAIL("line %d: no error, wanted %s", line, cols[2]);
        const char *want = cols[2];
        if (strcmp(want, "Unexpected internal error") == 0) want = "Unescaped trailing backslash";
        if (!strstr(err.msg, want)) FAIL("line %d: %s, wanted %s", line, err.msg, want);
        return;
    }
    size_t len;
    const char *text = unquote(cols[2], &len);
    if (!regex) FAIL("line %d: %s: %s", line, cols[1], err.msg);
    enum sluice_match match = sluice_java_regex_matches(regex, text, len, &err);
    if (match != (cols[3][0] == '1' ? SLUICE_MATCH_YES : SLUICE_MATCH_NO)) {
        FAIL("line %d: %s on %s: %d, Java says %s", line, cols[1], cols[2], (int)match, cols[3]);
    }
    check_replaced(line, regex, cols, false, cols[5]);
    check_replaced(line, regex, cols, true, cols[6]);
    sluice_java_regex_free(regex);
}

TEST(patterns_mean_what_java_means)
{
    sluice_batch_init(&batch);
    CHECK(text_rows("golden/java_text/regex.txt", regex_row) > 4000);
    sluice_batch_fini(&batch);
}

TEST(a_pattern_that_explodes_is_an_error)
{
    static const char *const patterns[] = {"(a|aa)+", "(a+)+", "(.*)*x", "(?:(?:a?){20}){20}c",
                                           "(.*,){11}P"};
    char text[4096];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct sluice_java_regex *regex = sluice_java_regex_new(patterns[i], 0, &err);
        if (!regex) FAIL("%s: %s", patterns[i], err.msg);
        text[sizeof text - 1] = '!';
        enum sluice_match match = sluice_java_regex_matches(regex, text, sizeof text, &err);
        CHECK(match != SLUICE_MATCH_YES);
        if (match == SLUICE_MATCH_FAILED) CHECK_HAS(err.msg, "too many steps");
        if (i == 0) CHECK_INT(match, SLUICE_MATCH_FAILED);
        sluice_java_regex_free(regex);
    }
}

TEST(bytes_that_are_no_utf8_match_nothing)
{
    struct sluice_java_regex *regex = sluice_java_regex_new("a.*b", 0, &err);
    CHECK(regex != NULL);
    CHECK_INT(sluice_java_regex_matches(regex,
                                        "a\xff"
                                        "b",
                                        3, &err),
              SLUICE_MATCH_NO);
    CHECK_INT(sluice_java_regex_matches(regex, NULL, 0, &err), SLUICE_MATCH_NO);
    CHECK_INT(sluice_java_regex_matches(regex, "axb", 3, &err), SLUICE_MATCH_YES);
    sluice_java_regex_free(regex);
    CHECK(sluice_java_regex_new("\xff", 0, &err) == NULL);
    CHECK_HAS(err.msg, "UTF-8");
}

TEST(what_cannot_be_translated_is_said)
{
    static const char *const patterns[] = {"\\N{BULLET}", "\\b{g}", "(?<=a{1,3})b", "a{99999}",
                                           "\\ud83d"};
    char deep[1001];
    memset(deep, '(', 1000);
    deep[1000] = '\0';
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (sluice_java_regex_new(patterns[i], 0, &err)) FAIL("%s was taken", patterns[i]);
        CHECK(err.msg[0]);
    }
    CHECK(sluice_java_regex_new(deep, 0, &err) == NULL);
    CHECK_HAS(err.msg, "too deeply nested");
    memset(deep, '[', 1000);
    CHECK(sluice_java_regex_new(deep, 0, &err) == NULL);
    CHECK_HAS(err.msg, "too deeply nested");
}

TEST(a_regex_without_case_and_with_groups)
{
    size_t start, end;
    struct sluice_java_regex *regex =
        sluice_java_regex_new("(?<first>x)|(Y)", SLUICE_REGEX_NOCASE, &err);
    CHECK(regex != NULL);
    CHECK_INT(sluice_java_regex_groups(regex), 2);
    CHECK_INT(sluice_java_regex_named(regex, "first", 5), 1);
    CHECK_INT(sluice_java_regex_named(regex, "second", 6), 0);
    CHECK_INT(sluice_java_regex_find(regex, "ayX", 3, 0, &err), SLUICE_MATCH_YES);
    CHECK(!sluice_java_regex_group(regex, 1, &start, &end));
    CHECK(sluice_java_regex_group(regex, 2, &start, &end));
    CHECK_INT(start, 1);
    CHECK_INT(end, 2);
    CHECK_INT(sluice_java_regex_find(regex, "ayX", 3, 2, &err), SLUICE_MATCH_YES);
    CHECK(sluice_java_regex_group(regex, 1, &start, &end));
    CHECK_INT(sluice_java_regex_find(regex, "a", 1, 1, &err), SLUICE_MATCH_NO);
    CHECK(!sluice_java_regex_group(regex, 0, &start, &end));
    sluice_java_regex_free(regex);
}

/* ---- dates ---- */

static int64_t now_ms;

static void date_row(char **cols, int line)
{
    sluice_batch_reset(&batch);
    if (strcmp(cols[0], "now") == 0) {
        now_ms = strtoll(cols[1], NULL, 10);
        return;
    }
    struct sluice_java_date *date = sluice_java_date_new(unquote(cols[1], NULL), now_ms, &err);
    if (strcmp(cols[0], "baddate") == 0) {
        if (date) FAIL("line %d: no error, wanted %s", line, cols[2]);
        CHECK_STR(err.msg, cols[2]);
        return;
    }
    if (!date) FAIL("line %d: %s", line, err.msg);
    size_t len;
    if (strcmp(cols[0], "format") == 0) {
        struct sluice_buf out;
        sluice_buf_init(&out, SLUICE_BUF_MAX);
        CHECK(sluice_java_date_format(date, strtoll(cols[2], NULL, 10), &out, &err));
        const char *want = unquote(cols[3], &len);
        if (out.len != len || memcmp(out.data, want, len) != 0) {
            FAIL("line %d: %s of %s: got %s, wanted %s", line, cols[1], cols[2],
                 sluice_buf_str(&out), want);
        }
        sluice_buf_fini(&out);
    } else {
        const char *text = unquote(cols[2], &len);
        int64_t ms = 0;
        char got[32] = "!", *exact = malloc(len ? len : 1); /* reading behind it is seen */
        memcpy(exact, text, len);
        if (sluice_java_date_parse(date, exact, len, &ms)) {
            snprintf(got, sizeof got, "%lld", (long long)ms);
        }
        free(exact);
        if (strcmp(got, cols[3]) != 0) {
            FAIL("line %d: %s of %s: got %s, wanted %s", line, cols[1], cols[2], got, cols[3]);
        }
    }
    sluice_java_date_free(date);
}

TEST(dates_are_written_and_read_as_java_does)
{
    sluice_batch_init(&batch);
    CHECK(text_rows("golden/java_text/dates.txt", date_row) > 1500);
    sluice_batch_fini(&batch);
}
