// SPDX-License-Identifier: MIT
/* What `safeclose check` reads of a file: the ELF reader and the "#!" line. Nothing may crash, read past
 * the file or run away, and what comes out has to hold together. */
#include "must.h"

#include "cli/elf.h"
#include "cli/script.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void read_script(const unsigned char *bytes, size_t size)
{
	struct cli_script script;

	size = size < CLI_SCRIPT_HEAD_BYTES ? size : CLI_SCRIPT_HEAD_BYTES;
	cli_script_parse(&script, (const char *)bytes, size);
	must(strlen(script.interpreter) < size || size == 0);
	must(*script.interpreter != '\0' || *script.program == '\0');
	must(strpbrk(script.interpreter, " \t\n") == NULL);
}

static void read_elf(int fd)
{
	struct cli_elf elf;
	char kind[64];

	if (cli_elf_read(&elf, fd) == NULL) {
		must(strlen(cli_elf_kind(&elf, kind, sizeof(kind))) > 0);
		must(cli_elf_is_same_kind(&elf, &elf));
	}
	for (size_t i = 0; i < elf.symbol_count; i++) {
		const char *name = elf.symbols[i].name;

		must(name > elf.strings && name < elf.strings + elf.string_bytes);
		must(strlen(name) <= elf.string_bytes);
	}
	must(strlen(elf.interpreter) < sizeof(elf.interpreter));
	cli_elf_free(&elf);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		must(fd >= 0);
	}
	must(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
	read_script(bytes, size);
	read_elf(fd);
	return 0;
}
