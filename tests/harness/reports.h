// SPDX-License-Identifier: MIT
/* Reports in JSON, as the lines of text that they stand for. */
#ifndef HARNESS_REPORTS_H
#define HARNESS_REPORTS_H

/* Other lines, and those not whole yet, stay as they are. The caller frees it. */
char *reports_as_text(const char *json);

#endif
