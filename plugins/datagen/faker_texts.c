/* faker_texts.c - faker.person, internet, company, commerce, location, lorem: texts composed of
 * words. Order and number of draws are FakerJS 8.4.1's. */
#include "js.h"

#include <math.h>
#include <stdio.h>

#define UNUSED(args, n) ((void)(args), (void)(n))
#define LITERAL(s) sluice_string(s, sizeof(s) - 1)

static struct sluice_value option(const struct sluice_value *args, size_t n, size_t i,
                                  const char *key)
{
    if (n && args[0].type == SLUICE_MAP) return js_get(args, key);
    return i < n ? args[i] : js_undefined();
}

static bool is_word(const struct sluice_value *v, const char *word)
{
    return v->type == SLUICE_STRING && v->len == strlen(word) && !memcmp(v->u.s, word, v->len);
}

static bool is_true(const struct sluice_value *v) { return v->type == SLUICE_BOOLEAN && v->u.i; }

static struct sluice_value join2(struct js *js, struct sluice_value a, struct sluice_value b)
{
    struct sluice_value parts[2] = {a, b};
    return js_concat(js, parts, 2);
}

static struct sluice_value join3(struct js *js, struct sluice_value a, const char *between,
                                 struct sluice_value b)
{
    struct sluice_value parts[3] = {a, sluice_string(between, strlen(between)), b};
    return js_concat(js, parts, 3);
}

static struct sluice_value count_text(struct js *js, double v)
{
    char text[32];
    text[js_number_text(text, v)] = '\0';
    return js_text(js, text);
}

/* ---- person ---- */

static struct sluice_value by_sex(struct js *js, const struct sluice_value *args, size_t n,
                                  enum faker_list_id any, enum faker_list_id female,
                                  enum faker_list_id male)
{
    if (n && is_word(&args[0], "female")) return js_pick_list(js, female);
    return js_pick_list(js, n && is_word(&args[0], "male") ? male : any);
}

static struct sluice_value first_name(struct js *js, const struct sluice_value *args, size_t n)
{
    return by_sex(js, args, n, LIST_FIRST_NAME, LIST_FEMALE_FIRST_NAME, LIST_MALE_FIRST_NAME);
}

static struct sluice_value middle_name(struct js *js, const struct sluice_value *args, size_t n)
{
    return by_sex(js, args, n, LIST_MIDDLE_NAME, LIST_FEMALE_MIDDLE_NAME, LIST_MALE_MIDDLE_NAME);
}

static struct sluice_value prefix(struct js *js, const struct sluice_value *args, size_t n)
{
    return by_sex(js, args, n, LIST_PREFIX, LIST_FEMALE_PREFIX, LIST_MALE_PREFIX);
}

static struct sluice_value last_name(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    bool twin = mersenne_next(&js->random) * 100 >= 95;
    struct sluice_value name = js_pick_list(js, LIST_LAST_NAME);
    return twin ? join3(js, name, "-", js_pick_list(js, LIST_LAST_NAME)) : name;
}

static struct sluice_value full_name(struct js *js, const struct sluice_value *args, size_t n)
{
    const struct sluice_value sexes[2] = {LITERAL("female"), LITERAL("male")};
    struct sluice_value sex = option(args, n, 9, "sex"), parts[7];
    size_t len = 0;
    if (sex.flags == JS_UNDEFINED) sex = js_pick(js, sexes, 2);
    struct sluice_value first = option(args, n, 9, "firstName");
    if (first.flags == JS_UNDEFINED) first = first_name(js, &sex, 1);
    struct sluice_value last = option(args, n, 9, "lastName");
    if (last.flags == JS_UNDEFINED) last = last_name(js, NULL, 0);
    double weight = mersenne_next(&js->random) * 64;
    if ((weight >= 49 && weight < 56) || weight >= 63) {
        parts[len++] = prefix(js, &sex, 1);
        parts[len++] = LITERAL(" ");
    }
    parts[len++] = js_string(js, first);
    parts[len++] = LITERAL(" ");
    parts[len++] = js_string(js, last);
    if (weight >= 56) {
        parts[len++] = LITERAL(" ");
        parts[len++] = js_pick_list(js, LIST_NAME_SUFFIX);
    }
    return js_concat(js, parts, len);
}

/* Three words of three lists, with spaces between. */
static struct sluice_value three(struct js *js, enum faker_list_id a, enum faker_list_id b,
                                 enum faker_list_id c)
{
    struct sluice_value parts[5];
    parts[0] = js_pick_list(js, a);
    parts[1] = parts[3] = LITERAL(" ");
    parts[2] = js_pick_list(js, b);
    parts[4] = js_pick_list(js, c);
    return js_concat(js, parts, 5);
}

static struct sluice_value job_title(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    return three(js, LIST_JOB_DESCRIPTOR, LIST_JOB_AREA, LIST_JOB_TYPE);
}

static struct sluice_value catch_phrase(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    return three(js, LIST_CATCH_ADJECTIVE, LIST_CATCH_DESCRIPTOR, LIST_CATCH_NOUN);
}

static struct sluice_value buzz_phrase(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    return three(js, LIST_BUZZ_VERB, LIST_BUZZ_ADJECTIVE, LIST_BUZZ_NOUN);
}

static struct sluice_value product_name(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    return three(js, LIST_ADJECTIVE, LIST_MATERIAL, LIST_PRODUCT);
}

static struct sluice_value vehicle(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    struct sluice_value maker = js_pick_list(js, LIST_MANUFACTURER);
    return join3(js, maker, " ", js_pick_list(js, LIST_MODEL));
}

static struct sluice_value company_name(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    int pattern = (int)js_int(js, 0, 2);
    struct sluice_value name = js_pick_list(js, LIST_LAST_NAME), parts[5];
    if (pattern == 0) return join3(js, name, " ", js_pick_list(js, LIST_COMPANY_SUFFIX));
    if (pattern == 1) return join3(js, name, " - ", js_pick_list(js, LIST_LAST_NAME));
    parts[0] = name;
    parts[1] = LITERAL(", ");
    parts[2] = js_pick_list(js, LIST_LAST_NAME);
    parts[3] = LITERAL(" and ");
    parts[4] = js_pick_list(js, LIST_LAST_NAME);
    return js_concat(js, parts, 5);
}

/* ---- internet ---- */

/* Plain ASCII of a letter with a mark, for the Latin letters of two UTF-8 bytes C3 80..BF. */
static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOO*OUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty";

/* A copy of ASCII letters only; keep says which other characters stay. */
static struct sluice_value to_ascii(struct js *js, struct sluice_value v, const char *drop,
                                    char space)
{
    char *s = datagen_mem_take(js->mem, v.len);
    size_t n = 0;
    for (uint32_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.u.s[i];
        if (c == 0xC3 && i + 1 < v.len) c = (unsigned char)latin[v.u.s[++i] & 0x3F];
        if (c == ' ' && space) c = (unsigned char)space;
        if (c < 0x80 && !(c && strchr(drop, c))) s[n++] = (char)c;
    }
    return sluice_string(s, n);
}

static struct sluice_value user_name(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value first = option(args, n, 0, "firstName"), parts[4];
    struct sluice_value last = option(args, n, 1, "lastName");
    bool own_last = js_truthy(&last);
    if (first.flags == JS_UNDEFINED) first = first_name(js, NULL, 0);
    if (js_is_nothing(&last)) last = last_name(js, NULL, 0);
    int pattern = (int)js_int(js, 0, own_last ? 1 : 2);
    const char *mark = js_int(js, 0, 1) == 0 ? "." : "_";
    size_t len = 0;
    parts[len++] = js_string(js, first);
    if (pattern < 2) {
        parts[len++] = sluice_string(mark, 1);
        parts[len++] = js_string(js, last);
    }
    if (pattern != 1) parts[len++] = count_text(js, js_int(js, 0, 99));
    struct sluice_value name = js_concat(js, parts, len);
    for (uint32_t i = 0; i < name.len; i++) {
        char c = name.u.s[i];
        if (c == '\'' || c == ' ' || c & 0x80) return to_ascii(js, name, "' ", 0);
    }
    return name;
}

static struct sluice_value email_at(struct js *js, const struct sluice_value *args, size_t n,
                                    struct sluice_value provider)
{
    struct sluice_value special = option(args, n, 99, "allowSpecialCharacters");
    if (is_true(&special)) return js_throw(js, "allowSpecialCharacters is not supported");
    struct sluice_value name = user_name(js, args, n < 2 ? n : 2);
    char *s = datagen_mem_take(js->mem, 50 + 1 + provider.len);
    size_t len = 0, from = 0, to = 0;
    for (uint32_t i = 0; i < name.len && len < 50; i++) {
        char c = name.u.s[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (alnum || (c && strchr("._+-", c))) s[len++] = c;
    }
    for (; from < len; from++) { /* runs of dots become one; none at the ends */
        if (s[from] == '.' && (to == 0 || s[to - 1] == '.')) continue;
        s[to++] = s[from];
    }
    if (to && s[to - 1] == '.') to--;
    s[to++] = '@';
    memcpy(s + to, provider.u.s, provider.len);
    return sluice_string(s, to + provider.len);
}

static struct sluice_value email(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value provider = option(args, n, 2, "provider");
    bool given = provider.type == SLUICE_STRING;
    return email_at(js, args, n, given ? provider : js_pick_list(js, LIST_FREE_EMAIL));
}

static struct sluice_value example_email(struct js *js, const struct sluice_value *args, size_t n)
{
    return email_at(js, args, n, js_pick_list(js, LIST_EXAMPLE_EMAIL));
}

static struct sluice_value display_name(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value first = option(args, n, 0, "firstName"), parts[4];
    struct sluice_value last = option(args, n, 1, "lastName");
    if (first.flags == JS_UNDEFINED) first = first_name(js, NULL, 0);
    if (js_is_nothing(&last)) last = last_name(js, NULL, 0);
    int pattern = (int)js_int(js, 0, 2);
    size_t len = 0;
    parts[len++] = js_string(js, first);
    if (pattern > 0) {
        parts[len++] = js_int(js, 0, 1) == 0 ? LITERAL(".") : LITERAL("_");
        parts[len++] = js_string(js, last);
    }
    if (pattern != 1) parts[len++] = count_text(js, js_int(js, 0, 99));
    struct sluice_value name = js_concat(js, parts, len);
    bool odd = memchr(name.u.s, '\'', name.len) || memchr(name.u.s, ' ', name.len);
    return odd ? to_ascii(js, name, "' ", 0) : name;
}

static struct sluice_value slug(struct js *js, struct sluice_value v)
{
    return to_ascii(js, v, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~\t\n\r", '-');
}

static struct sluice_value slugify(struct js *js, const struct sluice_value *args, size_t n)
{
    return slug(js, n ? js_string(js, args[0]) : LITERAL(""));
}

static struct sluice_value domain_word(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    struct sluice_value adjective = js_pick_list(js, LIST_WORD_ADJECTIVE);
    struct sluice_value v = slug(js, join3(js, adjective, "-", js_pick_list(js, LIST_WORD_NOUN)));
    char *s = (char *)(uintptr_t)v.u.s; /* slug's own copy */
    for (uint32_t i = 0; i < v.len; i++) {
        if (s[i] >= 'A' && s[i] <= 'Z') s[i] = (char)(s[i] + 32);
    }
    return v;
}

static struct sluice_value domain_name(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    struct sluice_value word = domain_word(js, NULL, 0);
    return join3(js, word, ".", js_pick_list(js, LIST_DOMAIN_SUFFIX));
}

static struct sluice_value url(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value slash = option(args, n, 9, "appendSlash"), parts[4];
    struct sluice_value protocol = option(args, n, 9, "protocol");
    bool append = slash.type == SLUICE_BOOLEAN ? slash.u.i != 0 : js_coin(js);
    parts[0] = protocol.type == SLUICE_STRING ? protocol : LITERAL("https");
    parts[1] = LITERAL("://");
    parts[2] = domain_name(js, NULL, 0);
    parts[3] = append ? LITERAL("/") : LITERAL("");
    return js_concat(js, parts, 4);
}

static struct sluice_value ipv4(struct js *js, const struct sluice_value *args, size_t n)
{
    char text[20];
    int b[4];
    UNUSED(args, n);
    for (int i = 0; i < 4; i++) b[i] = (int)js_int(js, 0, 255);
    (void)snprintf(text, sizeof(text), "%d.%d.%d.%d", b[0] & 255, b[1] & 255, b[2] & 255,
                   b[3] & 255);
    return js_text(js, text);
}

static struct sluice_value ipv6(struct js *js, const struct sluice_value *args, size_t n)
{
    char text[40] = "";
    UNUSED(args, n);
    for (int i = 0; i < 39; i++) {
        text[i] = i % 5 == 4 ? ':' : "0123456789abcdefabcdef"[(int)js_int(js, 0, 21)];
    }
    return js_text(js, text);
}

static struct sluice_value ip(struct js *js, const struct sluice_value *args, size_t n)
{
    return js_coin(js) ? ipv4(js, args, n) : ipv6(js, args, n);
}

static struct sluice_value port(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    return sluice_float64(js_int(js, 0, 65535));
}

static struct sluice_value protocol(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    return js_int(js, 0, 1) == 0 ? LITERAL("http") : LITERAL("https");
}

static struct sluice_value http_method(struct js *js, const struct sluice_value *args, size_t n)
{
    const struct sluice_value methods[5] = {LITERAL("GET"), LITERAL("POST"), LITERAL("PUT"),
                                            LITERAL("DELETE"), LITERAL("PATCH")};
    UNUSED(args, n);
    return js_pick(js, methods, 5);
}

static struct sluice_value mac(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value given = option(args, n, 0, "separator");
    char mark = is_word(&given, "-") ? '-' : is_word(&given, "") ? '\0' : ':', text[18] = "";
    size_t len = 0;
    for (int i = 0; i < 12; i++) {
        text[len++] = "0123456789abcdef"[(int)js_int(js, 0, 15)];
        if (mark && i % 2 == 1 && i < 11) text[len++] = mark;
    }
    return js_text(js, text);
}

static struct sluice_value password(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value length = option(args, n, 0, "length");
    double len = js_is_nothing(&length) ? 15 : js_number(&length);
    if (!(len >= 0 && len <= 4096)) return js_throw(js, "a password of 0 to 4096 characters");
    char *s = datagen_mem_take(js->mem, (size_t)len);
    for (size_t i = 0; i < (size_t)len;) {
        char c = (char)(js_int(js, 0, 94) + 33);
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (word || c == '_') s[i++] = c;
    }
    return sluice_string(s, (size_t)len);
}

static struct sluice_value web_color(struct js *js, const struct sluice_value *args, size_t n)
{
    char text[8];
    int c[3];
    UNUSED(args, n);
    for (int i = 0; i < 3; i++) c[i] = (int)js_int(js, 0, 256) / 2;
    (void)snprintf(text, sizeof(text), "#%02x%02x%02x", c[0] & 255, c[1] & 255, c[2] & 255);
    return js_text(js, text);
}

/* ---- location ---- */

static struct sluice_value city(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    struct sluice_value parts[4];
    size_t len = 0;
    int pattern = (int)js_int(js, 0, 4);
    if (pattern == 4) return js_pick_list(js, LIST_CITY_NAME);
    if (pattern < 2) {
        parts[len++] = js_pick_list(js, LIST_CITY_PREFIX);
        parts[len++] = LITERAL(" ");
    }
    parts[len++] = js_pick_list(js, pattern == 3 ? LIST_LAST_NAME : LIST_FIRST_NAME);
    if (pattern != 1) parts[len++] = js_pick_list(js, LIST_CITY_SUFFIX);
    return js_concat(js, parts, len);
}

static struct sluice_value street(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    int pattern = (int)js_int(js, 0, 2);
    if (pattern == 2) return js_pick_list(js, LIST_STREET_NAME);
    struct sluice_value name = js_pick_list(js, pattern ? LIST_LAST_NAME : LIST_FIRST_NAME);
    return join3(js, name, " ", js_pick_list(js, LIST_STREET_SUFFIX));
}

static struct sluice_value numbered(struct js *js, const char *before, int digits)
{
    char text[24];
    size_t n = strlen(before);
    memcpy(text, before, n);
    for (int i = 0; i < digits; i++) {
        text[n++] = (char)('0' + (int)(i ? js_int(js, 0, 9) : js_int(js, 0, 8) + 1));
    }
    text[n] = '\0';
    return js_text(js, text);
}

static struct sluice_value building(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    return numbered(js, "", 5 - (int)js_int(js, 0, 2));
}

static struct sluice_value secondary(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(args, n);
    return numbered(js, js_int(js, 0, 1) == 0 ? "Apt. " : "Suite ", 3);
}

static struct sluice_value street_address(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value full = option(args, n, 0, "useFullAddress");
    struct sluice_value number = building(js, NULL, 0);
    struct sluice_value address = join3(js, number, " ", street(js, NULL, 0));
    return is_true(&full) ? join3(js, address, " ", secondary(js, NULL, 0)) : address;
}

static struct sluice_value replace_symbols(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value format = n ? js_string(js, args[0]) : LITERAL("");
    char *s = datagen_mem_take(js->mem, format.len);
    for (uint32_t i = 0; i < format.len; i++) {
        char c = format.u.s[i];
        if (c == '*') c = js_coin(js) ? '?' : '#';
        if (c == '#') c = (char)('0' + (int)js_int(js, 0, 9));
        else if (c == '?') c = (char)('A' + (int)js_int(js, 0, 25));
        s[i] = c;
    }
    return sluice_string(s, format.len);
}

static struct sluice_value zip_code(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value format = option(args, n, 0, "format"), state = option(args, n, 9, "state");
    if (!js_is_nothing(&state)) return js_throw(js, "zipCode({state}) is not supported");
    if (format.type != SLUICE_STRING) {
        format = js_int(js, 0, 1) == 0 ? LITERAL("#####") : LITERAL("#####-####");
    }
    return replace_symbols(js, &format, 1);
}

static struct sluice_value state(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value abbreviated = option(args, n, 9, "abbreviated");
    return js_pick_list(js, is_true(&abbreviated) ? LIST_STATE_ABBR : LIST_STATE);
}

static struct sluice_value country_code(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value variant = option(args, n, 0, "variant");
    return js_pick_list(js, is_word(&variant, "alpha-3")   ? LIST_COUNTRY_ALPHA3
                            : is_word(&variant, "numeric") ? LIST_COUNTRY_NUMERIC
                                                           : LIST_COUNTRY_ALPHA2);
}

static struct sluice_value degrees(struct js *js, const struct sluice_value *args, size_t n,
                                   double most)
{
    struct sluice_value max = option(args, n, 0, "max"), min = option(args, n, 1, "min");
    struct sluice_value digits = option(args, n, 2, "precision");
    double factor = pow(10, js_is_nothing(&digits) ? 4 : js_number(&digits));
    double high = js_is_nothing(&max) ? most : js_number(&max);
    double low = js_is_nothing(&min) ? -most : js_number(&min);
    if (high == low) return sluice_float64(low);
    if (!(floor(high * factor) >= ceil(low * factor))) {
        return js_throw(js, "Max %g should be greater than min %g.", high, low);
    }
    return sluice_float64(js_int(js, ceil(low * factor), floor(high * factor)) / factor);
}

static struct sluice_value latitude(struct js *js, const struct sluice_value *args, size_t n)
{
    return degrees(js, args, n, 90);
}

static struct sluice_value longitude(struct js *js, const struct sluice_value *args, size_t n)
{
    return degrees(js, args, n, 180);
}

static struct sluice_value directions(struct js *js, const struct sluice_value *args, size_t n,
                                      uint32_t from, uint32_t len)
{
    struct sluice_value abbreviated = option(args, n, 0, "abbreviated");
    const struct faker_list *list =
        faker_list(js, is_true(&abbreviated) ? LIST_DIRECTION_ABBR : LIST_DIRECTION);
    return js_pick(js, list->items + from, len);
}

static struct sluice_value direction(struct js *js, const struct sluice_value *args, size_t n)
{
    return directions(js, args, n, 0, 8);
}

static struct sluice_value cardinal(struct js *js, const struct sluice_value *args, size_t n)
{
    return directions(js, args, n, 0, 4);
}

static struct sluice_value ordinal(struct js *js, const struct sluice_value *args, size_t n)
{
    return directions(js, args, n, 4, 4);
}

/* ---- lorem ---- */

/* count pieces of make(), with the text between; one piece after the other in one buffer. */
static struct sluice_value repeat(struct js *js, double count, const char *between,
                                  struct sluice_value (*make)(struct js *, double))
{
    if (!(count <= JS_MAX_ITEMS)) return js_throw(js, "more than %d words", JS_MAX_ITEMS);
    size_t n = count > 0 ? (size_t)count : 0;
    struct sluice_value *parts = datagen_mem_take(js->mem, (2 * n + 1) * sizeof(*parts));
    for (size_t i = 0; i < n; i++) {
        parts[2 * i] = sluice_string(between, i ? strlen(between) : 0);
        parts[2 * i + 1] = make(js, NAN);
    }
    return js_concat(js, parts, 2 * n);
}

static struct sluice_value make_word(struct js *js, double unused)
{
    (void)unused;
    return js_pick_list(js, LIST_LOREM);
}

static struct sluice_value make_sentence(struct js *js, double count)
{
    if (isnan(count)) count = js_int(js, 3, 10);
    struct sluice_value words = repeat(js, count, " ", make_word);
    struct sluice_value text = join2(js, words, LITERAL("."));
    char *s = (char *)(uintptr_t)text.u.s; /* just made */
    if (text.len && *s >= 'a' && *s <= 'z') *s = (char)(*s - 32);
    return text;
}

static struct sluice_value make_paragraph(struct js *js, double count)
{
    return repeat(js, isnan(count) ? 3 : count, " ", make_sentence);
}

static double count_of(struct js *js, const struct sluice_value *args, size_t n, double fallback)
{
    return n && !js_is_nothing(&args[0]) ? js_range(js, &args[0], fallback) : fallback;
}

static struct sluice_value words(struct js *js, const struct sluice_value *args, size_t n)
{
    return repeat(js, count_of(js, args, n, 3), " ", make_word);
}

static struct sluice_value sentence(struct js *js, const struct sluice_value *args, size_t n)
{
    return make_sentence(js, count_of(js, args, n, NAN));
}

static struct sluice_value many_sentences(struct js *js, const struct sluice_value *args, size_t n,
                                          double min, double max, const char *between)
{
    char mark[32];
    double count = count_of(js, args, n, NAN);
    if (isnan(count)) count = js_int(js, min, max);
    if (n > 1 && args[1].type == SLUICE_STRING) {
        if (args[1].len >= sizeof(mark)) return js_throw(js, "a separator of over 31 bytes");
        memcpy(mark, args[1].u.s, args[1].len);
        mark[args[1].len] = '\0';
        between = mark;
    }
    return repeat(js, count, between, make_sentence);
}

static struct sluice_value sentences(struct js *js, const struct sluice_value *args, size_t n)
{
    return many_sentences(js, args, n, 2, 6, " ");
}

static struct sluice_value lines(struct js *js, const struct sluice_value *args, size_t n)
{
    return many_sentences(js, args, n > 1 ? 1 : n, 1, 5, "\n");
}

static struct sluice_value paragraph(struct js *js, const struct sluice_value *args, size_t n)
{
    return make_paragraph(js, count_of(js, args, n, 3));
}

static struct sluice_value paragraphs(struct js *js, const struct sluice_value *args, size_t n)
{
    if (n > 1) return js_throw(js, "paragraphs() takes no separator here");
    return repeat(js, count_of(js, args, n, 3), "\n", make_paragraph);
}

static struct sluice_value lorem_slug(struct js *js, const struct sluice_value *args, size_t n)
{
    return slug(js, words(js, args, n));
}

const struct js_function faker_texts[] = {
    {"faker.person.firstName", KIND_STRING, 0, 1, first_name, NULL},
    {"faker.person.middleName", KIND_STRING, 0, 1, middle_name, NULL},
    {"faker.person.lastName", KIND_STRING, 0, 1, last_name, NULL},
    {"faker.person.fullName", KIND_STRING, 0, 1, full_name, NULL},
    {"faker.person.prefix", KIND_STRING, 0, 1, prefix, NULL},
    {"faker.person.jobTitle", KIND_STRING, 0, 0, job_title, NULL},
    {"faker.company.name", KIND_STRING, 0, 0, company_name, NULL},
    {"faker.company.catchPhrase", KIND_STRING, 0, 0, catch_phrase, NULL},
    {"faker.company.buzzPhrase", KIND_STRING, 0, 0, buzz_phrase, NULL},
    {"faker.company.bs", KIND_STRING, 0, 0, buzz_phrase, NULL},
    {"faker.commerce.productName", KIND_STRING, 0, 0, product_name, NULL},
    {"faker.vehicle.vehicle", KIND_STRING, 0, 0, vehicle, NULL},
    {"faker.internet.userName", KIND_STRING, 0, 2, user_name, NULL},
    {"faker.internet.displayName", KIND_STRING, 0, 2, display_name, NULL},
    {"faker.internet.email", KIND_STRING, 0, 3, email, NULL},
    {"faker.internet.exampleEmail", KIND_STRING, 0, 2, example_email, NULL},
    {"faker.internet.domainWord", KIND_STRING, 0, 0, domain_word, NULL},
    {"faker.internet.domainName", KIND_STRING, 0, 0, domain_name, NULL},
    {"faker.internet.url", KIND_STRING, 0, 1, url, NULL},
    {"faker.internet.ip", KIND_STRING, 0, 0, ip, NULL},
    {"faker.internet.ipv4", KIND_STRING, 0, 0, ipv4, NULL},
    {"faker.internet.ipv6", KIND_STRING, 0, 0, ipv6, NULL},
    {"faker.internet.port", KIND_INT, 0, 0, port, NULL},
    {"faker.internet.protocol", KIND_STRING, 0, 0, protocol, NULL},
    {"faker.internet.httpMethod", KIND_STRING, 0, 0, http_method, NULL},
    {"faker.internet.mac", KIND_STRING, 0, 1, mac, NULL},
    {"faker.internet.password", KIND_STRING, 0, 1, password, NULL},
    {"faker.internet.color", KIND_STRING, 0, 0, web_color, NULL},
    {"faker.location.city", KIND_STRING, 0, 0, city, NULL},
    {"faker.location.street", KIND_STRING, 0, 0, street, NULL},
    {"faker.location.buildingNumber", KIND_STRING, 0, 0, building, NULL},
    {"faker.location.secondaryAddress", KIND_STRING, 0, 0, secondary, NULL},
    {"faker.location.streetAddress", KIND_STRING, 0, 1, street_address, NULL},
    {"faker.location.zipCode", KIND_STRING, 0, 1, zip_code, NULL},
    {"faker.location.state", KIND_STRING, 0, 1, state, NULL},
    {"faker.location.countryCode", KIND_STRING, 0, 1, country_code, NULL},
    {"faker.location.latitude", KIND_FLOAT, 0, 3, latitude, NULL},
    {"faker.location.longitude", KIND_FLOAT, 0, 3, longitude, NULL},
    {"faker.location.direction", KIND_STRING, 0, 1, direction, NULL},
    {"faker.location.cardinalDirection", KIND_STRING, 0, 1, cardinal, NULL},
    {"faker.location.ordinalDirection", KIND_STRING, 0, 1, ordinal, NULL},
    {"faker.lorem.words", KIND_STRING, 0, 1, words, NULL},
    {"faker.lorem.sentence", KIND_STRING, 0, 1, sentence, NULL},
    {"faker.lorem.sentences", KIND_STRING, 0, 2, sentences, NULL},
    {"faker.lorem.lines", KIND_STRING, 0, 1, lines, NULL},
    {"faker.lorem.paragraph", KIND_STRING, 0, 1, paragraph, NULL},
    {"faker.lorem.paragraphs", KIND_STRING, 0, 1, paragraphs, NULL},
    {"faker.lorem.slug", KIND_STRING, 0, 1, lorem_slug, NULL},
    {"faker.helpers.slugify", KIND_STRING, 0, 1, slugify, NULL},
    {"faker.helpers.replaceSymbols", KIND_STRING, 0, 1, replace_symbols, NULL},
    {0},
};
