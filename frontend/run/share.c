/*
 * --share DIR[,KEY...]: for each a module "share" and a "virtio-9p" that shows it to Linux, and for all of them one
 * native device. `ro`, `name` and `root` are read here, the other keys are for the module. Runs on the main thread.
 */
#include "share.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/builtin.h>
#include <biscuit/error.h>
#include <biscuit/hart.h>
#include <biscuit/isa.h>

#include "frontend/run/message.h"
#include "frontend/run/spec.h"

#define EXPECTED   "DIR[,ro][,name=NAME][,owner=guest|mapped|host]..."
#define NAME_BYTES 31

/* What Linux is told to mount as its root. With `loose` it keeps what it has read, as of a disk. */
#define ROOT_WORDS "root=%s rootfstype=9p rootflags=trans=virtio,version=9p2000.L,cache=loose,msize=512000 %s"

/* Where the guest sees the files that it maps through the native device: above RAM, on rv32 below it. */
#define WINDOW_RV64 UINT64_C(0x4000000000)
#define WINDOW_RV32 UINT64_C(0x40000000)

static const char *const keys[] = {"ro",    "name",    "root",	"owner",   "uid",     "gid",
				   "links", "devices", "cache", "handles", "readonly"};

/* What a --share says. */
struct share {
	char *path, *name;
	const char *rest; /* the items behind the path */
	bool readonly;
	bool named; /* `name` is not just the directory's */
	bool root;  /* it is to be the guest's root */
	bool owner; /* owner= is given */
};

static void share_free(struct share *s)
{
	free(s->path);
	free(s->name);
}

static int no_memory(void)
{
	return bis_fail(ENOMEM, "--share: out of memory");
}

/* --- The directory --- */

/* The entry of `folder` whose name is nearest to `word`, to be freed; NULL if none is near. */
static char *nearest_entry(const char *folder, const char *word)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);
	char *best = NULL;

	while (dir && (entry = readdir(dir))) {
		const char *names[] = {entry->d_name, best};

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (bis_nearest_name(word, names, best ? 2 : 1) != entry->d_name)
			continue;
		free(best);
		best = strdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return best;
}

/* Fails for a path that does not lead anywhere: names its first part that is not there, and what is there instead. */
static int missing(const char *path)
{
	char part[PATH_MAX], parent[PATH_MAX], *near;
	size_t start = 0, len;
	struct stat st;
	int err;

	for (;;) {
		start += strspn(path + start, "/");
		len = strcspn(path + start, "/");
		snprintf(part, sizeof(part), "%.*s", (int)(start + len), path);
		if (stat(part, &st) || !path[start + len])
			break;
		start += len;
	}
	snprintf(parent, sizeof(parent), "%.*s", (int)start, path);
	near = nearest_entry(start ? parent : ".", part + start);
	err = bis_fail(ENOENT, "--share: there is no directory %s%s%s%s%s", part, near ? " (did you mean '" : "",
		       near ? parent : "", near ? near : "", near ? "'?)" : "");
	free(near);
	return err;
}

static int check_directory(const char *path)
{
	struct stat st;

	if (strlen(path) >= PATH_MAX)
		return bis_fail(ENAMETOOLONG, "--share: a path of %zu bytes, expected less than %d", strlen(path),
				PATH_MAX);
	if (stat(path, &st))
		return errno == ENOENT ? missing(path) : bis_fail(errno, "--share: %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return bis_fail(ENOTDIR, "--share: %s is not a directory", path);
	if (access(path, R_OK | X_OK))
		return bis_fail(errno, "--share: %s: %s", path, strerror(errno));
	return 0;
}

/* --- The value --- */

/* A text with its commas doubled. To be freed; NULL: out of memory. */
static char *redouble(const char *text)
{
	char *copy = malloc(2 * strlen(text) + 1), *to = copy;

	if (!copy)
		return NULL;
	for (; *text; text++) {
		*to++ = *text;
		if (*text == ',')
			*to++ = ',';
	}
	*to = '\0';
	return copy;
}

static int read_item(const struct spec_item *item, struct share *s)
{
	char word[32];

	snprintf(word, sizeof(word), "%.*s", item->key_length, item->key);
	if (!strcmp(word, "ro") || !strcmp(word, "readonly") || !strcmp(word, "root")) {
		if (item->value)
			return bis_fail(EINVAL, "--share: %s takes no value", word);
		*(!strcmp(word, "root") ? &s->root : &s->readonly) = true;
		return 0;
	}
	if (!strcmp(word, "name")) {
		free(s->name);
		s->named = true;
		s->name = spec_copy(item->value ? item->value : "", (size_t)item->value_length);
		return s->name ? 0 : no_memory();
	}
	s->owner |= !strcmp(word, "owner");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(keys); i++)
		if (!strcmp(word, keys[i]))
			return 0;
	return spec_unknown("--share: unknown key", word, keys, BIS_ARRAY_SIZE(keys), EXPECTED);
}

/* A share is called as its directory is, wherever a link to that lies; a long name is cut between two characters. */
static int default_name(struct share *s)
{
	char *real = realpath(s->path, NULL), *slash = real ? strrchr(real, '/') : NULL;
	size_t len;

	if (!real)
		return bis_fail(errno, "--share: %s: %s", s->path, strerror(errno));
	s->name = strdup(s->root || !slash || !slash[1] ? "root" : slash + 1);
	free(real);
	if (!s->name)
		return no_memory();
	len = strlen(s->name);
	s->named = s->root || len > NAME_BYTES;
	if (len > NAME_BYTES)
		for (len = NAME_BYTES; len > 1 && ((unsigned char)s->name[len] & 0xc0) == 0x80;)
			len--;
	s->name[len] = '\0';
	return 0;
}

static int check_name(const struct share *s)
{
	if (*s->name && strlen(s->name) <= NAME_BYTES && !strchr(s->name, '/'))
		return 0;
	return bis_fail(
		EINVAL,
		"--share: %s would be called '%s', expected a name of 1 to %d bytes without '/' (name=NAME gives one)",
		s->path, s->name, NAME_BYTES);
}

/* Reads and checks a value. share_free in any case. */
static int read_value(const char *value, struct share *out)
{
	struct spec_item item;
	const char *rest = value;
	int err = 0;

	*out = (struct share){0};
	if (!spec_next(&rest, &item) || rest == value + (*value == ','))
		return bis_fail(EINVAL, "--share: '%s', expected %s", value, EXPECTED);
	out->path = spec_copy(value, (size_t)(item.key_length + (item.value ? 1 + item.value_length : 0)));
	if (!out->path)
		return no_memory();
	out->rest = rest;
	while (!err && spec_next(&rest, &item))
		err = read_item(&item, out);
	if (!err)
		err = check_directory(out->path);
	if (!err && !out->name)
		err = default_name(out);
	return err ? err : check_name(out);
}

int share_check(const char *value)
{
	struct share s;
	int err = read_value(value, &s);

	share_free(&s);
	return err;
}

/* --- All of them --- */

static int check_pair(const struct share *a, const struct share *b)
{
	if (a->root && b->root)
		return bis_fail(EINVAL, "--share: %s and %s cannot both be the root", a->path, b->path);
	if (!strcmp(a->name, b->name))
		return bis_fail(EEXIST,
				"--share: %s and %s would both be called '%s', name=NAME gives one another name",
				a->path, b->path, a->name);
	return 0;
}

static int check_all(const struct run_options *o, struct share *all)
{
	int err = 0;

	for (size_t i = 0; !err && i < o->shares.count; i++) {
		err = read_value(o->shares.at[i], &all[i]);
		if (!err && all[i].root && o->dtb)
			err = bis_fail(EINVAL,
				       "--share: root changes the machine's own device tree, which --dtb replaces");
		for (size_t j = 0; !err && j < i; j++)
			err = check_pair(&all[j], &all[i]);
	}
	return err;
}

int share_check_all(const struct run_options *o)
{
	struct share *all = calloc(o->shares.count + 1, sizeof(*all));
	int err = all ? check_all(o, all) : no_memory();

	for (size_t i = 0; all && i < o->shares.count; i++)
		share_free(&all[i]);
	free(all);
	return err;
}

static int append_root(struct run_options *o, const struct share *s)
{
	char *text;

	if (asprintf(&text, "%s%s" ROOT_WORDS, o->append ? o->append : "", o->append ? " " : "", s->name,
		     s->readonly ? "ro" : "rw") < 0)
		return no_memory();
	o->append = run_options_keep(o, text);
	return o->append ? 0 : no_memory();
}

int share_complete(struct run_options *o)
{
	struct share s;
	int err = 0;

	for (size_t i = 0; !err && i < o->shares.count; i++) {
		err = read_value(o->shares.at[i], &s);
		if (!err && s.root)
			err = append_root(o, &s);
		share_free(&s);
	}
	return err;
}

/* --- Modules --- */

/* Each open file of the guest is one of this process. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The specifications of both modules. To be freed; NULL: out of memory. */
static char *module_spec(const struct share *s, const char *name)
{
	char *path = redouble(s->path), *text = NULL;
	const char *rest = s->rest;
	struct spec_item item;
	size_t size;
	FILE *f = path ? open_memstream(&text, &size) : NULL;

	if (f) {
		fprintf(f, "share,path=%s%s%s%s", path, s->named ? ",name=" : "", s->named ? name : "",
			s->readonly ? ",readonly" : "");
		while (spec_next(&rest, &item)) {
			if (spec_is(&item, "ro") || spec_is(&item, "readonly") || spec_is(&item, "name") ||
			    spec_is(&item, "root"))
				continue;
			fprintf(f, ",%.*s%s%.*s", item.key_length, item.key, item.value ? "=" : "", item.value_length,
				item.value ? item.value : "");
		}
		if (s->root && !s->owner)
			fputs(geteuid() ? ",owner=mapped" : ",owner=host,devices", f);
		if (fclose(f)) {
			free(text);
			text = NULL;
		}
	}
	free(path);
	return text;
}

static int add_module(struct bis_machine *m, const struct share *s, const char *name)
{
	struct bis_module *mod;
	char *spec = module_spec(s, name);
	int err;

	if (!spec)
		return no_memory();
	err = s->named && bis_machine_find(m, s->name)
		      ? bis_fail(EEXIST,
				 "%s: the machine has a module '%s' already, name=NAME gives the share another name",
				 s->path, s->name)
		      : bis_machine_add(m, spec, &mod);
	free(spec);
	return err ? bis_fail_prefix(err, "--share") : 0;
}

static int add_9p(struct bis_machine *m, const struct share *s, const char *name)
{
	struct bis_module *mod;
	char *spec;
	int err;

	if (!bis_machine_find_class(m, "virtio-9p"))
		return 0;
	if (asprintf(&spec, "virtio-9p,share=%s", name) < 0)
		return no_memory();
	err = bis_board_virtio(m, spec, &mod);
	free(spec);
	if (err != -ENOSPC)
		return err ? bis_fail_prefix(err, "--share") : 0;
	message("warning: --share: the machine has no place left for a virtio-9p, only native drivers see '%s'",
		s->name);
	return 0;
}

static int add_share(struct bis_machine *m, const struct share *s)
{
	char *name = redouble(s->name);
	int err = name ? add_module(m, s, name) : no_memory();

	if (!err)
		err = add_9p(m, s, name);
	free(name);
	return err;
}

int share_add_all(struct bis_machine *m, const struct run_options *o)
{
	struct share s;
	int err = 0;

	if (o->shares.count)
		raise_file_limit();
	for (size_t i = 0; !err && i < o->shares.count; i++) {
		err = read_value(o->shares.at[i], &s);
		if (!err)
			err = add_share(m, &s);
		share_free(&s);
	}
	return err;
}

int share_add_native(struct bis_machine *m, const struct run_options *o)
{
	uint64_t window = bis_hart_isa(bis_machine_hart(m, 0))->xlen == 32 ? WINDOW_RV32 : WINDOW_RV64;
	struct bis_module *mod;
	char spec[64];
	int err;

	if (!o->shares.count || !bis_machine_find_class(m, "magicfs"))
		return 0;
	snprintf(spec, sizeof(spec), "magicfs,slot=4,at=0x%" PRIx64, window);
	err = bis_machine_add(m, spec, &mod);
	return err ? bis_fail_prefix(err, "--share") : 0;
}
