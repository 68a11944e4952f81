/* foreign.c - a plugin of another ABI major: everything behind the first fields is nonsense that
 * must not be looked at. */
#include "sluice/plugin.h"

static const struct sluice_plugin foreign = {
    .abi_major = 9,
    .abi_minor = 4,
    .size = 16,
    .option_size = 1,
    .name = (const char *)0x10,
    .options = (const struct sluice_option *)0x10,
};

const struct sluice_plugin *const *sluice_plugins_v1(void)
{
    static const struct sluice_plugin *const plugins[] = {&foreign, NULL};
    return plugins;
}
