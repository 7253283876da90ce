#include "drop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/error.h>
#include <biscuit/field.h>
#include <biscuit/machine.h>

#define NUMBER_MAX 999
#define CHUNK	   ((size_t)1 << 20)

struct place {
	char path[PATH_MAX + 1], share[64];
};

static bool field_text(const struct bis_module *mod, const char *name, char *to, size_t size)
{
	const struct bis_field *f = bis_field_find(bis_module_class_of(mod)->fields, name);

	if (f)
		bis_field_format(f, bis_module_self(mod), to, size);
	return f != NULL;
}

static bool is_writable_share(const struct bis_module *mod, struct place *out)
{
	char readonly[8];

	return !strcmp(bis_module_class_of(mod)->name, "share") &&
	       field_text(mod, "readonly", readonly, sizeof(readonly)) && !strcmp(readonly, "0") &&
	       field_text(mod, "path", out->path, sizeof(out->path)) &&
	       field_text(mod, "name", out->share, sizeof(out->share));
}

static int find_place(struct bis_machine *m, struct place *out)
{
	struct bis_module *mod;
	bool found = false;

	bis_machine_lock_devices(m);
	for (size_t i = 0; !found && (mod = bis_machine_module(m, i)); i++)
		found = is_writable_share(mod, out);
	bis_machine_unlock_devices(m);
	return found ? 0 : bis_fail(ENOENT, "no share that the guest may write (--share DIR gives it one)");
}

/* Makes a file in `dir` that is not there yet: NAME, else "NAME (2)" and so on; `name` is what it is called. */
static int make_file(int dir, const char *wanted, char *name, size_t size, int *out)
{
	for (int i = 1; i <= NUMBER_MAX; i++) {
		int n = i == 1 ? snprintf(name, size, "%s", wanted) : snprintf(name, size, "%s (%d)", wanted, i);

		if (n < 0 || (size_t)n >= size)
			return bis_fail(ENAMETOOLONG, "%s: the name is too long", wanted);
		*out = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (*out >= 0)
			return 0;
		if (errno != EEXIST)
			return bis_fail(errno, "%s: %s", name, strerror(errno));
	}
	return bis_fail(EEXIST, "%s: there are %d of that name", wanted, NUMBER_MAX);
}

static int copy(int from, int to, const char *name)
{
	char *buf = malloc(CHUNK);
	ssize_t n = 0, done = 0;

	if (!buf)
		return bis_fail(ENOMEM, "%s: out of memory", name);
	while (done >= 0 && (n = read(from, buf, CHUNK)) > 0)
		for (ssize_t at = 0; at < n && done >= 0; at += done)
			done = write(to, buf + at, (size_t)(n - at));
	free(buf);
	return n < 0 || done < 0 ? bis_fail(errno, "%s: %s", name, strerror(errno)) : 0;
}

/* Leaves nothing behind that is not whole. */
static int copy_into(const struct place *place, int from, const char *wanted, char *name, size_t size)
{
	int dir = open(place->path, O_DIRECTORY | O_RDONLY | O_CLOEXEC), to = -1, err;

	if (dir < 0)
		return bis_fail(errno, "%s: %s", place->path, strerror(errno));
	err = make_file(dir, wanted, name, size, &to);
	if (!err) {
		err = copy(from, to, name);
		if (close(to) && !err)
			err = bis_fail(errno, "%s: %s", name, strerror(errno));
		if (err)
			unlinkat(dir, name, 0);
	}
	close(dir);
	return err;
}

int drop_file(void *arg, const char *path, char *told, size_t size)
{
	const char *slash = strrchr(path, '/'), *wanted = slash ? slash + 1 : path;
	char name[NAME_MAX + 1];
	struct place place;
	struct stat st;
	int from, err = find_place(arg, &place);

	if (err)
		return err;
	from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (from < 0)
		return bis_fail(errno, "%s: %s", wanted, strerror(errno));
	if (fstat(from, &st))
		err = bis_fail(errno, "%s: %s", wanted, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = bis_fail(S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "%s is no file", wanted);
	else
		err = copy_into(&place, from, wanted, name, sizeof(name));
	close(from);
	if (!err)
		snprintf(told, size, "%s is in the share '%s' now", name, place.share);
	return err;
}
