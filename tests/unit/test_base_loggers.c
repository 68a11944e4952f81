/* Loggers: which level decides about a line, and what is told about it. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loggers.h"

static void hear(void *arg, const struct sluice_logger *logger)
{
    char *text = arg;
    size_t len = strlen(text);
    snprintf(text + len, 400 - len, "%s=%s ", logger->name, logger->level);
}

static void set(const char *name, const char *level)
{
    CHECK(sluice_logger_set(name, level, NULL, NULL));
}

static bool allows(enum sluice_level level, const char *area, const char *connector,
                   const char *plugin)
{
    return sluice_loggers_allow(level, area, connector, plugin);
}

TEST(the_nearest_logger_decides)
{
    CHECK(allows(SLUICE_INFO, "sluice.rest", NULL, NULL));
    CHECK(!allows(SLUICE_DEBUG, "sluice.rest", NULL, NULL));
    set("sluice.rest", "debug");
    CHECK(allows(SLUICE_DEBUG, "sluice.rest", NULL, NULL));
    CHECK(!allows(SLUICE_DEBUG, "sluice.worker", NULL, NULL));
    set("sluice", "ERROR"); /* and all below it */
    CHECK(!allows(SLUICE_INFO, "sluice.rest", NULL, NULL));
    CHECK(allows(SLUICE_ERROR, "sluice.worker", NULL, NULL));
    set("connector.a.b", "DEBUG"); /* a connector comes before the part of the program */
    CHECK(allows(SLUICE_DEBUG, "sluice.worker", "a.b", NULL));
    CHECK(!allows(SLUICE_INFO, "sluice.worker", "a", NULL));
    set("com.example", "INFO");
    CHECK(allows(SLUICE_INFO, "sluice.worker", "a", "com.example.Source"));
    CHECK(!allows(SLUICE_INFO, "sluice.worker", "a", "com.examples.Source"));
    set("connector", "OFF");
    CHECK(!allows(SLUICE_ERROR, "sluice.worker", "a", "com.example.Source"));
    CHECK(!allows(SLUICE_ERROR, "sluice.worker", "a.b", NULL));
    set("ROOT", "INFO"); /* everything again */
    CHECK(allows(SLUICE_INFO, "sluice.worker", "a.b", NULL));
    CHECK(!sluice_log_enabled(SLUICE_DEBUG));
}

TEST(javas_packages_are_names_of_parts)
{
    set("org.apache.kafka.connect.runtime", "DEBUG");
    CHECK(allows(SLUICE_DEBUG, "sluice.rest", NULL, NULL));
    CHECK(allows(SLUICE_DEBUG, "sluice.herder", NULL, NULL));
    CHECK(!allows(SLUICE_DEBUG, "sluice.kafka", NULL, NULL));
    set("sluice.rest", "WARN"); /* the own name comes first */
    CHECK(!allows(SLUICE_INFO, "sluice.rest", NULL, NULL));
    set("root", "INFO");
}

TEST(changes_are_told_once)
{
    char text[400] = "";
    CHECK(sluice_logger_set("x.y", "Warn", hear, text));
    CHECK(sluice_logger_set("x.y", "WARN", hear, text)); /* nothing new */
    CHECK(sluice_logger_set("x", "WARN", hear, text));
    CHECK(sluice_logger_set("x", "TRACE", hear, text));
    CHECK_STR(text, "x.y=WARN x=WARN x=TRACE x.y=TRACE ");
    text[0] = '\0';
    CHECK(sluice_logger_get("x.y", hear, text));
    CHECK(!sluice_logger_get("x.z", hear, text));
    CHECK_STR(text, "x.y=TRACE ");
    CHECK(!sluice_logger_set("x", "loud", hear, text));
    CHECK(sluice_logger_level("all") && !sluice_logger_level(""));
    set("root", "INFO");
}

static void log_some(void *arg)
{
    (void)arg;
    set("connector.loud", "DEBUG");
    sluice_log(SLUICE_DEBUG, "loud", 0, "of the loud one");
    sluice_log(SLUICE_DEBUG, "other", 0, "of another");
    sluice_log_plugin("com.example.Sink");
    set("com.example.Sink", "DEBUG");
    sluice_log(SLUICE_DEBUG, "other", 0, "of a plugin");
    sluice_log_plugin(NULL);
    sluice_log(SLUICE_DEBUG, "other", 0, "of none");
    set("root", "INFO");
}

TEST(lines_go_through_their_loggers)
{
    char *text = harness_stderr(log_some, NULL);
    CHECK_HAS(text, "of the loud one");
    CHECK_HAS(text, "of a plugin");
    CHECK(!strstr(text, "of another") && !strstr(text, "of none"));
    free(text);
}

/* The last one: its names stay. */
TEST(names_from_outside_are_bounded)
{
    char name[400];
    int taken = 0;
    for (int i = 0; i < 2 * SLUICE_LOGGERS_MAX; i++) {
        snprintf(name, sizeof name, "many.n%d", i);
        taken += sluice_logger_set(name, "INFO", NULL, NULL);
    }
    CHECK(taken > 300 && taken < SLUICE_LOGGERS_MAX);
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    CHECK(!sluice_logger_set(name, "INFO", NULL, NULL));
    CHECK(allows(SLUICE_INFO, "sluice.rest", name, name));
    set("root", "INFO");
}
