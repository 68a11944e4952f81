/* How far tasks are: what they tell last counts, what nobody knows is null. */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/progress.h"
#include "harness.h"

#define FIRST                                                                                      \
    "[{\"what\":\"snapshot\",\"started_at\":\"2026-01-01T00:00:00Z\",\"percent\":12.25,"           \
    "\"remaining_seconds\":61,\"paused\":true,\"unit\":\"rows\",\"done\":7,\"expected\":57,"       \
    "\"per_second\":0.5,\"part\":\"s.t\",\"parts_done\":1,\"parts\":3}]"
#define UNKNOWN                                                                                    \
    "[{\"what\":\"other\",\"started_at\":\"1970-01-01T00:00:00Z\",\"percent\":null,"               \
    "\"remaining_seconds\":null,\"paused\":false,\"unit\":\"rows\",\"done\":0,\"expected\":null,"  \
    "\"per_second\":null,\"part\":null,\"parts_done\":0,\"parts\":0}]"

static void shows(const char *connector, int task, const char *wanted)
{
    json_t *json = sluice_progress_json(connector, task);
    char *text = sluice_json_text(json);
    CHECK_STR(text, wanted);
    free(text);
    json_decref(json);
}

TEST(progress_is_what_a_task_told_last)
{
    int a = 0, b = 0;
    const struct sluice_progress first = {.size = sizeof first,
                                          .what = "snapshot",
                                          .part = "s.t",
                                          .unit = "rows",
                                          .parts_done = 1,
                                          .parts = 3,
                                          .done = 7,
                                          .expected = 56.9,
                                          .percent = 12.29,
                                          .rate = 0.5,
                                          .remaining_s = 60.6,
                                          .started_ms = 1767225600999,
                                          .paused = true};
    const struct sluice_progress unknown = {.size = sizeof unknown,
                                            .what = "other",
                                            .part = "\xff",
                                            .unit = "rows",
                                            .expected = -1,
                                            .percent = NAN,
                                            .rate = -1,
                                            .remaining_s = INFINITY};
    shows("c", 0, "[]");
    sluice_progress_set(&a, "c", 0, &first, 1);
    sluice_progress_set(&b, "c", 1, &unknown, 1);
    shows("c", 0, FIRST);
    shows("c", 1, UNKNOWN);
    shows("d", 0, "[]");
    sluice_progress_set(&b, "c", 0, &unknown, 1); /* a zombie's successor, say */
    shows("c", 0, UNKNOWN);
    shows("c", 1, "[]");
    sluice_progress_drop(&b);
    shows("c", 0, FIRST);
    sluice_progress_set(&a, "c", 0, NULL, 0);
    shows("c", 0, "[]");
    sluice_progress_drop(&a);
}

TEST(progress_of_many_pieces_is_cut)
{
    int a = 0;
    struct sluice_progress many[SLUICE_PROGRESS_MAX + 4] = {{0}};
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) many[i].size = sizeof *many;
    sluice_progress_set(&a, "c", 0, many, sizeof many / sizeof *many);
    json_t *json = sluice_progress_json("c", 0);
    CHECK_INT(json_array_size(json), SLUICE_PROGRESS_MAX);
    json_decref(json);
    sluice_progress_drop(&a);
}
