/* faker_lists.c - FakerJS's English word lists, opened on first use: only what a schema draws from
 * takes memory. */
#include "js.h"

#include <assert.h>

static const struct {
    const char *name;
    uint32_t len;
    const char *text; /* items, each ended by a zero byte */
} tables[] = {
#include "faker_tables.inc"
};

static const char *const names[LIST_COUNT] = {
    [LIST_FIRST_NAME] = "person.first_name",
    [LIST_FEMALE_FIRST_NAME] = "person.female_first_name",
    [LIST_MALE_FIRST_NAME] = "person.male_first_name",
    [LIST_MIDDLE_NAME] = "person.middle_name",
    [LIST_FEMALE_MIDDLE_NAME] = "person.female_middle_name",
    [LIST_MALE_MIDDLE_NAME] = "person.male_middle_name",
    [LIST_LAST_NAME] = "person.last_name",
    [LIST_PREFIX] = "person.prefix",
    [LIST_FEMALE_PREFIX] = "person.female_prefix",
    [LIST_MALE_PREFIX] = "person.male_prefix",
    [LIST_NAME_SUFFIX] = "person.suffix",
    [LIST_JOB_DESCRIPTOR] = "person.title.descriptor",
    [LIST_JOB_AREA] = "person.title.level",
    [LIST_JOB_TYPE] = "person.title.job",
    [LIST_COMPANY_SUFFIX] = "company.suffix",
    [LIST_CATCH_ADJECTIVE] = "company.adjective",
    [LIST_CATCH_DESCRIPTOR] = "company.descriptor",
    [LIST_CATCH_NOUN] = "company.noun",
    [LIST_BUZZ_VERB] = "company.buzz_verb",
    [LIST_BUZZ_ADJECTIVE] = "company.buzz_adjective",
    [LIST_BUZZ_NOUN] = "company.buzz_noun",
    [LIST_CITY_PREFIX] = "location.city_prefix",
    [LIST_CITY_SUFFIX] = "location.city_suffix",
    [LIST_CITY_NAME] = "location.city_name",
    [LIST_STREET_SUFFIX] = "location.street_suffix",
    [LIST_STREET_NAME] = "location.street_name",
    [LIST_STATE] = "location.state",
    [LIST_STATE_ABBR] = "location.state_abbr",
    [LIST_COUNTRY_ALPHA2] = "location.country_code.alpha2",
    [LIST_COUNTRY_ALPHA3] = "location.country_code.alpha3",
    [LIST_COUNTRY_NUMERIC] = "location.country_code.numeric",
    [LIST_DIRECTION] = "location.direction",
    [LIST_DIRECTION_ABBR] = "location.direction_abbr",
    [LIST_ADJECTIVE] = "commerce.product_name.adjective",
    [LIST_MATERIAL] = "commerce.product_name.material",
    [LIST_PRODUCT] = "commerce.product_name.product",
    [LIST_EXAMPLE_EMAIL] = "internet.example_email",
    [LIST_FREE_EMAIL] = "internet.free_email",
    [LIST_DOMAIN_SUFFIX] = "internet.domain_suffix",
    [LIST_WORD_ADJECTIVE] = "word.adjective",
    [LIST_WORD_NOUN] = "word.noun",
    [LIST_LOREM] = "lorem.words",
    [LIST_PHONE] = "phone_number.formats",
    [LIST_MONTH] = "date.month.wide",
    [LIST_MONTH_ABBR] = "date.month.abbr",
    [LIST_WEEKDAY] = "date.weekday.wide",
    [LIST_WEEKDAY_ABBR] = "date.weekday.abbr",
    [LIST_ACCOUNT_TYPE] = "finance.account_type",
    [LIST_CURRENCY_SYMBOL] = "finance.currency.symbol",
    [LIST_MANUFACTURER] = "vehicle.manufacturer",
    [LIST_MODEL] = "vehicle.model",
};

bool faker_list_open(struct datagen_arena *arena, const char *name, struct faker_list *list)
{
    for (size_t i = 0; i < DATAGEN_COUNT(tables); i++) {
        if (strcmp(tables[i].name, name) != 0) continue;
        struct sluice_value *items = datagen_alloc(arena, tables[i].len * sizeof(*items));
        const char *p = tables[i].text;
        for (uint32_t k = 0; k < tables[i].len; k++) {
            items[k] = sluice_string(p, strlen(p));
            p += items[k].len + 1;
        }
        *list = (struct faker_list){items, tables[i].len};
        return true;
    }
    return false;
}

const struct faker_list *faker_list(struct js *js, enum faker_list_id id)
{
    struct faker_list *list = &js->lists[id];
    if (!list->items) {
        bool found = faker_list_open(js->arena, names[id], list);
        assert(found);
        (void)found;
    }
    return list;
}
