/* User networking in a build without libslirp: says so. */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/module.h>

#include "modules/backend/slirp_options.h"
#include "modules/modules.h"

static int absent_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	(void)self;
	return bis_fail(ENOSYS, "%s: built without libslirp (Debian: libslirp-dev)", bis_module_name(mod));
}

const struct bis_module_class bis_net_user_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.backend = true,
	.name = "net-user",
	.summary = "network back end: the host's own connections (needs libslirp)",
	.options = slirp_options,
	.create = absent_create,
	.destroy = free,
};
