/*
 * Nothing outside the share can be named, read, made or changed, whatever a guest asks for, and whatever the host's
 * folder looks like or turns into meanwhile. Beside every share of these tests lies a file that must stay as it is.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "tests/unit/mfs_rig.h"

#define ELSEWHERE "outside/new"

/* Makes a link on the host, as a hostile tree would bring it along. */
static void host_link(const struct rig *r, const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, r->dir, path), 0);
}

/* Tries everything that can be done to the name and below it. Nothing may come of it outside. */
static void try_everything(struct rig *r, const struct mfs_at *what)
{
	struct mfs_attr attr = {.mode = 0777, .size = 0};
	char buf[64];

	(void)!try_lookup(what);
	(void)!try_stat(what);
	(void)!try_open(what, MFS_READ_WRITE | MFS_TRUNCATE);
	(void)!try_open(what, MFS_READ_WRITE | MFS_CREATE);
	(void)!try_open(what, MFS_READ_WRITE | MFS_TEMPORARY);
	(void)!mfs_set(what, MFS_SET_MODE | MFS_SET_SIZE | MFS_SET_MTIME, &attr);
	(void)!mfs_mkdir(what, 0777, rig_who);
	(void)!mfs_mknod(what, S_IFREG | 0666, 0, rig_who);
	(void)!mfs_symlink(what, "x", rig_who);
	(void)!mfs_link(AT(r, "inside"), what);
	(void)!mfs_link(what, AT(r, "stolen"));
	(void)!mfs_rename(AT(r, "inside"), what, MFS_RENAME_NOREPLACE);
	(void)!mfs_setxattr(what, "user.x", "y", 1, 0);
	(void)!mfs_readlink(what, buf, sizeof(buf));
}

/* The folder beside the share is as it was. */
static void assert_untouched(const struct rig *r)
{
	struct stat st = host_stat_of(r, "outside/canary");

	assert_string_equal(host_text(r, "outside/canary"), CANARY);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_nlink, 1);
	assert_false(host_has(r, ELSEWHERE));
	assert_int_equal(host_stat_of(r, "outside").st_nlink, 2);
}

/* --- Names --- */

static void above_the_root_is_the_root(void **state)
{
	static const char *const roots[] = {"..", "../..", "/..", "/", "../.", "./..", ".", "/../../", "//"};
	struct rig *r = *state;
	struct mfs_node *dir;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		assert_int_equal(attr_of(AT(r, roots[i])).id, r->root->id);
	assert_int_equal(try_stat(AT(r, "../outside/canary")), -ENOENT);
	assert_int_equal(try_stat(AT(r, "/../outside/canary")), -ENOENT);
	assert_ok(mfs_mkdir(AT(r, "a"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "a/b"), 0755, rig_who));
	dir = lookup(r, "a/b");
	assert_int_equal(attr_of(IN(dir, "..")).id, attr_of(AT(r, "a")).id);
	assert_int_equal(attr_of(IN(dir, "../..")).id, r->root->id);
	assert_int_equal(attr_of(IN(dir, "../../..")).id, r->root->id);
	assert_int_equal(attr_of(IN(dir, "/")).id, r->root->id);
	assert_int_equal(try_stat(IN(dir, "../../../outside/canary")), -ENOENT);
	assert_int_equal(try_stat(AT(r, "a/../../outside/canary")), -EXDEV);
	mfs_node_put(dir);
}

static void dots_cannot_make_or_remove_anything_above(void **state)
{
	static const char *const names[] = {
		"../new", "../outside/new",	  "a/../../outside/new",   "/../outside/new",
		"..",	  "../../outside/canary", "a/../../outside/canary"};
	struct rig *r = *state;
	struct mfs_node *dir;

	host_put(r, "share/inside", "x");
	assert_ok(mfs_mkdir(AT(r, "a"), 0755, rig_who));
	dir = lookup(r, "a");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		try_everything(r, FOLLOW(r, names[i]));
		try_everything(r, IN(dir, names[i]));
		assert_int_not_equal(mfs_unlink(AT(r, names[i]), true), 0);
		assert_untouched(r);
		assert_false(host_has(r, "new"));
		(void)!mfs_unlink(AT(r, "new"), false);
		host_put(r, "share/inside", "x");
	}
	mfs_node_put(dir);
}

static void names_have_lengths(void **state)
{
	struct rig *r = *state;
	char name[MFS_PATH_MAX + 16], path[MFS_PATH_MAX];

	memset(name, 'n', sizeof(name));
	name[256] = 0;
	assert_int_equal(try_stat(AT(r, name)), -ENAMETOOLONG);
	assert_int_equal(mfs_mkdir(AT(r, name), 0755, rig_who), -ENAMETOOLONG);
	assert_int_equal(mfs_name_check(name), -ENAMETOOLONG);
	name[255] = 0;
	assert_ok(mfs_mkdir(AT(r, name), 0755, rig_who));
	assert_ok(mfs_name_check(name));
	assert_ok(mfs_unlink(AT(r, name), true));
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 2 ? '/' : '.';
	name[sizeof(name) - 1] = 0;
	assert_int_equal(try_stat(AT(r, name)), -ENAMETOOLONG);
	name[MFS_PATH_MAX] = 0;
	assert_int_equal(try_stat(AT(r, name)), -ENAMETOOLONG);
	name[MFS_PATH_MAX - 1] = 0;
	assert_ok(try_stat(AT(r, name)));
	assert_int_equal(mfs_path_set(path, name, MFS_PATH_MAX), -ENAMETOOLONG);
	assert_ok(mfs_path_set(path, name, MFS_PATH_MAX - 1));
	assert_int_equal(mfs_path_set(path, "a\0b", 3), -EINVAL);
	assert_int_equal(mfs_path_set(path, name, SIZE_MAX), -ENAMETOOLONG);
	assert_int_equal(mfs_name_check("a/b"), -EINVAL);
	assert_int_equal(mfs_name_check(""), -EINVAL);
	assert_int_equal(mfs_name_check("."), -EINVAL);
	assert_int_equal(mfs_name_check(".."), -EINVAL);
	/* A link's target is text: it may be long, but not endless. */
	memset(name, 'n', sizeof(name));
	name[MFS_PATH_MAX] = 0;
	assert_int_equal(mfs_symlink(AT(r, "s"), name, rig_who), -ENAMETOOLONG);
}

/* --- Links --- */

static void links_that_lead_out_are_not_followed(void **state)
{
	static const char *const outs[] = {
		"up",	      "absolute", "chain",  "round_about", "folder/canary", "deep/out/canary",
		"folder/new", "up_new",	  "folder", "slash/canary"};
	struct rig *r = *state;
	char target[128];

	host_put(r, "share/inside", "x");
	host_link(r, "../outside/canary", "share/up");
	snprintf(target, sizeof(target), "%s/outside/canary", r->folder);
	host_link(r, target, "share/absolute");
	host_link(r, "up", "share/chain");
	host_link(r, "./chain/../../outside/canary", "share/round_about");
	host_link(r, "../outside", "share/folder");
	host_link(r, "../" ELSEWHERE, "share/up_new");
	host_link(r, "folder/", "share/slash");
	assert_int_equal(mkdirat(r->dir, "share/deep", 0755), 0);
	host_link(r, "../../outside", "share/deep/out");
	for (size_t i = 0; i < sizeof(outs) / sizeof(outs[0]); i++) {
		int err = try_stat(FOLLOW(r, outs[i]));

		assert_true(err == -EXDEV || err == -ENOTDIR);
		try_everything(r, FOLLOW(r, outs[i]));
		try_everything(r, AT(r, outs[i]));
		assert_untouched(r);
	}
}

static void a_slash_behind_a_link_does_not_follow_it_out(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr = {.mode = 0777};

	host_link(r, "../outside", "share/folder");
	assert_int_equal(try_stat(AT(r, "folder/")), -EXDEV);
	assert_int_equal(mfs_set(AT(r, "folder/"), MFS_SET_MODE, &attr), -EXDEV);
	assert_int_equal(try_open(AT(r, "folder/"), MFS_READ), -EXDEV);
	assert_int_equal(mfs_link(AT(r, "folder/"), AT(r, "x")), -EXDEV);
	assert_int_not_equal(mfs_unlink(AT(r, "folder/"), true), 0);
	assert_int_not_equal(mfs_rename(AT(r, "folder/"), AT(r, "x/"), 0), 0);
	assert_int_not_equal(mfs_mkdir(AT(r, "folder/"), 0777, rig_who), 0);
	assert_untouched(r);
}

static void links_inside_work(void **state)
{
	struct rig *r = *state;
	struct mfs_node *dir;

	assert_ok(mfs_mkdir(AT(r, "a"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "b"), 0755, rig_who));
	make_file(r, "b/f", "found");
	assert_ok(mfs_symlink(AT(r, "a/s"), "../b/f", rig_who));
	assert_ok(mfs_symlink(AT(r, "a/t"), "s", rig_who));
	assert_string_equal(text_at(r, "a/t"), "found");
	/* Seen from a directory that the link leads out of, though not out of the share. */
	dir = lookup(r, "a");
	assert_int_equal(attr_of(&(struct mfs_at){dir, "t", true}).size, 5);
	assert_ok(mfs_symlink(AT(r, "a/u"), "../b", rig_who));
	assert_ok(mfs_mkdir(IN(dir, "u/made"), 0755, rig_who));
	assert_true(host_has(r, "share/b/made"));
	mfs_node_put(dir);
}

static void loops_end(void **state)
{
	struct rig *r = *state;

	host_link(r, "b", "share/a");
	host_link(r, "a", "share/b");
	host_link(r, "self/x", "share/self");
	assert_int_equal(try_stat(FOLLOW(r, "a")), -ELOOP);
	assert_int_equal(try_open(FOLLOW(r, "a"), MFS_WRITE | MFS_CREATE), -ELOOP);
	assert_int_equal(try_stat(AT(r, "self/y")), -ELOOP);
	assert_ok(try_stat(AT(r, "a")));
}

static void absolute_links_start_at_the_root_where_the_user_wants_it(void **state)
{
	struct rig *r = *state;
	char target[128];

	rig_share(r, (struct mfs_options){.links_inside = true});
	assert_ok(mfs_mkdir(AT(r, "etc"), 0755, rig_who));
	make_file(r, "etc/name", "guest");
	host_link(r, "/etc/name", "share/absolute");
	host_link(r, "/../../etc/name", "share/dots");
	host_link(r, "/etc/new", "share/to_make");
	host_link(r, "../outside/canary", "share/up");
	snprintf(target, sizeof(target), "%s/outside/canary", r->folder);
	host_link(r, target, "share/out");
	assert_string_equal(text_at(r, "absolute"), "guest");
	assert_string_equal(text_at(r, "dots"), "guest");
	make_file(r, "to_make", "made");
	assert_string_equal(host_text(r, "share/etc/new"), "made");
	assert_int_equal(try_stat(FOLLOW(r, "up")), -ENOENT);
	assert_int_equal(try_stat(FOLLOW(r, "out")), -ENOENT);
	/* From a directory, too. */
	host_link(r, "/etc/name", "share/etc/again");
	assert_string_equal(text_at(r, "etc/again"), "guest");
	try_everything(r, FOLLOW(r, "out"));
	try_everything(r, FOLLOW(r, "up"));
	assert_untouched(r);
}

static void magic_links_are_not_followed(void **state)
{
	static const char *const magic[] = {"self/root/etc", "self/cwd",	 "self/fd/0",
					    "self/exe",	     "thread-self/root", "self/ns/mnt"};
	struct rig *r = *state;
	struct mfs *proc;

	host_link(r, "/proc/self/root", "share/root");
	host_link(r, "/proc/self/cwd", "share/cwd");
	assert_int_equal(try_stat(FOLLOW(r, "root")), -EXDEV);
	assert_int_equal(try_stat(AT(r, "root/etc/passwd")), -EXDEV);
	for (int inside = 0; inside < 2; inside++) {
		struct mfs_options options = {.path = "/proc", .readonly = true, .links_inside = inside};

		assert_ok(mfs_host_create(&options, &proc));
		for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++) {
			struct mfs_at what = {.base = proc->root, .path = magic[i], .follow = true};
			int err = try_lookup(&what);

			assert_true(err == -ELOOP || err == -EXDEV || err == -ENOENT || err == -EACCES);
		}
		mfs_put(proc);
	}
}

/* --- What changes meanwhile --- */

#define SWAPS 6000

struct swapper {
	const struct rig *r;
	atomic_bool stop;
};

/* Exchanges a directory for a link to the folder outside, again and again. */
static void *swap(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop))
		syscall(SYS_renameat2, s->r->dir, "share/d", s->r->dir, "share/trap", 2u);
	return NULL;
}

static void a_directory_swapped_for_a_link_leads_nowhere(void **state)
{
	static const char *const names[] = {"d/canary", "d/new", "d/sub/new", "d/../d/canary"};
	struct rig *r = *state;
	struct swapper s = {.r = r};
	struct mfs_node *node;
	pthread_t thread;
	unsigned reached = 0, refused = 0;

	assert_int_equal(mkdirat(r->dir, "share/d", 0755), 0);
	assert_int_equal(mkdirat(r->dir, "share/d/sub", 0755), 0);
	host_put(r, "share/d/canary", "inside");
	host_put(r, "share/inside", "x");
	host_link(r, "../outside", "share/trap");
	assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
	for (unsigned i = 0; i < SWAPS; i++) {
		const struct mfs_at *what = FOLLOW(r, names[i % 4]);
		struct mfs_attr attr = {.mode = 0600 | i % 64};

		if (!mfs_open(what, i % 3 ? MFS_READ : MFS_READ | MFS_CREATE, 0600, rig_who, &node)) {
			reached++;
			if (node->type == S_IFREG)
				assert_string_not_equal(get_text(r, node, 0), CANARY);
			mfs_node_put(node);
		}
		refused += mfs_set(what, MFS_SET_MODE, &attr) == -EXDEV;
		(void)!mfs_mkdir(what, 0700, rig_who);
		(void)!mfs_link(AT(r, "inside"), what);
		if (i % 4)
			(void)!mfs_unlink(what, i % 2);
	}
	atomic_store(&s.stop, true);
	pthread_join(thread, NULL);
	/* Both were met. */
	assert_true(reached > 0 && refused > 0);
	assert_untouched(r);
}

/* A directory that is being made, swapped for a link before its mode is set. */
static void *trap(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop))
		syscall(SYS_renameat2, s->r->dir, "share/made", s->r->dir, "share/trap", 2u);
	return NULL;
}

static void what_has_just_been_made_may_be_something_else_already(void **state)
{
	struct rig *r = *state;
	struct swapper s = {.r = r};
	pthread_t thread;

	host_link(r, "../outside/canary", "share/trap");
	assert_int_equal(pthread_create(&thread, NULL, trap, &s), 0);
	for (unsigned i = 0; i < SWAPS / 4; i++) {
		(void)!mfs_mkdir(AT(r, "made"), 0777, rig_who);
		(void)!mfs_mknod(AT(r, "made"), S_IFIFO | 0777, 0, rig_who);
		(void)!try_open(FOLLOW(r, "made"), MFS_READ_WRITE | MFS_CREATE | MFS_TRUNCATE);
		(void)!mfs_unlink(AT(r, "made"), true);
		(void)!mfs_unlink(AT(r, "made"), false);
		(void)!mfs_unlink(AT(r, "trap"), true);
		(void)!symlinkat("../outside/canary", r->dir, "share/trap");
	}
	atomic_store(&s.stop, true);
	pthread_join(thread, NULL);
	assert_untouched(r);
}

static bool take_none(void *arg, const struct mfs_entry *entry)
{
	(void)arg;
	(void)entry;
	return false;
}

static void a_share_that_is_moved_stays_what_it_is(void **state)
{
	struct rig *r = *state;
	struct mfs_node *dir, *made = NULL;

	assert_ok(mfs_mkdir(AT(r, "d"), 0755, rig_who));
	make_file(r, "f", "x");
	assert_ok(mfs_symlink(AT(r, "d/s"), "../f", rig_who));
	dir = lookup(r, "d");
	assert_int_equal(renameat(r->dir, "share", r->dir, "outside/moved"), 0);
	assert_int_equal(attr_of(&(struct mfs_at){dir, "s", true}).size, 1);
	assert_int_equal(try_stat(IN(dir, "../../canary")), -ENOENT);
	/* A directory that is no longer in the share leads nowhere: not up, and not to what lies below it now. */
	assert_int_equal(renameat(r->dir, "outside/moved/d", r->dir, "outside/gone"), 0);
	assert_int_equal(try_stat(IN(dir, "..")), -ESTALE);
	assert_int_equal(try_stat(IN(dir, "../canary")), -ESTALE);
	assert_int_equal(try_stat(&(struct mfs_at){dir, "s", true}), -ESTALE);
	assert_int_equal(try_stat(IN(dir, "s")), -ESTALE);
	assert_int_equal(mfs_mkdir(IN(dir, "made"), 0755, rig_who), -ESTALE);
	assert_int_equal(mfs_unlink(IN(dir, "s"), false), -ESTALE);
	assert_int_equal(mfs_open(IN(dir, "made"), MFS_WRITE | MFS_CREATE, 0644, rig_who, &made), -ESTALE);
	assert_int_equal(mfs_open(IN(dir, ""), MFS_READ | MFS_DIRECTORY, 0, rig_who, &made), 0);
	assert_int_equal(mfs_list(made, 0, take_none, NULL), -ESTALE);
	mfs_node_put(made);
	assert_int_equal(renameat(r->dir, "outside/gone", r->dir, "outside/moved/d"), 0);
	assert_int_equal(renameat(r->dir, "outside/moved", r->dir, "share"), 0);
	mfs_node_put(dir);
}

/* --- Depth --- */

#define DEPTH 3000

/* Wherever in the share the host moves a directory, names are found from it; also where a link led there first. */
static void a_directory_that_is_moved_inside_goes_on_working(void **state)
{
	static const char *const places[] = {"share/top", "share/a/b/c/d/e/deep", "share/a/b/there",
					     "share/a/b/c/here"};
	struct rig *r = *state;
	struct mfs_node *dir, *linked;
	const char *from = "share/a/b/c/here";

	assert_ok(mfs_mkdir(AT(r, "a"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "a/b"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "a/b/c"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "a/b/c/d"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "a/b/c/d/e"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "a/b/c/here"), 0755, rig_who));
	make_file(r, "a/b/c/here/f", "x");
	host_link(r, "a/b/c/here", "share/link");
	dir = lookup(r, "a/b/c/here");
	assert_ok(mfs_lookup(FOLLOW(r, "link/../here/."), &linked));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_int_equal(attr_of(IN(dir, "f")).size, 1);
		assert_int_equal(attr_of(IN(linked, "f")).size, 1);
		assert_int_equal(renameat(r->dir, from, r->dir, places[i]), 0);
		from = places[i];
	}
	/* A moved directory above takes it out just as well. */
	assert_int_equal(renameat(r->dir, "share/a", r->dir, "outside/a"), 0);
	assert_int_equal(try_stat(IN(dir, "f")), -ESTALE);
	assert_int_equal(try_stat(IN(linked, "f")), -ESTALE);
	assert_int_equal(renameat(r->dir, "outside/a", r->dir, "share/a"), 0);
	assert_int_equal(attr_of(IN(dir, "f")).size, 1);
	assert_ok(mfs_unlink(IN(dir, "f"), false));
	assert_ok(mfs_unlink(AT(r, "a/b/c/here"), true));
	assert_int_equal(try_stat(IN(dir, "f")), -ENOENT);
	mfs_node_put(dir);
	mfs_node_put(linked);
}

static void trees_may_be_deep(void **state)
{
	struct rig *r = *state;
	struct mfs_node *dir = mfs_root(r->fs), *below, *file;
	struct mfs_description description;

	for (int i = 0; i < DEPTH; i++) {
		assert_ok(mfs_mkdir(IN(dir, "d"), 0755, rig_who));
		assert_ok(mfs_lookup(IN(dir, "d"), &below));
		mfs_node_put(dir);
		dir = below;
	}
	assert_ok(mfs_open(IN(dir, "f"), MFS_WRITE | MFS_CREATE, 0644, rig_who, &file));
	assert_int_equal(put_text(r, file, "deep", 0), 4);
	/* Where that is, no path can tell. */
	assert_int_equal(mfs_describe(file, &description), -ENAMETOOLONG);
	assert_int_equal(try_stat(IN(dir, "../../d")), -ENAMETOOLONG);
	assert_ok(mfs_unlink(IN(dir, "f"), false));
	mfs_node_put(file);
	mfs_node_put(dir);
	for (int i = 0; i < DEPTH; i++) {
		int err = mfs_rename(AT(r, "d/d"), AT(r, "e"), 0);

		assert_int_equal(err, i < DEPTH - 1 ? 0 : -ENOENT);
		assert_ok(mfs_unlink(AT(r, "d"), true));
		if (!err)
			assert_ok(mfs_rename(AT(r, "e"), AT(r, "d"), 0));
	}
}

/* --- Things that are not files --- */

static void special_files_are_never_opened(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr = {.size = 0};

	assert_int_equal(mkfifoat(r->dir, "share/fifo", 0666), 0);
	assert_int_equal(mknodat(r->dir, "share/socket", S_IFSOCK | 0666, 0), 0);
	for (unsigned access = MFS_READ; access <= MFS_READ_WRITE; access++) {
		/* A FIFO without anyone at the other end would wait for ever. */
		assert_int_equal(try_open(AT(r, "fifo"), access), -ENXIO);
		assert_int_equal(try_open(AT(r, "fifo"), access | MFS_CREATE), -ENXIO);
		assert_int_equal(try_open(AT(r, "socket"), access), -ENXIO);
	}
	assert_int_equal(mfs_set(AT(r, "fifo"), MFS_SET_SIZE, &attr), -EINVAL);
	assert_true(S_ISFIFO(attr_of(AT(r, "fifo")).mode));
	assert_int_equal(mfs_mknod(AT(r, "null"), S_IFCHR | 0666, makedev(1, 3), rig_who), -EPERM);
	assert_int_equal(mfs_mknod(AT(r, "disk"), S_IFBLK | 0666, makedev(8, 0), rig_who), -EPERM);
}

static void devices_of_the_host_are_never_opened(void **state)
{
	struct rig *r = *state;
	struct mfs *dev;
	struct mfs_options options = {.path = "/dev"};

	assert_ok(mfs_host_create(&options, &dev));
	for (unsigned access = MFS_READ; access <= MFS_READ_WRITE; access++) {
		assert_int_equal(try_open(IN(dev->root, "null"), access), -ENXIO);
		assert_int_equal(try_open(IN(dev->root, "null"), access | MFS_CREATE), -ENXIO);
		assert_int_equal(try_open(IN(dev->root, "zero"), access | MFS_TRUNCATE), -ENXIO);
	}
	mfs_put(dev);
	rig_share(r, (struct mfs_options){.devices = true, .owner = MFS_OWNER_HOST});
	if (mfs_mknod(AT(r, "null"), S_IFCHR | 0666, makedev(1, 3), (struct mfs_who){0})) {
		rig_share(r, (struct mfs_options){0});
		skip();
	}
	assert_int_equal(attr_of(AT(r, "null")).rdev, makedev(1, 3));
	assert_int_equal(try_open(AT(r, "null"), MFS_READ), -ENXIO);
}

/* A directory and a FIFO take turns at one name: whichever is found, nothing waits. */
static void *turn(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop))
		syscall(SYS_renameat2, s->r->dir, "share/file", s->r->dir, "share/fifo", 2u);
	return NULL;
}

static void a_file_swapped_for_a_fifo_is_not_waited_for(void **state)
{
	struct rig *r = *state;
	struct swapper s = {.r = r};
	pthread_t thread;

	host_put(r, "share/file", "text");
	assert_int_equal(mkfifoat(r->dir, "share/fifo", 0666), 0);
	assert_int_equal(pthread_create(&thread, NULL, turn, &s), 0);
	for (unsigned i = 0; i < SWAPS; i++) {
		int err = try_open(AT(r, "file"), i % 2 ? MFS_READ : MFS_WRITE | MFS_CREATE);

		assert_true(err == 0 || err == -ENXIO);
	}
	atomic_store(&s.stop, true);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(above_the_root_is_the_root),
		RIG_TEST(dots_cannot_make_or_remove_anything_above),
		RIG_TEST(names_have_lengths),
		RIG_TEST(links_that_lead_out_are_not_followed),
		RIG_TEST(a_slash_behind_a_link_does_not_follow_it_out),
		RIG_TEST(links_inside_work),
		RIG_TEST(loops_end),
		RIG_TEST(absolute_links_start_at_the_root_where_the_user_wants_it),
		RIG_TEST(magic_links_are_not_followed),
		RIG_TEST(a_directory_swapped_for_a_link_leads_nowhere),
		RIG_TEST(what_has_just_been_made_may_be_something_else_already),
		RIG_TEST(a_share_that_is_moved_stays_what_it_is),
		RIG_TEST(a_directory_that_is_moved_inside_goes_on_working),
		RIG_TEST(trees_may_be_deep),
		RIG_TEST(special_files_are_never_opened),
		RIG_TEST(devices_of_the_host_are_never_opened),
		RIG_TEST(a_file_swapped_for_a_fifo_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("mfs_escape", tests, NULL, NULL);
}
