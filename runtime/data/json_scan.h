/* json_scan.h - finding the bytes of a JSON string that need a closer look, 8 at a time. */
#ifndef SLUICE_DATA_JSON_SCAN_H
#define SLUICE_DATA_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#define SLUICE_EACH_BYTE UINT64_C(0x0101010101010101)

/* A high bit at the first byte (in memory) that is a control character, '"', '\\' or not ASCII;
 * bits of later bytes may be set wrongly. Little-endian, as all our targets are. */
static inline uint64_t sluice_special_bytes(uint64_t word)
{
    uint64_t control = word - SLUICE_EACH_BYTE * 0x20;
    uint64_t quote = (word ^ SLUICE_EACH_BYTE * '"') - SLUICE_EACH_BYTE;
    uint64_t slash = (word ^ SLUICE_EACH_BYTE * '\\') - SLUICE_EACH_BYTE;
    return (word | control | quote | slash) & (SLUICE_EACH_BYTE * 0x80);
}

static inline bool sluice_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

#endif
