/* describe.c - checks of what a shared object says about itself, before anything of it is called.
 * Structs may be longer than ours (a newer minor), never shorter than major 1 began with. */
#include "plugin/describe.h"

#include <assert.h>
#include <stddef.h>

#include "base/err.h"
#include "plugin/option_rows.h"

#define OPTIONS_MAX 4096 /* a table without its end */

const char *sluice_kind_name(enum sluice_kind kind)
{
    static const char *const names[] = {"source",         "sink",      "transformation",
                                        "predicate",      "converter", "header_converter",
                                        "config_provider"};
    assert((size_t)kind < sizeof(names) / sizeof(names[0]));
    return names[kind];
}

/* What major 1, minor 0 has; to stay when structs grow. */
#define PLUGIN_BYTES (offsetof(struct sluice_plugin, converter) + sizeof(void *))
#define OPTION_BYTES (offsetof(struct sluice_option, doc) + sizeof(void *))

static bool check_abi(const struct sluice_plugin *plugin, const char *path, struct sluice_err *err)
{
    if (plugin->abi_major != SLUICE_ABI_MAJOR) {
        return sluice_err_set(err,
                              "%s was built for plugin ABI %u.%u, but this sluice has %u.%u; "
                              "rebuild it against this version's include/sluice or install "
                              "a sluice of ABI major %u",
                              path, plugin->abi_major, plugin->abi_minor, SLUICE_ABI_MAJOR,
                              SLUICE_ABI_MINOR, plugin->abi_major);
    }
    if (plugin->size < PLUGIN_BYTES || plugin->option_size < OPTION_BYTES ||
        plugin->option_size % _Alignof(struct sluice_option) != 0) {
        return sluice_err_set(err,
                              "%s says ABI %u.%u, but its description has %u bytes (at least "
                              "%zu) and its options %u each (at least %zu); begin the "
                              "description with SLUICE_PLUGIN_HEAD and rebuild it",
                              path, plugin->abi_major, plugin->abi_minor, plugin->size,
                              PLUGIN_BYTES, plugin->option_size, OPTION_BYTES);
    }
    return true;
}

static bool check_options(const struct sluice_plugin *plugin, const char *path,
                          struct sluice_err *err)
{
    size_t n = 0;
    for (const struct sluice_option *row = plugin->options; row && row->key;
         row = sluice_option_next(row, plugin->option_size)) {
        if (!row->doc || row->type > SLUICE_OPT_PASSWORD || row->importance > SLUICE_LOW) {
            return sluice_err_set(err,
                                  "%s: option %s of plugin %s has no doc, or a type or "
                                  "importance that ABI %u.%u does not know; correct its "
                                  "option table and rebuild it",
                                  path, row->key, plugin->name, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR);
        }
        if (++n > OPTIONS_MAX) {
            return sluice_err_set(err,
                                  "%s: the option table of plugin %s does not end within %d "
                                  "rows; end it with a row whose key is NULL",
                                  path, plugin->name, OPTIONS_MAX);
        }
    }
    return true;
}

/* Name of the callback that the plugin's kind needs and that is not there; NULL: all there. */
static const char *missing_callback(const struct sluice_plugin *plugin)
{
    if (!plugin->open) return "open";
    if (!plugin->close) return "close";
    switch (plugin->kind) {
    case SLUICE_KIND_SOURCE:
        if (!plugin->source || !plugin->source->poll) return "source->poll";
        return plugin->source->offset ? NULL : "source->offset";
    case SLUICE_KIND_SINK:
        if (!plugin->sink || !plugin->sink->put) return "sink->put";
        return plugin->sink->flush ? NULL : "sink->flush";
    case SLUICE_KIND_TRANSFORM:
        return plugin->transform && plugin->transform->apply ? NULL : "transform->apply";
    case SLUICE_KIND_PREDICATE:
        return plugin->predicate && plugin->predicate->test ? NULL : "predicate->test";
    case SLUICE_KIND_CONVERTER:
    case SLUICE_KIND_HEADER_CONVERTER:
        if (!plugin->converter || !plugin->converter->encode) return "converter->encode";
        return plugin->converter->decode ? NULL : "converter->decode";
    case SLUICE_KIND_CONFIG_PROVIDER:
        /* Appended before the first release: a description without it is shorter. */
        if (plugin->size < offsetof(struct sluice_plugin, provider) + sizeof(void *))
            return "provider";
        return plugin->provider && plugin->provider->get ? NULL : "provider->get";
    default: return NULL;
    }
}

/* The callback table that was built against a shorter header than major 1 began with. */
static bool tables_complete(const struct sluice_plugin *plugin)
{
    if (plugin->source && plugin->source->size < offsetof(struct sluice_source, exactly_once))
        return false; /* minor 0 ended there */
    if (plugin->sink && plugin->sink->size < sizeof(struct sluice_sink)) return false;
    if (plugin->transform && plugin->transform->size < sizeof(struct sluice_transform))
        return false;
    if (plugin->predicate && plugin->predicate->size < sizeof(struct sluice_predicate))
        return false;
    if (plugin->kind == SLUICE_KIND_CONFIG_PROVIDER &&
        plugin->size >= offsetof(struct sluice_plugin, provider) + sizeof(void *) &&
        plugin->provider && plugin->provider->size < sizeof(struct sluice_config_provider))
        return false;
    return !plugin->converter || plugin->converter->size >= sizeof(struct sluice_converter);
}

bool sluice_describe_check(const struct sluice_plugin *plugin, const char *path,
                           struct sluice_err *err)
{
    if (!path) path = "a built-in plugin";
    if (!check_abi(plugin, path, err)) return false;
    if (!plugin->name || !*plugin->name || !plugin->version) {
        return sluice_err_set(err,
                              "%s describes a plugin without a name or version (ABI %u.%u); "
                              "set both and rebuild it",
                              path, plugin->abi_major, plugin->abi_minor);
    }
    if (plugin->kind > SLUICE_KIND_CONFIG_PROVIDER) {
        return sluice_err_set(err,
                              "%s: plugin %s is of kind %u, which needs a newer sluice: it "
                              "was built for ABI %u.%u, this is %u.%u",
                              path, plugin->name, (unsigned)plugin->kind, plugin->abi_major,
                              plugin->abi_minor, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR);
    }
    const char *missing = tables_complete(plugin) ? missing_callback(plugin) : "size in a table";
    if (missing) {
        return sluice_err_set(err, "%s: plugin %s is a %s without %s; set it and rebuild it", path,
                              plugin->name, sluice_kind_name(plugin->kind), missing);
    }
    return check_options(plugin, path, err);
}
