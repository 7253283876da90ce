/* See tree.h. */
#include "tree.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LENGTH_MAX 1024

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
	(void)st;
	(void)kind;
	(void)place;
	return remove(path);
}

void bench_tree_remove(const char *folder)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int make_file(int at, const char *name)
{
	int fd = openat(at, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : close(fd);
}

/* A directory with `count` files, whose names are a letter and a number of so many digits. */
static int make_directory(int at, const char *name, char letter, int digits, unsigned count)
{
	char file[32];
	int fd, err = 0;

	if (mkdirat(at, name, 0755))
		return -errno;
	fd = openat(at, name, O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (unsigned i = 0; !err && i < count; i++) {
		snprintf(file, sizeof(file), "%c%0*u", letter, digits, i);
		err = make_file(fd, file);
	}
	close(fd);
	return err;
}

static int make_data(int at)
{
	static unsigned char piece[1 << 20];
	int fd = openat(at, "data", O_CREAT | O_WRONLY | O_CLOEXEC, 0644), err = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = (unsigned char)(i * 7 + (i >> 8));
	for (unsigned i = 0; !err && i < BENCH_TREE_DATA_MIB; i++) {
		ssize_t put = write(fd, piece, sizeof(piece));

		if (put != sizeof(piece))
			err = put < 0 ? -errno : -ENOSPC;
	}
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static int make_holes(int at)
{
	int fd = openat(at, "holes", O_CREAT | O_WRONLY | O_CLOEXEC, 0644), err = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)BENCH_TREE_HOLES_MIB << 20))
		err = -errno;
	close(fd);
	return err;
}

static int fill(int at)
{
	char name[32];
	int err;

	if (mkdirat(at, "tree", 0755) || mkdirat(at, "made", 0755))
		return -errno;
	err = make_directory(at, "flat", 'n', 6, BENCH_TREE_FLAT);
	if (!err)
		err = make_directory(at, "many", 'n', 6, BENCH_TREE_MANY);
	for (unsigned i = 0; !err && i < BENCH_TREE_DIRECTORIES; i++) {
		snprintf(name, sizeof(name), "tree/d%02u", i);
		err = make_directory(at, name, 'f', 2, BENCH_TREE_DIRECTORIES);
	}
	if (!err)
		err = make_data(at);
	return err ? err : make_holes(at);
}

int bench_tree_make(const char *folder)
{
	int fd, err;

	if (mkdir(folder, 0755))
		return -errno;
	fd = open(folder, O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fill(fd);
	close(fd);
	/* What the disk still has to take shall not disturb the first figures. */
	sync();
	return err;
}

void bench_tree_clear(const char *folder)
{
	char path[PATH_LENGTH_MAX];

	snprintf(path, sizeof(path), "%s/made", folder);
	bench_tree_remove(path);
	mkdir(path, 0755);
}
