/*
 * --jit-dump: each translated block as text: guest instructions, each with its operations, then the bytes of the host's
 * code, which `xxd -r -p | objdump -D -b binary -m i386:x86-64 -` makes readable. --jit-perf: the map of addresses that
 * perf looks for in /tmp. translations_tell runs on harts' threads.
 */
#include "frontend/run/translations.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/debug.h>

#include "frontend/run/message.h"

#define BYTES_A_LINE 32

struct translations {
	pthread_mutex_t lock; /* guards both files */
	FILE *dump, *map;
};

static int open_file(const char *option, const char *path, FILE **out)
{
	*out = fopen(path, "we");
	return *out ? 0 : bis_fail(errno, "%s: %s: %s", option, path, strerror(errno));
}

int translations_open(const struct run_options *o, struct translations **out)
{
	struct translations *t;
	char path[64];
	int err = 0;

	if (!o->jit_dump && !o->jit_perf)
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		return bis_fail(ENOMEM, "--jit-dump: out of memory");
	pthread_mutex_init(&t->lock, NULL);
	snprintf(path, sizeof(path), "/tmp/perf-%ld.map", (long)getpid());
	if (o->jit_dump)
		err = open_file("--jit-dump", o->jit_dump, &t->dump);
	if (!err && o->jit_perf)
		err = open_file("--jit-perf", path, &t->map);
	if (err) {
		translations_close(t);
		return err;
	}
	*out = t;
	return 0;
}

void translations_close(struct translations *t)
{
	if (!t)
		return;
	if (t->dump)
		fclose(t->dump);
	if (t->map)
		fclose(t->map);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static const char *kind_of(const struct bis_translation_code *c)
{
	return c->loop ? "loop" : c->trace ? "trace" : "block";
}

static void dump(FILE *f, const struct bis_translation *t, const struct bis_translation_code *c)
{
	const uint8_t *bytes = c->code;
	char text[160];
	uint64_t pa;

	fprintf(f, "%s %016" PRIx64 ", %zu instructions, %zu bytes at %016" PRIx64 "\n", kind_of(c), c->pa,
		bis_translation_insns(t), c->size, c->address);
	for (size_t i = 0; !bis_translation_guest(t, i, &pa, text, sizeof(text)); i++) {
		fprintf(f, "%016" PRIx64 "  %s\n", pa, text);
		for (size_t k = 0; !bis_translation_operation(t, i, k, text, sizeof(text)); k++)
			fprintf(f, "\t\t\t\t%s\n", text);
	}
	for (size_t i = 0; i < c->size; i++)
		fprintf(f, "%s%02x", i % BYTES_A_LINE ? "" : "\n", bytes[i]);
	fputs("\n\n", f);
}

void translations_tell(void *arg, const struct bis_translation *t)
{
	struct translations *to = arg;
	struct bis_translation_code c;

	bis_translation_code(t, &c);
	pthread_mutex_lock(&to->lock);
	if (to->dump)
		dump(to->dump, t, &c);
	if (to->map && c.size)
		fprintf(to->map, "%" PRIx64 " %zx guest-%s-%" PRIx64 "\n", c.address, c.size, kind_of(&c), c.pa);
	pthread_mutex_unlock(&to->lock);
}

void translations_summarise(struct bis_machine *m)
{
	struct bis_hart_counters c;

	for (unsigned i = 0; i < bis_machine_harts(m); i++) {
		bis_hart_counters(bis_machine_hart(m, i), &c);
		message("hart %u: %" PRIu64 " instructions; %" PRIu64 " translations, %" PRIu64
			" of them traces, %" PRIu64 " dropped; %" PRIu64 " KiB of code, flushed %" PRIu64
			" times; %" PRIu64 " TLB fills",
			i, c.instret, c.blocks_translated, c.traces_translated, c.blocks_dropped, c.code_bytes / 1024,
			c.code_flushes, c.tlb_fills);
	}
}
