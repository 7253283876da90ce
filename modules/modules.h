/* The module classes that are built in, one by one, from the rows of modules/modules.def. */
#ifndef BISCUIT_MODULES_MODULES_H
#define BISCUIT_MODULES_MODULES_H

#include <biscuit/builtin.h>

#define MODULE(symbol) extern const struct bis_module_class symbol;
#include "modules/modules.def"

#endif
