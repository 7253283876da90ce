/* Loading module classes from shared objects. Control thread. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "src/machine/machine_internal.h"

/* Can the class be taken over? `list` begins the object's classes, of which it is one. */
static int check_class(struct bis_machine *m, const char *path, const struct bis_module_class *const *list,
		       const struct bis_module_class *class)
{
	if (class->abi != BIS_MODULE_ABI)
		return bis_fail(ENOEXEC, "%s: module built for ABI %u, this is ABI %u", path, class->abi,
				BIS_MODULE_ABI);
	if (!class->name || !*class->name || !class->create || !class->destroy)
		return bis_fail(ENOEXEC, "%s: a module class needs a name, create and destroy", path);
	if (bis_machine_find_class(m, class->name))
		return bis_fail(EEXIST, "%s: there is a module class '%s' already", path, class->name);
	for (; *list != class; list++)
		if (!strcmp((*list)->name, class->name))
			return bis_fail(EEXIST, "%s: has two module classes '%s'", path, class->name);
	return 0;
}

/* Takes over all classes or none; the first carries the object's handle. */
static int take_classes(struct bis_machine *m, const char *path, const struct bis_module_class *const *list,
			void *handle)
{
	struct bis_known_class *known = NULL, **last = &known;
	int err = 0;

	for (const struct bis_module_class *const *c = list; *c; c++) {
		err = check_class(m, path, list, *c);
		*last = err ? NULL : calloc(1, sizeof(**last));
		if (!*last) {
			err = err ? err : bis_fail(ENOMEM, "%s: no memory", path);
			break;
		}
		**last = (struct bis_known_class){.class = *c, .handle = c == list ? handle : NULL};
		last = &(*last)->next;
	}
	while (known) {
		struct bis_known_class *next = known->next;

		if (err)
			free(known);
		else
			bis_machine_add_class(m, known);
		known = next;
	}
	return err;
}

int bis_machine_load_module(struct bis_machine *m, const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct bis_module_class *const *classes;
	int err;

	if (!handle)
		return bis_fail(ENOENT, "cannot load module: %s", dlerror());
	classes = dlsym(handle, "bis_module_classes");
	if (classes && *classes)
		err = take_classes(m, path, classes, handle);
	else
		err = bis_fail(ENOEXEC, "%s: not a Biscuit module: it has no list 'bis_module_classes'", path);
	if (err)
		dlclose(handle);
	return err;
}
