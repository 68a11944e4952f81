/* next_major.c - a plugin whose entry has the name that a next ABI major would give it. */
__attribute__((visibility("default"))) const void *sluice_plugins_v2(void);

const void *sluice_plugins_v2(void) { return (const void *)0x10; }
