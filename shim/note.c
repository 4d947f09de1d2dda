// SPDX-License-Identifier: MIT
#include "note.h"
#include "guess.h"
#include "inspect.h"
#include "sys.h"
#include <string.h>
#include <sys/prctl.h>

size_t sc_note_size(void)
{
	return sc_config.format == SC_FORMAT_JSON || sc_config.preview_bytes > 0
		       ? offsetof(struct sc_note, preview) + sc_config.preview_bytes
		       : 0;
}

size_t sc_note_length(const struct sc_note *note)
{
	return sc_note_size() > 0 ? offsetof(struct sc_note, preview) + note->preview_bytes : 0;
}

static void peek(struct sc_note *note, int fd, uint32_t unread)
{
	unsigned char bytes[SC_GUESS_BYTES];
	unsigned char *place = bytes;
	size_t wanted = sizeof(bytes);
	if (sc_config.preview_bytes >= wanted) {
		place = note->preview;
		wanted = sc_config.preview_bytes;
	}
	size_t got = sc_inspect_peek(fd, place, wanted);
	note->guess = (uint8_t)sc_guess_bytes(place, got, unread);
	note->preview_bytes =
		(uint16_t)(got < sc_config.preview_bytes ? got : sc_config.preview_bytes);
	if (place == bytes) {
		memcpy(note->preview, bytes, note->preview_bytes);
	}
}

void sc_note_take(struct sc_note *note, int fd, const struct sc_conn *conn)
{
	/* It may become a message: no byte of the stack's goes along. */
	memset(note, 0, offsetof(struct sc_note, preview));
	if (sc_note_size() == 0) {
		return;
	}
	if (sc_config.format == SC_FORMAT_JSON) {
		long tid = sc_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
		note->tid = tid > 0 ? (int32_t)tid : 0;
		SC_SYS5(SYS_prctl, PR_GET_NAME, note->comm, 0, 0, 0);
	}
	if (conn->unread_bytes > 0) {
		peek(note, fd, conn->unread_bytes);
	}
}
