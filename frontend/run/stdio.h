/* The console on standard input and output, as a module class of the command. */
#ifndef BISCUIT_RUN_STDIO_H
#define BISCUIT_RUN_STDIO_H

#include <biscuit/module.h>

/* Class "chardev-stdio". Output to a closed pipe stops the machine with BIS_STOP_HOST and the status 128 + SIGPIPE. */
extern const struct bis_module_class stdio_class;

/* Output that waits now is no longer waited for when the module goes. `self` is the instance's. Device lock held. */
void stdio_abandon_output(void *self);

#endif
