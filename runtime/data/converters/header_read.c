/* header_read.c - what a header's text is read as: Connect's Values.parseString.
 *
 * The text is cut into tokens at : , { } [ ] " where no backslash stands before them. Lists and
 * maps are tried first; when they do not work out, the whole text is a string. Java's rules are
 * kept with their surprises: "1,2" is 1, "1.0" is the INT8 1, a fraction is FLOAT32. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/converters/header_text.h"
#include "data/decimal.h"
#include "data/java_text.h"
#include "data/json_io.h"
#include "data/number_text.h"
#include "data/schema.h"
#include "data/values.h"

#define DEPTH_MAX 64    /* nested lists and maps; deeper is a string */
#define NUMBER_MAX 1000 /* characters of a number; longer is a string */

struct token {
    const char *s;
    size_t len; /* 0: the text ended */
};

struct parser {
    struct sluice_batch *batch;
    const char *at, *end;
    int depth;
};

struct parsed { /* schema NULL with a value that is not null: mixed content */
    const struct sluice_schema *schema;
    struct sluice_value v;
};

static const struct sluice_schema plain[SLUICE_STRUCT] = {
    [SLUICE_INT8] = {.type = SLUICE_INT8},       [SLUICE_INT16] = {.type = SLUICE_INT16},
    [SLUICE_INT32] = {.type = SLUICE_INT32},     [SLUICE_INT64] = {.type = SLUICE_INT64},
    [SLUICE_FLOAT32] = {.type = SLUICE_FLOAT32}, [SLUICE_FLOAT64] = {.type = SLUICE_FLOAT64},
    [SLUICE_BOOLEAN] = {.type = SLUICE_BOOLEAN}, [SLUICE_STRING] = {.type = SLUICE_STRING},
};

#define LOGICAL(t, n)                                                                              \
    {                                                                                              \
        .type = t, .has_version = true, .version = 1, .name = "org.apache.kafka.connect.data." n   \
    }
static const struct sluice_schema date_schema = LOGICAL(SLUICE_INT32, "Date");
static const struct sluice_schema time_schema = LOGICAL(SLUICE_INT32, "Time");
static const struct sluice_schema timestamp_schema = LOGICAL(SLUICE_INT64, "Timestamp");

/* ---- tokens ---- */

static struct token next_token(struct parser *p)
{
    bool escaped = false;
    const char *start = p->at;
    for (; p->at < p->end; p->at++) {
        char c = *p->at;
        if (c == '\\') {
            escaped = !escaped;
            continue;
        }
        if (!escaped && strchr(":,{}[]\"", c) && c) {
            if (p->at == start) p->at++;
            break;
        }
        escaped = false;
    }
    return (struct token){start, (size_t)(p->at - start)};
}

/* Java's String.trim(). */
static struct token trim(struct token t)
{
    while (t.len && (unsigned char)*t.s <= ' ') t = (struct token){t.s + 1, t.len - 1};
    while (t.len && (unsigned char)t.s[t.len - 1] <= ' ') t.len--;
    return t;
}

static bool token_is(struct token t, const char *word)
{
    t = trim(t);
    return t.len == strlen(word) && memcmp(t.s, word, t.len) == 0;
}

/* Takes the next token that is not blank when it is this one. */
static bool take(struct parser *p, const char *word)
{
    const char *start = p->at;
    struct token t = next_token(p);
    while (trim(t).len == 0 && p->at < p->end) t = next_token(p);
    if (t.len && token_is(t, word)) return true;
    p->at = start;
    return false;
}

/* ---- dates ---- */

/* The number in n digits, -1 when they are none. */
static int digits(const char *s, int n)
{
    int x = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return -1;
        x = x * 10 + (s[i] - '0');
    }
    return x;
}

static bool read_day(const char *s, int64_t *days)
{
    int year = digits(s, 4), month = digits(s + 5, 2), day = digits(s + 8, 2);
    if (year < 0 || month < 0 || day < 0 || s[4] != '-' || s[7] != '-') return false;
    /* Lenient as SimpleDateFormat: month 13 is January of the next year. */
    int64_t shifted = (int64_t)year * 12 + month - 1;
    *days = sluice_days_of(shifted / 12, (int)(shifted % 12) + 1, day);
    return true;
}

static bool read_clock(const char *s, int64_t *ms)
{
    int hour = digits(s, 2), minute = digits(s + 3, 2), second = digits(s + 6, 2);
    int milli = digits(s + 9, 3);
    if (hour < 0 || minute < 0 || second < 0 || milli < 0) return false;
    if (s[2] != ':' || s[5] != ':' || s[8] != '.' || s[12] != 'Z') return false;
    *ms = hour * INT64_C(3600000) + minute * 60000 + second * 1000 + milli;
    return true;
}

/* 2020-01-02, 10:11:12.123Z or both with a T; colons may be escaped. */
static bool read_temporal(struct token t, struct parsed *out)
{
    char s[25];
    size_t len = 0;
    int64_t days, ms;
    for (size_t i = 0; i < t.len; i++) {
        if (t.s[i] == '\\' && i + 1 < t.len && t.s[i + 1] == ':') continue;
        if (len == sizeof s) return false;
        s[len++] = t.s[i];
    }
    if (len == 10 && read_day(s, &days)) {
        *out = (struct parsed){&date_schema, sluice_int32((int32_t)days)};
        return true;
    }
    if (len == 13 && read_clock(s, &ms) && ms < 86400000) {
        *out = (struct parsed){&time_schema, sluice_int32((int32_t)ms)};
        return true;
    }
    if (len == 24 && s[10] == 'T' && read_day(s, &days) && read_clock(s + 11, &ms)) {
        *out = (struct parsed){&timestamp_schema, sluice_int64(days * INT64_C(86400000) + ms)};
        return true;
    }
    return false;
}

/* A time may have been cut at its colons: five tokens. */
static bool read_temporal_tokens(struct parser *p, struct token first, struct parsed *out)
{
    const char *start = p->at;
    bool whole = true;
    for (int i = 0; i < 4 && whole; i++) whole = next_token(p).len > 0;
    if (whole && read_temporal((struct token){first.s, (size_t)(p->at - first.s)}, out)) {
        return true;
    }
    p->at = start;
    return read_temporal(first, out);
}

/* ---- numbers ---- */

/* A number as java.math.BigDecimal reads it: its digits before exp, and how many are decimals. */
static bool split_number(struct token t, int64_t *scale)
{
    size_t i = 0, n = 0;
    int64_t decimals = 0, exp = 0;
    if (i < t.len && (t.s[i] == '+' || t.s[i] == '-')) i++;
    for (; i < t.len && t.s[i] >= '0' && t.s[i] <= '9'; i++) n++;
    if (i < t.len && t.s[i] == '.') {
        for (i++; i < t.len && t.s[i] >= '0' && t.s[i] <= '9'; i++) decimals++;
    }
    if (n + (size_t)decimals == 0) return false;
    if (i < t.len && (t.s[i] == 'e' || t.s[i] == 'E')) {
        bool down = false;
        i++;
        if (i < t.len && (t.s[i] == '+' || t.s[i] == '-')) down = t.s[i++] == '-';
        if (i == t.len) return false;
        for (; i < t.len && t.s[i] >= '0' && t.s[i] <= '9' && exp < 100000; i++) {
            exp = exp * 10 + (t.s[i] - '0');
        }
        if (down) exp = -exp;
    }
    *scale = decimals - exp;
    return i == t.len && *scale > -100000 && *scale < 100000;
}

/* The value when it is an integer of 64 bits. */
static bool whole_number(struct parser *p, struct token t, int64_t *i)
{
    struct sluice_value v;
    uint64_t x = 0;
    if (!sluice_decimal_parse(&p->batch->arena, t.s, t.len, 0, &v, NULL) || v.len > 8) return false;
    if (v.len && (v.u.s[0] & 0x80)) x = ~UINT64_C(0);
    for (uint32_t k = 0; k < v.len; k++) x = x << 8 | (unsigned char)v.u.s[k];
    *i = (int64_t)x;
    return true;
}

static bool read_number(struct parser *p, struct token t, struct parsed *out)
{
    int64_t scale, i;
    char text[NUMBER_MAX + 1];
    if (t.len > NUMBER_MAX || !split_number(t, &scale)) return false;
    memcpy(text, t.s, t.len);
    text[t.len] = '\0';
    if (scale > -20 && whole_number(p, t, &i)) {
        enum sluice_type type = i == (int8_t)i    ? SLUICE_INT8
                                : i == (int16_t)i ? SLUICE_INT16
                                : i == (int32_t)i ? SLUICE_INT32
                                                  : SLUICE_INT64;
        *out = (struct parsed){&plain[type], sluice_int(type, i)};
        return true;
    }
    float f = strtof(text, NULL);
    double d = strtod(text, NULL);
    if (scale != 0 && isfinite(f)) {
        *out = (struct parsed){&plain[SLUICE_FLOAT32], sluice_float64((double)f)};
        out->v.type = SLUICE_FLOAT32;
        return true;
    }
    if (scale != 0 && isfinite(d)) {
        *out = (struct parsed){&plain[SLUICE_FLOAT64], sluice_float64(d)};
        return true;
    }
    struct sluice_schema *schema = sluice_arena_alloc(&p->batch->arena, sizeof *schema);
    struct sluice_param *param = sluice_arena_alloc(&p->batch->arena, sizeof *param);
    char *value = sluice_arena_alloc(&p->batch->arena, SLUICE_INT_TEXT + 2);
    *sluice_int_text(value, scale) = '\0';
    *param = (struct sluice_param){"scale", value};
    *schema = (struct sluice_schema){.type = SLUICE_BYTES,
                                     .has_version = true,
                                     .version = 1,
                                     .name = SLUICE_DECIMAL_NAME,
                                     .params = param,
                                     .params_len = 1};
    out->schema = schema;
    return sluice_decimal_parse(&p->batch->arena, t.s, t.len, (int32_t)scale, &out->v, NULL);
}

/* ---- what the items of a list have in common ---- */

static int number_rank(const struct sluice_schema *schema)
{
    return schema->type >= SLUICE_INT8 && schema->type <= SLUICE_FLOAT64 && !schema->name
               ? schema->type
               : 0;
}

static bool same_schema(const struct sluice_schema *a, const struct sluice_schema *b)
{
    if (a == b) return true;
    if (!a || !b || a->type != b->type || (a->name != NULL) != (b->name != NULL)) return false;
    if (a->name && strcmp(a->name, b->name) != 0) return false;
    if (a->params_len && strcmp(a->params[0].value, b->params[0].value) != 0) return false;
    return same_schema(a->key, b->key) && same_schema(a->elem, b->elem);
}

struct common {
    const struct sluice_schema *schema;
    bool mixed; /* no schema fits all */
};

static void common_add(struct common *c, const struct parsed *item)
{
    if (item->v.type == SLUICE_NULL) return;
    if (!item->schema) {
        c->mixed = true;
    } else if (!c->schema) {
        c->schema = item->schema;
    } else if (number_rank(c->schema) && number_rank(item->schema)) {
        if (number_rank(item->schema) > number_rank(c->schema)) c->schema = item->schema;
    } else if (!same_schema(c->schema, item->schema)) {
        c->mixed = true;
    }
}

/* Numbers of a list take its common type. */
static void align(struct sluice_value *v, const struct sluice_schema *schema)
{
    if (v->type == SLUICE_NULL || v->type == schema->type || !number_rank(schema)) return;
    bool real = schema->type >= SLUICE_FLOAT32;
    if (real && v->type < SLUICE_FLOAT32) {
        double d = schema->type == SLUICE_FLOAT32 ? (double)(float)v->u.i : (double)v->u.i;
        *v = sluice_float64(d);
    }
    v->type = schema->type;
}

/* The schema of the values on the stack since mark, every step-th one; NULL: mixed or all null.
 * False: nulls among values of one type, which Java does not take for a list. */
static bool settle(struct sluice_json_reader *stack, size_t mark, size_t step,
                   const struct common *c, const struct sluice_schema **schema)
{
    *schema = NULL;
    if (c->mixed || !c->schema) return true;
    for (size_t i = mark; i < stack->stack_n; i += step) {
        if (stack->stack[i].type == SLUICE_NULL) return false;
        align(&stack->stack[i], c->schema);
    }
    *schema = c->schema;
    return true;
}

/* ---- values ---- */

static bool parse(struct parser *p, bool inner, struct parsed *out);

static bool read_list(struct parser *p, struct sluice_json_reader *stack, struct parsed *out)
{
    struct common items = {NULL, false};
    size_t mark = stack->stack_n, n = 0;
    while (!take(p, "]")) {
        struct parsed item;
        if (n && !take(p, ",")) return false;
        if (!parse(p, true, &item)) return false;
        common_add(&items, &item);
        sluice_json_push(stack, item.v);
        n++;
    }
    const struct sluice_schema *elem;
    if (!settle(stack, mark, 1, &items, &elem)) return false;
    out->schema = NULL;
    if (elem) {
        struct sluice_schema *schema = sluice_arena_alloc(&p->batch->arena, sizeof *schema);
        *schema = (struct sluice_schema){.type = SLUICE_ARRAY, .elem = elem};
        out->schema = schema;
    }
    out->v = sluice_json_pop(stack, SLUICE_ARRAY, mark, n);
    return true;
}

static bool read_map(struct parser *p, struct sluice_json_reader *stack, struct parsed *out)
{
    struct common keys = {NULL, false}, values = {NULL, false};
    size_t mark = stack->stack_n, n = 0;
    while (!take(p, "}")) {
        struct parsed key, value;
        if (!parse(p, true, &key) || key.v.type == SLUICE_NULL) return false;
        if (!take(p, ":") || !parse(p, true, &value)) return false;
        take(p, ",");
        common_add(&keys, &key);
        common_add(&values, &value);
        sluice_json_push(stack, key.v);
        sluice_json_push(stack, value.v);
        n++;
    }
    const struct sluice_schema *key, *elem;
    if (!settle(stack, mark, 2, &keys, &key)) return false;
    if (!settle(stack, mark + 1, 2, &values, &elem)) return false;
    out->schema = NULL;
    if (key && elem) {
        struct sluice_schema *schema = sluice_arena_alloc(&p->batch->arena, sizeof *schema);
        *schema = (struct sluice_schema){.type = SLUICE_MAP, .key = key, .elem = elem};
        out->schema = schema;
    }
    n = sluice_json_unique(stack, mark, n);
    out->v = sluice_json_pop(stack, SLUICE_MAP, mark, n);
    return true;
}

static bool read_container(struct parser *p, bool list, struct parsed *out)
{
    struct sluice_json_reader stack;
    if (p->depth >= DEPTH_MAX) return false;
    sluice_json_reader_init(&stack, p->batch, p->at, 0, NULL);
    p->depth++;
    bool ok = list ? read_list(p, &stack, out) : read_map(p, &stack, out);
    p->depth--;
    return ok;
}

/* The text up to the closing quote; escapes stay as they are. */
static void read_quoted(struct parser *p, struct parsed *out)
{
    const char *start = p->at, *stop = p->end;
    while (p->at < p->end) {
        struct token t = next_token(p);
        if (t.len == 1 && *t.s == '"') {
            stop = t.s;
            break;
        }
    }
    struct token content = {start, (size_t)(stop - start)};
    if (content.len && *start >= '0' && *start <= '9' && read_temporal(content, out)) return;
    *out = (struct parsed){&plain[SLUICE_STRING], sluice_string(start, content.len)};
}

/* null, true, false: inside of a list, or alone. */
static bool read_word(struct parser *p, bool inner, const char *word)
{
    const char *start = p->at;
    if (take(p, word) && (inner || p->at == p->end)) return true;
    p->at = start;
    return false;
}

/* False: nothing that can stand inside of a list; outside a string is always possible. */
static bool parse(struct parser *p, bool inner, struct parsed *out)
{
    const char *start = p->at;
    if (p->at == p->end) return false;
    if (inner && take(p, "\"")) {
        read_quoted(p, out);
        return true;
    }
    *out = (struct parsed){NULL, sluice_null()};
    if (read_word(p, inner, "null")) return true;
    bool yes = read_word(p, inner, "true");
    if (yes || read_word(p, inner, "false")) {
        *out = (struct parsed){&plain[SLUICE_BOOLEAN], sluice_bool(yes)};
        return true;
    }
    if (take(p, "[")) {
        if (read_container(p, true, out)) return true;
        p->at = start;
    } else if (take(p, "{")) {
        if (read_container(p, false, out)) return true;
        p->at = start;
    }
    struct token t = trim(next_token(p));
    if (t.len) {
        bool digit = *t.s >= '0' && *t.s <= '9';
        if (digit && read_temporal_tokens(p, t, out)) return true;
        if ((digit || *t.s == '+' || *t.s == '-') && read_number(p, t, out)) return true;
    }
    *out = (struct parsed){&plain[SLUICE_STRING], sluice_string(start, (size_t)(p->end - start))};
    return !inner;
}

struct sluice_value sluice_header_read(struct sluice_batch *batch, const char *text, size_t len,
                                       const struct sluice_schema **schema)
{
    struct parser p = {batch, text, text + len, 0};
    struct parsed out = {&plain[SLUICE_STRING], sluice_string(text, len)};
    if (len) parse(&p, false, &out);
    assert(p.depth == 0);
    *schema = out.schema;
    return out.v;
}
