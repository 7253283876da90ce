/*
 * What the tests of the file system over a host directory stand on: a folder of their own with a share in it and,
 * beside the share, a file that no guest may ever reach. Paths on the host are given from that folder.
 */
#ifndef BISCUIT_MFS_RIG_H
#define BISCUIT_MFS_RIG_H

#include "tests/unit/host_tree.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/memory.h>

#include "magicfs/mfs.h"

#define RIG_RAM	     0x80000000u
#define RIG_RAM_SIZE 0x100000u
#define CANARY	     "outside: not yours\n"

struct rig {
	char folder[64];
	int dir; /* the folder */
	struct bis_memory *memory;
	struct mfs *fs;
	struct mfs_node *root;
};

static const struct mfs_who rig_who = {.uid = 1000, .gid = 100};

/* --- The host's side --- */

static inline void host_put(const struct rig *r, const char *path, const char *text)
{
	int fd = openat(r->dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* What the file holds; valid until the next call. */
static inline const char *host_text(const struct rig *r, const char *path)
{
	static char text[4096];
	int fd = openat(r->dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd < 0)
		return "(no such file)";
	close(fd);
	text[len] = 0;
	return text;
}

static inline bool host_has(const struct rig *r, const char *path)
{
	struct stat st;

	return !fstatat(r->dir, path, &st, AT_SYMLINK_NOFOLLOW);
}

static inline struct stat host_stat_of(const struct rig *r, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(r->dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

/* --- The fixture --- */

/* Makes the share again, with other options; the path and name are the rig's. */
static inline void rig_share(struct rig *r, struct mfs_options options)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/share", r->folder);
	mfs_node_put(r->root);
	mfs_put(r->fs);
	options.path = path;
	assert_ok(mfs_host_create(&options, &r->fs));
	r->root = mfs_root(r->fs);
}

static inline int rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	const char *tmp = getenv("TMPDIR");

	umask(022);
	snprintf(r->folder, sizeof(r->folder), "%.40s/biscuit-mfs-XXXXXX", tmp && strlen(tmp) <= 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(r->folder));
	r->dir = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(r->dir, "share", 0755), 0);
	assert_int_equal(mkdirat(r->dir, "outside", 0755), 0);
	host_put(r, "outside/canary", CANARY);
	assert_ok(bis_memory_create(&r->memory));
	assert_ok(bis_memory_add_ram(r->memory, "ram", (bis_gpa){RIG_RAM}, RIG_RAM_SIZE));
	rig_share(r, (struct mfs_options){0});
	*state = r;
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *r = *state;

	/* Whatever the test did, nobody has been outside. */
	assert_string_equal(host_text(r, "outside/canary"), CANARY);
	mfs_node_put(r->root);
	assert_int_equal(atomic_load(&r->fs->nodes), 0);
	assert_int_equal(atomic_load(&r->fs->open_nodes), 0);
	mfs_put(r->fs);
	bis_memory_destroy(r->memory);
	close(r->dir);
	host_remove(AT_FDCWD, r->folder);
	free(r);
	return 0;
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

/* --- The guest's side --- */

/* Names from the root, with a link at the end followed or not; a node itself; a name seen from a node. */
#define AT(r, name)	(&(struct mfs_at){.base = (r)->root, .path = (name)})
#define FOLLOW(r, name) (&(struct mfs_at){.base = (r)->root, .path = (name), .follow = true})
#define NODE(node)	(&(struct mfs_at){.base = (node), .path = ""})
#define IN(node, name)	(&(struct mfs_at){.base = (node), .path = (name)})

static inline struct mfs_node *lookup(struct rig *r, const char *path)
{
	struct mfs_node *node;

	assert_ok(mfs_lookup(AT(r, path), &node));
	return node;
}

static inline struct mfs_node *open_file(struct rig *r, const char *path, unsigned flags)
{
	struct mfs_node *node;

	assert_ok(mfs_open(FOLLOW(r, path), flags, 0644, rig_who, &node));
	return node;
}

static inline struct mfs_attr attr_of(const struct mfs_at *what)
{
	struct mfs_attr attr;

	assert_ok(mfs_stat(what, &attr));
	return attr;
}

static inline ssize_t put_text(struct rig *r, struct mfs_node *node, const char *text, uint64_t offset)
{
	struct bis_mem_range range = {.pa = {RIG_RAM}, .len = strlen(text)};

	assert_ok(bis_mem_write(r->memory, range.pa, text, strlen(text)));
	return mfs_write(node, r->memory, &range, 1, offset);
}

/* What can be read from `offset` on, up to 4095 bytes, as text; valid until the next call. */
static inline const char *get_text(struct rig *r, struct mfs_node *node, uint64_t offset)
{
	static char text[4096];
	struct bis_mem_range range = {.pa = {RIG_RAM}, .len = sizeof(text) - 1};
	ssize_t got = mfs_read(node, r->memory, &range, 1, offset, false);

	assert_true(got >= 0);
	assert_ok(bis_mem_read(r->memory, range.pa, text, (size_t)got));
	text[got] = 0;
	return text;
}

/* What the guest reads in a file by its name. */
static inline const char *text_at(struct rig *r, const char *path)
{
	struct mfs_node *node = open_file(r, path, MFS_READ);
	const char *text = get_text(r, node, 0);

	mfs_node_put(node);
	return text;
}

/* A file made by the guest. */
static inline void make_file(struct rig *r, const char *path, const char *text)
{
	struct mfs_node *node = open_file(r, path, MFS_WRITE | MFS_CREATE | MFS_TRUNCATE);

	assert_int_equal(put_text(r, node, text, 0), strlen(text));
	mfs_node_put(node);
}

static inline int try_lookup(const struct mfs_at *what)
{
	struct mfs_node *node;
	int err = mfs_lookup(what, &node);

	if (!err)
		mfs_node_put(node);
	return err;
}

static inline int try_open(const struct mfs_at *what, unsigned flags)
{
	struct mfs_node *node;
	int err = mfs_open(what, flags, 0644, rig_who, &node);

	if (!err)
		mfs_node_put(node);
	return err;
}

static inline int try_stat(const struct mfs_at *what)
{
	struct mfs_attr attr;

	return mfs_stat(what, &attr);
}

#endif
