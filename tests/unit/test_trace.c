/*
 * The observer of a machine, <biscuit/trace.h>: what it is told of, in which order, and what it is not told of. What it
 * is told is written down as text, a line a thing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/trace.h>

#include "magicfs/mfs.h"
#include "tests/unit/probe.h"

#define WINDOW	 UINT64_C(0x20000000)
#define HANDLER	 (RIG_CODE + 0x1000)
#define CSR_SLOT 0x5f0 /* register 0 of native slot 6 */

static const struct bis_module_class probe_m = PROBE_CLASS("probe-m", 0), probe_n = PROBE_CLASS("probe-n", 0);

struct notes {
	char text[4096];
	size_t len;
	_Atomic unsigned samples;
};

static void BIS_PRINTF(2, 3) note(struct notes *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	n->len += (size_t)vsnprintf(n->text + n->len, sizeof(n->text) - n->len, fmt, ap);
	va_end(ap);
	assert_true(n->len < sizeof(n->text));
}

static unsigned offset(uint64_t pc)
{
	return (unsigned)(pc - RIG_CODE);
}

static void on_trap(void *arg, struct bis_hart *h, const struct bis_trap_seen *s)
{
	note(arg, "%x %s %" PRIu64 " tval %" PRIx64 " from %d to %d %x%s\n", offset(s->pc),
	     s->interrupt ? "interrupt" : "exception", s->cause, s->tval, s->from, bis_hart_priv(h),
	     offset(bis_hart_pc(h)), s->handled ? " handled" : "");
}

static void on_csr(void *arg, struct bis_hart *h, const struct bis_csr_seen *s)
{
	(void)h;
	note(arg, "%x csr %x", offset(s->pc), s->number);
	if (s->old_known)
		note(arg, " was %" PRIx64, s->old);
	if (s->written)
		note(arg, " now %" PRIx64, s->value);
	note(arg, "\n");
}

static void on_mmio(void *arg, struct bis_hart *h, const struct bis_mmio_seen *s)
{
	(void)h;
	note(arg, "%x %s%u %s slot %d +%" PRIx64 " at %" PRIx64 " = %" PRIx64 "\n", offset(s->pc),
	     s->write ? "write" : "read", s->width, s->module ? s->module : "(empty)", s->slot, s->offset, s->address,
	     s->value);
}

static void on_fs(void *arg, const struct bis_fs_seen *s)
{
	note(arg, "%s %s %s", s->share, s->operation, s->path ? s->path : "(nameless)");
	if (s->other)
		note(arg, " %s", s->other);
	if (s->has_range)
		note(arg, " @%" PRIu64 "+%" PRIu64, s->offset, s->length);
	note(arg, " = %" PRId64 "\n", s->result);
}

static struct bis_machine *create(struct notes *n, struct bis_observer observer)
{
	static const struct bis_module_class *classes[64];
	struct bis_machine_config cfg = {
		.ram_size = RIG_RAM_SIZE, .isa = "rv64gc", .classes = classes, .observer = observer};
	struct bis_machine *m = NULL;
	size_t count = 0;

	for (; bis_builtin_modules[count] && count < BIS_ARRAY_SIZE(classes) - 3; count++)
		classes[count] = bis_builtin_modules[count];
	classes[count] = &probe_m;
	classes[count + 1] = &probe_n;
	cfg.observer.arg = n;
	assert_ok(bis_machine_create(&cfg, &m));
	rig_add(m, "riscv");
	rig_add(m, "sv");
	return m;
}

static void begins(struct bis_machine *m, struct notes *n)
{
	static const uint32_t handler[] = {CSRR(A5, CSR_MEPC), ADDI(A5, A5, 4), CSRW(CSR_MEPC, A5), MRET};

	RIG_LOAD(m, HANDLER, handler);
	rig_start_paused(m);
	rig_set_csr(m, CSR_MTVEC, HANDLER);
	n->len = 0;
	n->text[0] = '\0';
}

/* --- Traps --- */

static void tells_of_traps_with_their_pc_and_privileges(void **state)
{
	static const uint32_t code[] = {ECALL, ILLEGAL, LD(A0, 0, ZERO), NOP};
	struct notes n = {.len = 0};
	struct bis_machine *m = create(&n, (struct bis_observer){.trap = on_trap});

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	begins(m, &n);
	rig_step_at(m, RIG_CODE, 13);
	assert_string_equal(n.text, "0 exception 11 tval 0 from 3 to 3 1000\n"
				    "4 exception 2 tval 0 from 3 to 3 1000\n"
				    "8 exception 5 tval 0 from 3 to 3 1000\n");
	n.len = 0;
	rig_set_csr(m, CSR_MEDELEG, 1 << BIS_CAUSE_ECALL_U);
	rig_set_csr(m, 0x105, HANDLER);
	rig_set_csr(m, CSR_PMPADDR0, UINT64_MAX >> 10);
	rig_set_csr(m, CSR_PMPCFG0, 0x1f);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_U);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
	assert_ok(bis_machine_step_once(m, 1));
	assert_string_equal(n.text, "0 exception 8 tval 0 from 0 to 1 1000\n");
	bis_machine_destroy(m);
}

static void tells_of_interrupts(void **state)
{
	static const uint32_t code[] = {NOP, NOP, NOP};
	struct notes n = {.len = 0};
	struct bis_machine *m = create(&n, (struct bis_observer){.trap = on_trap});

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	begins(m, &n);
	rig_set_csr(m, CSR_MSTATUS, 8);
	rig_set_csr(m, CSR_MIE, 8);
	bis_hart_set_pc(rig_hart(m), RIG_CODE + 4);
	bis_hart_set_line(rig_hart(m), BIS_LINE_MSIP, true);
	assert_ok(bis_machine_step(m, 1));
	assert_string_equal(n.text, "4 interrupt 3 tval 0 from 3 to 3 1000\n");
	bis_machine_destroy(m);
}

static bool skip_call(void *self, struct bis_hart *h, uint64_t cause, uint64_t tval)
{
	(void)self;
	(void)cause;
	(void)tval;
	bis_hart_set_pc(h, bis_hart_pc(h) + 4);
	return true;
}

static int skipper_attach(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_trap(mod, UINT64_C(1) << BIS_CAUSE_ECALL_M, skip_call);
}

static int skipper_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	*self = mod;
	return 0;
}

static void skipper_destroy(void *self)
{
	(void)self;
}

static void says_which_traps_a_module_has_handled(void **state)
{
	static const struct bis_module_class skipper = {.abi = BIS_MODULE_ABI,
							.name = "skipper",
							.summary = "skips calls",
							.create = skipper_create,
							.attach = skipper_attach,
							.destroy = skipper_destroy};
	const struct bis_module_class *classes[64] = {&skipper};
	static const uint32_t code[] = {ECALL, NOP};
	struct notes n = {.len = 0};
	struct bis_machine_config cfg = {
		.ram_size = RIG_RAM_SIZE, .classes = classes, .observer = {.arg = &n, .trap = on_trap}};
	struct bis_machine *m = NULL;

	(void)state;
	for (size_t i = 0; bis_builtin_modules[i]; i++)
		classes[i + 1] = bis_builtin_modules[i];
	assert_ok(bis_machine_create(&cfg, &m));
	rig_add(m, "riscv");
	rig_add(m, "skipper");
	RIG_LOAD(m, RIG_CODE, code);
	begins(m, &n);
	rig_step_at(m, RIG_CODE, 1);
	assert_string_equal(n.text, "0 exception 11 tval 0 from 3 to 3 4 handled\n");
	bis_machine_destroy(m);
}

/* --- CSRs --- */

static void tells_of_csr_instructions_with_old_and_new_value(void **state)
{
	static const uint32_t code[] = {
		LI(A0, 0x5a),
		CSRW(CSR_MSCRATCH, A0),	       /* 4 */
		CSRRSI(ZERO, CSR_MSCRATCH, 5), /* 8 */
		CSRRC(A1, CSR_MSCRATCH, A0),   /* c */
		CSRR(A2, CSR_MSCRATCH),	       /* 10 */
		CSRRW(A3, CSR_MTVEC, A0),      /* 14: vectored modes above 1 do not exist */
		CSRW(0x123, A0),	       /* 18: neither does this CSR */
	};
	struct notes n = {.len = 0};
	struct bis_machine *m = create(&n, (struct bis_observer){.csr = on_csr});

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	begins(m, &n);
	rig_step_at(m, RIG_CODE, 6);
	assert_string_equal(n.text, "4 csr 340 was 0 now 5a\n"
				    "8 csr 340 was 5a now 5f\n"
				    "c csr 340 was 5f now 5\n"
				    "10 csr 340 was 5\n"
				    "14 csr 305 was 80001000 now 58\n");
	n.len = 0;
	n.text[0] = '\0';
	bis_hart_set_pc(rig_hart(m), RIG_CODE + 0x18);
	assert_ok(bis_machine_step_once(m, 1));
	assert_string_equal(n.text, "");
	bis_machine_destroy(m);
}

/* To read a device's register may have an effect: it is not read for the observer's sake. */
static void reads_no_device_to_tell_of_a_write(void **state)
{
	static const uint32_t code[] = {LI(A0, 0x21), CSRW(CSR_SLOT, A0), CSRRS(A1, CSR_SLOT, ZERO)};
	struct notes n = {.len = 0};
	struct bis_machine *m = create(&n, (struct bis_observer){.csr = on_csr, .mmio = on_mmio});
	struct probe *p = bis_module_self(rig_add(m, "probe-n,slot=6"));

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	begins(m, &n);
	rig_step_at(m, RIG_CODE, 2);
	assert_int_equal(p->reads, 0);
	rig_step_at(m, RIG_CODE + 8, 1);
	assert_int_equal(p->reads, 1);
	assert_string_equal(n.text, "4 write8 probe-n slot 6 +0 at 5f0 = 21\n"
				    "4 csr 5f0 now 21\n"
				    "8 read8 probe-n slot 6 +0 at 5f0 = 21\n"
				    "8 csr 5f0 was 21\n");
	bis_machine_destroy(m);
}

/* --- Devices --- */

static void tells_of_accesses_that_reach_a_device(void **state)
{
	static const uint32_t code[] = {
		LUI(A0, WINDOW >> 12),	LI(A1, -1), SW(A1, 0, A0), /* 8 */
		LD(A2, 0, A0),					   /* c */
		LBU(A2, 0, A0),					   /* 10: the window takes four bytes at least */
		CSRR(A3, CSR_SLOT + 8),				   /* 14: an empty slot */
	};
	struct notes n = {.len = 0};
	struct bis_machine *m = create(&n, (struct bis_observer){.mmio = on_mmio, .trap = on_trap});

	(void)state;
	rig_add(m, "probe-m,at=0x20000000,name=uart");
	RIG_LOAD(m, RIG_CODE, code);
	begins(m, &n);
	rig_step_at(m, RIG_CODE, 4 + 4 + 1);
	assert_string_equal(n.text, "8 write4 uart slot -1 +0 at 20000000 = ffffffff\n"
				    "c read8 uart slot -1 +0 at 20000000 = ffffffff\n"
				    "10 exception 5 tval 20000000 from 3 to 3 1000\n"
				    "14 read8 (empty) slot 7 +0 at 5f8 = 0\n");
	bis_machine_destroy(m);
}

/* --- Shared file systems --- */

static void tells_of_what_is_done_in_a_share(void **state)
{
	char folder[] = "/tmp/biscuit-trace-XXXXXX", spec[96];
	struct notes n = {.len = 0};
	struct bis_machine *m = create(&n, (struct bis_observer){.fs = on_fs});
	struct mfs_node *root, *dir, *file;
	struct mfs_who who = {.uid = 1, .gid = 1};
	struct mfs *fs;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(spec, sizeof(spec), "share,path=%s,name=src", folder);
	rig_add(m, spec);
	assert_ok(mfs_find(m, "src", &fs));
	root = mfs_root(fs);
	assert_int_equal(mfs_mkdir(&(struct mfs_at){root, "d", false}, 0755, who), 0);
	assert_int_equal(mfs_lookup(&(struct mfs_at){root, "d", false}, &dir), 0);
	assert_int_equal(mfs_open(&(struct mfs_at){dir, "f", false}, MFS_READ_WRITE | MFS_CREATE, 0644, who, &file), 0);
	assert_int_equal(mfs_write(file, bis_machine_memory(m), &(struct bis_mem_range){{RIG_DATA}, 10}, 1, 3), 10);
	assert_int_equal(mfs_rename(&(struct mfs_at){dir, "f", false}, &(struct mfs_at){root, "g", false}, 0), 0);
	assert_int_equal(mfs_sync(file, true), 0);
	assert_int_equal(mfs_unlink(&(struct mfs_at){root, "/g", false}, false), 0);
	assert_int_equal(mfs_sync(file, true), 0);
	assert_int_equal(mfs_unlink(&(struct mfs_at){root, "..", false}, true), -ENOTEMPTY);
	assert_int_equal(mfs_unlink(&(struct mfs_at){root, "d", false}, true), 0);
	assert_string_equal(n.text, "src mkdir /d = 0\n"
				    "src lookup /d = 0\n"
				    "src open /d/f = 0\n"
				    "src write /d/f @3+10 = 10\n"
				    "src rename /d/f /g = 0\n"
				    "src sync /g = 0\n"
				    "src unlink /g = 0\n"
				    "src sync (nameless) = 0\n"
				    "src unlink /.. = -39\n"
				    "src unlink /d = 0\n");
	mfs_node_put(file);
	mfs_node_put(dir);
	mfs_node_put(root);
	mfs_put(fs);
	bis_machine_destroy(m);
	rmdir(folder);
}

/* --- Samples --- */

static void take_sample(void *arg, struct bis_hart *h)
{
	struct notes *n = arg;

	if (bis_hart_pc(h) == RIG_SPIN)
		atomic_fetch_add(&n->samples, 1);
}

/* A hart that executes answers; one that rests does so when it goes on, unless that was taken back. */
static void gives_samples_while_it_runs(void **state)
{
	struct notes n = {.len = 0};
	struct bis_machine *m = create(&n, (struct bis_observer){.arg = NULL});
	unsigned seen;

	(void)state;
	begins(m, &n);
	assert_true(bis_hart_ask_sample(rig_hart(m), take_sample, &n));
	assert_false(bis_hart_ask_sample(rig_hart(m), take_sample, &n));
	assert_int_equal(n.samples, 0);
	assert_ok(bis_machine_resume(m));
	for (unsigned i = 1; i <= 100; i++) {
		rig_wait_for(atomic_load(&n.samples) >= i);
		rig_wait_for(bis_hart_ask_sample(rig_hart(m), take_sample, &n));
	}
	assert_ok(bis_machine_pause(m));
	bis_hart_forget_sample(rig_hart(m));
	seen = atomic_load(&n.samples);
	assert_true(bis_hart_ask_sample(rig_hart(m), take_sample, &n));
	bis_hart_forget_sample(rig_hart(m));
	assert_ok(bis_machine_step(m, 1000));
	assert_int_equal(atomic_load(&n.samples), seen);
	bis_machine_destroy(m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_of_traps_with_their_pc_and_privileges),
		cmocka_unit_test(tells_of_interrupts),
		cmocka_unit_test(says_which_traps_a_module_has_handled),
		cmocka_unit_test(tells_of_csr_instructions_with_old_and_new_value),
		cmocka_unit_test(reads_no_device_to_tell_of_a_write),
		cmocka_unit_test(tells_of_accesses_that_reach_a_device),
		cmocka_unit_test(tells_of_what_is_done_in_a_share),
		cmocka_unit_test(gives_samples_while_it_runs),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
