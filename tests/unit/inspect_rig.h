/* A machine as files, without a mount: what is read and written goes through the calls that the mount makes. */
#ifndef BISCUIT_UNIT_INSPECT_RIG_H
#define BISCUIT_UNIT_INSPECT_RIG_H

#include <stdlib.h>
#include <sys/stat.h>

#include "frontend/inspect/inspect_internal.h"
#include "tests/unit/rig.h"

struct files {
	struct bis_machine *m;
	struct debug *d;
	struct inspect *in;
	char text[1 << 20]; /* what was read last */
	size_t len;
};

static inline struct files *files_of(struct bis_machine *m, const struct inspect_options *options)
{
	struct files *f = calloc(1, sizeof(*f));

	f->m = m;
	assert_ok(debug_create(m, &f->d));
	assert_ok(inspect_create(f->d, options, &f->in));
	return f;
}

static inline void files_free(struct files *f)
{
	struct bis_machine *m = f->m;

	inspect_destroy(f->in);
	debug_destroy(f->d);
	bis_machine_destroy(m);
	free(f);
}

/* Opens a file: 0 with *h, or the error. */
static inline int files_open(struct files *f, const char *path, unsigned how, struct inspect_handle **h)
{
	struct inspect_node *n;
	int err = inspect_find(f->in, path, &n);

	if (err)
		return err;
	err = inspect_open(f->in, n, how, h);
	if (err)
		inspect_note(f->in, n, err);
	inspect_unref(f->in, n, 1);
	return err;
}

/* Reads a whole text file into f->text: 0 or the error. */
static inline int files_get(struct files *f, const char *path)
{
	struct inspect_handle *h;
	ssize_t got;
	int err = files_open(f, path, INSPECT_READ, &h);

	f->len = 0;
	f->text[0] = '\0';
	if (err)
		return err;
	while ((got = inspect_read(h, f->text + f->len, sizeof(f->text) - 1 - f->len, f->len)) > 0)
		f->len += (size_t)got;
	f->text[f->len] = '\0';
	inspect_close(h);
	return (int)got;
}

static inline const char *files_text(struct files *f, const char *path)
{
	assert_ok(files_get(f, path));
	return f->text;
}

/* Writes a text at once: bytes taken, or the error. */
static inline ssize_t files_put(struct files *f, const char *path, const char *text)
{
	struct inspect_handle *h;
	ssize_t done = files_open(f, path, INSPECT_WRITE, &h);

	if (done)
		return done;
	done = inspect_write(h, text, strlen(text), 0);
	if (done < 0)
		inspect_note(f->in, h->node, (int)done);
	inspect_close(h);
	return done;
}

#define files_put_ok(f, path, text) assert_int_equal(files_put((f), (path), (text)), strlen(text))
/* The file holds this value and a newline. */
#define files_are(f, path, value) assert_string_equal(files_text((f), (path)), value "\n")
/* The file contains the words. */
#define files_say(f, path, words) files_assert_say((f), (path), (words), __FILE__, __LINE__)

static inline void files_assert_say(struct files *f, const char *path, const char *words, const char *file, int line)
{
	if (strstr(files_text(f, path), words))
		return;
	print_error("%s does not contain '%s':\n%s\n", path, words, f->text);
	_fail(file, line);
}

#endif
