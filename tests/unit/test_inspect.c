/*
 * The machine as files: every file can be read, what a read gives a write takes, each slip is refused in words, and
 * what is added to the machine has its files.
 */
#include <unistd.h>

#include <biscuit/chardev.h>
#include <biscuit/loader.h>
#include <biscuit/snapshot.h>

#include "tests/unit/inspect_gadget.h"

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
	const struct CMUnitTest tests[] = {
		TEST(every_file_can_be_read_and_touches_no_device),
		TEST(an_unknown_name_is_told_with_the_nearest),
		TEST(errstr_has_the_last_failure_and_where_it_was),
		TEST(the_top_tells_what_this_is),
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
