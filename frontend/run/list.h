/* What the machine offers, as text: --list-modules and --help-module. */
#ifndef BISCUIT_RUN_LIST_H
#define BISCUIT_RUN_LIST_H

#include <biscuit/machine.h>

/* Prints every module class that the machine knows. */
void list_modules(struct bis_machine *m);
/* Prints a class's options and fields. -ENOENT with message where there is no such class. */
BIS_MUST_CHECK int list_module_help(struct bis_machine *m, const char *name);

#endif
