/*
 * Shares as modules: what their options mean, what they say when one is wrong, their names, and how long they live.
 */
#include <pwd.h>
#include <sys/wait.h>

#include <biscuit/machine.h>

#include "magicfs/mfs.h"
#include "modules/modules.h"
#include "tests/unit/mfs_rig.h"

struct share_rig {
	struct rig *folder;
	struct bis_machine *m;
};

static int setup(void **state)
{
	struct share_rig *s = calloc(1, sizeof(*s));
	struct bis_machine_config cfg = {
		.ram_size = 0x100000, .harts = 1, .isa = "rv64imac", .classes = bis_builtin_modules};

	rig_setup((void **)&s->folder);
	assert_int_equal(mkdirat(s->folder->dir, "share/src", 0755), 0);
	host_put(s->folder, "share/src/f", "text");
	assert_ok(bis_machine_create(&cfg, &s->m));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct share_rig *s = *state;

	bis_machine_destroy(s->m);
	rig_teardown((void **)&s->folder);
	free(s);
	return 0;
}

/* Adds a share of share/src with further options. */
static int try_add(struct share_rig *s, const char *options, struct bis_module **out)
{
	char spec[200];

	snprintf(spec, sizeof(spec), "share,path=%s/share/src%s%s", s->folder->folder, *options ? "," : "", options);
	return bis_machine_add(s->m, spec, out);
}

static struct bis_module *add(struct share_rig *s, const char *options)
{
	struct bis_module *mod;

	assert_ok(try_add(s, options, &mod));
	return mod;
}

static struct mfs *find(struct share_rig *s, const char *name)
{
	struct mfs *fs;

	assert_ok(mfs_find(s->m, name, &fs));
	return fs;
}

static const char *field(struct bis_module *mod, const char *name)
{
	static char text[5000];
	const struct bis_field *f = bis_field_find(bis_module_class_of(mod)->fields, name);

	assert_non_null(f);
	bis_field_format(f, bis_module_self(mod), text, sizeof(text));
	return text;
}

/* --- Names --- */

static void a_share_is_called_like_its_directory(void **state)
{
	struct share_rig *s = *state;
	char spec[200];

	add(s, "");
	mfs_put(find(s, "src"));
	/* The directory's real name, however it is spelled. */
	assert_int_equal(mkdirat(s->folder->dir, "share/b", 0755), 0);
	assert_int_equal(symlinkat("share/b", s->folder->dir, "alias"), 0);
	snprintf(spec, sizeof(spec), "share,path=%s/alias/../b/.//", s->folder->folder);
	assert_ok(bis_machine_add(s->m, spec, NULL));
	mfs_put(find(s, "b"));
	/* The root of all has none. */
	assert_ok(bis_machine_add(s->m, "share,path=/,readonly", NULL));
	mfs_put(find(s, "root"));
}

static void a_share_can_be_given_a_name(void **state)
{
	static const char *const names[] = {"other", "share", "share1", "with space", "a,b", "it's"};
	struct share_rig *s = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++) {
		char options[80] = "name=", *end = options + 5;

		for (const char *c = names[i]; *c; c++) {
			if (*c == ',')
				*end++ = ',';
			*end++ = *c;
		}
		*end = 0;
		add(s, options);
		mfs_put(find(s, names[i]));
	}
}

static void names_are_unique_and_sensible(void **state)
{
	static const char *const bad[] = {"name=a/b", "name=.", "name=..", "name=a\nb",
					  "name=12345678901234567890123456789012"};
	struct share_rig *s = *state;

	add(s, "");
	assert_fails(try_add(s, "", NULL), -EEXIST, "'src'");
	assert_fails(try_add(s, "", NULL), -EEXIST, "name=NAME");
	add(s, "name=1234567890123456789012345678901");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++)
		assert_fails(try_add(s, bad[i], NULL), -EINVAL, "expected 1 to");
	assert_true(try_add(s, "name=", NULL) < 0);
}

static void a_name_that_does_not_exist_gets_a_proposal(void **state)
{
	struct share_rig *s = *state;
	struct mfs *fs;

	assert_fails(mfs_find(s->m, "src", &fs), -ENOENT, "nor any other");
	add(s, "name=source");
	assert_fails(mfs_find(s->m, "sorce", &fs), -ENOENT, "did you mean 'source'?");
	assert_fails(mfs_find(s->m, "zzz", &fs), -ENOENT, "'zzz'");
}

/* --- Options --- */

static void wrong_options_are_named_with_what_is_expected(void **state)
{
	static const struct {
		const char *options;
		int err;
		const char *words;
	} table[] = {
		{"owner=gust", -EINVAL, "option 'owner' is 'gust', expected one of guest|mapped|host"},
		{"links=outside", -EINVAL, "beneath|inside"},
		{"cache=none", -EINVAL, "host|sync"},
		{"readonly=maybe", -EINVAL, "on or off"},
		{"uid=4294967295", -EINVAL, "option 'uid' is 4294967295, expected a number from 0 to 4294967294"},
		{"gid=99999999999", -EINVAL, "'gid'"},
		{"uid=root", -EINVAL, "'uid'"},
		{"handles=10000000", -EINVAL, "'handles'"},
		{"devices", -EINVAL, "'devices' needs owner=host"},
		{"read_only", -EINVAL, "did you mean 'readonly'?"},
		{"path=/x", -EINVAL, "given twice"},
	};
	struct share_rig *s = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(table); i++)
		assert_fails(try_add(s, table[i].options, NULL), table[i].err, table[i].words);
	assert_fails(bis_machine_add(s->m, "share", NULL), -EINVAL, "'path' is required");
	assert_fails(bis_machine_add(s->m, "share,path=", NULL), -EINVAL, "expected a directory");
	assert_fails(bis_machine_add(s->m, "share,path=/no/such/directory", NULL), -ENOENT, "/no/such/directory");
	assert_fails(bis_machine_add(s->m, "share,path=/dev/null", NULL), -ENOTDIR, "/dev/null");
	assert_null(bis_machine_module(s->m, 0));
}

/* In a child, which becomes somebody else where the test is run by root. */
static void the_hosts_owners_need_privileges(void **state)
{
	struct share_rig *s = *state;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (geteuid() == 0 && seteuid(65534))
			_exit(2);
		_exit(try_add(s, "owner=host", NULL) == -EPERM && strstr(bis_error_message(), "only root") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if (geteuid() == 0) {
		assert_fails(try_add(s, "owner=host,uid=5", NULL), -EINVAL, "'uid' and 'gid'");
		add(s, "owner=host,devices");
	}
}

static void options_reach_the_file_system(void **state)
{
	struct share_rig *s = *state;
	struct bis_module *mod = add(s, "readonly,uid=7,gid=8");
	struct mfs *fs = find(s, "src");
	struct mfs_node *root = mfs_root(fs), *node;
	struct mfs_attr attr;

	assert_true(fs->readonly);
	assert_ok(mfs_stat(&(struct mfs_at){.base = root, .path = "f"}, &attr));
	assert_int_equal(attr.uid, 7);
	assert_int_equal(attr.gid, 8);
	assert_int_equal(mfs_open(&(struct mfs_at){.base = root, .path = "f"}, MFS_WRITE, 0, rig_who, &node), -EROFS);
	assert_string_equal(field(mod, "readonly"), "1");
	assert_string_equal(field(mod, "owner"), "guest");
	assert_string_equal(field(mod, "name"), "src");
	assert_string_equal(strrchr(field(mod, "path"), '/'), "/src");
	mfs_node_put(root);
	mfs_put(fs);
}

static void links_inside_start_at_the_root(void **state)
{
	struct share_rig *s = *state;

	assert_int_equal(symlinkat("/f", s->folder->dir, "share/src/l"), 0);
	add(s, "name=beneath");
	add(s, "name=inside,links=inside");
	for (unsigned inside = 0; inside < 2; inside++) {
		struct mfs *fs = find(s, inside ? "inside" : "beneath");
		struct mfs_node *root = mfs_root(fs);
		struct mfs_attr attr;
		int err = mfs_stat(&(struct mfs_at){.base = root, .path = "l", .follow = true}, &attr);

		assert_int_equal(err, inside ? 0 : -EXDEV);
		mfs_node_put(root);
		mfs_put(fs);
	}
}

/* --- Several, and their lives --- */

static void shares_are_counted_through_in_order(void **state)
{
	static const char *const names[] = {"one", "two", "three"};
	struct share_rig *s = *state;
	struct mfs *fs;

	assert_fails(mfs_nth(s->m, 0, &fs), -ENOENT, "no more shares");
	assert_ok(bis_machine_add(s->m, "riscv", NULL));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++) {
		char options[20];

		snprintf(options, sizeof(options), "name=%s", names[i]);
		add(s, options);
	}
	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++) {
		assert_ok(mfs_nth(s->m, i, &fs));
		assert_string_equal(fs->name, names[i]);
		mfs_put(fs);
	}
	assert_fails(mfs_nth(s->m, 3, &fs), -ENOENT, "no more shares");
}

static void a_removed_share_lives_as_long_as_it_is_used(void **state)
{
	struct share_rig *s = *state;
	struct bis_module *mod = add(s, "");
	struct mfs *fs = find(s, "src"), *again;
	struct mfs_node *root = mfs_root(fs);
	struct mfs_attr attr;

	assert_ok(bis_machine_remove(s->m, mod));
	assert_fails(mfs_find(s->m, "src", &again), -ENOENT, "'src'");
	assert_ok(mfs_stat(&(struct mfs_at){.base = root, .path = "f"}, &attr));
	/* Its name is free. */
	add(s, "");
	mfs_node_put(root);
	mfs_put(fs);
}

static void counters_show_what_is_done(void **state)
{
	struct share_rig *s = *state;
	struct bis_module *mod = add(s, "");
	struct mfs *fs = find(s, "src");
	struct mfs_node *root = mfs_root(fs), *node;
	struct bis_mem_range range = {.pa = {RIG_RAM}, .len = 4};
	struct mfs_watcher *w;

	assert_string_equal(field(mod, "handles"), "0");
	assert_ok(mfs_open(&(struct mfs_at){.base = root, .path = "f"}, MFS_READ_WRITE, 0, rig_who, &node));
	assert_int_equal(mfs_read(node, s->folder->memory, &range, 1, 0, false), 4);
	assert_int_equal(mfs_write(node, s->folder->memory, &range, 1, 4), 4);
	assert_ok(mfs_watcher_create(fs, &w));
	assert_true(mfs_watch_add(w, &(struct mfs_at){.base = root, .path = "f"}, MFS_CHANGED, false) > 0);
	assert_string_equal(field(mod, "handles"), "1");
	assert_string_equal(field(mod, "watches"), "1");
	assert_string_equal(field(mod, "bytes_read"), "4");
	assert_string_equal(field(mod, "bytes_written"), "4");
	assert_string_not_equal(field(mod, "operations"), "0");
	mfs_watcher_destroy(w);
	mfs_node_put(node);
	assert_string_equal(field(mod, "handles"), "0");
	assert_string_equal(field(mod, "watches"), "0");
	mfs_node_put(root);
	mfs_put(fs);
}

#define SHARE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(a_share_is_called_like_its_directory),
		SHARE_TEST(a_share_can_be_given_a_name),
		SHARE_TEST(names_are_unique_and_sensible),
		SHARE_TEST(a_name_that_does_not_exist_gets_a_proposal),
		SHARE_TEST(wrong_options_are_named_with_what_is_expected),
		SHARE_TEST(the_hosts_owners_need_privileges),
		SHARE_TEST(options_reach_the_file_system),
		SHARE_TEST(links_inside_start_at_the_root),
		SHARE_TEST(shares_are_counted_through_in_order),
		SHARE_TEST(a_removed_share_lives_as_long_as_it_is_used),
		SHARE_TEST(counters_show_what_is_done),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
