// SPDX-License-Identifier: MIT
/* What the library is being built with. A sanitizer wants to be told of what is done behind libc's
 * back; nobody runs such a build but the tests. */
#ifndef SC_SANITIZER_H
#define SC_SANITIZER_H

#if defined(__SANITIZE_THREAD__)
#define SC_THREAD_SANITIZER 1
#elif defined(__SANITIZE_ADDRESS__)
#define SC_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SC_THREAD_SANITIZER 1
#elif __has_feature(address_sanitizer)
#define SC_ADDRESS_SANITIZER 1
#endif
#endif

#endif
