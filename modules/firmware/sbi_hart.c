/*
 * SBI: timers, interrupts and fences between harts, and the state of harts (TIME, IPI, RFENCE and HSM extensions, SBI
 * 2.0 chapters 6 to 9). Runs on the thread of the hart that calls.
 */
#include "modules/firmware/sbi.h"

enum { HART_STARTED = 0, HART_STOPPED = 1, HART_SUSPENDED = 4 };

#define SUSPEND_RETENTIVE     0u
#define SUSPEND_NON_RETENTIVE 0x80000000u

/* On RV32 the time comes in two registers. */
int64_t bis_sbi_set_timer(struct sbi_call *c)
{
	uint64_t when = c->arg[0];

	if (c->ones == UINT32_MAX)
		when |= c->arg[1] << 32;
	bis_hart_set_stimecmp(c->hart, when);
	return SBI_SUCCESS;
}

/* The harts that a mask and its base name, as bits. False if one of them does not exist. */
static bool named_harts(const struct sbi_call *c, uint64_t *out)
{
	uint64_t mask = c->arg[0], base = c->arg[1], all = (UINT64_C(1) << c->sbi->harts) - 1;

	if (base == c->ones) {
		*out = all;
		return true;
	}
	if (base >= c->sbi->harts || (mask & ~(all >> base)))
		return false;
	*out = mask << base;
	return true;
}

void bis_sbi_interrupt(struct sbi *s, uint64_t harts)
{
	for (unsigned i = 0; i < s->harts; i++) {
		struct bis_hart *h = bis_machine_hart(s->machine, i);

		if ((harts >> i & 1) && !bis_hart_halted(h))
			bis_hart_set_line(h, BIS_LINE_SSIP, true);
	}
}

int64_t bis_sbi_send_ipi(struct sbi_call *c)
{
	uint64_t harts;

	if (!named_harts(c, &harts))
		return SBI_ERR_INVALID_PARAM;
	bis_sbi_interrupt(c->sbi, harts);
	return SBI_SUCCESS;
}

/*
 * One fence serves all: whatever range and ASID are meant, everything is forgotten; and a hart that has passed it
 * executes nothing any more that was translated before.
 */
int64_t bis_sbi_remote_fence(struct sbi_call *c)
{
	uint64_t harts;

	if (!named_harts(c, &harts))
		return SBI_ERR_INVALID_PARAM;
	bis_hart_fence_others(c->hart, harts);
	return SBI_SUCCESS;
}

/* Can a hart without address translation execute there? */
static bool can_enter(const struct sbi_call *c, uint64_t pc)
{
	uint64_t unaligned = bis_isa_has(bis_hart_isa(c->hart), "zca") ? 1 : 3;

	return !(pc & unaligned) && bis_mem_is_ram(c->sbi->memory, (bis_gpa){pc}, unaligned + 1);
}

int64_t bis_sbi_hart_start(struct sbi_call *c)
{
	uint64_t hart = c->arg[0], pc = c->arg[1], opaque = c->arg[2];

	if (hart >= c->sbi->harts)
		return SBI_ERR_INVALID_PARAM;
	if (!can_enter(c, pc))
		return SBI_ERR_INVALID_ADDRESS;
	if (bis_hart_launch(bis_machine_hart(c->sbi->machine, (unsigned)hart), BIS_PRIV_S, pc, opaque))
		return SBI_ERR_ALREADY_AVAILABLE;
	return SBI_SUCCESS;
}

/* Nothing of what the hart had asked for is pending when it starts again. */
int64_t bis_sbi_hart_stop(struct sbi_call *c)
{
	bis_sbi_set_csr(c->hart, CSR_SIE, 0);
	bis_sbi_set_csr(c->hart, CSR_SIP, 0);
	bis_hart_set_stimecmp(c->hart, UINT64_MAX);
	bis_hart_halt(c->hart);
	c->flow = SBI_LEAVES;
	return SBI_SUCCESS;
}

int64_t bis_sbi_hart_status(struct sbi_call *c)
{
	uint64_t id = c->arg[0];
	const struct bis_hart *h;

	if (id >= c->sbi->harts)
		return SBI_ERR_INVALID_PARAM;
	h = bis_machine_hart(c->sbi->machine, (unsigned)id);
	if (bis_hart_halted(h))
		c->value = HART_STOPPED;
	else if (atomic_load(&c->sbi->suspended[id]) && bis_hart_sleeping(h))
		c->value = HART_SUSPENDED;
	else
		c->value = HART_STARTED;
	return SBI_SUCCESS;
}

int64_t bis_sbi_hart_suspend(struct sbi_call *c)
{
	uint32_t type = (uint32_t)c->arg[0];
	unsigned id = bis_hart_id(c->hart);

	if (type != SUSPEND_RETENTIVE && type != SUSPEND_NON_RETENTIVE)
		return SBI_ERR_INVALID_PARAM;
	if (type == SUSPEND_NON_RETENTIVE) {
		if (!can_enter(c, c->arg[1]))
			return SBI_ERR_INVALID_ADDRESS;
		bis_hart_enter(c->hart, BIS_PRIV_S, c->arg[1], id, c->arg[2]);
		c->flow = SBI_LEAVES;
	}
	atomic_store(&c->sbi->suspended[id], true);
	bis_hart_sleep(c->hart);
	return SBI_SUCCESS;
}
