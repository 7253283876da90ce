/*
 * The machine as files: every file can be read, what a read gives a write takes, each slip is refused in words, and
 * what is added to the machine has its files.
 */
#include <unistd.h>

#include <biscuit/builtin.h>
#include <biscuit/chardev.h>
#include <biscuit/loader.h>
#include <biscuit/snapshot.h>

#include "tests/unit/inspect_rig.h"

/* --- A module with everything that has files --- */

struct gadget {
	uint32_t mode;
	uint8_t info; /* named as one of the fixed files */
	char label[16];
	uint8_t bytes[4];
	uint64_t count;
	bool asleep;
};

/* Accesses of guests, which no file may make. */
static _Atomic unsigned gadget_touched;

static const struct bis_field gadget_fields[] = {
	BIS_FIELD(struct gadget, mode, U32, BIS_FIELD_HEX, "mode"),
	BIS_FIELD(struct gadget, info, U8, 0, "information"),
	BIS_FIELD_ARRAY(struct gadget, label, TEXT, 16, 0, "label"),
	BIS_FIELD_ARRAY(struct gadget, bytes, BYTES, 4, 0, "bytes"),
	BIS_FIELD(struct gadget, count, U64, BIS_FIELD_READONLY | BIS_FIELD_COUNTER, "count"),
	BIS_FIELD(struct gadget, asleep, BOOL, 0, "asleep"),
	BIS_FIELD_END,
};

static const struct bis_option gadget_options[] = {
	{"color", BIS_OPTION_TEXT, "red", NULL, "color"},
	{"words", BIS_OPTION_TEXT, "", NULL, "words"},
	{0},
};

static int gadget_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)mod;
	(void)options;
	*self = calloc(1, sizeof(struct gadget));
	return *self ? 0 : bis_fail(ENOMEM, "no memory");
}

static enum bis_bus_result touch_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	(void)self;
	(void)off;
	(void)size;
	gadget_touched++;
	*val = 0;
	return BIS_BUS_OK;
}

static enum bis_bus_result touch_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	return touch_read(self, off, size, &val);
}

static uint64_t csr_read(void *self, struct bis_hart *h, uint16_t address)
{
	(void)h;
	(void)address;
	return ((struct gadget *)self)->mode;
}

static const struct bis_mmio_ops gadget_mmio = {
	.size = 0x1000, .min_access = 1, .max_access = 8, .read = touch_read, .write = touch_write};
static const struct bis_csr_row gadget_csr = {.address = 0x7c0, .name = "xgadget", .read = csr_read};

static int gadget_attach(struct bis_module *mod, void *self)
{
	int err = bis_attach_mmio(mod, &gadget_mmio);

	(void)self;
	return err ? err : bis_attach_csrs(mod, &gadget_csr, 1);
}

static int gadget_check(void *self)
{
	return ((struct gadget *)self)->mode == 0xbad ? bis_fail(EINVAL, "a bad mode") : 0;
}

static int gadget_ctl(void *self, const char *verb, char *reply, size_t size)
{
	if (strcmp(verb, "poke") != 0)
		return bis_fail(EINVAL, "expected poke");
	((struct gadget *)self)->count++;
	snprintf(reply, size, "poked");
	return 0;
}

static const struct bis_module_class gadget_class = {
	.abi = BIS_MODULE_ABI,
	.version = 3,
	.irqs = 1,
	.name = "gadget",
	.summary = "for tests",
	.options = gadget_options,
	.fields = gadget_fields,
	.create = gadget_create,
	.attach = gadget_attach,
	.check = gadget_check,
	.ctl = gadget_ctl,
	.destroy = free,
};

/* --- The machine --- */

static struct files *make(const struct inspect_options *options)
{
	const struct bis_module_class *classes[64] = {&gadget_class};
	struct bis_machine_config cfg = {.ram_size = RIG_RAM_SIZE, .harts = 2, .classes = classes};
	struct bis_machine *m;

	for (size_t i = 0; bis_builtin_modules[i]; i++)
		classes[i + 1] = bis_builtin_modules[i];
	assert_ok(bis_machine_create(&cfg, &m));
	assert_ok(bis_board_virt(m));
	rig_add(m, "gadget,at=0x40000000,words=one,,two");
	gadget_touched = 0;
	rig_start_paused(m);
	return files_of(m, options);
}

static int setup(void **state)
{
	*state = make(NULL);
	return 0;
}

static int teardown(void **state)
{
	files_free(*state);
	return 0;
}

/* --- The tree --- */

struct census {
	struct files *f;
	unsigned files, dirs, links;
};

/* Names are unique, every text can be read and ends with a newline. */
static void visit(struct census *c, const char *dir_path)
{
	struct inspect_node *dir, *twin;
	struct inspect_child child;
	char path[512];

	assert_ok(inspect_find(c->f->in, dir_path, &dir));
	for (size_t i = 0; inspect_child_at(c->f->in, dir, i, &child); i++) {
		snprintf(path, sizeof(path), "%s%s%s", dir_path, *dir_path ? "/" : "", child.name);
		assert_ok(inspect_find(c->f->in, path, &twin));
		assert_ptr_equal(twin->type, child.type); /* not one before it, of the same name */
		if (child.type->kind == INSPECT_DIR) {
			c->dirs++;
			visit(c, path);
		} else if (child.type->kind == INSPECT_LINK) {
			c->links++;
		} else if (!strcmp(child.name, "frame.png")) {
			assert_true(files_get(c->f, path) < 0); /* nothing is shown */
		} else if (child.type->generate) {
			c->files++;
			assert_ok(files_get(c->f, path));
			if (c->f->len && strcmp(path, "dt/dtb") && !strstr(path, "/log"))
				assert_int_equal(c->f->text[c->f->len - 1], '\n');
		}
		inspect_unref(c->f->in, twin, 1);
	}
	inspect_unref(c->f->in, dir, 1);
}

static void every_file_can_be_read_and_touches_no_device(void **state)
{
	struct census c = {.f = *state};

	visit(&c, "");
	assert_true(c.files > 500);
	assert_true(c.dirs > 60);
	assert_int_equal(c.links, 2 + 2 * 64);
	assert_int_equal(gadget_touched, 0);
	assert_null(c.f->in->root->children); /* nothing is kept of what nobody has open */
}

static void an_unknown_name_is_told_with_the_nearest(void **state)
{
	struct files *f = *state;
	struct inspect_node *n;

	assert_fails(inspect_find(f->in, "cpu/0/csr/mstatsu", &n), -ENOENT, "did you mean 'mstatus'?");
	assert_fails(inspect_find(f->in, "cpu/2", &n), -ENOENT, "no '2'");
	assert_fails(inspect_find(f->in, "status/x", &n), -ENOTDIR, "directory");
	assert_fails(inspect_find(f->in, "zzzzzzzzzz", &n), -ENOENT, "zzz");
	assert_null(f->in->root->children);
}

static void errstr_has_the_last_failure_and_where_it_was(void **state)
{
	struct files *f = *state;

	assert_string_equal(files_text(f, "errstr"), "");
	assert_int_equal(files_put(f, "cpu/0/x/a0", "seven"), -EINVAL);
	files_say(f, "errstr", "cpu/0/x/a0: 'seven' is no number");
}

static void the_top_tells_what_this_is(void **state)
{
	struct files *f = *state;

	files_say(f, "README", "snapshots  new");
	files_say(f, "README", "step [N]");
	files_say(f, "status", "state paused\nharts 2\n");
	files_say(f, "ctl", "pause\nresume\n");
	files_say(f, "cpu/0/isa", "rv64ima");
	files_are(f, "cpu/1/status", "paused");
}

/* --- Registers --- */

static void what_a_read_of_a_register_gives_a_write_takes(void **state)
{
	struct files *f = *state;

	files_are(f, "cpu/0/x/sp", "0x0000000000000000");
	files_put_ok(f, "cpu/0/x/sp", "0x0123456789abcdef\n");
	files_are(f, "cpu/0/x/sp", "0x0123456789abcdef");
	assert_int_equal(rig_reg(f->m, SP), UINT64_C(0x0123456789abcdef));
	files_put_ok(f, "cpu/1/x/sp", "4096");
	files_are(f, "cpu/1/x/sp", "0x0000000000001000");
	files_put_ok(f, "cpu/0/f/fa0", "0xffffffff3f800000\n");
	files_are(f, "cpu/0/f/fa0", "0xffffffff3f800000");
	files_put_ok(f, "cpu/0/pc", "0x80001000\n");
	files_are(f, "cpu/0/pc", "0x0000000080001000");
	files_put_ok(f, "cpu/0/priv", "s\n");
	files_are(f, "cpu/0/priv", "s");
	files_put_ok(f, "cpu/0/csr/mscratch", "0x5\n");
	files_are(f, "cpu/0/csr/mscratch", "0x0000000000000005");
	files_say(f, "cpu/0/regs", "pc      0x0000000080001000  priv s");
	files_say(f, "cpu/0/regs.json", "\"pc\":\"0x0000000080001000\"");
	files_say(f, "cpu/0/regs.json", "\"sp\":\"0x0123456789abcdef\"");
}

static void a_value_that_makes_no_sense_changes_nothing(void **state)
{
	static const struct {
		const char *path, *text, *words;
	} rows[] = {
		{"cpu/0/x/a0", "", "no number"},
		{"cpu/0/x/a0", "\n", "no number"},
		{"cpu/0/x/a0", "0x", "no number"},
		{"cpu/0/x/a0", "0xg", "no number"},
		{"cpu/0/x/a0", "-1", "no number"},
		{"cpu/0/x/a0", "+1", "no number"},
		{"cpu/0/x/a0", "1 2", "does not belong"},
		{"cpu/0/x/a0", "1\n2\n", "does not belong"},
		{"cpu/0/x/a0", "0x10000000000000000", "64 bits"},
		{"cpu/0/x/a0", "18446744073709551616", "64 bits"},
		{"cpu/0/x/zero", "1", "always zero"},
		{"cpu/0/pc", "0x80000001", "multiple of 2"},
		{"cpu/0/pc", "nowhere", "nowhere"},
		{"cpu/0/priv", "h", "expected u, s or m"},
		{"cpu/0/priv", "", "expected u, s or m"},
		{"cpu/0/priv", "us", "expected u, s or m"},
		{"cpu/0/csr.fields/mstatus/MPP", "4", "2 bits"},
		{"cpu/0/csr/mscratch", "mepc", "no number"},
		{"cpu/0/vm/walk", "0x1000 exec", "read|write|fetch"},
		{"cpu/0/ctl", "stpe", "step"},
		{"cpu/0/ctl", "step x", "no number"},
		{"ctl", "puase", "pause"},
		{"break/add", "pc", "address"},
		{"break/remove", "99", "99"},
		{"symbols/load", "kernel.elf", "absolute"},
		{"symbols/load", "/nonexistent/kernel.elf", "kernel.elf"},
		{"symbols/lookup", "nothing", "nothing"},
	};
	struct files *f = *state;
	uint64_t pc = bis_hart_pc(rig_hart(f->m));

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		ssize_t result = files_put(f, rows[i].path, rows[i].text);

		/* Of no command nothing is carried out, which is no failure. */
		if (!*rows[i].text)
			continue;
		if (result >= 0)
			print_error("%s took '%s'\n", rows[i].path, rows[i].text);
		assert_true(result < 0);
		files_say(f, "errstr", rows[i].words);
		files_say(f, "errstr", rows[i].path);
	}
	assert_int_equal(rig_reg(f->m, A0), 0);
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), pc);
	assert_int_equal(bis_hart_priv(rig_hart(f->m)), BIS_PRIV_M);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	char *large = calloc(1, INSPECT_WRITE_MAX + 2);

	memset(large, ' ', INSPECT_WRITE_MAX + 1);
	assert_ok(files_open(f, "cpu/0/x/a0", INSPECT_WRITE, &h));
	assert_fails(inspect_write(h, "1\0002", 3, 0), -EINVAL, "NUL");
	assert_fails(inspect_write(h, large, INSPECT_WRITE_MAX + 1, 0), -EINVAL, "too long");
	assert_int_equal(inspect_write(h, "7", 1, 12345), 1); /* wherever the descriptor stands */
	inspect_close(h);
	free(large);
	assert_int_equal(rig_reg(f->m, A0), 7);
}

static void fields_of_a_csr_are_written_alone(void **state)
{
	struct files *f = *state;

	rig_set_csr(f->m, CSR_MSTATUS, 8);
	files_are(f, "cpu/0/csr.fields/mstatus/MIE", "0x1");
	files_put_ok(f, "cpu/0/csr.fields/mstatus/MPP", "3");
	files_are(f, "cpu/0/csr.fields/mstatus/MPP", "0x3");
	assert_int_equal(rig_csr(f->m, CSR_MSTATUS) & 0x1808, 0x1808);
	files_put_ok(f, "cpu/0/csr.fields/mstatus/MIE", "0");
	assert_int_equal(rig_csr(f->m, CSR_MSTATUS) & 0x1808, 0x1800);
}

static void registers_are_written_only_in_a_machine_at_rest(void **state)
{
	static const char *const paths[] = {"cpu/0/x/a0", "cpu/0/csr/mscratch", "cpu/0/csr.fields/mstatus/MPP",
					    "dev/gadget/mode"};
	struct files *f = *state;

	files_put_ok(f, "ctl", "resume\n");
	files_are(f, "cpu/0/status", "running");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(paths); i++) {
		assert_ok(files_get(f, paths[i]));
		assert_int_equal(files_put(f, paths[i], "1"), -EBUSY);
		files_say(f, "errstr", "paused");
	}
	assert_int_equal(files_put(f, "cpu/0/pc", "0x80000000"), -EBUSY);
	assert_int_equal(files_put(f, "cpu/0/priv", "u"), -EBUSY);
	assert_int_equal(files_put(f, "cpu/0/ctl", "step"), -EBUSY);
	assert_int_equal(files_put(f, "ctl", "step"), -EBUSY);
	files_put_ok(f, "ctl", "pause");
	files_put_ok(f, "cpu/0/x/a0", "1");
}

static void what_cannot_be_written_is_not_opened(void **state)
{
	struct files *f = *state;

	assert_int_equal(files_put(f, "cpu/0/regs", "1"), -EACCES);
	assert_int_equal(files_put(f, "cpu/0/csr/mhartid", "1"), -EACCES);
	assert_int_equal(files_put(f, "dev/gadget/count", "1"), -EACCES);
	assert_int_equal(files_put(f, "dev/clint/ctl", "1"), -EACCES);
	assert_int_equal(files_get(f, "break/remove"), -EACCES);
	assert_int_equal(files_get(f, "cpu"), -EISDIR);
	assert_int_equal(files_get(f, "cpu/0/x/x10"), -ELOOP);
}

static void nothing_is_written_where_that_was_not_wanted(void **state)
{
	struct inspect_options options = {.readonly = true};
	struct files *f = make(&options);
	struct inspect_node *n;

	(void)state;
	assert_int_equal(files_put(f, "cpu/0/x/a0", "1"), -EROFS);
	assert_int_equal(files_put(f, "ctl", "resume"), -EROFS);
	assert_ok(inspect_find(f->in, "ctl", &n));
	assert_int_equal(inspect_mode(f->in, n), S_IFREG | 0400);
	inspect_unref(f->in, n, 1);
	files_free(f);
}

/* --- ctl --- */

static const uint32_t counting[] = {ADDI(A0, A0, 1), J(-4)};

static void commands_are_carried_out_line_by_line(void **state)
{
	struct files *f = *state;

	RIG_LOAD(f->m, RIG_CODE, counting);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	files_put_ok(f, "ctl", "step 10\nstep\n\n  step 9  \n");
	assert_int_equal(rig_reg(f->m, A0), 10);
	files_put_ok(f, "cpu/0/ctl", "step 20");
	assert_int_equal(rig_reg(f->m, A0), 20);
	/* The second fails: the first has been carried out, and the write says so. */
	assert_int_equal(files_put(f, "ctl", "step 2\nhop\nstep 2\n"), 7);
	assert_int_equal(rig_reg(f->m, A0), 21);
	assert_int_equal(files_put(f, "ctl", "hop\nstep 2\n"), -EINVAL);
	assert_int_equal(rig_reg(f->m, A0), 21);
}

static void an_answer_is_read_where_the_question_was_written(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	char text[512] = "";

	assert_ok(files_open(f, "ctl", INSPECT_READ | INSPECT_WRITE, &h));
	assert_int_equal(inspect_write(h, "step 1\n", 7, 0), 7);
	assert_true(inspect_read(h, text, sizeof(text) - 1, 0) > 0);
	assert_non_null(strstr(text, "hart 0 at 0x"));
	/* A shell's descriptor moves on with what it writes: the answer begins where that ended. */
	assert_int_equal(inspect_write(h, "help\n", 5, 7), 5);
	assert_true(inspect_read(h, text, sizeof(text) - 1, 12) > 0);
	assert_memory_equal(text, "pause ", 6);
	assert_true(inspect_read(h, text, 5, 12 + 3) == 5);
	assert_memory_equal(text, "se   ", 5);
	assert_true(inspect_read(h, text, sizeof(text) - 1, 0) > 12);
	assert_memory_equal(text, "pause ", 6);
	assert_true(inspect_read(h, text, 5, 12) == 5);
	assert_memory_equal(text, "     ", 5);
	/* What answers nothing leaves no older answer behind. */
	assert_int_equal(inspect_write(h, "breaks\n", 7, 17), 7);
	assert_int_equal(inspect_read(h, text, sizeof(text) - 1, 24), 0);
	assert_int_equal(inspect_read(h, text, sizeof(text) - 1, 0), 0);
	inspect_close(h);
	assert_ok(files_open(f, "break/add", INSPECT_READ | INSPECT_WRITE, &h));
	assert_int_equal(inspect_write(h, "pc 0x80000000\n", 14, 0), 14);
	assert_int_equal(inspect_read(h, text, sizeof(text) - 1, 0), 2);
	assert_memory_equal(text, "1\n", 2);
	inspect_close(h);
}

static void a_read_in_pieces_is_of_one_state(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	char text[20] = "";

	assert_ok(files_open(f, "cpu/0/pc", INSPECT_READ, &h));
	assert_int_equal(inspect_read(h, text, 5, 0), 5);
	bis_hart_set_pc(rig_hart(f->m), 0x1234);
	assert_int_equal(inspect_read(h, text + 5, 100, 5), 14);
	assert_int_equal(inspect_read(h, text, 100, 19), 0);
	assert_int_equal(inspect_read(h, text, 100, UINT64_MAX), 0);
	inspect_close(h);
	assert_memory_equal(text, "0x0000000080", 12);
	files_are(f, "cpu/0/pc", "0x0000000000001234");
}

/* --- Devices and modules --- */

static void a_device_has_its_files_by_its_tables_alone(void **state)
{
	struct files *f = *state;
	struct inspect_node *n;

	files_are(f, "dev/gadget/mode", "0x00000000");
	files_put_ok(f, "dev/gadget/mode", "0x10\n");
	files_are(f, "dev/gadget/mode", "0x00000010");
	files_are(f, "cpu/0/csr/xgadget", "0x0000000000000010");
	files_put_ok(f, "dev/gadget/label", "hello\n");
	files_are(f, "dev/gadget/label", "hello");
	files_put_ok(f, "dev/gadget/bytes", "01020304");
	files_say(f, "dev/gadget/state", "mode 0x00000010\ninfo 0\n");
	files_say(f, "dev/gadget/info", "window 0x0000000040000000 0x1000");
	files_say(f, "dev/gadget/irq", "low");
	files_say(f, "mem/map", "0x0000000040000000-0x0000000040000fff device gadget");
	files_say(f, "modules/gadget/info", "version 3");
	files_say(f, "modules/gadget/options", "color=red (default)\nwords=one,two\n");
	files_say(f, "modules/gadget/attach", "window 0x0000000040000000-0x0000000040000fff");
	files_say(f, "modules/sv/info", "class sv");
	assert_fails(inspect_find(f->in, "dev/sv", &n), -ENOENT, "sv");
}

static void a_field_that_the_device_refuses_stays_as_it_was(void **state)
{
	struct files *f = *state;

	files_put_ok(f, "dev/gadget/mode", "0x77");
	assert_int_equal(files_put(f, "dev/gadget/mode", "0xbad"), -EINVAL);
	files_say(f, "errstr", "a bad mode");
	files_are(f, "dev/gadget/mode", "0x00000077");
	assert_int_equal(files_put(f, "dev/gadget/mode", "0x1ffffffff"), -EINVAL);
	assert_int_equal(files_put(f, "dev/gadget/bytes", "0102"), -EINVAL);
	assert_int_equal(files_put(f, "dev/gadget/label", "a label that is too long"), -EINVAL);
	files_are(f, "dev/gadget/mode", "0x00000077");
}

static void a_device_answers_its_own_verbs(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	char text[16] = "";

	assert_ok(files_open(f, "dev/gadget/ctl", INSPECT_READ | INSPECT_WRITE, &h));
	assert_int_equal(inspect_write(h, "poke\n", 5, 0), 5);
	assert_int_equal(inspect_read(h, text, 15, 0), 6);
	assert_string_equal(text, "poked\n");
	inspect_close(h);
	files_put_ok(f, "modules/gadget/ctl", "poke");
	files_are(f, "dev/gadget/count", "2");
	assert_int_equal(files_put(f, "modules/gadget/ctl", "prod"), -EINVAL);
	files_say(f, "errstr", "expected poke");
}

static void what_comes_and_goes_has_files_meanwhile(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	struct inspect_node *n;
	struct bis_module *mod;

	assert_fails(inspect_find(f->in, "dev/g2", &n), -ENOENT, "g2");
	assert_ok(bis_machine_remove(f->m, bis_machine_find(f->m, "gadget")));
	assert_fails(inspect_find(f->in, "cpu/0/csr/xgadget", &n), -ENOENT, "xgadget");
	assert_ok(bis_machine_add(f->m, "gadget,at=0x50000000,name=g2", &mod));
	files_are(f, "dev/g2/mode", "0x00000000");
	files_are(f, "cpu/0/csr/xgadget", "0x0000000000000000");
	/* Open or known files of what is gone say so. */
	assert_ok(inspect_find(f->in, "dev/g2/mode", &n));
	assert_ok(inspect_open(f->in, n, INSPECT_WRITE, &h));
	assert_ok(bis_machine_remove(f->m, mod));
	assert_fails(inspect_write(h, "1", 1, 0), -ENODEV, "gone");
	inspect_close(h);
	/* So do they where another took the name. */
	assert_ok(bis_machine_add(f->m, "clock,slot=9,name=g2", &mod));
	assert_fails(inspect_open(f->in, n, INSPECT_READ, &h), -ENODEV, "another");
	inspect_unref(f->in, n, 1);
}

/* --- Breakpoints, symbols --- */

static void breakpoints_are_files(void **state)
{
	struct files *f = *state;
	struct inspect_node *n;

	files_put_ok(f, "break/add", "pc 0x80000000 if a0 > 5\nwrite 0x80100000+8\n");
	files_are(f, "break/1", "pc 0x0000000080000000 if a0 > 0x5");
	files_say(f, "break/list", "1 hits 0 pc");
	files_say(f, "break/list", "2 hits 0 write");
	assert_ok(inspect_find(f->in, "break/1", &n));
	assert_ok(n->type->remove(f->in, n));
	assert_fails(n->type->remove(f->in, n), -ENOENT, "1");
	inspect_unref(f->in, n, 1);
	files_put_ok(f, "break/remove", "2");
	assert_string_equal(files_text(f, "break/list"), "");
	/* A breakpoint can be added with what a file of one gives. */
	files_put_ok(f, "break/add", "pc 0x0000000080000000 if a0 > 0x5\n");
}

static void an_address_is_looked_up(void **state)
{
	struct files *f = *state;

	files_put_ok(f, "symbols/lookup", "0x80000000\n");
	files_are(f, "symbols/lookup", "0x0000000080000000");
	assert_string_equal(files_text(f, "symbols/load"), "");
}

/* --- Snapshots, device tree --- */

static void a_snapshot_is_of_when_it_was_opened(void **state)
{
	char path[] = "/tmp/biscuit-test-XXXXXX";
	struct files *f = *state;
	struct bis_snapshot *s;
	int fd, err = 0;

	assert_ok(bis_machine_remove(f->m, bis_machine_find(f->m, "gadget"))); /* is not migratable */
	err = files_get(f, "snapshots/new");
	if (err == -ENOSYS)
		skip(); /* a build without zstd */
	assert_ok(err);
	fd = mkstemp(path);
	assert_int_equal(write(fd, f->text, f->len), (long)f->len);
	close(fd);
	err = bis_snapshot_open(path, &s);
	unlink(path);
	assert_ok(err);
	assert_int_equal(bis_snapshot_machine(s)->harts, 2);
	bis_snapshot_close(s);
}

static void a_module_without_description_keeps_a_snapshot_from_being_opened(void **state)
{
	struct files *f = *state;
	int err = files_get(f, "snapshots/new");

	if (err == -ENOSYS)
		skip();
	assert_int_equal(err, -EBUSY);
	files_say(f, "errstr", "snapshots/new: gadget");
}

static void the_device_tree_is_a_blob_and_a_source(void **state)
{
	struct files *f = *state;

	assert_ok(files_get(f, "dt/dtb"));
	assert_ok(bis_check_dtb(f->text, f->len));
	files_say(f, "dt/dts", "/dts-v1/;\n\n/ {\n");
	files_say(f, "dt/dts", "\n\t\tserial@10000000 {\n");
	files_say(f, "dt/dts", "compatible = \"ns16550a\";");
	assert_string_equal(f->text + f->len - 3, "};\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_file_can_be_read_and_touches_no_device),
		TEST(an_unknown_name_is_told_with_the_nearest),
		TEST(errstr_has_the_last_failure_and_where_it_was),
		TEST(the_top_tells_what_this_is),
		TEST(what_a_read_of_a_register_gives_a_write_takes),
		TEST(a_value_that_makes_no_sense_changes_nothing),
		TEST(bytes_that_are_no_text_are_refused),
		TEST(fields_of_a_csr_are_written_alone),
		TEST(registers_are_written_only_in_a_machine_at_rest),
		TEST(what_cannot_be_written_is_not_opened),
		cmocka_unit_test(nothing_is_written_where_that_was_not_wanted),
		TEST(commands_are_carried_out_line_by_line),
		TEST(an_answer_is_read_where_the_question_was_written),
		TEST(a_read_in_pieces_is_of_one_state),
		TEST(a_device_has_its_files_by_its_tables_alone),
		TEST(a_field_that_the_device_refuses_stays_as_it_was),
		TEST(a_device_answers_its_own_verbs),
		TEST(what_comes_and_goes_has_files_meanwhile),
		TEST(breakpoints_are_files),
		TEST(an_address_is_looked_up),
		TEST(a_snapshot_is_of_when_it_was_opened),
		TEST(a_module_without_description_keeps_a_snapshot_from_being_opened),
		TEST(the_device_tree_is_a_blob_and_a_source),
	};

	return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
