/*
 * The tree of nodes: names to nodes and back. A node lives as long as somebody refers to it; what a directory holds is
 * asked of its type each time. Any thread; in->lock guards the links and counts of nodes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

bool inspect_child_at(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	const struct inspect_row *row = dir->type->rows;
	size_t i = 0;

	*out = (struct inspect_child){.arg = dir->arg};
	for (; row && row->name; row++, i++) {
		if (i < index)
			continue;
		snprintf(out->name, sizeof(out->name), "%s", row->name);
		out->type = row->type;
		return true;
	}
	return dir->type->child && dir->type->child(in, dir, index - i, out);
}

/* --- References --- */

static struct inspect_node *known(const struct inspect_node *dir, const struct inspect_child *c)
{
	for (struct inspect_node *n = dir->children; n; n = n->next)
		if (n->type == c->type && n->arg.hart == c->arg.hart && n->arg.number == c->arg.number &&
		    n->arg.row == c->arg.row && !strcmp(n->name, c->name))
			return n;
	return NULL;
}

/* The node of a child, with a reference; NULL without memory. in->lock held. */
static struct inspect_node *take(struct inspect_node *dir, const struct inspect_child *c)
{
	struct inspect_node *n = c->type->apart ? NULL : known(dir, c);
	size_t len = strlen(c->name) + 1;

	if (n) {
		n->refs++;
		return n;
	}
	n = calloc(1, sizeof(*n) + len);
	if (!n)
		return NULL;
	n->parent = dir;
	n->type = c->type;
	n->arg = c->arg;
	n->refs = 1;
	memcpy(n->name, c->name, len);
	n->next = dir->children;
	dir->children = n;
	dir->refs++;
	return n;
}

void inspect_ref(struct inspect *in, struct inspect_node *n)
{
	pthread_mutex_lock(&in->lock);
	n->refs++;
	pthread_mutex_unlock(&in->lock);
}

void inspect_unref(struct inspect *in, struct inspect_node *n, uint64_t count)
{
	pthread_mutex_lock(&in->lock);
	while (n != in->root) {
		struct inspect_node *parent = n->parent, **at = &parent->children;

		n->refs -= count < n->refs ? count : n->refs;
		if (n->refs)
			break;
		while (*at != n)
			at = &(*at)->next;
		*at = n->next;
		free(n);
		n = parent;
		count = 1;
	}
	pthread_mutex_unlock(&in->lock);
}

/* --- Names --- */

static int unknown_name(struct inspect *in, const struct inspect_node *dir, const char *name)
{
	const char *near = NULL, *pair[2];
	char best[INSPECT_NAME_MAX] = "";
	struct inspect_child c;

	/* One name against the best so far at a time: a directory may be long. */
	for (size_t i = 0; inspect_child_at(in, dir, i, &c); i++) {
		pair[0] = *best ? best : c.name;
		pair[1] = c.name;
		near = bis_nearest_name(name, pair, 2);
		if (near == c.name)
			memcpy(best, c.name, sizeof(best));
	}
	if (!*best)
		return bis_fail(ENOENT, "there is no '%.100s' here", name);
	return bis_fail(ENOENT, "there is no '%.100s' here (did you mean '%s'?)", name, best);
}

int inspect_lookup(struct inspect *in, struct inspect_node *dir, const char *name, struct inspect_node **out)
{
	struct inspect_child c;

	if (dir->type->kind != INSPECT_DIR)
		return bis_fail(ENOTDIR, "this is no directory");
	for (size_t i = 0; inspect_child_at(in, dir, i, &c); i++) {
		struct inspect_node *n;

		if (strcmp(c.name, name) != 0)
			continue;
		pthread_mutex_lock(&in->lock);
		n = take(dir, &c);
		pthread_mutex_unlock(&in->lock);
		if (!n)
			return bis_fail(ENOMEM, "no memory for a file");
		*out = n;
		return 0;
	}
	return unknown_name(in, dir, name);
}

int inspect_find(struct inspect *in, const char *path, struct inspect_node **out)
{
	struct inspect_node *n = in->root, *child;
	char name[INSPECT_NAME_MAX];
	int err = 0;

	inspect_ref(in, n);
	while (!err && *path) {
		size_t len = strcspn(path, "/");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		err = inspect_lookup(in, n, name, &child);
		inspect_unref(in, n, 1);
		if (!err)
			n = child;
		path += len + (path[len] == '/');
	}
	if (!err)
		*out = n;
	return err;
}

int inspect_path(const struct inspect_node *n, char *buf, size_t size)
{
	int len = 0;

	if (!n->parent)
		return snprintf(buf, size, "%s", "");
	if (n->parent->parent) {
		len = inspect_path(n->parent, buf, size);
		len += snprintf((size_t)len < size ? buf + len : NULL, (size_t)len < size ? size - (size_t)len : 0,
				"/");
	}
	return len + snprintf((size_t)len < size ? buf + len : NULL, (size_t)len < size ? size - (size_t)len : 0, "%s",
			      n->name);
}

static bool readable(const struct inspect_type *t)
{
	return t->generate || t->read || t->vector || t->open_stream || t->open_fd;
}

static bool writable(struct inspect *in, const struct inspect_node *n)
{
	const struct inspect_type *t = n->type;

	if (in->options.readonly || !(t->accept || t->accept_raw || t->write))
		return false;
	return !t->writable || t->writable(in, n);
}

mode_t inspect_mode(struct inspect *in, const struct inspect_node *n)
{
	mode_t others = in->options.allow_other ? 0044 : 0;
	mode_t mode = 0;

	switch (n->type->kind) {
	case INSPECT_DIR:
		return S_IFDIR | 0700 | (in->options.allow_other ? 0055 : 0);
	case INSPECT_LINK:
		return S_IFLNK | 0777;
	default:
		if (readable(n->type))
			mode |= 0400 | others;
		if (writable(in, n))
			mode |= 0200;
		return S_IFREG | mode;
	}
}
