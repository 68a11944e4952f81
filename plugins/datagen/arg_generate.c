/* arg_generate.c - one value from a plan. Order and kind of the draws are the Avro Random
 * Generator's; where its range arithmetic overflows, ours stays inside the range. */
#include "arg.h"

#include <assert.h>

static struct sluice_value with_affixes(const struct arg_text *text, const char *middle, size_t len,
                                        struct datagen_mem *mem)
{
    size_t n = text->prefix_len + len + text->suffix_len;
    char *s = datagen_mem_take(mem, n);
    memcpy(s, text->prefix, text->prefix_len);
    memcpy(s + text->prefix_len, middle, len);
    memcpy(s + text->prefix_len + len, text->suffix, text->suffix_len);
    return sluice_string(s, n);
}

static struct sluice_value gen_regex(const struct arg_node *node, struct java_random *random,
                                     struct datagen_mem *mem)
{
    size_t n = regex_walk(node->u.regex, random, mem);
    const char *s = mem->at;
    datagen_mem_keep(mem, n);
    if (!node->text.prefix_len && !node->text.suffix_len) return sluice_string(s, n);
    return with_affixes(&node->text, s, n, mem);
}

static int32_t gen_length(const struct arg_node *node, struct java_random *random)
{
    int32_t width = node->u.many.width;
    return node->u.many.min + (width ? java_random_below(random, width) : 0);
}

static struct sluice_value gen_string(const struct arg_node *node, struct java_random *random,
                                      struct datagen_mem *mem)
{
    const struct arg_text *text = &node->text;
    size_t len = (size_t)gen_length(node, random);
    size_t n = text->prefix_len + len + text->suffix_len;
    char *s = datagen_mem_take(mem, n);
    memcpy(s, text->prefix, text->prefix_len);
    for (size_t i = 0; i < len; i++) {
        s[text->prefix_len + i] = (char)java_random_below(random, 128);
    }
    memcpy(s + text->prefix_len + len, text->suffix, text->suffix_len);
    return sluice_string(s, n);
}

static struct sluice_value gen_bytes(const struct arg_node *node, struct java_random *random,
                                     struct datagen_mem *mem)
{
    size_t n = (size_t)gen_length(node, random);
    unsigned char *p = datagen_mem_take(mem, n);
    java_random_bytes(random, p, n);
    return sluice_bytes(p, n);
}

/* big = big * factor + add, for big in base 2^32, lowest word first. */
static void big_step(uint32_t *big, size_t words, uint64_t factor, uint64_t add)
{
    arg_wide carry = (arg_wide)add;
    for (size_t i = 0; i < words; i++) {
        arg_wide v = (arg_wide)big[i] * (arg_wide)factor + carry;
        big[i] = (uint32_t)(uint64_t)v;
        carry = v >> 32;
    }
    assert(carry == 0);
}

static void big_divide(uint32_t *big, size_t words, uint32_t divisor)
{
    uint64_t rest = 0;
    for (size_t i = words; i-- > 0;) {
        uint64_t v = rest << 32 | big[i];
        big[i] = (uint32_t)(v / divisor);
        rest = v % divisor;
    }
}

/* Digits in portions of 15, cut to the precision, with a random sign: BigInteger's bytes. */
static struct sluice_value gen_decimal(const struct arg_node *node, struct java_random *random,
                                       struct datagen_mem *mem)
{
    uint32_t big[36] = {0}; /* 315 digits */
    int64_t digits = 0;
    for (; digits < node->u.precision; digits += 15) {
        uint64_t portion = (uint64_t)(java_random_double(random) * 1e15);
        big_step(big, DATAGEN_COUNT(big), 1000000000000000ULL, portion);
    }
    for (; digits > node->u.precision; digits--) big_divide(big, DATAGEN_COUNT(big), 10);
    bool zero = true;
    for (size_t i = 0; i < DATAGEN_COUNT(big); i++) zero = zero && !big[i];
    if (java_random_bool(random) && !zero) {
        uint64_t carry = 1;
        for (size_t i = 0; i < DATAGEN_COUNT(big); i++) {
            carry += (uint32_t)~big[i];
            big[i] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    unsigned char bytes[4 * DATAGEN_COUNT(big)];
    size_t n = sizeof(bytes), from = 0;
    for (size_t i = 0; i < n; i++) bytes[n - 1 - i] = (unsigned char)(big[i / 4] >> (8 * (i % 4)));
    while (from + 1 < n && (bytes[from] == 0 || bytes[from] == 0xFF) &&
           (bytes[from] >> 7) == (bytes[from + 1] >> 7)) {
        from++;
    }
    unsigned char *p = datagen_mem_take(mem, n - from);
    memcpy(p, bytes + from, n - from);
    return sluice_bytes(p, n - from);
}

static struct sluice_value gen_array(const struct arg_node *node, struct java_random *random,
                                     struct datagen_mem *mem)
{
    size_t n = (size_t)gen_length(node, random);
    struct sluice_value *items = datagen_mem_take(mem, n * sizeof(*items));
    for (size_t i = 0; i < n; i++) items[i] = arg_generate(node->u.many.elem, random, mem);
    return sluice_nested(SLUICE_ARRAY, items, n);
}

/* A key that comes twice keeps its place and takes the newer value. */
static struct sluice_value gen_map(const struct arg_node *node, struct java_random *random,
                                   struct datagen_mem *mem)
{
    size_t draws = (size_t)gen_length(node, random), n = 0;
    struct sluice_value *entries = datagen_mem_take(mem, 2 * draws * sizeof(*entries));
    for (size_t i = 0; i < draws; i++) {
        struct sluice_value key = arg_generate(node->u.many.key, random, mem);
        struct sluice_value value = arg_generate(node->u.many.elem, random, mem);
        size_t k = 0;
        while (k < n && (entries[2 * k].len != key.len ||
                         memcmp(entries[2 * k].u.s, key.u.s, key.len) != 0)) {
            k++;
        }
        entries[2 * k] = key;
        entries[2 * k + 1] = value;
        if (k == n) n++;
    }
    return sluice_nested(SLUICE_MAP, entries, n);
}

static struct sluice_value gen_record(const struct arg_node *node, struct java_random *random,
                                      struct datagen_mem *mem)
{
    size_t n = (size_t)node->u.fields.len;
    struct sluice_value *fields = datagen_mem_take(mem, n * sizeof(*fields));
    for (size_t i = 0; i < n; i++) {
        fields[i] = arg_generate(node->u.fields.nodes[i], random, mem);
    }
    return sluice_nested(SLUICE_STRUCT, fields, n);
}

static struct sluice_value gen_union(const struct arg_node *node, struct java_random *random,
                                     struct datagen_mem *mem)
{
    int32_t branch = java_random_below(random, node->u.fields.len);
    struct sluice_value v = arg_generate(node->u.fields.nodes[branch], random, mem);
    if (!node->u.fields.slots || node->u.fields.slots[branch] < 0) return v;
    size_t n = (size_t)node->u.fields.slots_len;
    struct sluice_value *fields = datagen_mem_take(mem, n * sizeof(*fields));
    memset(fields, 0, n * sizeof(*fields));
    fields[node->u.fields.slots[branch]] = v;
    return sluice_nested(SLUICE_STRUCT, fields, n);
}

static struct sluice_value gen_real(const struct arg_node *node, struct java_random *random)
{
    struct sluice_value v;
    double min = node->u.real.min, max = node->u.real.max;
    if (node->op == ARG_DOUBLE) {
        double r = java_random_double(random);
        if (!node->u.real.ranged) return sluice_float64(r);
        double width = max - min; /* infinite when the range is wider than a double */
        return sluice_float64(width <= 1.7976931348623157e308 ? min + r * width
                                                              : min * (1 - r) + max * r);
    }
    float f = java_random_float(random);
    float width = (float)max - (float)min;
    if (node->u.real.ranged && width <= 3.4028234e38f) f = (float)min + f * width;
    else if (node->u.real.ranged) f = (float)(min + (double)f * (max - min));
    v = sluice_float64((double)f);
    v.type = SLUICE_FLOAT32;
    return v;
}

struct sluice_value arg_generate(struct arg_node *node, struct java_random *random,
                                 struct datagen_mem *mem)
{
    enum sluice_type type = (enum sluice_type)node->type;
    struct sluice_value v;
    char digits[24];
    switch (node->op) {
    case ARG_NULL: return sluice_null();
    case ARG_OPTIONS: return node->u.options.values[java_random_below(random, node->u.options.len)];
    case ARG_COUNT: return sluice_int(type, arg_iterator_next(&node->u.iter));
    case ARG_COUNT_TEXT:
        return with_affixes(&node->text, digits,
                            datagen_digits(digits, arg_iterator_next(&node->u.iter)), mem);
    case ARG_STEP:
        v = sluice_float64(arg_iterator_next_real(&node->u.iter));
        v.type = node->type;
        return v;
    case ARG_FLIP: node->u.flip = !node->u.flip; return sluice_bool(!node->u.flip);
    case ARG_INT: return sluice_int32(java_random_int(random));
    case ARG_LONG: return sluice_int64(java_random_long(random));
    case ARG_WHOLE: {
        uint64_t step = (uint64_t)(java_random_double(random) * node->u.whole.width);
        return sluice_int(type, (int64_t)((uint64_t)node->u.whole.min + step));
    }
    case ARG_FLOAT:
    case ARG_DOUBLE: return gen_real(node, random);
    case ARG_BOOL: return sluice_bool(java_random_bool(random));
    case ARG_ODDS: return sluice_bool(java_random_double(random) < node->u.odds);
    case ARG_BYTES: return gen_bytes(node, random, mem);
    case ARG_DECIMAL: return gen_decimal(node, random, mem);
    case ARG_STRING: return gen_string(node, random, mem);
    case ARG_REGEX: return gen_regex(node, random, mem);
    case ARG_ARRAY: return gen_array(node, random, mem);
    case ARG_MAP: return gen_map(node, random, mem);
    case ARG_RECORD: return gen_record(node, random, mem);
    case ARG_UNION: return gen_union(node, random, mem);
    }
    assert(!"unknown node");
    return sluice_null();
}
