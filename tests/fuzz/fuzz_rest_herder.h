/* fuzz_rest_herder.h - a herder that takes everything, and looks at it; see fuzz_rest.h. */
#ifndef SLUICE_TESTS_FUZZ_REST_HERDER_H
#define SLUICE_TESTS_FUZZ_REST_HERDER_H

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "herder/herder.h"

static void fuzz_rest_name(const char *name, struct sluice_answer *answer)
{
    assert(sluice_utf8_valid(name, strlen(name)));
    sluice_answer_json(answer, 204, NULL);
}

static void fuzz_rest_config(struct sluice_herder *herder, const char *name,
                             const struct sluice_map *config, struct sluice_answer *answer)
{
    (void)herder;
    for (size_t i = 0; i < config->n; i++) {
        const char *value = config->items[i].value;
        assert(!value || sluice_utf8_valid(value, strlen(value)));
    }
    fuzz_rest_name(name, answer);
}

static void fuzz_rest_create(struct sluice_herder *herder, const char *name,
                             const struct sluice_map *config, enum sluice_target initial,
                             struct sluice_answer *answer)
{
    assert(initial == SLUICE_TARGET_STARTED || initial == SLUICE_TARGET_PAUSED ||
           initial == SLUICE_TARGET_STOPPED);
    fuzz_rest_config(herder, name, config, answer);
}

static void fuzz_rest_plain(struct sluice_herder *herder, const char *name,
                            struct sluice_answer *answer)
{
    (void)herder;
    fuzz_rest_name(name, answer);
}

static void fuzz_rest_health(struct sluice_herder *herder, struct sluice_answer *answer)
{
    (void)herder;
    sluice_answer_json(answer, 204, NULL);
}

static void fuzz_rest_list(struct sluice_herder *herder, bool status, bool info,
                           struct sluice_answer *answer)
{
    (void)status;
    (void)info;
    fuzz_rest_health(herder, answer);
}

static void fuzz_rest_task(struct sluice_herder *herder, const char *name, int task,
                           struct sluice_answer *answer)
{
    (void)task;
    fuzz_rest_plain(herder, name, answer);
}

static void fuzz_rest_target(struct sluice_herder *herder, const char *name,
                             enum sluice_target target, struct sluice_answer *answer)
{
    (void)target;
    fuzz_rest_plain(herder, name, answer);
}

static void fuzz_rest_restart(struct sluice_herder *herder, const char *name, bool tasks,
                              bool failed, struct sluice_answer *answer)
{
    (void)tasks;
    (void)failed;
    fuzz_rest_plain(herder, name, answer);
}

static void fuzz_rest_offsets(struct sluice_herder *herder, const char *name, const json_t *changes,
                              struct sluice_answer *answer)
{
    assert(!changes || json_array_size(changes) > 0);
    fuzz_rest_plain(herder, name, answer);
}

static void fuzz_rest_tasks(struct sluice_herder *herder, const char *name, const json_t *configs,
                            const struct sluice_signed *given, struct sluice_answer *answer)
{
    assert(json_is_array(configs) && given->body);
    fuzz_rest_plain(herder, name, answer);
}

static void fuzz_rest_fence(struct sluice_herder *herder, const char *name,
                            const struct sluice_signed *given, struct sluice_answer *answer)
{
    assert(given->body);
    fuzz_rest_plain(herder, name, answer);
}

static const struct sluice_herder_ops fuzz_rest_ops = {.health = fuzz_rest_health,
                                                       .list = fuzz_rest_list,
                                                       .create = fuzz_rest_create,
                                                       .put_config = fuzz_rest_config,
                                                       .patch_config = fuzz_rest_config,
                                                       .remove = fuzz_rest_plain,
                                                       .info = fuzz_rest_plain,
                                                       .config = fuzz_rest_plain,
                                                       .status = fuzz_rest_plain,
                                                       .tasks = fuzz_rest_plain,
                                                       .task_status = fuzz_rest_task,
                                                       .task_progress = fuzz_rest_task,
                                                       .set_target = fuzz_rest_target,
                                                       .restart = fuzz_rest_restart,
                                                       .restart_task = fuzz_rest_task,
                                                       .topics = fuzz_rest_plain,
                                                       .reset_topics = fuzz_rest_plain,
                                                       .offsets = fuzz_rest_plain,
                                                       .alter_offsets = fuzz_rest_offsets,
                                                       .put_tasks = fuzz_rest_tasks,
                                                       .fence = fuzz_rest_fence};

#endif
