/* faker_helpers.c - faker.helpers: choices and collections; and the functions that choose from one
 * word list. */
#include "js.h"

#include <math.h>
#include <stdio.h>

static bool is_array(const struct sluice_value *args, size_t n, size_t i)
{
    return n > i && args[i].type == SLUICE_ARRAY;
}

static struct sluice_value array_element(struct js *js, const struct sluice_value *args, size_t n)
{
    if (n && args[0].type == SLUICE_STRING && args[0].len) { /* one of its characters */
        uint32_t i = args[0].len > 1 ? (uint32_t)js_int(js, 0, args[0].len - 1.0) : 0;
        return sluice_string(args[0].u.s + i, 1);
    }
    if (!is_array(args, n, 0)) return js_throw(js, "arrayElement() takes an array");
    if (!args[0].len) return js_throw(js, "Cannot get value from empty dataset.");
    return js_pick(js, args[0].u.v, args[0].len);
}

static struct sluice_value *copy_items(struct js *js, const struct sluice_value *array)
{
    struct sluice_value *items = datagen_mem_take(js->mem, array->len * sizeof(*items));
    if (array->len) memcpy(items, array->u.v, array->len * sizeof(*items));
    return items;
}

static void shuffle_items(struct js *js, struct sluice_value *items, uint32_t n)
{
    for (uint32_t i = n; i-- > 1;) {
        uint32_t k = (uint32_t)js_int(js, 0, i);
        struct sluice_value held = items[i];
        items[i] = items[k];
        items[k] = held;
    }
}

static struct sluice_value shuffle(struct js *js, const struct sluice_value *args, size_t n)
{
    if (!is_array(args, n, 0)) return js_throw(js, "shuffle() takes an array");
    struct sluice_value *items = copy_items(js, &args[0]);
    shuffle_items(js, items, args[0].len);
    return sluice_nested(SLUICE_ARRAY, items, args[0].len);
}

static struct sluice_value array_elements(struct js *js, const struct sluice_value *args, size_t n)
{
    if (!is_array(args, n, 0)) return js_throw(js, "arrayElements() takes an array");
    uint32_t len = args[0].len;
    if (!len) return args[0];
    double count =
        n > 1 && !js_is_nothing(&args[1]) ? js_range(js, &args[1], 1) : js_int(js, 1, len);
    if (count >= len) return shuffle(js, args, 1);
    if (!(count > 0)) return sluice_nested(SLUICE_ARRAY, NULL, 0);
    struct sluice_value *items = copy_items(js, &args[0]);
    uint32_t left = len - (uint32_t)count;
    for (uint32_t i = len; i-- > left;) {
        uint32_t k = (uint32_t)js_int(js, 0, i);
        struct sluice_value held = items[k];
        items[k] = items[i];
        items[i] = held;
    }
    return sluice_nested(SLUICE_ARRAY, items + left, len - left);
}

static bool same(const struct sluice_value *a, const struct sluice_value *b)
{
    if (a->type != b->type || a->flags != b->flags) return false;
    switch (a->type) {
    case SLUICE_FLOAT64: return a->u.d == b->u.d || (isnan(a->u.d) && isnan(b->u.d));
    case SLUICE_STRING: return a->len == b->len && memcmp(a->u.s, b->u.s, a->len) == 0;
    case SLUICE_BOOLEAN: return a->u.i == b->u.i;
    case SLUICE_NULL: return true;
    default: return a->u.v == b->u.v; /* objects: the same one */
    }
}

static bool add_new(struct sluice_value *items, uint32_t *len, struct sluice_value v)
{
    for (uint32_t i = 0; i < *len; i++) {
        if (same(&items[i], &v)) return false;
    }
    items[(*len)++] = v;
    return true;
}

static struct sluice_value unique_array(struct js *js, const struct sluice_value *args, size_t n)
{
    uint32_t len = 0;
    double count = n > 1 ? js_number(&args[1]) : 0;
    if (!n) return js_throw(js, "uniqueArray() takes a function or an array, and a length");
    if (is_array(args, n, 0)) {
        struct sluice_value *items = datagen_mem_take(js->mem, args[0].len * sizeof(*items));
        for (uint32_t i = 0; i < args[0].len; i++) add_new(items, &len, args[0].u.v[i]);
        shuffle_items(js, items, len);
        if (count < len) len = count > 0 ? (uint32_t)count : 0;
        return sluice_nested(SLUICE_ARRAY, items, len);
    }
    if (!(count <= JS_MAX_ITEMS)) return js_throw(js, "an array of more than %d", JS_MAX_ITEMS);
    size_t cap = count > 0 ? (size_t)ceil(count) : 0;
    struct sluice_value *items = datagen_mem_take(js->mem, cap * sizeof(*items));
    for (double tries = 0; js_is_function(&args[0]) && len < count && tries < 1000 * count;
         tries++) {
        struct sluice_value v = js_call(js, args[0]);
        if (js->failed) break;
        add_new(items, &len, v);
    }
    return sluice_nested(SLUICE_ARRAY, items, len);
}

static struct sluice_value multiple(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value wanted = n > 1 ? js_get(&args[1], "count") : js_undefined();
    double count = js_range(js, &wanted, 3);
    if (!n || !js_is_function(&args[0])) return js_throw(js, "multiple() takes a function");
    if (!(count <= JS_MAX_ITEMS)) return js_throw(js, "an array of more than %d", JS_MAX_ITEMS);
    size_t len = count > 0 ? (size_t)count : 0;
    struct sluice_value *items = datagen_mem_take(js->mem, len * sizeof(*items));
    for (size_t i = 0; i < len; i++) {
        items[i] = js_call(js, args[0]);
        if (js->failed) return js_undefined();
    }
    return sluice_nested(SLUICE_ARRAY, items, len);
}

static struct sluice_value maybe(struct js *js, const struct sluice_value *args, size_t n)
{
    double odds = n > 1 ? js_option(&args[1], "probability", 0.5) : 0.5;
    if (!n || !js_is_function(&args[0])) return js_throw(js, "maybe() takes a function");
    bool yes = odds >= 1 || (odds > 0 && mersenne_next(&js->random) < odds);
    return yes ? js_call(js, args[0]) : js_undefined();
}

static struct sluice_value weighted(struct js *js, const struct sluice_value *args, size_t n)
{
    double total = 0, sum = 0;
    if (!is_array(args, n, 0) || !args[0].len) {
        return js_throw(js, "weightedArrayElement expects an array with at least one element");
    }
    for (uint32_t i = 0; i < args[0].len; i++) {
        double weight = js_option(&args[0].u.v[i], "weight", 0);
        if (!(weight > 0))
            return js_throw(js, "weightedArrayElement expects an array of {weight, "
                                "value} with positive weights");
        total += weight;
    }
    double at = mersenne_next(&js->random) * total;
    for (uint32_t i = 0; i < args[0].len; i++) {
        sum += js_option(&args[0].u.v[i], "weight", 0);
        if (at < sum) return js_get(&args[0].u.v[i], "value");
    }
    return js_get(&args[0].u.v[args[0].len - 1], "value");
}

static struct sluice_value object_entry(struct js *js, const struct sluice_value *args, size_t n,
                                        uint32_t value)
{
    if (!n || args[0].type != SLUICE_MAP || !args[0].len) {
        return js_throw(js, "an object with at least one field is needed");
    }
    uint32_t i = args[0].len > 1 ? (uint32_t)js_int(js, 0, args[0].len - 1.0) : 0;
    return args[0].u.v[2 * i + value];
}

static struct sluice_value object_key(struct js *js, const struct sluice_value *args, size_t n)
{
    return object_entry(js, args, n, 0);
}

static struct sluice_value object_value(struct js *js, const struct sluice_value *args, size_t n)
{
    return object_entry(js, args, n, 1);
}

static struct sluice_value range_to_number(struct js *js, const struct sluice_value *args, size_t n)
{
    return sluice_float64(n ? js_range(js, &args[0], 0) : 0);
}

#define PICK(name, list)                                                                           \
    {                                                                                              \
        "faker." name, KIND_STRING, 0, 0, NULL, list                                               \
    }

const struct js_function faker_helpers[] = {
    {"faker.helpers.arrayElement", KIND_ANY, 0, 1, array_element, NULL},
    {"faker.helpers.arrayElements", KIND_ARRAY, 0, 2, array_elements, NULL},
    {"faker.helpers.weightedArrayElement", KIND_ANY, 0, 1, weighted, NULL},
    {"faker.helpers.uniqueArray", KIND_ARRAY, 0, 2, unique_array, NULL},
    {"faker.helpers.multiple", KIND_ARRAY, 0, 2, multiple, NULL},
    {"faker.helpers.maybe", KIND_ANY, 0, 2, maybe, NULL},
    {"faker.helpers.shuffle", KIND_ARRAY, 0, 1, shuffle, NULL},
    {"faker.helpers.objectKey", KIND_STRING, 0, 1, object_key, NULL},
    {"faker.helpers.objectValue", KIND_ANY, 0, 1, object_value, NULL},
    {"faker.helpers.rangeToNumber", KIND_FLOAT, 0, 1, range_to_number, NULL},
    PICK("animal.bear", "animal.bear"),
    PICK("animal.cat", "animal.cat"),
    PICK("animal.cetacean", "animal.cetacean"),
    PICK("animal.crocodilia", "animal.crocodilia"),
    PICK("animal.dog", "animal.dog"),
    PICK("animal.fish", "animal.fish"),
    PICK("animal.horse", "animal.horse"),
    PICK("animal.lion", "animal.lion"),
    PICK("animal.rabbit", "animal.rabbit"),
    PICK("animal.type", "animal.type"),
    PICK("color.human", "color.human"),
    PICK("commerce.department", "commerce.department"),
    PICK("commerce.product", "commerce.product_name.product"),
    PICK("commerce.productAdjective", "commerce.product_name.adjective"),
    PICK("commerce.productDescription", "commerce.product_description"),
    PICK("commerce.productMaterial", "commerce.product_name.material"),
    PICK("company.bsAdjective", "company.buzz_adjective"),
    PICK("company.bsBuzz", "company.buzz_verb"),
    PICK("company.bsNoun", "company.buzz_noun"),
    PICK("company.buzzAdjective", "company.buzz_adjective"),
    PICK("company.buzzNoun", "company.buzz_noun"),
    PICK("company.buzzVerb", "company.buzz_verb"),
    PICK("company.catchPhraseAdjective", "company.adjective"),
    PICK("company.catchPhraseDescriptor", "company.descriptor"),
    PICK("company.catchPhraseNoun", "company.noun"),
    PICK("company.companySuffix", "company.suffix"),
    PICK("database.collation", "database.collation"),
    PICK("database.column", "database.column"),
    PICK("database.engine", "database.engine"),
    PICK("database.type", "database.type"),
    PICK("finance.currencyCode", "finance.currency.code"),
    PICK("finance.currencyName", "finance.currency.name"),
    PICK("finance.transactionType", "finance.transaction_type"),
    PICK("hacker.abbreviation", "hacker.abbreviation"),
    PICK("hacker.adjective", "hacker.adjective"),
    PICK("hacker.ingverb", "hacker.ingverb"),
    PICK("hacker.noun", "hacker.noun"),
    PICK("hacker.verb", "hacker.verb"),
    PICK("internet.domainSuffix", "internet.domain_suffix"),
    PICK("location.cityName", "location.city_name"),
    PICK("location.country", "location.country"),
    PICK("location.county", "location.county"),
    PICK("location.stateAbbr", "location.state_abbr"),
    PICK("location.streetName", "location.street_name"),
    PICK("location.timeZone", "location.time_zone"),
    PICK("lorem.word", "lorem.words"),
    PICK("music.genre", "music.genre"),
    PICK("music.songName", "music.song_name"),
    PICK("person.gender", "person.gender"),
    PICK("person.jobArea", "person.title.level"),
    PICK("person.jobDescriptor", "person.title.descriptor"),
    PICK("person.jobType", "person.title.job"),
    PICK("person.sex", "person.sex"),
    PICK("person.sexType", "person.sex"),
    PICK("person.suffix", "person.suffix"),
    PICK("person.zodiacSign", "person.western_zodiac_sign"),
    PICK("vehicle.bicycle", "vehicle.bicycle_type"),
    PICK("vehicle.color", "color.human"),
    PICK("vehicle.fuel", "vehicle.fuel"),
    PICK("vehicle.manufacturer", "vehicle.manufacturer"),
    PICK("vehicle.model", "vehicle.model"),
    PICK("vehicle.type", "vehicle.type"),
    PICK("word.adjective", "word.adjective"),
    PICK("word.adverb", "word.adverb"),
    PICK("word.conjunction", "word.conjunction"),
    PICK("word.interjection", "word.interjection"),
    PICK("word.noun", "word.noun"),
    PICK("word.preposition", "word.preposition"),
    {0},
};
