/* What the machines of these tests do between their start and their end. */
#ifndef BISCUIT_SYSTEM_MACHINE_RUN_H
#define BISCUIT_SYSTEM_MACHINE_RUN_H

#include <stdbool.h>

#include <biscuit/machine.h>

/* Starts the machine anew; it goes on if it ran. Others may have let it go on already. */
static inline int machine_restart(struct bis_machine *m, bool ran)
{
	int err;

	bis_machine_lock_control(m);
	err = bis_machine_reset(m);
	if (!err && ran && bis_machine_state(m) == BIS_PAUSED)
		err = bis_machine_resume(m);
	bis_machine_unlock_control(m);
	return err;
}

/* Until the machine ends, with the guest's status; resets start it anew. -errno with message. */
static inline int machine_run(struct bis_machine *m, int *status)
{
	enum bis_stop_reason why;
	int value, err = bis_machine_join(m, -1, &why, &value);

	while (!err && why == BIS_STOP_RESET_REQUEST) {
		err = machine_restart(m, value);
		if (!err)
			err = bis_machine_join(m, -1, &why, &value);
	}
	if (!err)
		*status = value;
	return err;
}

#endif
