/* faker_basics.c - faker.number, datatype, string, finance, phone, color: what is made of single
 * draws. Order and number of draws are FakerJS 8.4.1's. */
#include "js.h"

#include <math.h>
#include <stdio.h>

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_object(const struct sluice_value *args, size_t n)
{
    return n > 0 && args[0].type == SLUICE_MAP;
}

/* The argument at i as a number, the fallback when it is not given. */
static double number_at(const struct sluice_value *args, size_t n, size_t i, double fallback)
{
    return i < n && !js_is_nothing(&args[i]) ? js_number(&args[i]) : fallback;
}

/* ---- numbers ---- */

static double draw_int(struct js *js, double min, double max)
{
    double low = ceil(min), high = floor(max);
    if (!(low <= high)) {
        js_throw(js,
                 max >= min ? "No integer value between %g and %g found."
                            : "Max %2$g should be greater than min %1$g.",
                 min, max);
        return 0;
    }
    return js_int(js, low, high);
}

/* step: multipleOf; 0: none. */
static double draw_float(struct js *js, double min, double max, double step)
{
    if (max == min) return min;
    if (!(max > min)) {
        js_throw(js, "Max %g should be greater than min %g.", max, min);
        return 0;
    }
    if (step < 0) {
        js_throw(js, "multipleOf/precision should be greater than 0.");
        return 0;
    }
    if (step == 0) return mersenne_next(&js->random) * (max - min) + min;
    double power = log10(step);
    double factor = step < 1 && power == floor(power) ? pow(10, -power) : 1 / step;
    return draw_int(js, min * factor, max * factor) / factor;
}

static struct sluice_value number_int(struct js *js, const struct sluice_value *args, size_t n)
{
    if (!is_object(args, n)) {
        return sluice_float64(draw_int(js, 0, number_at(args, n, 0, JS_MAX_SAFE)));
    }
    return sluice_float64(
        draw_int(js, js_option(args, "min", 0), js_option(args, "max", JS_MAX_SAFE)));
}

static double step_option(const struct sluice_value *args)
{
    double digits = js_option(args, "fractionDigits", -1);
    double step = digits >= 0 ? pow(10, -digits) : 0;
    return js_option(args, "multipleOf", js_option(args, "precision", step));
}

static struct sluice_value number_float(struct js *js, const struct sluice_value *args, size_t n)
{
    if (!is_object(args, n)) {
        return sluice_float64(draw_float(js, 0, number_at(args, n, 0, 1), 0));
    }
    return sluice_float64(
        draw_float(js, js_option(args, "min", 0), js_option(args, "max", 1), step_option(args)));
}

static struct sluice_value in_base(struct js *js, const struct sluice_value *args, size_t n,
                                   unsigned base, double most)
{
    double min = is_object(args, n) ? js_option(args, "min", 0) : 0;
    double max = is_object(args, n) ? js_option(args, "max", most) : number_at(args, n, 0, most);
    double v = draw_int(js, min, max);
    if (!(fabs(v) < 1e19)) return js_throw(js, "a number of more than 64 bits");
    char back[70], text[70];
    size_t len = 0, k = 0;
    uint64_t u = (uint64_t)fabs(v);
    do {
        back[len++] = "0123456789abcdef"[u % base];
        u /= base;
    } while (u);
    if (v < 0) text[k++] = '-';
    while (len) text[k++] = back[--len];
    text[k] = '\0';
    return js_text(js, text);
}

static struct sluice_value number_hex(struct js *js, const struct sluice_value *args, size_t n)
{
    return in_base(js, args, n, 16, 15);
}

static struct sluice_value number_octal(struct js *js, const struct sluice_value *args, size_t n)
{
    return in_base(js, args, n, 8, 7);
}

static struct sluice_value number_binary(struct js *js, const struct sluice_value *args, size_t n)
{
    return in_base(js, args, n, 2, 1);
}

static struct sluice_value datatype_number(struct js *js, const struct sluice_value *args, size_t n)
{
    if (!is_object(args, n)) {
        return sluice_float64(draw_float(js, 0, number_at(args, n, 0, 99999), 1));
    }
    double min = js_option(args, "min", 0);
    return sluice_float64(
        draw_float(js, min, js_option(args, "max", min + 99999), js_option(args, "precision", 1)));
}

static struct sluice_value datatype_float(struct js *js, const struct sluice_value *args, size_t n)
{
    if (!is_object(args, n)) {
        return sluice_float64(draw_float(js, 0, 99999, number_at(args, n, 0, 0.01)));
    }
    double min = js_option(args, "min", 0);
    return sluice_float64(draw_float(js, min, js_option(args, "max", min + 99999),
                                     js_option(args, "precision", 0.01)));
}

static struct sluice_value datatype_boolean(struct js *js, const struct sluice_value *args,
                                            size_t n)
{
    double odds =
        is_object(args, n) ? js_option(args, "probability", 0.5) : number_at(args, n, 0, 0.5);
    if (odds <= 0 || odds >= 1) return sluice_bool(odds >= 1);
    return sluice_bool(mersenne_next(&js->random) < odds);
}

/* ---- strings of characters ---- */

static struct sluice_value from_chars(struct js *js, const char *prefix, const char *set,
                                      size_t set_len, double count)
{
    if (count > JS_MAX_TEXT) return js_throw(js, "a string of more than %u bytes", JS_MAX_TEXT);
    size_t start = strlen(prefix), n = count > 0 ? (size_t)count : 0;
    if (n && !set_len) return js_throw(js, "no characters to select from");
    char *s = datagen_mem_take(js->mem, start + n);
    memcpy(s, prefix, start);
    for (size_t i = 0; i < n; i++) {
        s[start + i] = set[set_len > 1 ? (size_t)js_int(js, 0, (double)set_len - 1) : 0];
    }
    return sluice_string(s, start + n);
}

/* length of an options object, or the argument itself: a number or {min, max}. */
static double length_of(struct js *js, const struct sluice_value *args, size_t n, double fallback)
{
    if (n == 0) return fallback;
    if (args[0].type != SLUICE_MAP) return js_range(js, &args[0], fallback);
    struct sluice_value length = js_get(args, "length"), max = js_get(args, "max");
    return js_range(js, js_is_nothing(&max) ? &length : args, fallback);
}

static bool has_word(const struct sluice_value *args, size_t n, const char *key, const char *word)
{
    struct sluice_value v = is_object(args, n) ? js_get(args, key) : js_undefined();
    return v.type == SLUICE_STRING && v.len == strlen(word) && memcmp(v.u.s, word, v.len) == 0;
}

static bool excluded(const struct sluice_value *exclude, char c)
{
    if (exclude->type == SLUICE_STRING) return memchr(exclude->u.s, c, exclude->len) != NULL;
    for (uint32_t i = 0; exclude->type == SLUICE_ARRAY && i < exclude->len; i++) {
        const struct sluice_value *item = &exclude->u.v[i];
        if (item->type == SLUICE_STRING && item->len == 1 && item->u.s[0] == c) return true;
    }
    return false;
}

/* The given characters without those of the exclude option; returns how many. */
static size_t make_set(const struct sluice_value *args, size_t n, const char *all, char *set)
{
    struct sluice_value exclude = is_object(args, n) ? js_get(args, "exclude") : js_undefined();
    size_t len = 0;
    for (; *all; all++) {
        if (!excluded(&exclude, *all)) set[len++] = *all;
    }
    return len;
}

static struct sluice_value string_alpha(struct js *js, const struct sluice_value *args, size_t n)
{
    char set[64];
    const char *all = has_word(args, n, "casing", "upper")   ? UPPER
                      : has_word(args, n, "casing", "lower") ? LOWER
                                                             : LOWER UPPER;
    double length = length_of(js, args, n, 1);
    return from_chars(js, "", set, make_set(args, n, all, set), length);
}

static struct sluice_value string_alphanumeric(struct js *js, const struct sluice_value *args,
                                               size_t n)
{
    char set[64];
    const char *all = has_word(args, n, "casing", "upper")   ? DIGITS UPPER
                      : has_word(args, n, "casing", "lower") ? DIGITS LOWER
                                                             : DIGITS LOWER UPPER;
    double length = length_of(js, args, n, 1);
    return from_chars(js, "", set, make_set(args, n, all, set), length);
}

static struct sluice_value string_numeric(struct js *js, const struct sluice_value *args, size_t n)
{
    char set[16], lead[2] = "";
    double length = length_of(js, args, n, 1);
    if (length <= 0) return sluice_string("", 0);
    size_t len = make_set(args, n, DIGITS, set);
    struct sluice_value zeros =
        is_object(args, n) ? js_get(args, "allowLeadingZeros") : js_undefined();
    bool first = len && set[0] == '0' && zeros.type == SLUICE_BOOLEAN && !zeros.u.i;
    if (first && len < 2) return js_throw(js, "all possible digits are excluded");
    if (first) lead[0] = set[1 + (len > 2 ? (size_t)js_int(js, 0, (double)len - 2) : 0)];
    return from_chars(js, lead, set, len, length - (first ? 1 : 0));
}

static void change_case(struct sluice_value v, size_t from, bool upper)
{
    char *s = (char *)(uintptr_t)v.u.s; /* just made by from_chars() */
    for (size_t i = from; i < v.len; i++) {
        if (upper && s[i] >= 'a' && s[i] <= 'z') s[i] = (char)(s[i] - 32);
        if (!upper && s[i] >= 'A' && s[i] <= 'Z') s[i] = (char)(s[i] + 32);
    }
}

static struct sluice_value hexadecimal(struct js *js, const struct sluice_value *args, size_t n,
                                       const char *casing)
{
    static const char set[] = "0123456789abcdefABCDEF";
    struct sluice_value given = is_object(args, n) ? js_get(args, "prefix") : js_undefined();
    char prefix[32] = "0x";
    if (given.type == SLUICE_STRING && given.len < sizeof(prefix)) {
        memcpy(prefix, given.u.s, given.len);
        prefix[given.len] = '\0';
    }
    double length = length_of(js, args, n, 1);
    struct sluice_value v = from_chars(js, prefix, set, sizeof(set) - 1, length);
    if (has_word(args, n, casing, "upper")) change_case(v, strlen(prefix), true);
    if (has_word(args, n, casing, "lower")) change_case(v, strlen(prefix), false);
    return v;
}

static struct sluice_value string_hexadecimal(struct js *js, const struct sluice_value *args,
                                              size_t n)
{
    return hexadecimal(js, args, n, "casing");
}

static struct sluice_value datatype_hexadecimal(struct js *js, const struct sluice_value *args,
                                                size_t n)
{
    return hexadecimal(js, args, n, "case");
}

static struct sluice_value string_sample(struct js *js, const struct sluice_value *args, size_t n)
{
    double length = ceil(length_of(js, args, n, 10));
    size_t len = length > 0 && length <= JS_MAX_TEXT ? (size_t)length : 0;
    if (length > JS_MAX_TEXT) return js_throw(js, "a string of more than %u bytes", JS_MAX_TEXT);
    char *s = datagen_mem_take(js->mem, len);
    for (size_t i = 0; i < len; i++) s[i] = (char)js_int(js, 33, 125);
    return sluice_string(s, len);
}

static struct sluice_value string_uuid(struct js *js, const struct sluice_value *args, size_t n)
{
    static const char form[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    char *s = datagen_mem_take(js->mem, sizeof(form) - 1);
    (void)args;
    (void)n;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        s[i] =
            form[i] == 'x' ? "0123456789abcdef"[(int)(mersenne_next(&js->random) * 16)] : form[i];
    }
    s[19] = "89ab"[(int)(mersenne_next(&js->random) * 4)]; /* drawn last */
    return sluice_string(s, sizeof(form) - 1);
}

static struct sluice_value string_nanoid(struct js *js, const struct sluice_value *args, size_t n)
{
    static const char set[] = DIGITS LOWER UPPER;
    double length = ceil(length_of(js, args, n, 21));
    if (length > JS_MAX_TEXT) return js_throw(js, "a string of more than %u bytes", JS_MAX_TEXT);
    size_t len = length > 0 ? (size_t)length : 0;
    char *s = datagen_mem_take(js->mem, len);
    for (size_t i = 0; i < len; i++) {
        bool plain = mersenne_next(&js->random) * 64 < 62;
        s[i] = plain ? set[(int)js_int(js, 0, 61)] : "_-"[(int)js_int(js, 0, 1)];
    }
    return sluice_string(s, len);
}

static struct sluice_value string_symbol(struct js *js, const struct sluice_value *args, size_t n)
{
    static const char set[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    return from_chars(js, "", set, sizeof(set) - 1, length_of(js, args, n, 1));
}

static struct sluice_value from_characters(struct js *js, const struct sluice_value *args, size_t n)
{
    if (!n || args[0].type != SLUICE_STRING) {
        return js_throw(js, "faker.string.fromCharacters takes a string of characters");
    }
    double count = n > 1 ? js_range(js, &args[1], 1) : 1;
    return from_chars(js, "", args[0].u.s, args[0].len, count);
}

static struct sluice_value datatype_array(struct js *js, const struct sluice_value *args, size_t n)
{
    double count = n ? js_range(js, &args[0], 10) : 10;
    if (!(count <= JS_MAX_ITEMS)) return js_throw(js, "an array of more than %d", JS_MAX_ITEMS);
    size_t len = count > 0 ? (size_t)count : 0;
    struct sluice_value *items = datagen_mem_take(js->mem, len * sizeof(*items));
    for (size_t i = 0; i < len; i++) {
        items[i] = js_coin(js) ? string_sample(js, NULL, 0) : number_int(js, NULL, 0);
    }
    return sluice_nested(SLUICE_ARRAY, items, len);
}

/* ---- finance, phone, color ---- */

static struct sluice_value fixed_text(struct js *js, const struct sluice_value *symbol, double v,
                                      double digits)
{
    char text[128];
    if (!(digits >= 0 && digits <= 20)) return js_throw(js, "0 to 20 digits after the point");
    (void)snprintf(text, sizeof(text), "%.*f", (int)digits, v);
    struct sluice_value parts[2] = {*symbol, sluice_string(text, strlen(text))};
    if (symbol->type != SLUICE_STRING) parts[0] = sluice_string("", 0);
    return js_concat(js, parts, 2);
}

static struct sluice_value finance_amount(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value symbol = n > 3 ? args[3] : js_undefined();
    double min = number_at(args, n, 0, 0), max = number_at(args, n, 1, 1000);
    double digits = number_at(args, n, 2, 2);
    if (is_object(args, n)) {
        min = js_option(args, "min", 0);
        max = js_option(args, "max", 1000);
        digits = js_option(args, "dec", 2);
        symbol = js_get(args, "symbol");
    }
    return fixed_text(js, &symbol, draw_float(js, min, max, pow(10, -digits)), digits);
}

static struct sluice_value commerce_price(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value symbol = n > 3 ? args[3] : js_undefined();
    double min = number_at(args, n, 0, 1), max = number_at(args, n, 1, 1000);
    double digits = number_at(args, n, 2, 2);
    if (is_object(args, n)) {
        min = js_option(args, "min", 1);
        max = js_option(args, "max", 1000);
        digits = js_option(args, "dec", 2);
        symbol = js_get(args, "symbol");
    }
    if (min < 0 || max < 0) return fixed_text(js, &symbol, 0, 0);
    return fixed_text(js, &symbol, draw_int(js, min, max), digits);
}

static struct sluice_value digits_of(struct js *js, const struct sluice_value *args, size_t n,
                                     double fallback)
{
    return from_chars(js, "", DIGITS, 10, length_of(js, args, n, fallback));
}

static struct sluice_value finance_account(struct js *js, const struct sluice_value *args, size_t n)
{
    return digits_of(js, args, n, 8);
}

static struct sluice_value finance_pin(struct js *js, const struct sluice_value *args, size_t n)
{
    return digits_of(js, args, n, 4);
}

static struct sluice_value finance_cvv(struct js *js, const struct sluice_value *args, size_t n)
{
    (void)args;
    (void)n;
    return digits_of(js, NULL, 0, 3);
}

static struct sluice_value finance_symbol(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value v;
    (void)args;
    (void)n;
    do {
        v = js_pick_list(js, LIST_CURRENCY_SYMBOL);
    } while (!v.len);
    return v;
}

static struct sluice_value finance_account_name(struct js *js, const struct sluice_value *args,
                                                size_t n)
{
    struct sluice_value parts[2] = {js_pick_list(js, LIST_ACCOUNT_TYPE),
                                    sluice_string(" Account", 8)};
    (void)args;
    (void)n;
    return js_concat(js, parts, 2);
}

static struct sluice_value finance_ethereum(struct js *js, const struct sluice_value *args,
                                            size_t n)
{
    static const char set[] = "0123456789abcdefABCDEF";
    struct sluice_value v = from_chars(js, "0x", set, sizeof(set) - 1, 40);
    (void)args;
    (void)n;
    change_case(v, 2, false);
    return v;
}

static struct sluice_value finance_bitcoin(struct js *js, const struct sluice_value *args, size_t n)
{
    static const char set[] = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
    double length = js_int(js, 25, 39);
    const char *prefix = js_int(js, 0, 1) == 0 ? "1" : "3";
    (void)args;
    (void)n;
    return from_chars(js, prefix, set, sizeof(set) - 1, length);
}

/* '#' a digit, '!' one of 2 to 9; in a copy of the format. */
static struct sluice_value fill_digits(struct js *js, struct sluice_value format, bool bang)
{
    char *s = datagen_mem_take(js->mem, format.len);
    for (uint32_t i = 0; i < format.len; i++) {
        char c = format.u.s[i];
        s[i] = c == '#'           ? (char)('0' + (int)js_int(js, 0, 9))
               : c == '!' && bang ? (char)('0' + (int)js_int(js, 2, 9))
                                  : c;
    }
    return sluice_string(s, format.len);
}

static struct sluice_value phone_number(struct js *js, const struct sluice_value *args, size_t n)
{
    bool given = n && args[0].type == SLUICE_STRING;
    return fill_digits(js, given ? args[0] : js_pick_list(js, LIST_PHONE), true);
}

/* The digit that makes the number pass Luhn's check when it takes the last place. */
static char luhn_digit(const char *s, size_t n)
{
    int sum = 0;
    bool twice = true;
    while (n--) {
        if (s[n] < '0' || s[n] > '9') continue;
        int d = (s[n] - '0') * (twice ? 2 : 1);
        sum += d > 9 ? d - 9 : d;
        twice = !twice;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

static struct sluice_value phone_imei(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value v = fill_digits(js, sluice_string("##-######-######-L", 18), true);
    (void)args;
    (void)n;
    char *s = (char *)(uintptr_t)v.u.s; /* fill_digits' own copy */
    s[17] = luhn_digit(s, 17);
    return v;
}

static struct sluice_value color_rgb(struct js *js, const struct sluice_value *args, size_t n)
{
    static const char set[] = "0123456789abcdefABCDEF";
    (void)args;
    (void)n;
    struct sluice_value v = from_chars(js, "#", set, sizeof(set) - 1, 6);
    change_case(v, 1, false);
    return v;
}

static struct sluice_value vehicle_vrm(struct js *js, const struct sluice_value *args, size_t n)
{
    (void)args;
    (void)n;
    struct sluice_value parts[3];
    parts[0] = from_chars(js, "", UPPER, 26, 2);
    parts[1] = from_chars(js, "", DIGITS, 10, 2);
    parts[2] = from_chars(js, "", UPPER, 26, 3);
    return js_concat(js, parts, 3);
}

const struct js_function faker_basics[] = {
    {"faker.number.int", KIND_INT, 0, 1, number_int, NULL},
    {"faker.number.float", KIND_FLOAT, 0, 1, number_float, NULL},
    {"faker.number.hex", KIND_STRING, 0, 1, number_hex, NULL},
    {"faker.number.octal", KIND_STRING, 0, 1, number_octal, NULL},
    {"faker.number.binary", KIND_STRING, 0, 1, number_binary, NULL},
    {"faker.datatype.number", KIND_INT, 0, 1, datatype_number, NULL},
    {"faker.datatype.float", KIND_FLOAT, 0, 1, datatype_float, NULL},
    {"faker.datatype.boolean", KIND_BOOL, 0, 1, datatype_boolean, NULL},
    {"faker.datatype.string", KIND_STRING, 0, 1, string_sample, NULL},
    {"faker.datatype.uuid", KIND_STRING, 0, 0, string_uuid, NULL},
    {"faker.datatype.hexadecimal", KIND_STRING, 0, 1, datatype_hexadecimal, NULL},
    {"faker.datatype.array", KIND_ARRAY, KIND_ANY, 1, datatype_array, NULL},
    {"faker.string.alpha", KIND_STRING, 0, 1, string_alpha, NULL},
    {"faker.string.alphanumeric", KIND_STRING, 0, 1, string_alphanumeric, NULL},
    {"faker.string.numeric", KIND_STRING, 0, 1, string_numeric, NULL},
    {"faker.string.hexadecimal", KIND_STRING, 0, 1, string_hexadecimal, NULL},
    {"faker.string.sample", KIND_STRING, 0, 1, string_sample, NULL},
    {"faker.string.uuid", KIND_STRING, 0, 0, string_uuid, NULL},
    {"faker.string.nanoid", KIND_STRING, 0, 1, string_nanoid, NULL},
    {"faker.string.symbol", KIND_STRING, 0, 1, string_symbol, NULL},
    {"faker.string.fromCharacters", KIND_STRING, 0, 2, from_characters, NULL},
    {"faker.commerce.price", KIND_STRING, 0, 4, commerce_price, NULL},
    {"faker.finance.amount", KIND_STRING, 0, 4, finance_amount, NULL},
    {"faker.finance.accountNumber", KIND_STRING, 0, 1, finance_account, NULL},
    {"faker.finance.account", KIND_STRING, 0, 1, finance_account, NULL},
    {"faker.finance.accountName", KIND_STRING, 0, 0, finance_account_name, NULL},
    {"faker.finance.pin", KIND_STRING, 0, 1, finance_pin, NULL},
    {"faker.finance.creditCardCVV", KIND_STRING, 0, 0, finance_cvv, NULL},
    {"faker.finance.currencySymbol", KIND_STRING, 0, 0, finance_symbol, NULL},
    {"faker.finance.ethereumAddress", KIND_STRING, 0, 0, finance_ethereum, NULL},
    {"faker.finance.bitcoinAddress", KIND_STRING, 0, 0, finance_bitcoin, NULL},
    {"faker.phone.number", KIND_STRING, 0, 1, phone_number, NULL},
    {"faker.phone.imei", KIND_STRING, 0, 0, phone_imei, NULL},
    {"faker.color.rgb", KIND_STRING, 0, 0, color_rgb, NULL},
    {"faker.vehicle.vrm", KIND_STRING, 0, 0, vehicle_vrm, NULL},
    {0},
};
