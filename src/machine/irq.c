/*
 * Interrupt lines. A device sets a level from any thread; the controller hears of it with the device lock held: at once
 * if the caller has the lock or nobody has it, otherwise through the device controller's interrupt ring.
 */
#include <string.h>

#include "src/machine/machine_internal.h"

void bis_irq_deliver(struct bis_irq *line)
{
	bool wanted = atomic_load(&line->wanted);

	if (wanted == line->level)
		return;
	line->level = wanted;
	if (line->chip)
		line->chip->ops->set_input(line->chip->module->self, line->input, wanted);
}

void bis_irq_deliver_all(struct bis_machine *m)
{
	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		for (unsigned i = 0; mod->irqs && i < mod->class->irqs; i++)
			bis_irq_deliver(&mod->irqs[i]);
}

void bis_irq_set(struct bis_irq *line, bool level)
{
	struct bis_machine *m;

	if (!line || atomic_exchange(&line->wanted, level) == level)
		return;
	m = line->module->machine;
	/* The lock is recursive: this succeeds if the caller has it or nobody has it. */
	if (pthread_mutex_trylock(&m->device_lock)) {
		bis_devctl_queue_irq(m->devctl, line);
		return;
	}
	bis_irq_deliver(line);
	bis_machine_unlock_devices(m);
}

bool bis_irq_level(const struct bis_irq *line)
{
	return line && atomic_load(&line->wanted);
}

void bis_machine_wire_irqs(struct bis_machine *m)
{
	for (struct bis_module *mod = m->modules; mod; mod = mod->next) {
		for (unsigned i = 0; mod->irqs && i < mod->class->irqs; i++) {
			struct bis_irq *line = &mod->irqs[i];
			struct bis_irqchip *chip = m->chips;

			while (chip && line->chip_kind && strcmp(chip->kind, line->chip_kind) != 0)
				chip = chip->next;
			if (!line->chip_kind || (chip && (line->input == 0 || line->input > chip->ops->inputs)))
				chip = NULL;
			if (chip != line->chip) {
				line->chip = chip;
				line->level = false;
				bis_irq_deliver(line);
			}
		}
	}
}
