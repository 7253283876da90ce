/*
 * Foreign processors: a thread for each PROCESSOR attachment, running while the machine runs. Control thread, except
 * bis_processor_should_stop, which the processor's own thread asks.
 */
#include "src/machine/machine_internal.h"

static void *processor_thread(void *arg)
{
	struct bis_module *mod = arg;

	mod->processor->ops->run(mod->self);
	return NULL;
}

bool bis_processor_should_stop(const struct bis_module *mod)
{
	return atomic_load(&mod->processor->stop);
}

int bis_processor_start(struct bis_module *mod)
{
	int err;

	if (!mod->processor || mod->processor->running)
		return 0;
	atomic_store(&mod->processor->stop, false);
	err = pthread_create(&mod->processor->thread, NULL, processor_thread, mod);
	if (err)
		return bis_fail(err, "%s: cannot start the processor's thread", mod->name);
	mod->processor->running = true;
	return 0;
}

void bis_processor_stop(struct bis_module *mod)
{
	if (!mod->processor || !mod->processor->running)
		return;
	atomic_store(&mod->processor->stop, true);
	pthread_join(mod->processor->thread, NULL);
	mod->processor->running = false;
}
