/* The list of built-in module classes. */
#include "modules/modules.h"

const struct bis_module_class *const bis_builtin_modules[] = {
#define MODULE(symbol) &(symbol),
#include "modules/modules.def"
	NULL,
};
