// SPDX-License-Identifier: MIT
/* A folder of the test's own in /tmp, one at a time: with all that is in it, it is gone in the end. */
#ifndef HARNESS_FOLDER_H
#define HARNESS_FOLDER_H

/* For cmocka, too. */
int folder_make(void **state);
int folder_remove(void **state);

/* The same, for the temporary files (TMPDIR) of what the test starts: of two valgrinds in process
 * namespaces with the same pid, the later one takes the other's away. */
int folder_make_for_temporaries(void **state);

const char *folder_name(void);

/* A name in it. The caller frees it. */
char *folder_path(const char *name);

#endif
