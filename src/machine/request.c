/*
 * What other threads ask of the control thread: stop, reset, pause, a module for the guest. Requests are made on any
 * thread and carried out in bis_machine_join.
 */
#include <stdlib.h>
#include <string.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"

/* Who waits for the end of a step need wait no longer. request_lock held. */
static void cut_step(struct bis_machine *m)
{
	m->stepping = 0;
	pthread_cond_broadcast(&m->step_cond);
}

/* The guest is to do no more until the control thread has come round. */
static void ask_all_to_park(struct bis_machine *m)
{
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_hart_ask_park(m->harts[i]);
}

void bis_machine_request_stop(struct bis_machine *m, enum bis_stop_reason why, int status)
{
	pthread_mutex_lock(&m->request_lock);
	if (!m->stop_asked) {
		m->stop_asked = true;
		m->stop_reason = why;
		m->stop_status = status;
		cut_step(m);
		pthread_cond_broadcast(&m->request_cond);
	}
	pthread_mutex_unlock(&m->request_lock);
	ask_all_to_park(m);
}

void bis_machine_request_reset(struct bis_machine *m)
{
	pthread_mutex_lock(&m->request_lock);
	m->reset_asked = true;
	cut_step(m);
	pthread_cond_broadcast(&m->request_cond);
	pthread_mutex_unlock(&m->request_lock);
	ask_all_to_park(m);
}

bool bis_machine_break(struct bis_machine *m, const struct bis_event *event)
{
	bool first;

	pthread_mutex_lock(&m->request_lock);
	first = !m->break_reached;
	if (first) {
		m->break_reached = true;
		m->break_event = *event;
		cut_step(m);
		pthread_cond_broadcast(&m->request_cond);
	}
	pthread_mutex_unlock(&m->request_lock);
	ask_all_to_park(m);
	return first;
}

uint64_t bis_machine_may_run(struct bis_machine *m)
{
	uint64_t harts;

	pthread_mutex_lock(&m->request_lock);
	harts = m->step ? m->stepping : ~m->held;
	if (m->stop_asked || m->reset_asked || m->break_reached)
		harts = 0;
	pthread_mutex_unlock(&m->request_lock);
	return harts;
}

/* --- Steps --- */

uint64_t bis_machine_begin_step(struct bis_machine *m, uint64_t harts)
{
	uint64_t step;

	pthread_mutex_lock(&m->request_lock);
	step = m->step = ++m->last_step;
	m->stepping = m->stop_asked || m->reset_asked ? 0 : harts;
	pthread_mutex_unlock(&m->request_lock);
	return step;
}

void bis_machine_has_stepped(struct bis_machine *m, unsigned hart)
{
	pthread_mutex_lock(&m->request_lock);
	m->stepping &= ~(UINT64_C(1) << hart);
	if (!m->stepping)
		pthread_cond_broadcast(&m->step_cond);
	pthread_mutex_unlock(&m->request_lock);
}

void bis_machine_await_step(struct bis_machine *m, uint64_t step)
{
	pthread_mutex_lock(&m->request_lock);
	while (m->step == step && m->stepping)
		pthread_cond_wait(&m->step_cond, &m->request_lock);
	pthread_mutex_unlock(&m->request_lock);
}

bool bis_machine_has_rested(struct bis_machine *m)
{
	bool asked;

	pthread_mutex_lock(&m->request_lock);
	asked = m->pause_asked;
	m->pause_asked = false;
	m->step = 0;
	cut_step(m);
	pthread_mutex_unlock(&m->request_lock);
	return asked;
}

void bis_machine_end_step(struct bis_machine *m)
{
	pthread_mutex_lock(&m->request_lock);
	cut_step(m);
	pthread_mutex_unlock(&m->request_lock);
}

/* --- Requests, and who carries them out --- */

bool bis_machine_tell_break(struct bis_machine *m)
{
	struct bis_event event;
	bool reached;

	pthread_mutex_lock(&m->request_lock);
	reached = m->break_reached;
	event = m->break_event;
	m->break_reached = false;
	pthread_mutex_unlock(&m->request_lock);
	if (!reached)
		return false;
	event.pc = bis_hart_pc(m->harts[event.hart]);
	bis_breaks_was_hit(m, event.id);
	bis_machine_tell(m, &event);
	return true;
}

void bis_machine_request_pause(struct bis_machine *m)
{
	pthread_mutex_lock(&m->request_lock);
	m->pause_asked = true;
	cut_step(m);
	pthread_cond_broadcast(&m->request_cond);
	pthread_mutex_unlock(&m->request_lock);
}

int bis_machine_request_add(struct bis_machine *m, const char *spec, void (*done)(void *arg, int result), void *arg)
{
	int err = 0;

	pthread_mutex_lock(&m->request_lock);
	if (m->add_asked) {
		err = bis_fail(EAGAIN, "another module is being added");
	} else {
		m->add_spec = strdup(spec);
		m->add_done = done;
		m->add_arg = arg;
		m->add_asked = m->add_spec != NULL;
		if (!m->add_asked)
			err = bis_fail(ENOMEM, "no memory for '%s'", spec);
		pthread_cond_broadcast(&m->request_cond);
	}
	pthread_mutex_unlock(&m->request_lock);
	return err;
}

/* Carries out a wish of the guest for a module. */
static void serve_add(struct bis_machine *m)
{
	char *spec;
	int err;

	pthread_mutex_lock(&m->request_lock);
	spec = m->add_spec;
	m->add_spec = NULL;
	pthread_mutex_unlock(&m->request_lock);
	err = bis_machine_add(m, spec, NULL);
	if (err)
		bis_log_limited(m, &m->add_limit, BIS_LOG_WARN, "modctl", "the guest asked for '%s': %s", spec,
				bis_error_message());
	free(spec);
	bis_machine_lock_devices(m);
	m->add_done(m->add_arg, err);
	bis_machine_unlock_devices(m);
	pthread_mutex_lock(&m->request_lock);
	m->add_asked = false;
	pthread_mutex_unlock(&m->request_lock);
}

enum wish { WISH_NONE, WISH_STOP, WISH_RESET, WISH_PAUSE, WISH_ADD, WISH_BREAK };

/* Waits for the next request. WISH_NONE when the time is up. */
static enum wish wait_for_request(struct bis_machine *m, const struct timespec *until)
{
	enum wish wish = WISH_NONE;
	int err = 0;

	pthread_mutex_lock(&m->request_lock);
	while (!m->stop_asked && !m->reset_asked && !m->pause_asked && !m->add_spec && !m->break_reached &&
	       err != ETIMEDOUT)
		err = until ? pthread_cond_timedwait(&m->request_cond, &m->request_lock, until)
			    : pthread_cond_wait(&m->request_cond, &m->request_lock);
	if (m->stop_asked)
		wish = WISH_STOP;
	else if (m->reset_asked)
		wish = WISH_RESET;
	else if (m->add_spec)
		wish = WISH_ADD;
	else if (m->break_reached)
		wish = WISH_BREAK;
	else if (m->pause_asked)
		wish = WISH_PAUSE;
	if (wish == WISH_PAUSE)
		m->pause_asked = false;
	pthread_mutex_unlock(&m->request_lock);
	return wish;
}

/* The machine is paused for a reset, which also serves whoever has asked for one until now. */
static void forget_resets(struct bis_machine *m)
{
	pthread_mutex_lock(&m->request_lock);
	m->reset_asked = false;
	pthread_mutex_unlock(&m->request_lock);
}

static struct timespec deadline_after(int timeout_ms)
{
	uint64_t at = bis_host_ns() + (uint64_t)timeout_ms * 1000000;

	return (struct timespec){.tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000)};
}

/* Pauses a machine that runs. With the control lock, so that nobody sets it running in between. */
static int come_to_rest(struct bis_machine *m, bool *ran)
{
	int err = 0;

	bis_machine_lock_control(m);
	*ran = bis_machine_state(m) == BIS_RUNNING;
	if (*ran)
		err = bis_machine_pause(m);
	else
		(void)bis_machine_tell_break(m);
	bis_machine_unlock_control(m);
	return err ? bis_fail(EIO, "cannot pause the machine") : 0;
}

int bis_machine_join(struct bis_machine *m, int timeout_ms, enum bis_stop_reason *why, int *status)
{
	struct timespec until = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
	bool ran;
	int err = 0;

	while (!err) {
		switch (wait_for_request(m, timeout_ms < 0 ? NULL : &until)) {
		case WISH_NONE:
			return -ETIMEDOUT;
		case WISH_ADD:
			serve_add(m);
			break;
		case WISH_PAUSE:
		case WISH_BREAK:
			err = come_to_rest(m, &ran);
			break;
		case WISH_RESET:
			err = come_to_rest(m, &ran);
			if (err)
				break;
			forget_resets(m);
			*why = BIS_STOP_RESET_REQUEST;
			*status = ran;
			return 0;
		case WISH_STOP:
			bis_machine_stop(m);
			*why = m->stop_reason;
			*status = m->stop_status;
			return 0;
		}
	}
	return err;
}
