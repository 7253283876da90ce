/* Files that are dropped onto the window: where they come to lie, under which names, and which are refused. */
#include <biscuit/machine.h>

#include "frontend/run/drop.h"
#include "modules/modules.h"
#include "tests/unit/mfs_rig.h"

struct fixture {
	struct rig *folder;
	struct bis_machine *m;
	char told[256];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bis_machine_config cfg = {
		.ram_size = 0x100000, .harts = 1, .isa = "rv64imac", .classes = bis_builtin_modules};

	rig_setup((void **)&f->folder);
	assert_int_equal(mkdirat(f->folder->dir, "other", 0755), 0);
	host_put(f->folder, "note.txt", "dropped");
	assert_ok(bis_machine_create(&cfg, &f->m));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bis_machine_destroy(f->m);
	rig_teardown((void **)&f->folder);
	free(f);
	return 0;
}

static void share(struct fixture *f, const char *folder, const char *options)
{
	struct bis_module *mod;
	char spec[200];

	snprintf(spec, sizeof(spec), "share,path=%s/%s%s", f->folder->folder, folder, options);
	assert_ok(bis_machine_add(f->m, spec, &mod));
}

static int drop(struct fixture *f, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", f->folder->folder, name);
	return drop_file(f->m, path, f->told, sizeof(f->told));
}

/* Names that begin so in the share. */
static unsigned count(struct fixture *f, const char *start)
{
	int fd = openat(f->folder->dir, "share", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += !strncmp(e->d_name, start, strlen(start));
	closedir(dir);
	return n;
}

static void a_file_is_copied_into_the_first_share_that_can_be_written(void **state)
{
	struct fixture *f = *state;

	share(f, "other", ",readonly");
	share(f, "share", ",name=work");
	assert_ok(drop(f, "note.txt"));
	assert_string_equal(f->told, "note.txt is in the share 'work' now");
	assert_string_equal(host_text(f->folder, "share/note.txt"), "dropped");
	assert_string_equal(host_text(f->folder, "note.txt"), "dropped");
	assert_false(host_has(f->folder, "other/note.txt"));
}

static void large_files_arrive_whole(void **state)
{
	enum { SIZE = (3 << 20) + 7 };
	struct fixture *f = *state;
	char *text = malloc(SIZE), *copied = malloc(SIZE);
	int fd = openat(f->folder->dir, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)(i * 7 >> 3);
	assert_int_equal(write(fd, text, SIZE), SIZE);
	close(fd);
	share(f, "share", "");
	assert_ok(drop(f, "large"));
	assert_int_equal(host_stat_of(f->folder, "share/large").st_size, SIZE);
	fd = openat(f->folder->dir, "share/large", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, copied, SIZE), SIZE);
	assert_memory_equal(text, copied, SIZE);
	close(fd);
	free(copied);
	free(text);
}

static void what_is_there_stays(void **state)
{
	struct fixture *f = *state;

	share(f, "share", "");
	host_put(f->folder, "share/note.txt", "mine");
	assert_int_equal(symlinkat("../outside/canary", f->folder->dir, "share/note.txt (2)"), 0);
	assert_ok(drop(f, "note.txt"));
	assert_string_equal(f->told, "note.txt (3) is in the share 'share' now");
	assert_string_equal(host_text(f->folder, "share/note.txt"), "mine");
	assert_string_equal(host_text(f->folder, "share/note.txt (3)"), "dropped");
	assert_string_equal(host_text(f->folder, "outside/canary"), CANARY);
}

static void only_files_are_taken(void **state)
{
	struct fixture *f = *state;

	share(f, "share", "");
	assert_int_equal(mkfifoat(f->folder->dir, "pipe", 0644), 0);
	assert_fails(drop(f, "pipe"), -EINVAL, "pipe");
	assert_fails(drop(f, "outside"), -EISDIR, "outside");
	assert_fails(drop(f, "nothing"), -ENOENT, "nothing");
	assert_int_equal(count(f, "pipe") + count(f, "outside") + count(f, "nothing"), 0);
}

static void without_a_share_to_write_into_the_user_is_told(void **state)
{
	struct fixture *f = *state;

	assert_fails(drop(f, "note.txt"), -ENOENT, "--share");
	share(f, "share", ",readonly");
	assert_fails(drop(f, "note.txt"), -ENOENT, "--share");
	assert_int_equal(count(f, "note"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_copied_into_the_first_share_that_can_be_written),
		TEST(large_files_arrive_whole),
		TEST(what_is_there_stays),
		TEST(only_files_are_taken),
		TEST(without_a_share_to_write_into_the_user_is_told),
	};

	return cmocka_run_group_tests_name("drop", tests, NULL, NULL);
}
