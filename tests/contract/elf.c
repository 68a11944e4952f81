/* elf.c - reads .dynsym from the section headers, every offset checked against the file's size. */
#include "elf.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/props.h"
#include "harness.h"

#define FILE_MAX_BYTES ((size_t)256 * 1024 * 1024)

struct image {
    const char *data;
    size_t len;
};

/* count items of size bytes at offset, copied; fails the test when they lie outside. */
static void *items(const struct image *image, size_t offset, size_t count, size_t size)
{
    CHECK(size > 0 && count <= image->len / size && offset <= image->len &&
          count * size <= image->len - offset);
    void *copy = sluice_xmalloc(count * size);
    memcpy(copy, image->data + offset, count * size);
    return copy;
}

static void add_names(struct sluice_buf *out, const struct image *image, const ElfW(Shdr) * symbols,
                      const ElfW(Shdr) * strings)
{
    size_t count = symbols->sh_size / sizeof(ElfW(Sym));
    ElfW(Sym) *table = items(image, symbols->sh_offset, count, sizeof(*table));
    char *names = items(image, strings->sh_offset, strings->sh_size, 1);
    CHECK(strings->sh_size > 0 && names[strings->sh_size - 1] == '\0');
    for (size_t i = 0; i < count; i++) {
        unsigned binding = ELF64_ST_BIND(table[i].st_info);
        if (table[i].st_shndx == SHN_UNDEF || binding == STB_LOCAL) continue;
        CHECK(table[i].st_name < strings->sh_size);
        sluice_buf_addf(out, "%s\n", names + table[i].st_name);
    }
    free(names);
    free(table);
}

char *elf_exports(const char *path)
{
    struct sluice_err err = {0};
    struct image image;
    char *data = sluice_file_read(path, FILE_MAX_BYTES, &image.len, &err);
    if (!data) FAIL("%s", err.msg);
    image.data = data;
    ElfW(Ehdr) *head = items(&image, 0, 1, sizeof(*head));
    CHECK(memcmp(head->e_ident, ELFMAG, SELFMAG) == 0);
    CHECK_INT(head->e_shentsize, sizeof(ElfW(Shdr)));
    ElfW(Shdr) *sections = items(&image, head->e_shoff, head->e_shnum, sizeof(*sections));
    struct sluice_buf out;
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    for (size_t i = 0; i < head->e_shnum; i++) {
        if (sections[i].sh_type != SHT_DYNSYM) continue;
        CHECK(sections[i].sh_link < head->e_shnum);
        add_names(&out, &image, &sections[i], &sections[sections[i].sh_link]);
    }
    char *names = sluice_xstrdup(sluice_buf_str(&out));
    sluice_buf_fini(&out);
    free(sections);
    free(head);
    free(data);
    return names;
}
