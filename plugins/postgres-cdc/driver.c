/* driver.c - settings of the Java driver: see driver.h. */
#include "driver.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "settings.h"

#define SECONDS_MAX 2000000 /* that many, in milliseconds, are still an int */

enum meaning {
    SAME,            /* libpq's parameter has these values too */
    SECONDS,         /* a whole number; libpq wants milliseconds */
    CONNECT_SECONDS, /* settings->connect_timeout_ms */
    KEEPALIVE,       /* settings->tcp_keepalive */
    OPTIONS,         /* of the session, as they are */
    SEARCH_PATH,
    SERVER_TYPE
};

static const struct {
    const char *name; /* pgjdbc's */
    enum meaning meaning;
    const char *libpq;
} known[] = {
    {"connectTimeout", CONNECT_SECONDS, NULL},
    {"loginTimeout", CONNECT_SECONDS, NULL},
    {"socketTimeout", SECONDS, "tcp_user_timeout"},
    {"tcpKeepAlive", KEEPALIVE, NULL},
    {"options", OPTIONS, NULL},
    {"currentSchema", SEARCH_PATH, NULL},
    {"targetServerType", SERVER_TYPE, "target_session_attrs"},
    {"gssEncMode", SAME, "gssencmode"},
    {"kerberosServerName", SAME, "krbsrvname"},
    {"channelBinding", SAME, "channel_binding"},
    {"requireAuth", SAME, "require_auth"},
    {"sslNegotiation", SAME, "sslnegotiation"},
};

/* Names of libpq that would take the connector's own connection away from it. */
static const char *const own[] = {"host",
                                  "hostaddr",
                                  "port",
                                  "dbname",
                                  "user",
                                  "password",
                                  "replication",
                                  "client_encoding",
                                  "service",
                                  "options",
                                  "application_name",
                                  "fallback_application_name"};

struct reading {
    struct cdc_settings *settings;
    cdc_complain *complain;
    void *arg;
    struct cdc_text options, ignored;
    bool ok;
};

static bool libpq_knows(const char *name)
{
    PQconninfoOption *all = PQconndefaults();
    bool found = false;
    for (PQconninfoOption *o = all; o && o->keyword && !found; o++)
        found = !strcmp(o->keyword, name);
    PQconninfoFree(all);
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) found &= strcmp(own[i], name) != 0;
    return found;
}

static void add(struct reading *r, const char *name, const char *value)
{
    struct cdc_driver *d = &r->settings->driver;
    d->params = cdc_realloc(d->params, (d->params_n + 1) * sizeof(*d->params));
    d->params[d->params_n].key = cdc_pool_strdup(&r->settings->pool, name);
    d->params[d->params_n++].value = cdc_pool_strdup(&r->settings->pool, value);
}

static void ignore(struct reading *r, const char *key)
{
    if (r->ignored.len) cdc_text_adds(&r->ignored, ", ");
    cdc_text_adds(&r->ignored, key);
}

static bool take_seconds(struct reading *r, const char *key, const char *value, int *out)
{
    char *end;
    long n = strtol(value, &end, 10);
    if (*value && !*end && n >= 0 && n <= SECONDS_MAX) {
        *out = (int)n * 1000;
        return true;
    }
    char why[200];
    snprintf(why, sizeof(why), "'%.60s' is not a number of seconds from 0 to %d", value,
             SECONDS_MAX);
    r->complain(r->arg, key, why);
    return r->ok = false;
}

/* Values of the session's options: a blank or backslash needs a backslash. */
static void escaped(struct cdc_text *out, const char *value)
{
    for (; *value; value++) {
        if (strchr(" \t\\", *value)) cdc_text_adds(out, "\\");
        cdc_text_add(out, value, 1);
    }
}

static const char *server_type(const char *value)
{
    static const struct {
        const char *pgjdbc, *libpq;
    } types[] = {{"any", "any"},
                 {"primary", "primary"},
                 {"master", "primary"},
                 {"secondary", "standby"},
                 {"slave", "standby"},
                 {"preferSecondary", "prefer-standby"},
                 {"preferSlave", "prefer-standby"}};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (!strcasecmp(types[i].pgjdbc, value)) return types[i].libpq;
    return NULL;
}

static void take_known(struct reading *r, size_t i, const char *key, const char *value)
{
    char text[24];
    int ms;
    switch (known[i].meaning) {
    case SAME:
        if (libpq_knows(known[i].libpq)) add(r, known[i].libpq, value);
        else ignore(r, key); /* of a newer libpq than this one */
        break;
    case SECONDS:
        if (!take_seconds(r, key, value, &ms)) break;
        snprintf(text, sizeof(text), "%d", ms);
        add(r, known[i].libpq, text);
        break;
    case CONNECT_SECONDS: /* 0: no limit of its own */
        if (take_seconds(r, key, value, &ms) && ms) r->settings->connect_timeout_ms = ms;
        break;
    case KEEPALIVE: r->settings->tcp_keepalive = !strcasecmp(value, "true"); break;
    case OPTIONS: cdc_text_addf(&r->options, "%s ", value); break;
    case SEARCH_PATH:
        cdc_text_adds(&r->options, "-c search_path=");
        escaped(&r->options, value);
        cdc_text_adds(&r->options, " ");
        break;
    case SERVER_TYPE:
        if (server_type(value)) add(r, known[i].libpq, server_type(value));
        else ignore(r, key);
        break;
    }
}

/* The name behind "database." or "driver.", when the option table has no row for the key. */
static const char *passed_on(const char *key)
{
    if (!strncmp(key, "driver.", 7)) return key + 7;
    if (strncmp(key, "database.", 9) != 0) return NULL;
    for (const struct sluice_option *row = cdc_options; row->key; row++)
        if (!strcmp(row->key, key)) return NULL;
    return key + 9;
}

bool cdc_driver_read(struct cdc_settings *settings, const struct sluice_host *host,
                     const struct sluice_conf *conf, cdc_complain *complain, void *arg)
{
    struct reading r = {.settings = settings, .complain = complain, .arg = arg, .ok = true};
    const char *key, *value;
    for (size_t i = 0; host->entry(conf, i, &key, &value); i++) {
        const char *name = passed_on(key);
        size_t at = 0, n = sizeof(known) / sizeof(*known);
        if (!name || !value) continue;
        while (at < n && strcasecmp(known[at].name, name) != 0) at++;
        if (at < n) take_known(&r, at, key, value);
        else if (libpq_knows(name)) add(&r, name, value);
        else ignore(&r, key);
    }
    settings->driver.options = cdc_pool_strdup(&settings->pool, r.options.s);
    settings->driver.ignored = cdc_pool_strdup(&settings->pool, r.ignored.s);
    cdc_text_free(&r.options);
    cdc_text_free(&r.ignored);
    return r.ok;
}

void cdc_driver_fini(struct cdc_driver *driver)
{
    free(driver->params);
    driver->params = NULL;
    driver->params_n = 0;
}
