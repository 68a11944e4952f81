/* test_topic_set.c - the set of topics that connectors have used. */
#include "base/json.h"
#include "harness.h"
#include "herder/topics.h"

static char *answer_of(struct sluice_topic_set *set, const char *connector)
{
    struct sluice_answer answer = {0};
    sluice_topic_set_answer(set, connector, &answer);
    CHECK_INT(answer.status, 200);
    char *text = sluice_json_text(answer.body);
    sluice_answer_fini(&answer);
    return text;
}

#define CHECK_TOPICS(set, connector, wanted)                                                       \
    do {                                                                                           \
        char *text_ = answer_of(set, connector);                                                   \
        CHECK_STR(text_, wanted);                                                                  \
        free(text_);                                                                               \
    } while (0)

TEST(topics_are_kept_once_and_sorted)
{
    struct sluice_topic_set *set = sluice_topic_set_new();
    CHECK_TOPICS(set, "c", "{\"c\":{\"topics\":[]}}");
    static const char *const used[] = {"m", "a", "z", "m", "b", "a", "z"};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        sluice_topic_set_used(set, "c", (int)i, used[i]);
    sluice_topic_set_used(set, "other", 0, "x");
    CHECK_TOPICS(set, "c", "{\"c\":{\"topics\":[\"a\",\"b\",\"m\",\"z\"]}}");
    CHECK_TOPICS(set, "other", "{\"other\":{\"topics\":[\"x\"]}}");
    sluice_topic_set_free(set);
}

TEST(forgetting_one_connector_keeps_the_others)
{
    struct sluice_topic_set *set = sluice_topic_set_new();
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "c%d", i);
        sluice_topic_set_used(set, name, 0, name);
    }
    sluice_topic_set_forget(set, "c0"); /* the last one takes its place */
    sluice_topic_set_forget(set, "c0");
    sluice_topic_set_forget(set, "nobody");
    CHECK_TOPICS(set, "c0", "{\"c0\":{\"topics\":[]}}");
    CHECK_TOPICS(set, "c1", "{\"c1\":{\"topics\":[\"c1\"]}}");
    CHECK_TOPICS(set, "c99", "{\"c99\":{\"topics\":[\"c99\"]}}");
    sluice_topic_set_used(set, "c0", 0, "again");
    CHECK_TOPICS(set, "c0", "{\"c0\":{\"topics\":[\"again\"]}}");
    sluice_topic_set_free(set);
}

TEST(names_are_written_as_json)
{
    struct sluice_topic_set *set = sluice_topic_set_new();
    sluice_topic_set_used(set, "q\"", 0, "t\"\\");
    CHECK_TOPICS(set, "q\"", "{\"q\\\"\":{\"topics\":[\"t\\\"\\\\\"]}}");
    sluice_topic_set_free(set);
    sluice_topic_set_free(NULL);
}
