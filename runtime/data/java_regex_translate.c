/* java_regex_translate.c - see java_regex_translate.h. The output carries no option of PCRE2's but
 * UTF: every flag is written out where it has an effect. Owner: the caller. */
#include "data/java_regex_translate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

#define DEPTH_MAX 100

#define UNICODE_WORDS "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"
#define UNICODE_WORD "[" UNICODE_WORDS "]"

/* ---- characters ---- */

bool sluice_regex_error(struct sluice_regex_parser *p, const char *what)
{
    size_t index = 0;
    for (const char *at = p->text; at < p->at; at++) index += ((unsigned char)*at & 0xC0) != 0x80;
    return sluice_err_set(p->err, "%s near index %zu", what, index ? index - 1 : 0);
}

static uint32_t decode(const char *s, size_t n)
{
    const unsigned char *b = (const unsigned char *)s;
    switch (n) {
    case 1: return b[0];
    case 2: return (b[0] & 31u) << 6 | (b[1] & 63u);
    case 3: return (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u);
    default: return (b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 | (b[3] & 63u);
    }
}

uint32_t sluice_regex_next(struct sluice_regex_parser *p)
{
    if (p->at == p->end) return REGEX_END;
    size_t n = sluice_utf8_char(p->at, (size_t)(p->end - p->at));
    assert(n); /* checked at the start */
    uint32_t code = decode(p->at, n);
    p->at += n;
    return code;
}

static bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

uint32_t sluice_regex_peek(struct sluice_regex_parser *p)
{
    for (;;) {
        size_t left = (size_t)(p->end - p->at);
        if (left == 0) return REGEX_END;
        if (left >= 2 && p->at[0] == '\\' && p->at[1] == (p->quoting ? 'E' : 'Q')) {
            p->quoting = !p->quoting;
            p->at += 2;
        } else if (!p->quoting && p->flags & REGEX_X && blank(*p->at)) {
            p->at++;
        } else if (!p->quoting && p->flags & REGEX_X && *p->at == '#') {
            while (p->at < p->end && *p->at != '\n' && *p->at != '\r') p->at++;
        } else {
            return decode(p->at, sluice_utf8_char(p->at, left));
        }
    }
}

uint32_t sluice_regex_take(struct sluice_regex_parser *p, bool *quoted)
{
    *quoted = p->quoting;
    return sluice_regex_next(p);
}

void sluice_regex_literal(struct sluice_buf *out, uint32_t code)
{
    char text[4];
    bool alnum = (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
                 (code >= 'a' && code <= 'z');
    if (code <= 0x20 || code == 0x7F) sluice_buf_addf(out, "\\x{%x}", code);
    else if (code < 0x7F && !alnum) sluice_buf_addf(out, "\\%c", (int)code);
    else sluice_buf_add(out, text, sluice_utf8_put(code, text));
}

/* ---- atoms ---- */

static bool put(struct sluice_regex_parser *p, const char *text)
{
    return sluice_buf_adds(p->out, text);
}

static bool put_literal(struct sluice_regex_parser *p, uint32_t code)
{
    bool ascii_letter = (code | 32) >= 'a' && (code | 32) <= 'z';
    if (!(p->flags & REGEX_I) || (code < 0x80 && !ascii_letter)) {
        sluice_regex_literal(p->out, code);
    } else if (p->flags & REGEX_U) {
        put(p, "(?i:");
        sluice_regex_literal(p->out, code);
        put(p, ")");
    } else if (ascii_letter) {
        sluice_buf_addf(p->out, "[%c%c]", (int)code, (int)(code ^ 32));
    } else {
        sluice_regex_literal(p->out, code);
    }
    return true;
}

#define LINE_ENDS "\\n\\r\\x{85}\\x{2028}\\x{2029}"

static bool put_dot(struct sluice_regex_parser *p)
{
    if (p->flags & REGEX_S) return put(p, "(?s:.)");
    return put(p, p->flags & REGEX_D ? "[^\\n]" : "[^" LINE_ENDS "]");
}

static bool put_caret(struct sluice_regex_parser *p)
{
    if (!(p->flags & REGEX_M)) return put(p, "(?:\\A)");
    if (p->flags & REGEX_D) return put(p, "(?:(?!\\z)(?<![^\\n]))");
    return put(p, "(?:(?!\\z)(?:\\A|(?<=[\\n\\x{85}\\x{2028}\\x{2029}])|(?<=\\r)(?!\\n)))");
}

static bool put_dollar(struct sluice_regex_parser *p, bool multiline)
{
    if (p->flags & REGEX_D) return put(p, multiline ? "(?:(?=\\n|\\z))" : "(?:(?=\\n?\\z))");
    if (multiline) {
        return put(p, "(?:(?=[\\r\\x{85}\\x{2028}\\x{2029}]|\\z)|(?<!\\r)(?=\\n))");
    }
    return put(p, "(?:(?=[\\r\\x{85}\\x{2028}\\x{2029}]?\\z|\\r\\n\\z)|(?<!\\r)(?=\\n\\z))");
}

static bool put_reference(struct sluice_regex_parser *p, uint32_t number)
{
    if (number > p->all) return put(p, "(?!)"); /* of a group that is not there: never matches */
    return sluice_buf_addf(p->out, p->flags & REGEX_I ? "(?i:\\g{%u})" : "\\g{%u}", number);
}

static bool take_number(struct sluice_regex_parser *p, uint32_t number)
{
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9') {
        uint32_t longer = number * 10 + (uint32_t)(*p->at - '0');
        if (longer > p->groups) break;
        number = longer;
        p->at++;
    }
    return put_reference(p, number);
}

/* A group's name up to ">". */
static bool take_name(struct sluice_regex_parser *p, const char **name, size_t *len)
{
    *name = p->at;
    while (p->at < p->end) {
        char c = *p->at, lower = (char)(c | 32);
        bool letter = lower >= 'a' && lower <= 'z';
        if (!letter && (p->at == *name || c < '0' || c > '9')) break;
        p->at++;
    }
    *len = (size_t)(p->at - *name);
    if (*len == 0) {
        return sluice_regex_error(p, "capturing group name does not start with a Latin letter");
    }
    if (p->at == p->end || *p->at != '>') {
        return sluice_regex_error(p, "named capturing group is missing trailing '>'");
    }
    p->at++;
    return true;
}

static const struct sluice_regex_name *find_name(const struct sluice_regex_parser *p,
                                                 const char *name, size_t len)
{
    for (size_t i = 0; i < p->names->n; i++) {
        const struct sluice_regex_name *have = &p->names->items[i];
        if (strlen(have->name) == len && memcmp(have->name, name, len) == 0) return have;
    }
    return NULL;
}

static bool take_named_reference(struct sluice_regex_parser *p)
{
    const char *name;
    size_t len;
    char message[160];
    if (p->at == p->end || *p->at++ != '<') {
        return sluice_regex_error(p, "\\k is not followed by '<' for named capturing group");
    }
    if (!take_name(p, &name, &len)) return false;
    const struct sluice_regex_name *found = find_name(p, name, len);
    if (found) return put_reference(p, found->number);
    snprintf(message, sizeof message, "named capturing group <%.*s> does not exist", (int)len,
             name);
    return sluice_regex_error(p, message);
}

static bool put_boundary(struct sluice_regex_parser *p, bool not_one)
{
    if (p->end - p->at >= 2 && p->at[0] == '{' && p->at[1] == 'g') {
        return sluice_regex_error(p, "\\b{g} is not supported");
    }
    if (!(p->flags & REGEX_UNICODE)) return put(p, not_one ? "(?:\\B)" : "(?:\\b)");
    if (not_one) {
        return put(p, "(?:(?<=" UNICODE_WORD ")(?=" UNICODE_WORD ")|(?<!" UNICODE_WORD
                      ")(?!" UNICODE_WORD "))");
    }
    return put(p, "(?:(?<=" UNICODE_WORD ")(?!" UNICODE_WORD ")|(?<!" UNICODE_WORD
                  ")(?=" UNICODE_WORD "))");
}

/* Behind a backslash. */
static bool take_escape(struct sluice_regex_parser *p)
{
    uint32_t code, letter = sluice_regex_next(p);
    switch (letter) {
    case 'A': return put(p, "(?:\\A)");
    case 'B': return put_boundary(p, true);
    case 'b': return put_boundary(p, false);
    case 'G': return put(p, "(?:\\G)");
    case 'Z': return put_dollar(p, false);
    case 'z': return put(p, "(?:\\z)");
    case 'R': return put(p, "(?:\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])");
    case 'X': return put(p, "\\X");
    case 'N': return sluice_regex_error(p, "\\N{name} is not supported");
    case 'k': return take_named_reference(p);
    case 'p': return sluice_regex_property(p, false, p->out);
    case 'P': return sluice_regex_property(p, true, p->out);
    default: break;
    }
    if (letter >= '1' && letter <= '9') return take_number(p, letter - '0');
    const char *members = letter < 0x80 ? sluice_regex_letter_class(p, letter) : NULL;
    if (members) return sluice_buf_addf(p->out, "[%s]", members);
    if (letter == 'W') return put(p, "[^" UNICODE_WORDS "]");
    return sluice_regex_escaped(p, letter, &code) && put_literal(p, code);
}

/* ---- groups ---- */

static bool take_alternatives(struct sluice_regex_parser *p);

static unsigned flag_of(uint32_t letter)
{
    static const char letters[] = "idmsux"; /* in the order of the bits */
    if (letter == 'U') return REGEX_UNICODE | REGEX_U;
    const char *at = letter < 0x80 && letter ? strchr(letters, (int)letter) : NULL;
    return at ? 1u << (at - letters) : 0;
}

/* (?i-s) or (?i-s: ; *group says which. */
static bool take_flags(struct sluice_regex_parser *p, bool *group)
{
    unsigned flags = p->flags, bit;
    bool off = false;
    for (;;) {
        uint32_t c = sluice_regex_next(p);
        if (c == '-' && !off) {
            off = true;
        } else if (c != REGEX_END && (bit = flag_of(c)) != 0) {
            flags = off ? flags & ~bit : flags | bit;
        } else if (c == ')' || c == ':') {
            *group = c == ':';
            p->flags = flags;
            return true;
        } else {
            return sluice_regex_error(p, "Unknown inline modifier");
        }
    }
}

static bool begin_named(struct sluice_regex_parser *p)
{
    const char *name;
    size_t len;
    char message[160];
    if (!take_name(p, &name, &len)) return false;
    if (find_name(p, name, len)) {
        snprintf(message, sizeof message, "Named capturing group <%.*s> is already defined",
                 (int)len, name);
        return sluice_regex_error(p, message);
    }
    struct sluice_regex_names *names = p->names;
    names->items = sluice_xgrow(names->items, names->n, &names->cap, sizeof *names->items);
    names->items[names->n++] = (struct sluice_regex_name){sluice_xstrndup(name, len), ++p->groups};
    return put(p, "(");
}

/* Behind "(": writes how the group begins; *group false: it was only (?flags). */
static bool begin_group(struct sluice_regex_parser *p, bool *group)
{
    static const char *const kinds[] = {"?:", "?=", "?!", "?>", "?<=", "?<!"};
    *group = true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i]);
        if ((size_t)(p->end - p->at) < n || memcmp(p->at, kinds[i], n) != 0) continue;
        p->at += n;
        return put(p, "(") && put(p, kinds[i]);
    }
    if (p->at == p->end || *p->at != '?') {
        p->groups++;
        return put(p, "(");
    }
    p->at++;
    if (p->at < p->end && *p->at == '<') {
        p->at++;
        return begin_named(p);
    }
    if (p->at < p->end && (*p->at == '$' || *p->at == '@')) {
        return sluice_regex_error(p, "Unknown group type");
    }
    return take_flags(p, group) && (!*group || put(p, "(?:"));
}

/* *atom false: nothing that a quantifier could follow. */
static bool take_group(struct sluice_regex_parser *p, bool *atom)
{
    unsigned flags = p->flags;
    if (!begin_group(p, atom)) return false;
    if (!*atom) return true;
    if (++p->depth > DEPTH_MAX) return sluice_regex_error(p, "too deeply nested");
    if (!take_alternatives(p)) return false;
    if (sluice_regex_peek(p) != ')') return sluice_regex_error(p, "Unclosed group");
    p->at++;
    p->depth--;
    p->flags = flags;
    return put(p, ")");
}

/* ---- quantifiers ---- */

static bool take_count(struct sluice_regex_parser *p, uint32_t *n)
{
    *n = 0;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9') {
        *n = *n * 10 + (uint32_t)(*p->at++ - '0');
        if (*n > 65535) {
            return sluice_regex_error(p, "Illegal repetition range (at most 65535 is supported)");
        }
    }
    return true;
}

/* Behind "{". */
static bool take_braces(struct sluice_regex_parser *p)
{
    uint32_t min, max;
    if (p->at == p->end || *p->at < '0' || *p->at > '9') {
        return sluice_regex_error(p, "Illegal repetition");
    }
    if (!take_count(p, &min)) return false;
    max = min;
    bool open = false;
    if (p->at < p->end && *p->at == ',') {
        p->at++;
        open = p->at < p->end && *p->at == '}';
        if (!open && !take_count(p, &max)) return false;
    }
    if (p->at == p->end || *p->at != '}') return sluice_regex_error(p, "Unclosed counted closure");
    p->at++;
    if (!open && max < min) return sluice_regex_error(p, "Illegal repetition range");
    if (open) return sluice_buf_addf(p->out, "{%u,}", min);
    return sluice_buf_addf(p->out, "{%u,%u}", min, max);
}

static bool take_quantifier(struct sluice_regex_parser *p)
{
    uint32_t c = sluice_regex_peek(p);
    if (p->quoting || (c != '*' && c != '+' && c != '?' && c != '{')) return true;
    p->at++;
    if (c == '{') {
        if (!take_braces(p)) return false;
    } else {
        sluice_buf_addf(p->out, "%c", (int)c);
    }
    c = sluice_regex_peek(p);
    if (!p->quoting && (c == '?' || c == '+')) {
        p->at++;
        sluice_buf_addf(p->out, "%c", (int)c);
    }
    return true;
}

/* ---- the pattern ---- */

static bool take_atom(struct sluice_regex_parser *p, uint32_t c, bool *atom)
{
    char message[40];
    if (c == '{') return put(p, "(?:)"); /* a count of nothing, as after another count */
    p->at++;
    switch (c) {
    case '(': return take_group(p, atom);
    case '[': return sluice_regex_class(p);
    case '\\': return take_escape(p);
    case '^': return put_caret(p);
    case '$': return put_dollar(p, p->flags & REGEX_M);
    case '.': return put_dot(p);
    case '*':
    case '+':
    case '?':
        snprintf(message, sizeof message, "Dangling meta character '%c'", (int)c);
        return sluice_regex_error(p, message);
    default: p->at--; return put_literal(p, sluice_regex_next(p));
    }
}

static bool take_alternatives(struct sluice_regex_parser *p)
{
    for (;;) {
        bool atom = true;
        uint32_t c = sluice_regex_peek(p);
        if (c == REGEX_END) return true;
        if (p->quoting) {
            if (!put_literal(p, sluice_regex_next(p))) return false;
        } else if (c == ')') {
            return true;
        } else if (c == '|') {
            p->at++;
            put(p, "|");
            continue;
        } else if (!take_atom(p, c, &atom)) {
            return false;
        }
        if (atom && !take_quantifier(p)) return false;
    }
}

bool sluice_regex_translate(struct sluice_regex_parser *p)
{
    if (!sluice_utf8_valid(p->text, (size_t)(p->end - p->text))) {
        return sluice_err_set(p->err, "the pattern is no valid UTF-8");
    }
    if (!take_alternatives(p)) return false;
    if (p->at < p->end) { /* take_alternatives() stops at ")" */
        p->at++;
        return sluice_regex_error(p, "Unmatched closing ')'");
    }
    return sluice_buf_adds(p->out, "");
}
