/* cp: copies files and, with -r, directories with all that is in them. */
#include "../files.h"
#include "../layout.h"
#include "../pages.h"
#include "../shell.h"
#include "../walk.h"
#include <stdio.h>
#include <string.h>

#define PART (1ULL << 30)

struct copy {
	const char *to; /* where what is copied goes */
	size_t from_len;
	bool recursive;
};

/* Asks the host to copy, so that the bytes never come here. 0, or an error. */
static int64_t copy_on_host(uint32_t in, uint32_t out)
{
	uint64_t done = 0;
	int64_t part;

	while ((part = magicfs_copy(in, done, out, done, PART)) > 0)
		done += (uint64_t)part;
	return part;
}

/* From one share to another, a page at a time. */
static int64_t copy_here(uint32_t in, uint32_t out)
{
	char *page = page_alloc();
	int64_t got = page ? 1 : -MAGICFS_ENOMEM;

	for (uint64_t done = 0; got > 0; done += (uint64_t)got) {
		got = magicfs_read(in, page, PAGE_SIZE, done);
		if (got > 0)
			got = magicfs_write(out, page, (uint64_t)got, done);
	}
	page_free(page);
	return got;
}

static int64_t copy_file(const char *from, const char *to, uint32_t mode)
{
	int64_t in = files_open(from, MAGICFS_O_READ | MAGICFS_NOFOLLOW, 0), out, result;

	if (in < 0)
		return in;
	out = files_open(to, MAGICFS_O_WRITE | MAGICFS_O_CREATE | MAGICFS_O_TRUNCATE, mode & 0777);
	result = out;
	if (out >= 0) {
		result = copy_on_host((uint32_t)in, (uint32_t)out);
		if (result == -MAGICFS_EXDEV || result == -MAGICFS_EOPNOTSUPP)
			result = copy_here((uint32_t)in, (uint32_t)out);
		magicfs_close((uint32_t)out);
	}
	magicfs_close((uint32_t)in);
	return result;
}

static int64_t copy_link(const char *from, const char *to)
{
	char target[PATH_SIZE];
	struct place place;
	int64_t result = path_find(&place, from);

	if (!result)
		result = magicfs_readlink(place.share, place.path, target, sizeof(target));
	if (result < 0)
		return result;
	if (result == sizeof(target))
		return -MAGICFS_ENAMETOOLONG;
	target[result] = '\0';
	result = path_find(&place, to);
	return result ? result : magicfs_symlink(target, place.share, place.path);
}

/* A directory that is there already is added to. */
static int64_t make_directory(const char *path, uint32_t mode)
{
	struct place place;
	int64_t result = path_find(&place, path);

	if (!result)
		result = magicfs_mkdir(place.share, place.path, mode & 0777);
	return result == -MAGICFS_EEXIST ? 0 : result;
}

static int64_t copy_one(void *context, const char *path, const struct magicfs_stat *stat, enum walk_moment when)
{
	const struct copy *copy = context;
	char to[PATH_SIZE];

	if (when == WALK_LEAVE)
		return 0;
	strlcpy(to, copy->to, sizeof(to));
	if (strlcpy(to + strlen(to), path + copy->from_len, sizeof(to) - strlen(to)) >= sizeof(to) - strlen(copy->to))
		return -MAGICFS_ENAMETOOLONG;
	if (when == WALK_ENTER)
		return copy->recursive ? make_directory(to, stat->mode) : -MAGICFS_EISDIR;
	return is_link(stat) ? copy_link(path, to) : copy_file(path, to, stat->mode);
}

static bool is_same(const char *a, const char *b)
{
	struct magicfs_stat from, to;

	return files_stat(a, true, &from) == 0 && files_stat(b, true, &to) == 0 && from.id == to.id &&
	       from.ctime == to.ctime;
}

static void copy(const char *from, const char *to, bool recursive)
{
	struct copy copy = {.to = to, .from_len = strlen(from), .recursive = recursive};
	char failed[PATH_SIZE];
	int64_t error;

	if (is_same(from, to) || (recursive && path_is_inside(to, from))) {
		printf("cp: %s: it cannot be copied to itself\n", from);
		return;
	}
	error = walk(from, copy_one, &copy, failed);
	if (error)
		files_complain("cp", failed, error);
}

void command_cp(int argc, char **argv)
{
	int recursive = shell_options(&argc, argv, "r", 2);
	const char *to = argv[argc - 1];
	char inside[PATH_SIZE];
	struct magicfs_stat stat;
	bool into;

	if (recursive < 0)
		return;
	into = files_stat(to, true, &stat) == 0 && is_directory(&stat);
	if (argc > 3 && !into) {
		files_complain("cp", to, -MAGICFS_ENOTDIR);
		return;
	}
	for (int i = 1; i < argc - 1; i++) {
		int64_t error = into ? path_join(inside, to, path_base(argv[i])) : 0;

		if (error)
			files_complain("cp", to, error);
		else
			copy(argv[i], into ? inside : to, recursive);
	}
}
