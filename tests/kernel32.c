/* Stands in for Windows' kernel32 in NetFramework.Tests.ps1: says what it is asked to load, loads it, and leads to it. */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

static void *library;

void *LoadLibraryExW(const uint16_t *path, void *reserved, uint32_t flags)
{
    char utf8[4096];
    size_t length = 0;
    (void)reserved;
    for (; *path && length < sizeof utf8 - 4; path++) {
        if (*path < 0x80) {
            utf8[length++] = (char)*path;
        } else if (*path < 0x800) {
            utf8[length++] = (char)(0xC0 | *path >> 6);
            utf8[length++] = (char)(0x80 | (*path & 0x3F));
        } else {
            utf8[length++] = (char)(0xE0 | *path >> 12);
            utf8[length++] = (char)(0x80 | (*path >> 6 & 0x3F));
            utf8[length++] = (char)(0x80 | (*path & 0x3F));
        }
    }
    utf8[length] = 0;
    fprintf(stderr, "LoadLibraryExW %s %u\n", utf8, flags);
    library = dlopen(utf8, RTLD_NOW);
    errno = ENOEXEC;
    return library;
}

/* The six functions of the library; each passes its arguments on. */
#define PASS_ON(result, name, parameters, arguments, type) \
    result name parameters { return ((result (*) type)dlsym(library, #name)) arguments; }

PASS_ON(uint32_t, sso_abi_version, (void), (), (void))
PASS_ON(int32_t, sso_operation_start, (const uint8_t *a, uint64_t b, void **c), (a, b, c), (const uint8_t *, uint64_t, void **))
PASS_ON(int32_t, sso_operation_next, (const void *a, void **b, uint64_t *c), (a, b, c), (const void *, void **, uint64_t *))
PASS_ON(int32_t, sso_operation_cancel, (const void *a), (a), (const void *))
PASS_ON(void, sso_operation_free, (void *a), (a), (void *))
PASS_ON(void, sso_bytes_free, (void *a, uint64_t b), (a, b), (void *, uint64_t))
