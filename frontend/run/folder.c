/*
 * The folder of a Linux guest: `kernel`, and where they exist `initrd`, `append` (a line: the kernel's command line)
 * and `memory` (a line: how much). A name stands for a folder in the user's cache, where tools/debian-guest puts one.
 * Runs on the main thread.
 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/error.h>
#include <biscuit/option.h>

#define DEFAULT_APPEND "console=ttyS0"
#define DEFAULT_MEMORY ((uint64_t)512 << 20)
#define MAX_NAMES      64

static int no_memory(void)
{
	return bis_fail(ENOMEM, "--linux: out of memory");
}

/* Where names are looked up. To be freed. */
static int cache_folder(char **out)
{
	const char *cache = getenv("BISCUIT_CACHE"), *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	if (cache && *cache)
		n = asprintf(out, "%s/linux", cache);
	else if (base && *base)
		n = asprintf(out, "%s/biscuit/linux", base);
	else if (home && *home)
		n = asprintf(out, "%s/.cache/biscuit/linux", home);
	else
		return bis_fail(ENOENT, "--linux: no cache: none of BISCUIT_CACHE, XDG_CACHE_HOME and HOME is set");
	return n < 0 ? no_memory() : 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Fails with the nearest name that the cache has. */
static int unknown_name(const char *name, const char *cache)
{
	char *names[MAX_NAMES];
	const char *near;
	size_t count = 0;
	DIR *dir = opendir(cache);
	struct dirent *entry;
	int err;

	while (dir && count < MAX_NAMES && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (names[count] = strdup(entry->d_name)))
			count++;
	if (dir)
		closedir(dir);
	near = bis_nearest_name(name, (const char *const *)names, count);
	err = bis_fail(ENOENT, "--linux: there is no '%s' in %s%s%s%s; 'tools/debian-guest fetch' gets 'debian'", name,
		       cache, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	while (count)
		free(names[--count]);
	return err;
}

/* The folder that --linux means. To be freed. */
static int find_folder(const char *name, char **out)
{
	char *cache, *path = NULL;
	int err;

	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
		if (!is_folder(name))
			return bis_fail(ENOENT, "--linux: there is no folder %s; 'tools/debian-guest fetch' makes one",
					name);
		*out = strdup(name);
		return *out ? 0 : no_memory();
	}
	err = cache_folder(&cache);
	if (err)
		return err;
	if (asprintf(&path, "%s/%s", cache, name) < 0)
		err = no_memory();
	else if (!*name || !is_folder(path))
		err = unknown_name(name, cache);
	free(cache);
	if (err)
		free(path);
	else
		*out = path;
	return err;
}

/* The path of a file of the folder; *path stays NULL where it does not exist. It belongs to the options. */
static int find_file(struct run_options *o, const char *folder, const char *file, const char **path)
{
	char *text;

	if (asprintf(&text, "%s/%s", folder, file) < 0)
		return no_memory();
	if (access(text, F_OK)) {
		free(text);
		return 0;
	}
	*path = run_options_keep(o, text);
	return *path ? 0 : no_memory();
}

/* The first line of a file of the folder, without its end; *line stays as it is where it does not exist. */
static int read_line(struct run_options *o, const char *folder, const char *file, const char **line)
{
	const char *path = NULL;
	char *text = NULL;
	size_t room = 0;
	FILE *f;
	int err = find_file(o, folder, file, &path);

	if (err || !path)
		return err;
	f = fopen(path, "re");
	if (!f)
		return bis_fail(errno, "--linux: %s: %s", path, strerror(errno));
	if (getline(&text, &room, f) < 0) {
		err = bis_fail(EINVAL, "--linux: %s: %s, expected a line", path, ferror(f) ? strerror(errno) : "empty");
		free(text);
	} else {
		text[strcspn(text, "\n")] = '\0';
		*line = run_options_keep(o, text);
		err = *line ? 0 : no_memory();
	}
	fclose(f);
	return err;
}

static int read_memory(struct run_options *o, const char *folder)
{
	const char *line = NULL;
	int err = read_line(o, folder, "memory", &line);

	o->memory = DEFAULT_MEMORY;
	if (err || !line)
		return err;
	err = bis_parse_size(line, &o->memory);
	return err ? bis_fail_prefix(err, "--linux: %s/memory", folder) : 0;
}

/* Where somebody looks at the screen, the kernel writes there, too; what it names last stays its main console. */
static int append_screen(struct run_options *o)
{
	char *text;

	if (asprintf(&text, "console=tty0 %s", o->append) < 0)
		return no_memory();
	o->append = run_options_keep(o, text);
	return o->append ? 0 : no_memory();
}

static int complete(struct run_options *o, const char *folder)
{
	int err = 0;

	if (!o->kernel)
		err = find_file(o, folder, "kernel", &o->kernel);
	if (!err && !o->kernel)
		err = bis_fail(ENOENT,
			       "--linux: %s has no file 'kernel'; 'tools/debian-guest fetch' makes such a folder",
			       folder);
	if (!err && !o->initrd)
		err = find_file(o, folder, "initrd", &o->initrd);
	if (!err && !o->append) {
		o->append = DEFAULT_APPEND;
		err = read_line(o, folder, "append", &o->append);
		if (!err && (o->window || o->vnc))
			err = append_screen(o);
	}
	if (!err && !o->memory)
		err = read_memory(o, folder);
	return err;
}

int folder_complete(struct run_options *o)
{
	char *folder;
	int err;

	if (!o->linux_name)
		return 0;
	err = find_folder(o->linux_name, &folder);
	if (err)
		return err;
	err = complete(o, folder);
	free(folder);
	return err;
}
