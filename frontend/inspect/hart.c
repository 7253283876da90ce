/* Harts: cpu/N, with what has no file of its own elsewhere: status, ctl, disasm, backtrace, counters, traps, tlb. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

enum { DISASM_BEFORE = 8, DISASM_COUNT = 24, FRAMES_MAX = 64 };

/* A text that is written at a safepoint. */
struct view {
	struct inspect *in;
	struct bis_hart *h;
	struct inspect_text *out;
	FILE *file;
};

static int look(struct inspect *in, const struct inspect_node *n, struct inspect_text *out, int (*fn)(void *arg))
{
	struct view v = {.in = in, .h = inspect_hart(in, n), .out = out};

	return bis_machine_at_safepoint(in->machine, fn, &v);
}

/* --- status, isa --- */

static int generate_status(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	const struct bis_hart *h = inspect_hart(in, n);

	if (bis_machine_state(in->machine) != BIS_RUNNING)
		inspect_put(out, "paused\n");
	else
		inspect_put(out, "%s\n", bis_hart_halted(h) ? "halted" : bis_hart_sleeping(h) ? "sleeping" : "running");
	return 0;
}

static int generate_isa(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	char isa[256];

	bis_isa_format(bis_hart_isa(inspect_hart(in, n)), isa, sizeof(isa));
	inspect_put(out, "%s\n", isa);
	return 0;
}

/* --- ctl --- */

static int step(struct inspect *in, const struct inspect_node *n, const char *count_text)
{
	uint64_t count = 1;
	int err = *count_text ? inspect_parse_number(count_text, 64, &count) : 0;

	if (err)
		return err;
	if (bis_machine_state(in->machine) != BIS_PAUSED)
		return bis_fail(EBUSY, "the machine must be paused to be stepped: write 'pause' to ctl first");
	return bis_machine_step_harts(in->machine, UINT64_C(1) << n->arg.hart, count);
}

static int until(struct inspect *in, const struct inspect_node *n, const char *address)
{
	struct bis_break b = {.kind = BIS_BREAK_PC, .harts = 1u << n->arg.hart, .once = true, .until_rest = true};
	int err = debug_parse_address(in->debug, address, &b.address);
	unsigned id;

	if (err)
		return err;
	bis_machine_lock_control(in->machine);
	if (bis_machine_state(in->machine) != BIS_PAUSED)
		err = bis_fail(EBUSY, "the machine must be paused for 'until': write 'pause' to ctl first");
	if (!err)
		err = bis_break_add(in->machine, &b, &id);
	if (!err)
		err = bis_machine_resume(in->machine);
	bis_machine_unlock_control(in->machine);
	return err;
}

static int accept_ctl(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	static const char *const verbs[] = {"step", "until"};
	size_t len = strcspn(text, " \t");
	char *rest = inspect_trim(text + len);
	const char *near;

	(void)reply;
	text[len] = '\0';
	if (!strcmp(text, "step"))
		return step(in, n, rest);
	if (!strcmp(text, "until"))
		return until(in, n, rest);
	near = bis_nearest_name(text, verbs, BIS_ARRAY_SIZE(verbs));
	return bis_fail(EINVAL, "unknown verb '%.64s': expected %s", text,
			near ? near : "step [N] or until ADDRESS; those of all harts go to ctl at the top");
}

static int generate_ctl(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)in;
	(void)n;
	inspect_put(out, "step [N]\nuntil ADDRESS\n");
	return 0;
}

/* --- disasm, backtrace --- */

static int disassemble(void *arg)
{
	struct view *v = arg;

	debug_disassemble(v->in->debug, v->h, bis_hart_pc(v->h), DISASM_BEFORE, DISASM_COUNT, v->file);
	return 0;
}

static int generate_disasm(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct inspect_text_stream s;
	struct view v = {.in = in, .h = inspect_hart(in, n), .file = inspect_text_open(&s, out)};
	int err = v.file ? bis_machine_at_safepoint(in->machine, disassemble, &v) : 0;

	inspect_text_close(&s);
	return err;
}

struct trace {
	struct view view;
	struct debug_frame frames[FRAMES_MAX];
	size_t count;
};

static int trace_back(void *arg)
{
	struct trace *t = arg;

	t->count = debug_backtrace(t->view.in->debug, t->view.h, t->frames, FRAMES_MAX);
	return 0;
}

static int generate_backtrace(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct trace t = {.view = {.in = in, .h = inspect_hart(in, n)}};
	int err = bis_machine_at_safepoint(in->machine, trace_back, &t);
	char where[200];

	for (size_t i = 0; i < t.count; i++) {
		debug_format_address(in->debug, t.frames[i].pc, where, sizeof(where));
		inspect_put(out, "#%-2zu %s\n", i, where);
	}
	return err;
}

/* --- counters, traps --- */

struct counting {
	struct bis_hart *h;
	struct bis_hart_counters counters;
};

static int take_counters(void *arg)
{
	struct counting *c = arg;

	bis_hart_counters(c->h, &c->counters);
	return 0;
}

static int generate_counters(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct counting c = {.h = inspect_hart(in, n)};
	const struct {
		const char *name;
		const uint64_t *value;
	} rows[] = {
		{"instret", &c.counters.instret},
		{"tlb_fills", &c.counters.tlb_fills},
		{"blocks_translated", &c.counters.blocks_translated},
		{"traces_translated", &c.counters.traces_translated},
		{"blocks_dropped", &c.counters.blocks_dropped},
		{"code_flushes", &c.counters.code_flushes},
		{"code_bytes", &c.counters.code_bytes},
	};
	int err = bis_machine_at_safepoint(in->machine, take_counters, &c);

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++)
		inspect_put(out, "%s %" PRIu64 "\n", rows[i].name, *rows[i].value);
	return err;
}

static void put_counts(struct inspect_text *out, const char *kind, const uint64_t counts[64],
		       const char *(*name_of)(uint64_t cause))
{
	for (unsigned i = 0; i < 64; i++) {
		const char *name = counts[i] ? name_of(i) : NULL;

		if (counts[i])
			inspect_put(out, "%s %u %" PRIu64 "%s%s\n", kind, i, counts[i], name ? " " : "",
				    name ? name : "");
	}
}

/* What M-mode and S-mode keep of a trap. */
struct trap_state {
	struct bis_hart *h;
	struct bis_hart_counters counters;
	uint64_t cause[2], epc[2], tval[2];
};

static int take_traps(void *arg)
{
	static const char *const names[2][3] = {{"mcause", "mepc", "mtval"}, {"scause", "sepc", "stval"}};
	struct trap_state *t = arg;

	bis_hart_counters(t->h, &t->counters);
	for (int i = 0; i < 2; i++) {
		t->cause[i] = inspect_csr_value(t->h, names[i][0]);
		t->epc[i] = inspect_csr_value(t->h, names[i][1]);
		t->tval[i] = inspect_csr_value(t->h, names[i][2]);
	}
	return 0;
}

static void put_trap_state(struct inspect *in, struct inspect_text *out, const struct trap_state *t, int mode)
{
	unsigned xlen = inspect_xlen(in);
	bool interrupt = t->cause[mode] >> (xlen - 1) & 1;
	uint64_t code = t->cause[mode] & ~(UINT64_C(1) << (xlen - 1));
	const char *name = interrupt ? debug_interrupt_name(code) : debug_trap_name(code);
	char where[200];

	if (!(t->cause[mode] | t->epc[mode] | t->tval[mode]))
		return; /* as after a reset */
	debug_format_address(in->debug, t->epc[mode], where, sizeof(where));
	inspect_put(out, "%ccause %s %" PRIu64 "%s%s, %cepc %s, %ctval ", "ms"[mode],
		    interrupt ? "interrupt" : "exception", code, name ? " " : "", name ? name : "", "ms"[mode], where,
		    "ms"[mode]);
	inspect_put_hex(out, t->tval[mode], xlen);
	inspect_put(out, "\n");
}

static int generate_traps(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct trap_state t = {.h = inspect_hart(in, n)};
	int err = bis_machine_at_safepoint(in->machine, take_traps, &t);

	put_counts(out, "exception", t.counters.traps, debug_trap_name);
	put_counts(out, "interrupt", t.counters.interrupts, debug_interrupt_name);
	put_trap_state(in, out, &t, 0);
	put_trap_state(in, out, &t, 1);
	return err;
}

/* --- tlb --- */

static int list_tlb(void *arg)
{
	struct view *v = arg;
	unsigned xlen = inspect_xlen(v->in);
	struct bis_tlb_view e;

	for (size_t i = 0; bis_hart_tlb(v->h, i, &e); i++) {
		inspect_put_hex(v->out, e.va, xlen);
		inspect_put(v->out, " ");
		inspect_put_hex(v->out, e.pa, xlen);
		inspect_put(v->out, " %c%c %s%s\n", e.read ? 'r' : '-', e.write ? 'w' : '-', e.context,
			    e.direct ? " direct" : "");
	}
	return 0;
}

static int generate_tlb(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	return look(in, n, out, list_tlb);
}

/* --- The directories --- */

static const struct inspect_type status_type = {.kind = INSPECT_TEXT, .generate = generate_status};
static const struct inspect_type isa_type = {.kind = INSPECT_TEXT, .generate = generate_isa};
static const struct inspect_type ctl_type = {
	.kind = INSPECT_TEXT,
	.apart = true,
	.generate = generate_ctl,
	.accept = accept_ctl,
	.interrupt = inspect_end_step,
	.lines = true,
};
static const struct inspect_type disasm_type = {.kind = INSPECT_TEXT, .generate = generate_disasm};
static const struct inspect_type backtrace_type = {.kind = INSPECT_TEXT, .generate = generate_backtrace};
static const struct inspect_type counters_type = {.kind = INSPECT_TEXT, .generate = generate_counters};
static const struct inspect_type traps_type = {.kind = INSPECT_TEXT, .generate = generate_traps};
static const struct inspect_type tlb_type = {.kind = INSPECT_TEXT, .generate = generate_tlb};

static const struct inspect_row hart_rows[] = {
	{"status", &status_type, NULL},
	{"ctl", &ctl_type, NULL},
	{"pc", &inspect_pc_type, NULL},
	{"priv", &inspect_priv_type, NULL},
	{"isa", &isa_type, NULL},
	{"regs", &inspect_regs_type, NULL},
	{"regs.json", &inspect_regs_json_type, NULL},
	{"disasm", &disasm_type, NULL},
	{"backtrace", &backtrace_type, NULL},
	{"counters", &counters_type, NULL},
	{"traps", &traps_type, NULL},
	{"tlb", &tlb_type, NULL},
	{"blocks", &inspect_blocks_type, NULL},
	{"csr", &inspect_csrs_type, NULL},
	{"csr.fields", &inspect_csr_fields_type, NULL},
	{"vm", &inspect_vm_type, NULL},
	{0},
};

static bool group_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	(void)dir;
	out->type = &inspect_regs_dir_type;
	return inspect_reg_group(in, index, &out->name[0]);
}

static const struct inspect_type hart_type = {.kind = INSPECT_DIR, .rows = hart_rows, .child = group_child};

static bool hart_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	(void)dir;
	if (index >= bis_machine_harts(in->machine))
		return false;
	snprintf(out->name, sizeof(out->name), "%zu", index);
	out->type = &hart_type;
	out->arg.hart = (unsigned)index;
	return true;
}

const struct inspect_type inspect_harts_type = {.kind = INSPECT_DIR, .child = hart_child};
