// SPDX-License-Identifier: MIT
/*
 * dlsym() in the version that every glibc has: in libdl.so.2 before 2.34, in libc.so.6 since, so the
 * library needs both. What only newer ones have is looked up by it. musl knows no versions.
 */
#ifndef SC_LOOKUP_H
#define SC_LOOKUP_H

#include <dlfcn.h>

#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.17");
#elif defined(__GLIBC__) && defined(__i386__)
__asm__(".symver dlsym, dlsym@GLIBC_2.0");
#endif

#endif
