/*
 * --engine check[,ENGINE][,seed=N][,chunk=N][,after=N]: two machines from one command line, one on ENGINE (jit) and one
 * on the reference, run for chunks of random length, up to `chunk` instructions; from instruction `after` on, one at a
 * time. Registers and CSRs are compared after each chunk, memory now and then and at the end. Main thread.
 */
#include "frontend/run/check.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/debug.h>
#include <biscuit/machine.h>

#include "frontend/run/guest.h"
#include "frontend/run/machine.h"
#include "frontend/run/message.h"
#include "frontend/run/now.h"
#include "frontend/run/run.h"
#include "frontend/run/translations.h"

#define SIDES		2
#define SLOTS		64
#define CSRS		4096
#define CHUNKS_A_MEMORY 512
#define PIECE		65536

struct side {
	const char *engine;
	struct guest guest;
	struct bis_machine *machine;
	bool stopped;
	int status;
};

struct check {
	const struct run_options *o;
	struct side side[SIDES]; /* under test, reference */
	char *words;		 /* of the option */
	struct translations *translations;
	uint64_t seed, chunk, after, at, last;
	int64_t deadline_ms; /* of now_ms(); -1: none */
	uint16_t csr[CSRS];  /* numbers of those that exist */
	unsigned csrs;
	uint8_t piece[SIDES][PIECE];
};

bool check_is_meant(const char *engine)
{
	return engine && !strncmp(engine, "check", 5) && (!engine[5] || engine[5] == ',');
}

static int parse(struct check *c, const char *text)
{
	char *save, *end = NULL;

	c->words = strdup(text);
	if (!c->words)
		return bis_fail(ENOMEM, "--engine: out of memory");
	for (char *w = strtok_r(c->words + 5, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		char *value = strchr(w, '=');
		uint64_t n = value ? strtoull(value + 1, &end, 0) : 0;

		if (!value)
			c->side[0].engine = w;
		else if (!strncmp(w, "seed=", 5))
			c->seed = n;
		else if (!strncmp(w, "chunk=", 6) && n)
			c->chunk = n;
		else if (!strncmp(w, "after=", 6))
			c->after = n;
		else
			return bis_fail(EINVAL, "--engine check takes an engine, seed=N, chunk=N and after=N");
	}
	return 0;
}

static int build(struct check *c, struct side *s)
{
	struct run_options o = *c->o;
	struct bis_module *console;
	int err = guest_choose(&o, &s->guest);

	o.engine = s->engine;
	o.clock = BIS_CLOCK_VIRTUAL;
	o.harts = 1;
	o.repeatable = true;
	if (s != c->side)
		o.console = "null";
	if (!err)
		err = machine_create(&o, s->guest.isa, NULL, s == c->side ? c->translations : NULL, NULL, &s->machine);
	if (!err)
		err = machine_add_console(s->machine, &o, &console);
	if (!err)
		err = machine_add_modules(s->machine, &o, &s->guest);
	if (!err)
		err = guest_load(&s->guest, s->machine, &o);
	return err ? err : bis_machine_start_paused(s->machine);
}

static struct bis_hart *hart(const struct check *c, unsigned side)
{
	return bis_machine_hart(c->side[side].machine, 0);
}

/* Runs until as many instructions have retired as are to be compared, or the machine stops. -ETIMEDOUT: --timeout. */
static int advance(struct check *c, struct side *s)
{
	struct bis_break stop = {.kind = BIS_BREAK_INSTRET, .address = c->at, .once = true};
	enum bis_stop_reason why;
	unsigned id;
	int err = bis_break_add(s->machine, &stop, &id);

	if (!err)
		err = bis_machine_resume(s->machine);
	while (!err) {
		err = bis_machine_join(s->machine, 0, &why, &s->status);
		if (!err) { /* a reset ends the comparison like a stop */
			s->stopped = true;
			return 0;
		}
		if (err != -ETIMEDOUT || (c->deadline_ms >= 0 && now_ms() >= c->deadline_ms))
			return err;
		err = 0;
		if (bis_machine_state(s->machine) == BIS_PAUSED)
			return 0;
		sched_yield();
	}
	return err;
}

/* --- Comparing --- */

static void find_csrs(struct check *c)
{
	uint64_t v;

	for (unsigned i = 0; i < CSRS; i++)
		if (!bis_hart_csr_get(hart(c, 0), i, &v))
			c->csr[c->csrs++] = (uint16_t)i;
}

static bool differ(const char *name, uint64_t tested, uint64_t reference)
{
	if (tested == reference)
		return false;
	printf("check: %s is 0x%016" PRIx64 ", but 0x%016" PRIx64 " on the reference\n", name, tested, reference);
	return true;
}

static bool registers_differ(struct check *c)
{
	struct bis_hart *a = hart(c, 0), *b = hart(c, 1);
	bool found = differ("pc", bis_hart_pc(a), bis_hart_pc(b));
	uint64_t v[SIDES];
	char name[32];

	found |= differ("the privilege", bis_hart_priv(a), bis_hart_priv(b));
	found |= differ("the number of instructions", bis_hart_instret(a), bis_hart_instret(b));
	for (unsigned i = 0; i < SLOTS; i++) {
		snprintf(name, sizeof(name), "%c%u", i < SLOTS / 2 ? 'x' : 'f', i % (SLOTS / 2));
		found |= differ(name, bis_hart_reg(a, i), bis_hart_reg(b, i));
	}
	for (unsigned i = 0; i < c->csrs; i++) {
		v[0] = v[1] = 0;
		if (bis_hart_csr_get(a, c->csr[i], &v[0]) || bis_hart_csr_get(b, c->csr[i], &v[1]))
			continue;
		if (v[0] == v[1])
			continue;
		(void)bis_hart_csr_name(a, c->csr[i], name, sizeof(name));
		found |= differ(name, v[0], v[1]);
	}
	return found;
}

/* Compares memory; with `copy`, makes it alike instead: the device trees have a random seed each. */
static bool memory_differs(struct check *c, bool copy)
{
	struct bis_memory *m[SIDES] = {bis_machine_memory(c->side[0].machine), bis_machine_memory(c->side[1].machine)};
	struct bis_mem_region region;
	char name[32];

	for (size_t r = 0; !bis_mem_region(m[0], r, &region); r++) {
		for (uint64_t off = 0; off < region.size; off += PIECE) {
			size_t n = region.size - off < PIECE ? (size_t)(region.size - off) : PIECE, i = 0;
			bis_gpa at = {region.base.v + off};

			if (bis_mem_read(m[0], at, c->piece[0], n) || bis_mem_read(m[1], at, c->piece[1], n) ||
			    !memcmp(c->piece[0], c->piece[1], n))
				continue;
			if (copy && !bis_mem_write(m[1], at, c->piece[0], n))
				continue;
			while (c->piece[0][i] == c->piece[1][i])
				i++;
			snprintf(name, sizeof(name), "byte 0x%" PRIx64, at.v + i);
			return differ(name, c->piece[0][i], c->piece[1][i]);
		}
	}
	return false;
}

/* Instructions around where the last chunk that agreed ended. */
static void show(struct check *c, uint64_t pc)
{
	struct bis_hart *h = hart(c, 1);
	char text[96];
	uint32_t raw;
	bis_gpa pa;

	printf("check: between instructions %" PRIu64 " and %" PRIu64 "; the first of them:\n", c->last, c->at);
	for (unsigned i = 0; i < 16; i++) {
		if (bis_hart_translate(h, pc, &pa) ||
		    bis_mem_read_obj(bis_machine_memory(c->side[1].machine), pa, &raw))
			return;
		unsigned length = bis_disassemble(bis_hart_decoder(h), raw, pc, text, sizeof(text));

		printf("  %016" PRIx64 "  %s\n", pc, text);
		pc += length;
	}
}

static uint64_t draw(struct check *c)
{
	c->seed = c->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return c->seed >> 33;
}

static int run(struct check *c)
{
	uint64_t seed = c->seed;
	int err = 0;

	for (unsigned n = 1; !err; n++) {
		uint64_t pc = bis_hart_pc(hart(c, 1));

		c->last = c->at;
		c->at += c->last >= c->after ? 1 : 1 + draw(c) % c->chunk;
		for (unsigned i = 0; !err && i < SIDES; i++)
			err = advance(c, &c->side[i]);
		if (err)
			break;
		if (registers_differ(c) || c->side[0].stopped != c->side[1].stopped ||
		    c->side[0].status != c->side[1].status ||
		    ((c->side[0].stopped || n % CHUNKS_A_MEMORY == 0) && memory_differs(c, false))) {
			show(c, pc);
			printf("check: --engine check,%s,seed=%" PRIu64 ",chunk=%" PRIu64 ",after=%" PRIu64
			       " comes there again\n",
			       c->side[0].engine, seed, c->chunk, c->last);
			return RUN_STATUS_FAILED;
		}
		if (c->side[0].stopped) {
			message("%" PRIu64 " instructions are the same on %s and %s", bis_hart_instret(hart(c, 0)),
				c->side[0].engine, c->side[1].engine);
			return c->side[0].status & 0xff;
		}
	}
	return err == -ETIMEDOUT ? message_timeout(c->o->timeout_ms) : message_error();
}

int check_guest(const struct run_options *o)
{
	struct check *c = calloc(1, sizeof(*c));
	int err, status;

	if (!c)
		return RUN_STATUS_FAILED;
	*c = (struct check){.o = o, .seed = 1, .chunk = 5000, .after = UINT64_MAX, .deadline_ms = -1};
	c->side[0].engine = "jit";
	c->side[1].engine = "interp";
	err = parse(c, o->engine);
	if (!err && o->harts > 1)
		err = bis_fail(EINVAL, "--engine check takes a machine with one hart");
	if (!err)
		err = translations_open(o, &c->translations);
	for (unsigned i = 0; !err && i < SIDES; i++)
		err = build(c, &c->side[i]);
	if (!err)
		find_csrs(c);
	if (!err)
		(void)memory_differs(c, true);
	if (!err && o->timeout_ms >= 0)
		c->deadline_ms = now_ms() + o->timeout_ms;
	status = err ? message_error() : run(c);
	if (!err && o->jit_stats)
		translations_summarise(c->side[0].machine);
	fflush(stdout);
	for (unsigned i = 0; i < SIDES; i++) {
		bis_machine_destroy(c->side[i].machine);
		guest_free(&c->side[i].guest);
	}
	translations_close(c->translations);
	free(c->words);
	free(c);
	return status;
}
