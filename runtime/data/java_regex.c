/* java_regex.c - see java_regex.h: PCRE2 under a translated pattern.
 *
 * The just-in-time code is used where there is some; when its stack is too small for a text the
 * interpreter goes on, whose memory is bounded by HEAP_MAX_KIB. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "data/java_regex.h"

#include <assert.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/java_regex_translate.h"

#define PATTERN_MAX ((size_t)64 << 10) /* bytes; translated: 32 times that */
#define STEPS_MAX 1000000u
#define HEAP_MAX_KIB 65536u

struct sluice_java_regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    char *pattern; /* Java's, for messages */
    struct sluice_regex_names names;
    uint32_t groups;
    int found; /* what the last match gave: pairs that are set */
};

static void names_clear(struct sluice_regex_names *names)
{
    for (size_t i = 0; i < names->n; i++) free(names->items[i].name);
    names->n = 0;
}

/* Twice: the first time over only counts the groups that references may mean. */
static bool translate(struct sluice_java_regex *regex, unsigned flags, struct sluice_buf *out,
                      struct sluice_err *err)
{
    for (int pass = 0; pass < 2; pass++) {
        struct sluice_regex_parser parser = {
            .text = regex->pattern,
            .at = regex->pattern,
            .end = regex->pattern + strlen(regex->pattern),
            .out = out,
            .err = err,
            .names = &regex->names,
            .all = regex->groups,
            .flags = flags & SLUICE_REGEX_NOCASE ? REGEX_I : 0,
        };
        sluice_buf_clear(out);
        names_clear(&regex->names);
        if (!sluice_regex_translate(&parser)) return false;
        regex->groups = parser.groups;
    }
    return true;
}

static bool compile(struct sluice_java_regex *regex, const struct sluice_buf *text,
                    struct sluice_err *err)
{
    PCRE2_UCHAR why[160];
    PCRE2_SIZE at;
    int code;
    regex->code =
        pcre2_compile((PCRE2_SPTR)(text->data ? text->data : ""), text->len,
                      PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY, &code, &at, NULL);
    if (!regex->code) {
        pcre2_get_error_message(code, why, sizeof why);
        return sluice_err_set(err, "this pattern cannot be used here: %s", (const char *)why);
    }
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE); /* without it, it is only slower */
    regex->match = pcre2_match_data_create_from_pattern(regex->code, NULL);
    regex->context = pcre2_match_context_create(NULL);
    if (!regex->match || !regex->context) abort(); /* as base/mem.h does */
    pcre2_set_match_limit(regex->context, STEPS_MAX);
    pcre2_set_heap_limit(regex->context, HEAP_MAX_KIB);
    return true;
}

struct sluice_java_regex *sluice_java_regex_new(const char *pattern, unsigned flags,
                                                struct sluice_err *err)
{
    assert(pattern);
    if (strlen(pattern) > PATTERN_MAX) {
        sluice_err_set(err, "the pattern is longer than %zu bytes", PATTERN_MAX);
        return NULL;
    }
    struct sluice_java_regex *regex = sluice_xcalloc(1, sizeof *regex);
    struct sluice_buf text;
    sluice_buf_init(&text, 32 * PATTERN_MAX);
    regex->pattern = sluice_xstrdup(pattern);
    bool ok = translate(regex, flags, &text, err);
    if (ok && text.len >= 31 * PATTERN_MAX) ok = sluice_err_set(err, "the pattern is too large");
    if (ok) ok = compile(regex, &text, err);
    sluice_buf_fini(&text);
    if (ok) return regex;
    sluice_java_regex_free(regex);
    return NULL;
}

void sluice_java_regex_free(struct sluice_java_regex *regex)
{
    if (!regex) return;
    pcre2_code_free(regex->code);
    pcre2_match_data_free(regex->match);
    pcre2_match_context_free(regex->context);
    names_clear(&regex->names);
    free(regex->names.items);
    free(regex->pattern);
    free(regex);
}

/* ---- matching ---- */

static enum sluice_match run(struct sluice_java_regex *regex, const char *text, size_t len,
                             size_t from, uint32_t options, struct sluice_err *err)
{
    PCRE2_UCHAR why[160];
    PCRE2_SPTR subject = (PCRE2_SPTR)(text ? text : "");
    assert(regex && (text || len == 0));
    int n = pcre2_match(regex->code, subject, len, from, options, regex->match, regex->context);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT) {
        n = pcre2_match(regex->code, subject, len, from, options | PCRE2_NO_JIT, regex->match,
                        regex->context);
    }
    regex->found = n;
    if (n > 0) return SLUICE_MATCH_YES;
    if (n == PCRE2_ERROR_NOMATCH) return SLUICE_MATCH_NO;
    if (n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT || n == PCRE2_ERROR_HEAPLIMIT) {
        sluice_err_set(err,
                       "cannot match the pattern %s: it took too many steps on a text of %zu bytes",
                       regex->pattern, len);
    } else {
        pcre2_get_error_message(n, why, sizeof why);
        sluice_err_set(err, "cannot match the pattern %s: %s", regex->pattern, (const char *)why);
    }
    return SLUICE_MATCH_FAILED;
}

enum sluice_match sluice_java_regex_matches(struct sluice_java_regex *regex, const char *text,
                                            size_t len, struct sluice_err *err)
{
    return run(regex, text, len, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, err);
}

enum sluice_match sluice_java_regex_find(struct sluice_java_regex *regex, const char *text,
                                         size_t len, size_t from, struct sluice_err *err)
{
    assert(from <= len);
    return run(regex, text, len, from, 0, err);
}

bool sluice_java_regex_group(const struct sluice_java_regex *regex, uint32_t i, size_t *start,
                             size_t *end)
{
    const PCRE2_SIZE *pairs = pcre2_get_ovector_pointer(regex->match);
    if (regex->found <= 0 || i >= (uint32_t)regex->found || pairs[2 * i] == PCRE2_UNSET) {
        return false;
    }
    *start = pairs[2 * i];
    *end = pairs[2 * i + 1];
    return *start <= *end;
}

uint32_t sluice_java_regex_groups(const struct sluice_java_regex *regex) { return regex->groups; }

uint32_t sluice_java_regex_named(const struct sluice_java_regex *regex, const char *name,
                                 size_t len)
{
    for (size_t i = 0; i < regex->names.n; i++) {
        const struct sluice_regex_name *have = &regex->names.items[i];
        if (strlen(have->name) == len && memcmp(have->name, name, len) == 0) return have->number;
    }
    return 0;
}

/* ---- replacing ---- */

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* Behind "${": the group's number; moves *at behind "}". */
static bool named_group(const struct sluice_java_regex *regex, const char **at, uint32_t *group,
                        struct sluice_err *err)
{
    const char *name = *at;
    while (digit(**at) || (((unsigned char)**at | 32) >= 'a' && ((unsigned char)**at | 32) <= 'z'))
        (*at)++;
    size_t len = (size_t)(*at - name);
    if (len == 0) return sluice_err_set(err, "named capturing group has 0 length name");
    if (**at != '}') {
        return sluice_err_set(err, "named capturing group is missing trailing '}'");
    }
    (*at)++;
    if (digit(*name)) {
        return sluice_err_set(err, "capturing group name {%.*s} starts with digit character",
                              (int)len, name);
    }
    *group = sluice_java_regex_named(regex, name, len);
    return *group || sluice_err_set(err, "No group with name {%.*s}", (int)len, name);
}

/* Behind "$": as many digits as make a group that exists. */
static bool group_of(const struct sluice_java_regex *regex, const char **at, uint32_t *group,
                     struct sluice_err *err)
{
    if (!**at) {
        return sluice_err_set(err, "Illegal group reference: group index is missing");
    }
    if (**at == '{') {
        (*at)++;
        return named_group(regex, at, group, err);
    }
    if (!digit(**at)) return sluice_err_set(err, "Illegal group reference");
    *group = (uint32_t)(*(*at)++ - '0');
    while (digit(**at) && *group * 10 + (uint32_t)(**at - '0') <= regex->groups) {
        *group = *group * 10 + (uint32_t)(*(*at)++ - '0');
    }
    return *group <= regex->groups || sluice_err_set(err, "No group %u", *group);
}

static bool append(struct sluice_buf *out, const char *text, size_t len, struct sluice_err *err)
{
    if (!sluice_buf_reserve(out, len + 1, err)) return false;
    return sluice_buf_add(out, text, len);
}

/* Appends what the replacement gives for the match. */
static bool expand(const struct sluice_java_regex *regex, const char *text, const char *replacement,
                   struct sluice_buf *out, struct sluice_err *err)
{
    for (const char *at = replacement; *at;) {
        uint32_t group = 0;
        size_t start, end;
        if (*at == '\\') {
            if (!*++at) return sluice_err_set(err, "character to be escaped is missing");
            if (!append(out, at++, 1, err)) return false;
        } else if (*at == '$') {
            at++;
            if (!group_of(regex, &at, &group, err)) return false;
            if (sluice_java_regex_group(regex, group, &start, &end) &&
                !append(out, text + start, end - start, err)) {
                return false;
            }
        } else {
            size_t n = strcspn(at, "\\$");
            if (!append(out, at, n, err)) return false;
            at += n;
        }
    }
    return true;
}

/* Bytes of the character at text + at. */
static size_t char_len(const char *text, size_t len, size_t at)
{
    size_t n = 1;
    while (at + n < len && ((unsigned char)text[at + n] & 0xC0) == 0x80) n++;
    return n;
}

enum sluice_match sluice_java_regex_replace(struct sluice_java_regex *regex, const char *text,
                                            size_t len, const char *replacement, bool all,
                                            struct sluice_buf *out, struct sluice_err *err)
{
    enum sluice_match verdict = SLUICE_MATCH_NO;
    size_t done = 0, from = 0, start, end;
    assert(replacement && out);
    while (from <= len) {
        enum sluice_match match = sluice_java_regex_find(regex, text, len, from, err);
        if (match == SLUICE_MATCH_FAILED) return match;
        if (match == SLUICE_MATCH_NO || !sluice_java_regex_group(regex, 0, &start, &end)) break;
        verdict = SLUICE_MATCH_YES;
        if (!append(out, text + done, start - done, err) ||
            !expand(regex, text, replacement, out, err)) {
            return SLUICE_MATCH_FAILED;
        }
        done = end;
        from = end > start ? end : end + (end < len ? char_len(text, len, end) : 1);
        if (!all) break;
    }
    return append(out, text + done, len - done, err) ? verdict : SLUICE_MATCH_FAILED;
}
