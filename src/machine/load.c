/* Loading module classes from shared objects. Control thread. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "src/machine/machine_internal.h"

/* Takes over one class; the first of an object also carries its handle. */
static int take_class(struct bis_machine *m, const char *path, const struct bis_module_class *class, void *handle)
{
	struct bis_known_class *known;

	if (class->abi != BIS_MODULE_ABI)
		return bis_fail(ENOEXEC, "%s: module built for ABI %u, this is ABI %u", path, class->abi,
				BIS_MODULE_ABI);
	if (!class->name || !*class->name || !class->create || !class->destroy)
		return bis_fail(ENOEXEC, "%s: a module class needs a name, create and destroy", path);
	if (bis_machine_find_class(m, class->name))
		return bis_fail(EEXIST, "%s: there is a module class '%s' already", path, class->name);
	known = calloc(1, sizeof(*known));
	if (!known)
		return bis_fail(ENOMEM, "%s: no memory", path);
	known->class = class;
	known->handle = handle;
	bis_machine_add_class(m, known);
	return 0;
}

int bis_machine_load_module(struct bis_machine *m, const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct bis_module_class *const *classes;
	bool kept = false;
	int err;

	if (!handle)
		return bis_fail(ENOENT, "cannot load module: %s", dlerror());
	classes = dlsym(handle, "bis_module_classes");
	if (!classes || !*classes) {
		dlclose(handle);
		return bis_fail(ENOEXEC, "%s: not a Biscuit module: it has no list 'bis_module_classes'", path);
	}
	for (; *classes; classes++) {
		err = take_class(m, path, *classes, kept ? NULL : handle);
		if (err) {
			if (!kept)
				dlclose(handle);
			return err;
		}
		kept = true;
	}
	return 0;
}
