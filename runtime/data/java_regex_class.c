/* java_regex_class.c - what stands for one character in a Java pattern: escapes, \p{...} and
 * [classes] with unions and intersections. See java_regex_translate.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <assert.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "data/java_regex_translate.h"

#define DEPTH_MAX 100

/* ---- escapes for one character ---- */

static int hex_digit(uint32_t c)
{
    if (c >= '0' && c <= '9') return (int)(c - '0');
    if (c >= 'a' && c <= 'f') return (int)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return (int)(c - 'A') + 10;
    return -1;
}

/* Exactly n hex digits. */
static bool hex_code(struct sluice_regex_parser *p, int n, uint32_t *code)
{
    assert(n > 0 && n <= 8);
    *code = 0;
    for (; n > 0; n--) {
        int digit = p->at < p->end ? hex_digit((unsigned char)*p->at) : -1;
        if (digit < 0) return false;
        *code = *code << 4 | (uint32_t)digit;
        p->at++;
    }
    return true;
}

static bool octal(struct sluice_regex_parser *p, uint32_t *code)
{
    int n = 0;
    *code = 0;
    while (n < 3 && p->at < p->end && *p->at >= '0' && *p->at <= '7') {
        if (n == 2 && *code > 037) break; /* \0mnn: m is 3 at most */
        *code = *code * 8 + (uint32_t)(*p->at++ - '0');
        n++;
    }
    return n > 0 || sluice_regex_error(p, "Illegal octal escape sequence");
}

/* \xhh or \x{h...h} */
static bool hex(struct sluice_regex_parser *p, uint32_t *code)
{
    if (p->at < p->end && *p->at == '{') {
        size_t n = 0;
        *code = 0;
        for (p->at++; p->at < p->end && hex_digit((unsigned char)*p->at) >= 0; n++) {
            *code = *code << 4 | (uint32_t)hex_digit((unsigned char)*p->at++);
            if (*code > 0x10FFFF) {
                return sluice_regex_error(p, "Hexadecimal codepoint is too big");
            }
        }
        if (p->at == p->end || *p->at++ != '}') {
            return sluice_regex_error(p, "Unclosed hexadecimal escape sequence");
        }
        return n > 0 || sluice_regex_error(p, "Illegal hexadecimal escape sequence");
    }
    return hex_code(p, 2, code) || sluice_regex_error(p, "Illegal hexadecimal escape sequence");
}

/* \uhhhh, or two of them for one character beyond the BMP */
static bool unicode(struct sluice_regex_parser *p, uint32_t *code)
{
    if (!hex_code(p, 4, code)) return sluice_regex_error(p, "Illegal Unicode escape sequence");
    if (*code >= 0xD800 && *code < 0xDC00 && p->end - p->at >= 6 && p->at[0] == '\\' &&
        p->at[1] == 'u') {
        const char *start = p->at;
        uint32_t low;
        p->at += 2;
        if (hex_code(p, 4, &low) && low >= 0xDC00 && low < 0xE000) {
            *code = 0x10000 + ((*code & 0x3FF) << 10) + (low & 0x3FF);
        } else {
            p->at = start;
        }
    }
    if (*code >= 0xD800 && *code < 0xE000) {
        return sluice_regex_error(p, "half of a surrogate pair is not supported");
    }
    return true;
}

bool sluice_regex_escaped(struct sluice_regex_parser *p, uint32_t letter, uint32_t *code)
{
    switch (letter) {
    case '0': return octal(p, code);
    case 'x': return hex(p, code);
    case 'u': return unicode(p, code);
    case 'a': *code = 7; return true;
    case 'e': *code = 033; return true;
    case 'f': *code = '\f'; return true;
    case 'n': *code = '\n'; return true;
    case 'r': *code = '\r'; return true;
    case 't': *code = '\t'; return true;
    case 'c':
        if (p->at == p->end) {
            return sluice_regex_error(p, "Illegal control escape sequence");
        }
        *code = sluice_regex_next(p) ^ 64;
        return true;
    case REGEX_END: return sluice_regex_error(p, "Unescaped trailing backslash");
    default: break;
    }
    if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
        (letter >= '1' && letter <= '9')) {
        return sluice_regex_error(p, "Illegal/unsupported escape sequence");
    }
    *code = letter;
    return true;
}

const char *sluice_regex_letter_class(const struct sluice_regex_parser *p, uint32_t letter)
{
    bool unicode_class = p->flags & REGEX_UNICODE;
    switch (letter) {
    case 'd': return unicode_class ? "\\p{Nd}" : "0-9";
    case 'D': return unicode_class ? "\\P{Nd}" : "\\x{0}-\\/\\:-\\x{10ffff}";
    case 's': return unicode_class ? "\\p{White_Space}" : "\\x{9}-\\x{d}\\x{20}";
    case 'S':
        return unicode_class ? "\\P{White_Space}" : "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\!-\\x{10ffff}";
    case 'w':
        return unicode_class ? "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"
                             : "0-9A-Z_a-z";
    case 'W': /* Unicode's has no list of its own: see take_escape() */
        return unicode_class ? NULL : "\\x{0}-\\/\\:-\\@\\[-\\^\\`\\{-\\x{10ffff}";
    case 'h': return "\\h";
    case 'H': return "\\H";
    case 'v': return "\\v";
    case 'V': return "\\V";
    default: return NULL;
    }
}

/* ---- \p{...} ---- */

struct property {
    const char *name, *members, *unicode; /* unicode: under (?U), NULL: the same */
};

static const struct property plain[] = {
    {"Lower", "a-z", "\\p{Lowercase}"},
    {"Upper", "A-Z", "\\p{Uppercase}"},
    {"ASCII", "\\x{0}-\\x{7f}", NULL},
    {"Alpha", "A-Za-z", "\\p{Alphabetic}"},
    {"Digit", "0-9", "\\p{Nd}"},
    {"Alnum", "0-9A-Za-z", "\\p{Alphabetic}\\p{Nd}"},
    {"Punct", "\\!-\\/\\:-\\@\\[-\\`\\{-\\~", "\\p{P}"},
    {"Graph", "\\!-\\~", NULL},
    {"Print", "\\x{20}-\\~", NULL},
    {"Blank", "\\x{9}\\x{20}", "\\x{9}\\p{Zs}"},
    {"Cntrl", "\\x{0}-\\x{1f}\\x{7f}", "\\p{Cc}"},
    {"XDigit", "0-9A-Fa-f", "\\p{Nd}\\p{Hex_Digit}"},
    {"Space", "\\x{9}-\\x{d}\\x{20}", "\\p{White_Space}"},
    {"L1", "\\x{0}-\\x{ff}", NULL},
    {"LC", "\\p{L&}", NULL},
    {"LD", "\\p{L}\\p{Nd}", NULL},
    {"all", "\\x{0}-\\x{10ffff}", NULL},
    {"javaLowerCase", "\\p{Lowercase}", NULL},
    {"javaUpperCase", "\\p{Uppercase}", NULL},
    {"javaAlphabetic", "\\p{Alphabetic}", NULL},
    {"javaIdeographic", "\\p{Ideographic}", NULL},
    {"javaTitleCase", "\\p{Lt}", NULL},
    {"javaDigit", "\\p{Nd}", NULL},
    {"javaDefined", "\\P{Cn}", NULL},
    {"javaLetter", "\\p{L}", NULL},
    {"javaLetterOrDigit", "\\p{L}\\p{Nd}", NULL},
    {"javaSpaceChar", "\\p{Z}", NULL},
    {"javaWhitespace",
     "\\x{9}-\\x{d}\\x{1c}-\\x{20}\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200a}\\x{2028}"
     "\\x{2029}\\x{205f}\\x{3000}",
     NULL},
    {"javaISOControl", "\\x{0}-\\x{1f}\\x{7f}-\\x{9f}", NULL},
    {"javaMirrored", "\\p{Bidi_Mirrored}", NULL},
    {NULL, NULL, NULL},
};

/* \p{IsX}, in any case */
static const struct property binary[] = {
    {"alphabetic", "\\p{Alphabetic}", NULL},
    {"assigned", "\\P{Cn}", NULL},
    {"control", "\\p{Cc}", NULL},
    {"hexdigit", "\\p{Nd}\\p{Hex_Digit}", NULL},
    {"ideographic", "\\p{Ideographic}", NULL},
    {"joincontrol", "\\x{200c}\\x{200d}", NULL},
    {"letter", "\\p{L}", NULL},
    {"lowercase", "\\p{Lowercase}", NULL},
    {"noncharactercodepoint", "\\p{Noncharacter_Code_Point}", NULL},
    {"titlecase", "\\p{Lt}", NULL},
    {"punctuation", "\\p{P}", NULL},
    {"uppercase", "\\p{Uppercase}", NULL},
    {"whitespace", "\\p{White_Space}", NULL},
    {"word", "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}", NULL},
    {"emoji", "\\p{Emoji}", NULL},
    {NULL, NULL, NULL},
};

/* \p{InX}: PCRE2 knows no blocks; these are the ones that patterns name. */
static const struct property blocks[] = {
    {"basiclatin", "\\x{0}-\\x{7f}", NULL},
    {"latin1supplement", "\\x{80}-\\x{ff}", NULL},
    {"latinextendeda", "\\x{100}-\\x{17f}", NULL},
    {"latinextendedb", "\\x{180}-\\x{24f}", NULL},
    {"ipaextensions", "\\x{250}-\\x{2af}", NULL},
    {"combiningdiacriticalmarks", "\\x{300}-\\x{36f}", NULL},
    {"greek", "\\x{370}-\\x{3ff}", NULL},
    {"greekandcoptic", "\\x{370}-\\x{3ff}", NULL},
    {"cyrillic", "\\x{400}-\\x{4ff}", NULL},
    {"armenian", "\\x{530}-\\x{58f}", NULL},
    {"hebrew", "\\x{590}-\\x{5ff}", NULL},
    {"arabic", "\\x{600}-\\x{6ff}", NULL},
    {"devanagari", "\\x{900}-\\x{97f}", NULL},
    {"thai", "\\x{e00}-\\x{e7f}", NULL},
    {"hanguljamo", "\\x{1100}-\\x{11ff}", NULL},
    {"latinextendedadditional", "\\x{1e00}-\\x{1eff}", NULL},
    {"generalpunctuation", "\\x{2000}-\\x{206f}", NULL},
    {"currencysymbols", "\\x{20a0}-\\x{20cf}", NULL},
    {"arrows", "\\x{2190}-\\x{21ff}", NULL},
    {"mathematicaloperators", "\\x{2200}-\\x{22ff}", NULL},
    {"boxdrawing", "\\x{2500}-\\x{257f}", NULL},
    {"cjksymbolsandpunctuation", "\\x{3000}-\\x{303f}", NULL},
    {"hiragana", "\\x{3040}-\\x{309f}", NULL},
    {"katakana", "\\x{30a0}-\\x{30ff}", NULL},
    {"cjkunifiedideographs", "\\x{4e00}-\\x{9fff}", NULL},
    {"hangulsyllables", "\\x{ac00}-\\x{d7af}", NULL},
    {"privateusearea", "\\x{e000}-\\x{f8ff}", NULL},
    {NULL, NULL, NULL},
};

static const struct property *property_find(const struct property *table, const char *name)
{
    while (table->name && strcmp(table->name, name) != 0) table++;
    return table->name ? table : NULL;
}

/* Lower case without blanks, _ and -. */
static void loose(const char *name, char *out)
{
    for (; *name; name++) {
        if (strchr(" _-", *name)) continue;
        *out++ = *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name;
    }
    *out = '\0';
}

static bool is_category(const char *name)
{
    static const char all[] =
        " L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C "
        "Cc Cf Cs Co Cn ";
    char padded[8];
    size_t n = strlen(name);
    if (n > 2 || n == 0) return false;
    padded[0] = ' ';
    memcpy(padded + 1, name, n);
    memcpy(padded + 1 + n, " ", 2);
    return strstr(all, padded) != NULL;
}

/* [^...] of members, written as members: a \P for a single \p, else through a negated class is no
 * member, so that the caller gets it as (?!...) text. */
static bool put_members(struct sluice_regex_parser *p, const char *members, bool negated,
                        struct sluice_buf *out)
{
    (void)p;
    if (!negated) return sluice_buf_adds(out, members);
    bool single = members[0] == '\\' && (members[1] == 'p' || members[1] == 'P') &&
                  strchr(members, '}') && strchr(members, '}')[1] == '\0';
    if (!single) return false;
    return sluice_buf_addf(out, "\\%c%s", members[1] == 'p' ? 'P' : 'p', members + 2);
}

static bool unknown(struct sluice_regex_parser *p, const char *name)
{
    char message[128];
    snprintf(message, sizeof message, "Unknown character property name {%s}", name);
    return sluice_regex_error(p, message);
}

/* given: what stands in the braces */
static bool script(struct sluice_regex_parser *p, const char *given, const char *name, bool negated,
                   struct sluice_buf *out)
{
    char text[80];
    int code;
    PCRE2_SIZE at;
    for (const char *c = name; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!letter && !strchr("_ -", *c)) return unknown(p, given);
    }
    int n = snprintf(text, sizeof text, "\\%c{sc:%s}", negated ? 'P' : 'p', name);
    pcre2_code *known = pcre2_compile((PCRE2_SPTR)text, (size_t)n, PCRE2_UTF, &code, &at, NULL);
    if (!known) return unknown(p, given);
    pcre2_code_free(known);
    return sluice_buf_adds(out, text);
}

/* name: between the braces. Members go to out; where there is no list of members for the negation,
 * out stays empty and members is what is to be negated. */
static bool property_named(struct sluice_regex_parser *p, const char *name, bool negated,
                           struct sluice_buf *out, const char **members)
{
    char simple[64];
    const char *given = name;
    const struct property *found = NULL;
    const char *value = strchr(name, '=');
    bool nocase = p->flags & REGEX_I;
    *members = NULL;
    if (value) {
        size_t n = (size_t)(value++ - name);
        if ((n == 2 && strncmp(name, "sc", 2) == 0) || (n == 6 && strncmp(name, "script", 6) == 0))
            return script(p, given, value, negated, out);
        if ((n == 3 && strncmp(name, "blk", 3) == 0) ||
            (n == 5 && strncmp(name, "block", 5) == 0)) {
            loose(value, simple);
            found = property_find(blocks, simple);
        } else if (is_category(value)) {
            name = value;
        }
    } else if (strncmp(name, "In", 2) == 0) {
        loose(name + 2, simple);
        found = property_find(blocks, simple);
    } else if (strncmp(name, "Is", 2) == 0) {
        loose(name + 2, simple);
        found = property_find(binary, simple);
        if (!found && !is_category(name + 2) && !property_find(plain, name + 2)) {
            return script(p, given, name + 2, negated, out);
        }
        name += 2;
    }
    if (!found && !value) found = property_find(plain, name);
    if (nocase && found && (strcmp(found->name, "Lower") == 0 || strcmp(found->name, "Upper") == 0))
        found = property_find(plain, "Alpha");
    if (nocase && (strcmp(name, "Lu") == 0 || strcmp(name, "Ll") == 0 || strcmp(name, "Lt") == 0))
        found = property_find(plain, "LC");
    if (found) {
        *members = p->flags & REGEX_UNICODE && found->unicode ? found->unicode : found->members;
        if (put_members(p, *members, negated, out)) *members = NULL;
        return true;
    }
    if (is_category(name)) return sluice_buf_addf(out, "\\%c{%s}", negated ? 'P' : 'p', name);
    return unknown(p, given);
}

/* The name behind \p, braces taken off. */
static bool property_name(struct sluice_regex_parser *p, char *name, size_t cap)
{
    size_t n = 0;
    uint32_t c = sluice_regex_next(p);
    if (c == REGEX_END || c > 0x7E) {
        return sluice_regex_error(p, "Unknown character property name");
    }
    if (c != '{') {
        name[0] = (char)c;
        name[1] = '\0';
        return true;
    }
    while ((c = sluice_regex_next(p)) != '}') {
        if (c == REGEX_END) return sluice_regex_error(p, "Unclosed character family");
        if (c > 0x7E || n + 1 >= cap) {
            return sluice_regex_error(p, "Unknown character property name");
        }
        name[n++] = (char)c;
    }
    name[n] = '\0';
    return n > 0 || sluice_regex_error(p, "Empty character family");
}

/* ---- [...] ---- */

struct class_text {
    struct sluice_buf members; /* of one [class] of PCRE2's */
    struct sluice_buf others;  /* further expressions for one character: "|x|y" */
};

/* As part of the class; what PCRE2 has no member for goes beside it. */
static bool add_property(struct sluice_regex_parser *p, bool negated, struct class_text *text)
{
    char name[64];
    const char *members;
    if (!property_name(p, name, sizeof name)) return false;
    if (!property_named(p, name, negated, &text->members, &members)) return false;
    if (members) sluice_buf_addf(&text->others, "|[^%s]", members);
    return true;
}

bool sluice_regex_property(struct sluice_regex_parser *p, bool negated, struct sluice_buf *out)
{
    char name[64];
    const char *members;
    size_t start = out->len;
    if (!property_name(p, name, sizeof name)) return false;
    sluice_buf_adds(out, "[");
    if (!property_named(p, name, negated, out, &members)) return false;
    if (members) {
        out->len = start;
        sluice_buf_addf(out, "[^%s", members);
    }
    return sluice_buf_adds(out, "]");
}

static void add_range(struct sluice_regex_parser *p, struct class_text *text, uint32_t from,
                      uint32_t to)
{
    struct sluice_buf *out = &text->members;
    sluice_regex_literal(out, from);
    if (to != from) {
        sluice_buf_adds(out, "-");
        sluice_regex_literal(out, to);
    }
    if (!(p->flags & REGEX_I) || p->flags & REGEX_U) return;
    static const char firsts[] = "Aa";
    for (int i = 0; i < 2; i++) { /* ASCII letters in the other case too */
        uint32_t low = (uint32_t)firsts[i], high = low + 25, other = low ^ 32;
        uint32_t lo = from > low ? from : low, hi = to < high ? to : high;
        if (lo > hi) continue;
        sluice_regex_literal(out, lo - low + other);
        sluice_buf_adds(out, "-");
        sluice_regex_literal(out, hi - low + other);
    }
}

/* Behind a backslash in a class. *single false: a whole set was added. */
static bool take_escape(struct sluice_regex_parser *p, struct class_text *text, bool range_end,
                        uint32_t *code, bool *single)
{
    uint32_t letter = sluice_regex_next(p);
    assert(p->at <= p->end);
    *single = false;
    if (letter == 'p' || letter == 'P') return add_property(p, letter == 'P', text);
    const char *members = letter < 0x80 ? sluice_regex_letter_class(p, letter) : NULL;
    if (letter == 'v' && (range_end || (p->at < p->end && *p->at == '-'))) {
        members = NULL; /* at the ends of a range it is VT */
        *code = 0x0B;
        *single = true;
        return true;
    }
    if (members) return sluice_buf_adds(&text->members, members);
    if (letter == 'W') {
        return sluice_buf_adds(&text->others,
                               "|[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}]");
    }
    *single = true;
    return sluice_regex_escaped(p, letter, code);
}

/* One member: a character, a range, or an escaped set. */
static bool take_member(struct sluice_regex_parser *p, struct class_text *text)
{
    bool quoted, single = true;
    uint32_t from = sluice_regex_take(p, &quoted), to;
    if (from == '\\' && !quoted && !take_escape(p, text, false, &from, &single)) return false;
    if (!single) return true;
    to = from;
    if (sluice_regex_peek(p) == '-' && !p->quoting && p->end - p->at >= 2 && p->at[1] != '[' &&
        p->at[1] != ']') {
        sluice_regex_take(p, &quoted);
        sluice_regex_peek(p);
        to = sluice_regex_take(p, &quoted);
        if (to == REGEX_END) return sluice_regex_error(p, "Unclosed character class");
        if (to == '\\' && !quoted && !take_escape(p, text, true, &to, &single)) return false;
        if (!single || to < from) return sluice_regex_error(p, "Illegal character range");
    }
    add_range(p, text, from, to);
    return true;
}

static bool take_class(struct sluice_regex_parser *p, struct sluice_buf *out);

/* [members] or (?:[members]|...); nothing at all: none. */
static void put_union(struct class_text *text, bool negated, struct sluice_buf *out)
{
    bool plain_class = text->others.len == 0;
    if (plain_class) {
        sluice_buf_adds(out, negated ? "[^" : "[");
        sluice_buf_add(out, text->members.data, text->members.len);
        sluice_buf_adds(out, "]");
        return;
    }
    sluice_buf_adds(out, negated ? "(?:(?!" : "(?:");
    if (text->members.len) {
        sluice_buf_adds(out, "[");
        sluice_buf_add(out, text->members.data, text->members.len);
        sluice_buf_adds(out, "]");
        sluice_buf_add(out, text->others.data, text->others.len);
    } else {
        sluice_buf_add(out, text->others.data + 1, text->others.len - 1);
    }
    sluice_buf_adds(out, negated ? ")(?s:.))" : ")");
}

/* Members up to "]" or "&&", neither taken. */
static bool take_union(struct sluice_regex_parser *p, bool first, struct class_text *text)
{
    for (bool any = false;; any = true) {
        uint32_t c = sluice_regex_peek(p);
        if (c == REGEX_END) return sluice_regex_error(p, "Unclosed character class");
        if (!p->quoting) {
            if (c == ']' && (any || !first)) return true;
            if (c == '&' && p->end - p->at >= 2 && p->at[1] == '&') return true;
            if (c == '[') {
                p->at++;
                sluice_buf_adds(&text->others, "|");
                if (!take_class(p, &text->others)) return false;
                continue;
            }
        }
        if (!take_member(p, text)) return false;
    }
}

/* Several unions with && between them. */
static bool take_class(struct sluice_regex_parser *p, struct sluice_buf *out)
{
    struct class_text text;
    struct sluice_buf and;
    bool negated = false, ok = false, intersected = false;
    if (++p->depth > DEPTH_MAX) return sluice_regex_error(p, "too deeply nested");
    sluice_buf_init(&text.members, SLUICE_BUF_MAX);
    sluice_buf_init(&text.others, SLUICE_BUF_MAX);
    sluice_buf_init(&and, SLUICE_BUF_MAX);
    if (p->at < p->end && *p->at == '^') {
        negated = true;
        p->at++;
    }
    for (bool first = true;; first = false) {
        if (!take_union(p, first, &text)) goto out;
        bool more = *p->at == '&', none = text.members.len + text.others.len == 0;
        p->at += more ? 2 : 1;
        if (none && !intersected && !more) {
            sluice_regex_error(p, "Bad class syntax");
            goto out;
        }
        if (!more && !intersected) {
            put_union(&text, negated, out);
            break;
        }
        if (!none) { /* an empty side of && says nothing */
            sluice_buf_adds(&and, "(?=");
            put_union(&text, false, &and);
            sluice_buf_adds(&and, ")");
            sluice_buf_clear(&text.members);
            sluice_buf_clear(&text.others);
        }
        intersected = true;
        if (more) continue;
        sluice_buf_adds(out, negated ? "(?:(?!" : "(?:");
        sluice_buf_add(out, and.data, and.len);
        sluice_buf_adds(out, negated ? ")(?s:.))" : "(?s:.))");
        break;
    }
    ok = true;
out:
    p->depth--;
    sluice_buf_fini(&text.members);
    sluice_buf_fini(&text.others);
    sluice_buf_fini(&and);
    return ok;
}

bool sluice_regex_class(struct sluice_regex_parser *p)
{
    bool fold = p->flags & REGEX_I && p->flags & REGEX_U;
    assert(p->at > p->text && p->at[-1] == '[');
    if (fold) sluice_buf_adds(p->out, "(?i:");
    if (!take_class(p, p->out)) return false;
    if (fold) sluice_buf_adds(p->out, ")");
    return true;
}
