/*
 * A session of the gdb server in tests, packet by packet: what is asked and what it answers; and a guest that loops
 * through a trap.
 */
#ifndef BISCUIT_UNIT_GDB_RIG_H
#define BISCUIT_UNIT_GDB_RIG_H

#include "frontend/gdb/gdb.h"
#include "frontend/gdb/session.h"
#include "tests/unit/debug_rig.h"

#define OUT_BYTES 0x40000

struct fixture {
	struct bis_machine *m;
	struct debug *d;
	struct gdb_session *s;
	char out[OUT_BYTES]; /* what the session has sent */
	size_t len;
	char answer[OUT_BYTES]; /* the last packet in it, without its frame */
};

static inline void keep(void *arg, const void *bytes, size_t len)
{
	struct fixture *f = arg;

	assert_true(len < OUT_BYTES - f->len);
	memcpy(f->out + f->len, bytes, len);
	f->len += len;
	f->out[f->len] = '\0';
}

static inline void open_session(struct fixture *f)
{
	struct gdb_link link = {.send = keep, .arg = f};

	assert_ok(gdb_session_create(f->d, &link, &f->s));
	f->s->no_ack = true;
}

static inline int setup_with(void **state, const char *isa, unsigned harts)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = rig_create(isa, harts);
	rig_start_paused(f->m);
	assert_ok(debug_create(f->m, &f->d));
	open_session(f);
	*state = f;
	return 0;
}

static inline int setup(void **state)
{
	return setup_with(state, "rv64", 2);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	gdb_session_destroy(f->s, false);
	debug_destroy(f->d);
	bis_machine_destroy(f->m);
	free(f);
	return 0;
}

static inline void feed(struct fixture *f, const char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char tail[3] = "#";
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + (uint8_t)data[i]);
	tail[1] = digits[sum >> 4];
	tail[2] = digits[sum & 15];
	f->len = 0;
	f->out[0] = '\0';
	gdb_session_input(f->s, "$", 1);
	gdb_session_input(f->s, data, len);
	gdb_session_input(f->s, tail, 3);
}

/* The last packet that was sent; fails if there is none. */
static inline const char *last(struct fixture *f)
{
	const char *start = strrchr(f->out, '$'), *end = start ? strchr(start, '#') : NULL;

	assert_non_null(end);
	memcpy(f->answer, start + 1, (size_t)(end - start - 1));
	f->answer[end - start - 1] = '\0';
	return f->answer;
}

static inline const char *ask(struct fixture *f, const char *packet)
{
	feed(f, packet, strlen(packet));
	return last(f);
}

#define assert_answer(f, packet, text) assert_string_equal(ask(f, packet), text)
#define assert_begins(text, words)     assert_memory_equal(text, words, strlen(words))

/* Asks for something that ends with a stop, and waits for it. */
static inline const char *go(struct fixture *f, const char *packet)
{
	enum bis_stop_reason why;
	int status;

	feed(f, packet, strlen(packet));
	while (f->s->running) {
		if (bis_machine_join(f->m, 1, &why, &status) == 0)
			assert_int_not_equal(why, BIS_STOP_ERROR);
		(void)gdb_session_events(f->s, true);
	}
	return last(f);
}

/* Counts in a0, stores it to (s0), loads it, makes a call of the environment; the handler is at 0x40. */
static const uint32_t loop[] = {
	ADDI(A0, A0, 1), /* 0 */
	SD(A0, 0, S0),	 /* 4 */
	LD(A1, 0, S0),	 /* 8 */
	ECALL,		 /* c */
	J(-16),		 /* 10 */
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	CSRR(T0, CSR_MEPC), /* 40 */
	ADDI(T0, T0, 4),
	CSRW(CSR_MEPC, T0), /* 44, 48 */
	MRET,		    /* 4c */
};

static inline void start_loop(struct fixture *f)
{
	RIG_LOAD(f->m, RIG_CODE, loop);
	for (unsigned i = 0; i < bis_machine_harts(f->m); i++) {
		struct bis_hart *h = bis_machine_hart(f->m, i);

		bis_hart_set_reg(h, S0, RIG_DATA + 64 * i);
		bis_hart_set_reg(h, A0, 0);
		bis_hart_set_pc(h, RIG_CODE);
		assert_ok(bis_hart_csr_set(h, CSR_MTVEC, RIG_CODE + 0x40));
	}
}

static inline uint64_t pc_of(struct fixture *f, unsigned hart)
{
	return bis_hart_pc(bis_machine_hart(f->m, hart)) - RIG_CODE;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
