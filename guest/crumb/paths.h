/* Paths: from what is typed to a share and a path in it. */
#ifndef PATHS_H
#define PATHS_H

#include <stdbool.h>
#include <stdint.h>

#define PATH_SIZE 1024

/* With one share, / is its root. With several, / has a directory for each, under its name. */
#define ALL_SHARES UINT32_MAX

/* Where something is. */
struct place {
	uint32_t share;	  /* the handle of its root, or ALL_SHARES: / where there are several */
	const char *path; /* from there; "" is the root itself. Points into `text` */
	char text[PATH_SIZE];
};

/* Finds the place of a path, which need not exist. As in any shell, `..` takes away the component before it, so no path
 * leads up out of the shares. 0, -MAGICFS_ENODEV: there are no shares, -MAGICFS_ENOENT: no share has this name,
 * -MAGICFS_ENAMETOOLONG. */
int path_find(struct place *place, const char *path);

/* The current directory: where paths begin that do not begin with '/'. */
const char *path_directory(void);

/* Makes another one current. The caller has seen that it is a directory. 0 or -MAGICFS_ENAMETOOLONG. */
int path_change_directory(const char *path);

/* Is it the directory, or something below it? As far as names tell: links are not looked at. */
bool path_is_inside(const char *path, const char *directory);

/* The part behind the last '/'. */
const char *path_base(const char *path);

/* directory/name, where `to` may be the directory itself. 0 or -MAGICFS_ENAMETOOLONG. */
int path_join(char to[PATH_SIZE], const char *directory, const char *name);

#endif
