# SPDX-License-Identifier: MIT
# make help says what there is. All that is built lies under $(BUILD).

VERSION := 0.1.0

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
DESTDIR ?=
CFLAGS ?= -O2 -g
LDFLAGS ?=
SANITIZE ?=
V ?= 0

empty :=
comma := ,
BUILD ?= build$(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s%s\n' '$(1)' '$(2)';)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
# A sanitizer's run-time library has to be the first one in a program that is not built with it,
# so tests preload it before ours.
ifneq ($(SANITIZE),)
SAN_FLAGS := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer \
	$(if $(IS_CLANG),-shared-libsan $(if $(findstring thread,$(SANITIZE)),-D__SANITIZE_THREAD__))
SAN_KIND := $(if $(findstring thread,$(SANITIZE)),tsan,$(if $(findstring address,$(SANITIZE)),asan,ubsan))
SAN_FILE := $(if $(IS_CLANG),libclang_rt.$(SAN_KIND)-$(shell uname -m).so,lib$(SAN_KIND).so)
SAN_LIBRARY := $(realpath $(shell $(CC) -print-file-name=$(SAN_FILE)))
SAN_LINK := $(if $(IS_CLANG),-Wl$(comma)-rpath$(comma)$(dir $(SAN_LIBRARY)))
endif

BASE_FLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -MMD -MP
# No _FORTIFY_SOURCE: its __*_chk functions are glibc's alone, musl's loader has none.
LIB_FLAGS := $(BASE_FLAGS) -fPIC -fvisibility=hidden -ftls-model=initial-exec -U_FORTIFY_SOURCE \
	$(SAN_FLAGS)
# The library is mapped into every program: small counts for more than what -O2 adds.
SMALL := $(if $(filter -O2 -O3,$(CFLAGS)),$(shell \
	$(CC) -Oz -E -x c /dev/null >/dev/null 2>&1 && echo -Oz || echo -Os; \
	for flag in -fno-jump-tables -malign-data=abi -fno-gcse -fno-tree-pre \
		-fno-move-loop-invariants -fno-expensive-optimizations -fno-tree-coalesce-vars \
		-fno-caller-saves -fno-tree-tail-merge -fno-tree-loop-im -fno-tree-forwprop \
		-fno-shrink-wrap -fno-partial-inlining -fno-ipa-modref; do \
		$(CC) -Werror $$flag -E -x c /dev/null >/dev/null 2>&1 && echo $$flag; done))
# What every close passes through is to be quick as well.
HOT := $(BUILD)/shim/interpose_close.o
# Compiled as one, it is smaller by another 2 KB.
WHOLE := $(if $(SMALL),$(if $(IS_CLANG),,$(shell \
	echo 'int main(void) { return 0; }' | $(CC) -flto -flto-partition=one -x c -o /dev/null - \
		>/dev/null 2>&1 && echo -flto -flto-partition=one)))
# Unwinding passes through the frames that call what the program called, where that is a point of
# cancellation or runs the program's functions, and the library's own (unwind.c) through those between a
# closing call and itself; through no others.
UNWOUND := $(patsubst %,$(BUILD)/shim/%.o,closing ending folder leaving stacks unwind walk) \
	$(filter-out %_credentials.o %_filters.o %_made.o %_routes.o,$(patsubst shim/%.c,$(BUILD)/shim/%.o, \
		$(sort $(wildcard shim/interpose*.c))))
TEST_FLAGS := $(BASE_FLAGS) -Ishim -Itests/harness -DSC_BUILD_DIR='"$(abspath $(BUILD))"' \
	-DSC_SOURCE_DIR='"$(CURDIR)"' -DSC_PRELOAD_FIRST='"$(SAN_LIBRARY)"'

# Until glibc 2.34 dlsym() was in libdl; the library names it, so that it loads there too.
LIBDL := $(if $(findstring /,$(shell $(CC) -print-file-name=libdl.so.2)),-l:libdl.so.2,-ldl)

LIBRARY := $(BUILD)/libsafeclose.so
SHIM_OBJECTS := $(patsubst shim/%.c,$(BUILD)/shim/%.o,$(sort $(wildcard shim/*.c))) \
	$(patsubst shim/%.S,$(BUILD)/shim/%.o,$(sort $(wildcard shim/*.S)))
MAP := shim/libsafeclose.map

# The command shares the library's objects that know the variables, the lines and the kernel's counts.
COMMAND := $(BUILD)/safeclose
# Its reports need yajl, which `make check` installs; nothing else does.
HAS_YAJL := $(shell program=$$(mktemp) && echo 'int main(void) { return 0; }' | $(CC) -x c \
	-include yajl/yajl_parse.h - -lyajl -o $$program 2>/dev/null && echo yes; rm -f "$$program")
CLI_SOURCES := $(filter-out $(if $(HAS_YAJL),%/without_yajl.c,shim/cli/report%.c),$(sort $(wildcard shim/cli/*.c)))
CLI_OBJECTS := $(patsubst shim/cli/%.c,$(BUILD)/shim/cli/%.o,$(CLI_SOURCES)) \
	$(addprefix $(BUILD)/shim/,cli/config.o line.o netstat.o only.o)
CLI_FLAGS := $(BASE_FLAGS) -Ishim $(SAN_FLAGS)
CLI_LIBS := -ldl
REPORT_LIBS := $(if $(HAS_YAJL),-lyajl -lm)
CLI_SETTINGS := -DSC_VERSION='"$(VERSION)"' -DSC_LIBDIR='"$(LIBDIR)"' \
	$(if $(HAS_YAJL),-DSC_HAS_YAJL)

DEMO_OBJECTS := $(patsubst demo/%.c,$(BUILD)/demo/%.o,$(filter-out demo/server.c demo/client.c,$(sort $(wildcard demo/*.c))))
DEMO_PROGRAMS := $(BUILD)/demo/demo $(BUILD)/demo/server $(BUILD)/demo/client

TEST_NAMES := $(patsubst tests/%.c,%,$(sort $(wildcard tests/test_*.c)))
TESTS := $(TEST_NAMES:%=$(BUILD)/tests/%)
HARNESS_OBJECTS := $(patsubst tests/harness/%.c,$(BUILD)/tests/harness/%.o,$(sort $(wildcard tests/harness/*.c)))
TEST_PROGRAMS := $(patsubst tests/programs/%.c,$(BUILD)/tests/programs/%,$(sort $(wildcard tests/programs/*.c)))
# Some once more, linked with musl, where there is musl-gcc. It has no headers of the kernel's.
MUSL_PROGRAMS := $(if $(SANITIZE),,$(if $(shell command -v musl-gcc),$(addprefix $(BUILD)/musl/,actor \
	server threads tidy watcher)))
TEST_EXAMPLE := $(BUILD)/tests/harness_example/server
TEST_PLUGINS := $(patsubst tests/programs/plugins/%.c,$(BUILD)/tests/programs/%.so,$(sort $(wildcard tests/programs/plugins/*.c)))

.PHONY: all dist deb check-package lib32 lib32-check aarch64 aarch64-check demo check check-real install uninstall clean help FORCE
all: $(LIBRARY) $(COMMAND)

help:
	@echo 'make               build $(LIBRARY) and $(COMMAND)'
	@echo 'make lib32         build $(BUILD)/lib32/libsafeclose.so, for i386'
	@echo 'make aarch64       library and command for aarch64, in $(BUILD)/aarch64 (a cross compiler)'
	@echo 'make demo          the reset and its cure, captured on the wire (build/demo/*.pcap)'
	@echo 'make check         the tests, TEST_JOBS=3 at a time (ONLY="close ways": some);'
	@echo '                   installs cmocka and yajl where they are missing'
	@echo 'make check-real    real programs with the library; installs Debian packages where it may'
	@echo 'make bench         benchmarks: a table, and build/bench/results.{txt,svg}'
	@echo 'make soak          closes at full speed among forks and signals for SOAK_SECONDS=60;'
	@echo '                   with SANITIZE=thread under ThreadSanitizer'
	@echo 'make fuzz          what reads bytes of strangers, for FUZZ_SECONDS=60 each; needs clang'
	@echo 'make install       into $$DESTDIR$$LIBDIR and $$DESTDIR$$BINDIR'
	@echo '                   (PREFIX=$(PREFIX) LIBDIR=$(LIBDIR) BINDIR=$(BINDIR))'
	@echo 'make dist          $(BUILD)/libsafeclose-$(VERSION).tar.gz, the same bytes each time'
	@echo 'make deb           a Debian package in $(BUILD)/deb; make check-package tries it out'
	@echo 'make uninstall     take it away again'
	@echo 'make clean         remove build/'
	@echo 'V=1 shows the commands; CC, CFLAGS, LDFLAGS are honoured;'
	@echo 'SANITIZE=address,undefined or SANITIZE=thread builds with those, in a folder of its own'

# Everything depends on the flags it was built with.
FLAGS_NOW := $(CC)|$(CFLAGS) $(SMALL) $(HOT) $(WHOLE) $(UNWOUND)|$(LDFLAGS)|$(LIB_FLAGS)|$(CLI_FLAGS)|$(CLI_LIBS)|$(TEST_FLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' >$@

# What the command is told of this build: where the library will be, which version.
$(BUILD)/flags-cli: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CLI_SETTINGS))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(CLI_SETTINGS))' >$@

$(BUILD)/shim/%.o: shim/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(LIB_FLAGS) $(CFLAGS) $(SMALL) $(if $(filter $(HOT),$@),$(filter \
		-O%,$(CFLAGS)) $(patsubst -fno-%,-f%,$(filter -fno-shrink-wrap,$(SMALL)))) $(if $(SMALL),$(if $(filter $(UNWOUND),$@),-fasynchronous-unwind-tables,\
		-fno-asynchronous-unwind-tables $(WHOLE))) -c -o $@ $<

$(BUILD)/shim/%.o: shim/%.S $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,AS,$<)$(CC) $(LIB_FLAGS) $(CFLAGS) -c -o $@ $<

# What defines memcpy must not be made into calls of memcpy.
$(BUILD)/shim/string.o: LIB_FLAGS += -ffreestanding -fno-builtin \
	$(if $(IS_CLANG),,-fno-tree-loop-distribute-patterns)
$(BUILD)/shim/string.o: WHOLE :=

# Code, tables and names in one segment: two pages less of padding. It begins by .init_array alone, and
# needs nothing of what a compiler links before that.
$(LIBRARY): $(SHIM_OBJECTS) $(MAP)
	$(call say,LD,$@)$(CC) -shared -nostartfiles $(SAN_FLAGS) $(CFLAGS) $(if $(WHOLE),$(SMALL) \
		-fno-asynchronous-unwind-tables $(WHOLE)) -Wl,-soname,libsafeclose.so \
		-Wl,--version-script,$(MAP) -Wl,-z,now,-z,relro,-z,noexecstack,-z,noseparate-code,--hash-style=gnu \
		$(LDFLAGS) -o $@ $(SHIM_OBJECTS) -Wl,--push-state,--no-as-needed $(LIBDL) -Wl,--pop-state

$(BUILD)/shim/cli/%.o: shim/cli/%.c $(BUILD)/flags $(BUILD)/flags-cli
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CLI_FLAGS) $(CLI_SETTINGS) $(CFLAGS) -c -o $@ $<

# The table of the variables once more, with its help texts.
$(BUILD)/shim/cli/config.o: shim/config.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CLI_FLAGS) -DSC_CONFIG_HAS_HELP $(CFLAGS) -c -o $@ $<

$(COMMAND): $(CLI_OBJECTS)
	$(call say,LD,$@)$(CC) $(SAN_FLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(CLI_OBJECTS) $(CLI_LIBS) $(REPORT_LIBS)
	$(if $(HAS_YAJL),,@echo '  NOTE    $@ is without "report": that needs yajl (libyajl-dev); make check installs it')

$(BUILD)/demo/%.o: demo/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE_FLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/demo/demo: $(DEMO_OBJECTS)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/demo/server $(BUILD)/demo/client: $(BUILD)/demo/%: $(BUILD)/demo/%.o
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

demo: $(LIBRARY) $(DEMO_PROGRAMS)
	$(Q)$(BUILD)/demo/demo

$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TEST_FLAGS) $(CFLAGS) -c -o $@ $<

# A test names the library's objects that it links in a line "// LINK: a.o b.o", other libraries in a
# line "// LIBS: -lm"; a line "// HARNESS" links the end-to-end harness.
define test_rule
$(BUILD)/tests/$(1): $(BUILD)/tests/$(1).o \
	$(addprefix $(BUILD)/shim/,$(shell sed -n 's,^// LINK: *,,p' tests/$(1).c)) \
	$(if $(shell grep -l '^// HARNESS' tests/$(1).c),$(HARNESS_OBJECTS))
$(BUILD)/tests/$(1): TEST_LIBS := $(shell sed -n 's,^// LIBS: *,,p' tests/$(1).c)
endef
$(foreach name,$(TEST_NAMES),$(eval $(call test_rule,$(name))))
$(TESTS):
	$(call say,LD,$@)$(CC) $(SAN_FLAGS) $(CFLAGS) $(SAN_LINK) $(LDFLAGS) -o $@ $^ -lcmocka -lpthread $(TEST_LIBS)

$(BUILD)/tests/programs/actor: $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/programs/words/*.c)))
$(TEST_PROGRAMS): $(BUILD)/tests/programs/%: $(BUILD)/tests/programs/%.o
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lpthread -ldl

$(BUILD)/musl/actor: $(sort $(wildcard tests/programs/words/*.c))
$(BUILD)/musl/%: tests/programs/%.c tests/programs/musl.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,MUSL,$@)musl-gcc -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -g -include tests/programs/musl.h \
		$(addprefix -idirafter ,/usr/include /usr/include/$(shell $(CC) -print-multiarch)) \
		-o $@ $(filter %.c,$^)

$(TEST_EXAMPLE): $(BUILD)/%: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(BASE_FLAGS) $(CFLAGS) -O0 -g -rdynamic $(LDFLAGS) -o $@ $<

# A close through two libraries, none of which keeps a frame pointer.
$(BUILD)/tests/programs/chain.o $(BUILD)/tests/programs/inner.so $(BUILD)/tests/programs/outer.so: \
	override CFLAGS += -O2 -g -fomit-frame-pointer
$(TEST_PLUGINS): $(BUILD)/tests/programs/%.so: tests/programs/plugins/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(BASE_FLAGS) $(CFLAGS) -fPIC -shared $(LDFLAGS) -o $@ $<

check:
	$(Q)tests/get-library cmocka $(CC)
	$(Q)tests/get-library yajl $(CC)
	$(Q)$(MAKE) --no-print-directory $(LIBRARY) $(COMMAND) $(TESTS) $(TEST_PROGRAMS) \
		$(TEST_PLUGINS) $(TEST_EXAMPLE) $(MUSL_PROGRAMS)
	$(if $(SANITIZE),,$(Q)if echo 'int main(void){return 0;}' | \
		$(CC) -m32 -x c -o $(BUILD)/tests/builds32 - 2>/dev/null; then \
		$(MAKE) --no-print-directory lib32-check; fi)
	$(if $(SANITIZE)$(if $(ONLY),$(filter-out $(ONLY),aarch64)),,$(Q)if echo 'int main(void){return 0;}' | \
		$(AARCH64_CC) -x c -o $(BUILD)/tests/builds-aarch64 - 2>/dev/null; then \
		$(MAKE) --no-print-directory aarch64-check; fi)
	$(Q)tests/run $(if $(ONLY),$(ONLY:%=$(BUILD)/tests/test_%),$(TESTS))

# What other tests run of a library for another machine.
ELSEWHERE := actor chain handler inner.so outer.so server threads tidy watcher

# For i386, with a compiler of x86-64. Debian's kernel headers are those of x86-64 too.
LIB32 := $(MAKE) --no-print-directory BUILD=$(BUILD)/lib32 CC='$(CC) -m32' CFLAGS='$(CFLAGS) -Wno-psabi \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)'
lib32:
	$(Q)$(LIB32) $(BUILD)/lib32/libsafeclose.so
lib32-check:
	$(Q)$(LIB32) $(addprefix $(BUILD)/lib32/,libsafeclose.so \
		$(addprefix tests/programs/,$(ELSEWHERE)))

# Debian's. The tests' programs are run by qemu-user.
AARCH64_CC ?= aarch64-linux-gnu-gcc
AARCH64 := $(MAKE) --no-print-directory BUILD=$(BUILD)/aarch64 CC='$(AARCH64_CC)'
aarch64:
	$(Q)$(AARCH64) $(addprefix $(BUILD)/aarch64/,libsafeclose.so safeclose)
aarch64-check:
	$(Q)$(AARCH64) $(addprefix $(BUILD)/aarch64/,libsafeclose.so $(addprefix tests/programs/,$(ELSEWHERE) wiped))

check-real: $(LIBRARY)
	$(Q)tests/real/run $(LIBRARY)

include tests/bench/bench.mk
include tests/fuzz/fuzz.mk

install: $(LIBRARY) $(COMMAND)
	install -d '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(MANDIR)/man1' \
		'$(DESTDIR)$(MANDIR)/man7' '$(DESTDIR)$(COMPLETIONDIR)'
	install -m 755 $(LIBRARY) '$(DESTDIR)$(LIBDIR)/libsafeclose.so'
	install -m 755 $(COMMAND) '$(DESTDIR)$(BINDIR)/safeclose'
	install -m 644 shim/man/safeclose.1 '$(DESTDIR)$(MANDIR)/man1/safeclose.1'
	install -m 644 shim/man/libsafeclose.7 '$(DESTDIR)$(MANDIR)/man7/libsafeclose.7'
	install -m 644 shim/completion/safeclose '$(DESTDIR)$(COMPLETIONDIR)/safeclose'

uninstall:
	rm -f '$(DESTDIR)$(LIBDIR)/libsafeclose.so' '$(DESTDIR)$(BINDIR)/safeclose' \
		'$(DESTDIR)$(MANDIR)/man1/safeclose.1' '$(DESTDIR)$(MANDIR)/man7/libsafeclose.7' \
		'$(DESTDIR)$(COMPLETIONDIR)/safeclose'

# Twice the same bytes: sorted, of nobody, of the time of the last commit.
EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)
TARBALL := $(BUILD)/libsafeclose-$(VERSION).tar.gz
dist:
	@mkdir -p $(BUILD)
	$(call say,TAR,$(TARBALL))git ls-files -z | LC_ALL=C sort -z | tar --null -T - -c --format=ustar \
		--owner=0 --group=0 --numeric-owner --mode=u+w,go-w,a+rX --mtime=@$(EPOCH) \
		--transform='s,^,libsafeclose-$(VERSION)/,' | gzip -9n >$(TARBALL)

deb: dist
	$(Q)shim/debian/package $(TARBALL) $(VERSION) $(EPOCH) $(BUILD)/deb

check-package:
	$(Q)tests/package/run

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
