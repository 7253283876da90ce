/* What makes a module's sources a loadable object: the list of classes that the loader looks for. */
#include "modules/modules.h"

extern const struct bis_module_class *const bis_module_classes[];

const struct bis_module_class *const bis_module_classes[] = {&MODULE_CLASS, NULL};
