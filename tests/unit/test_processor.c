/*
 * A foreign processor beside a RISC-V hart: a stack machine of its own kind, which talks to a peripheral through a
 * channel. The peripheral is a register window, and the RISC-V guest gives it numbers to work on.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include <biscuit/channel.h>

#include "tests/unit/rig.h"

/* --- The peripheral: write a number at 0, read the answer at 8 when the word at 16 is 1; there, 2 means that none
 * comes --- */

struct desk {
	struct bis_channel *mine, *theirs; /* the second end is handed to the processor */
	uint64_t answer;
};

static enum bis_bus_result desk_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	struct desk *d = self;
	int err;

	(void)size;
	if (off == 8) {
		*val = d->answer;
		return BIS_BUS_OK;
	}
	err = bis_channel_try_recv(d->mine, &d->answer);
	*val = err == 0 ? 1 : err == -EPIPE ? 2 : 0;
	return BIS_BUS_OK;
}

static enum bis_bus_result desk_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	struct desk *d = self;

	(void)off;
	(void)size;
	return bis_channel_send(d->mine, &val, 0) == -EAGAIN ? BIS_BUS_FAULT : BIS_BUS_OK;
}

static int desk_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct desk *d = calloc(1, sizeof(*d));
	int err;

	(void)mod;
	(void)options;
	if (!d)
		return bis_fail(ENOMEM, "no memory");
	err = bis_channel_create(sizeof(uint64_t), 4, &d->mine, &d->theirs);
	if (err) {
		free(d);
		return err;
	}
	*self = d;
	return 0;
}

static int desk_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops ops = {
		.size = 32, .min_access = 8, .max_access = 8, .read = desk_read, .write = desk_write};

	(void)self;
	return bis_attach_mmio(mod, &ops);
}

static void desk_destroy(void *self)
{
	struct desk *d = self;

	bis_channel_destroy(d->mine);
	if (d->theirs)
		bis_channel_destroy(d->theirs);
	free(d);
}

static const struct bis_module_class desk_class = {.abi = BIS_MODULE_ABI,
						   .name = "desk",
						   .summary = "takes numbers and gives answers",
						   .create = desk_create,
						   .attach = desk_attach,
						   .destroy = desk_destroy};

/* --- The processor --- */

enum stack_op { RECV, SEND, PUSH1, DUP, OVER, SWAP, MULTIPLY, DECREMENT, LOOP_IF, DROP, AGAIN };

/* For each number received, sends its factorial. */
static const uint8_t factorial[] = {RECV, PUSH1,   OVER, MULTIPLY, SWAP, DECREMENT, SWAP,
				    OVER, LOOP_IF, 2,	 SWAP,	   DROP, SEND,	    AGAIN};

struct stack_machine {
	struct bis_module *mod;
	struct bis_channel *line;
	const uint8_t *code;
	unsigned pc, sp;
	uint64_t stack[8];
	_Atomic unsigned runs;
};

/* Executes one operation; false if it has to wait for the other side, or there is none any more. */
static bool execute(struct stack_machine *s)
{
	uint64_t *top = &s->stack[s->sp], swap; /* the next free place */

	switch ((enum stack_op)s->code[s->pc]) {
	case RECV:
		if (bis_channel_recv(s->line, top, 1))
			return false;
		s->sp++;
		break;
	case SEND:
		if (bis_channel_send(s->line, top - 1, 1))
			return false;
		s->sp--;
		break;
	case PUSH1:
		*top = 1;
		s->sp++;
		break;
	case DUP:
		*top = top[-1];
		s->sp++;
		break;
	case OVER:
		*top = top[-2];
		s->sp++;
		break;
	case SWAP:
		swap = top[-1];
		top[-1] = top[-2];
		top[-2] = swap;
		break;
	case MULTIPLY:
		top[-2] *= top[-1];
		s->sp--;
		break;
	case DECREMENT:
		top[-1]--;
		break;
	case LOOP_IF:
		s->sp--;
		s->pc = top[-1] ? s->code[s->pc + 1] : s->pc + 2;
		return true;
	case DROP:
		s->sp--;
		break;
	case AGAIN:
		s->pc = 0;
		return true;
	}
	s->pc++;
	return true;
}

static void stack_run(void *self)
{
	struct stack_machine *s = self;

	atomic_fetch_add(&s->runs, 1);
	while (!bis_processor_should_stop(s->mod))
		execute(s);
}

static int stack_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct bis_module *peer = bis_machine_find(bis_module_machine(mod), "desk");
	struct desk *desk = peer ? bis_module_self(peer) : NULL;
	struct stack_machine *s;

	(void)options;
	if (!desk || !desk->theirs)
		return bis_fail(ENOENT, "%s: needs a desk that is free", bis_module_name(mod));
	s = calloc(1, sizeof(*s));
	if (!s)
		return bis_fail(ENOMEM, "no memory");
	s->mod = mod;
	s->code = factorial;
	s->line = desk->theirs;
	desk->theirs = NULL;
	*self = s;
	return 0;
}

static int stack_attach(struct bis_module *mod, void *self)
{
	static const struct bis_processor_ops ops = {.run = stack_run};
	int err = bis_attach_processor(mod, &ops);

	(void)self;
	if (!err && bis_attach_processor(mod, &ops) != -EEXIST)
		return bis_fail(EINVAL, "a second processor was accepted");
	return err;
}

static void stack_destroy(void *self)
{
	struct stack_machine *s = self;

	bis_channel_destroy(s->line);
	free(s);
}

static const struct bis_module_class stack_class = {.abi = BIS_MODULE_ABI,
						    .name = "stack",
						    .summary = "a stack machine",
						    .create = stack_create,
						    .attach = stack_attach,
						    .destroy = stack_destroy};

static struct bis_machine *processor_create(struct stack_machine **out)
{
	const struct bis_module_class *classes[64] = {&desk_class, &stack_class};
	struct bis_machine *m;

	for (size_t i = 0; bis_builtin_modules[i] && i < 29; i++)
		classes[i + 2] = bis_builtin_modules[i];
	m = rig_create_with("rv64", 1, classes);
	rig_add(m, "riscv");
	assert_fails(bis_machine_add(m, "stack", NULL), -ENOENT, "stack: needs a desk that is free");
	rig_add(m, "desk,at=0x20000000");
	*out = bis_module_self(rig_add(m, "stack"));
	return m;
}

/* --- The RISC-V side: asks for the factorials of 1 to 12, again and again, and stores them --- */

static const uint32_t asker[] = {
	LI(S0, 1),	 MV(S1, A3),	    SD(S0, 0, A4),   /* 0x08 */
	LD(T0, 16, A4),	 BEQ(T0, ZERO, -4), SD(T0, 128, A3), /* 1: answered, 2: nobody there any more */
	LD(T1, 8, A4),	 SD(T1, 0, S1),	    ADDI(S1, S1, 8),
	ADDI(S0, S0, 1), BLTU(S0, A5, -32), LD(T2, 120, A3), /* rounds */
	ADDI(T2, T2, 1), SD(T2, 120, A3),   J(-56),
};

static void start_asking(struct bis_machine *m)
{
	RIG_LOAD(m, RIG_CODE, asker);
	rig_start_paused(m);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
	bis_hart_set_reg(rig_hart(m), A3, RIG_DATA);
	bis_hart_set_reg(rig_hart(m), A4, 0x20000000);
	bis_hart_set_reg(rig_hart(m), A5, 13);
}

static void wait_for_rounds(struct bis_machine *m, uint64_t more)
{
	uint64_t before = rig_get64(m, RIG_DATA + 120);

	rig_wait_for(rig_get64(m, RIG_DATA + 120) >= before + more);
}

static void check_answers(struct bis_machine *m)
{
	uint64_t want = 1;

	for (unsigned n = 1; n <= 12; n++) {
		want *= n;
		assert_int_equal(rig_get64(m, RIG_DATA + 8 * (n - 1)), want);
	}
}

static void a_processor_works_for_a_hart(void **state)
{
	struct stack_machine *s;
	struct bis_machine *m = processor_create(&s);

	(void)state;
	start_asking(m);
	assert_ok(bis_machine_resume(m));
	wait_for_rounds(m, 2);
	check_answers(m);
	bis_machine_destroy(m);
}

/* It stands still while the machine does, and goes on where it was. */
static void it_pauses_with_the_machine(void **state)
{
	struct stack_machine *s;
	struct bis_machine *m = processor_create(&s);
	unsigned runs;

	(void)state;
	start_asking(m);
	runs = atomic_load(&s->runs);
	for (unsigned i = 0; i < 20; i++) {
		unsigned pc, sp;

		assert_ok(bis_machine_resume(m));
		runs++;
		rig_wait_for(atomic_load(&s->runs) == runs);
		assert_ok(bis_machine_pause(m));
		pc = s->pc;
		sp = s->sp;
		for (unsigned k = 0; k < 100; k++)
			sched_yield();
		assert_int_equal(s->pc, pc);
		assert_int_equal(s->sp, sp);
	}
	assert_ok(bis_machine_resume(m));
	wait_for_rounds(m, 1);
	check_answers(m);
	bis_machine_destroy(m);
}

/* The processor goes while the machine runs: the peripheral is told, and the guest goes on. */
static void it_can_be_removed(void **state)
{
	struct stack_machine *s;
	struct bis_machine *m = processor_create(&s);

	(void)state;
	start_asking(m);
	assert_ok(bis_machine_resume(m));
	wait_for_rounds(m, 1);
	assert_int_equal(rig_get64(m, RIG_DATA + 128), 1);
	assert_ok(bis_machine_remove(m, bis_machine_find(m, "stack")));
	rig_wait_for(rig_get64(m, RIG_DATA + 128) == 2);
	wait_for_rounds(m, 2);
	assert_ok(bis_machine_remove(m, bis_machine_find(m, "desk")));
	rig_add(m, "desk,at=0x20000000");
	rig_add(m, "stack");
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_processor_works_for_a_hart),
		cmocka_unit_test(it_pauses_with_the_machine),
		cmocka_unit_test(it_can_be_removed),
	};

	return cmocka_run_group_tests_name("processor", tests, NULL, NULL);
}
