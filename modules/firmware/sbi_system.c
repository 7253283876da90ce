/*
 * SBI: what the implementation is (base extension, SBI 2.0 chapter 4) and the end of the machine (system reset
 * extension, chapter 10). Runs on the thread of the hart that calls.
 */
#include "modules/firmware/sbi.h"

enum {
	SPEC_VERSION = 2 << 24, /* 2.0 */
	IMPL_ID = 0x426973,	/* "Bis"; not one of the assigned numbers, which are small */
	IMPL_VERSION = 1
};

enum { RESET_SHUTDOWN = 0, RESET_COLD_REBOOT = 1, RESET_WARM_REBOOT = 2 };
enum { REASON_NONE = 0, REASON_SYSTEM_FAILURE = 1 };

static int64_t give(struct sbi_call *c, uint64_t value)
{
	c->value = value;
	return SBI_SUCCESS;
}

int64_t bis_sbi_get_spec_version(struct sbi_call *c)
{
	return give(c, SPEC_VERSION);
}

int64_t bis_sbi_get_impl_id(struct sbi_call *c)
{
	return give(c, IMPL_ID);
}

int64_t bis_sbi_get_impl_version(struct sbi_call *c)
{
	return give(c, IMPL_VERSION);
}

int64_t bis_sbi_probe_extension(struct sbi_call *c)
{
	return give(c, bis_sbi_probe(c->arg[0]));
}

int64_t bis_sbi_get_mvendorid(struct sbi_call *c)
{
	return give(c, bis_sbi_csr(c->hart, CSR_MVENDORID));
}

int64_t bis_sbi_get_marchid(struct sbi_call *c)
{
	return give(c, bis_sbi_csr(c->hart, CSR_MARCHID));
}

int64_t bis_sbi_get_mimpid(struct sbi_call *c)
{
	return give(c, bis_sbi_csr(c->hart, CSR_MIMPID));
}

/* The hart stays at the call until the machine has stopped or is reset. */
int64_t bis_sbi_system_reset(struct sbi_call *c)
{
	uint32_t type = (uint32_t)c->arg[0], reason = (uint32_t)c->arg[1];

	if (type > RESET_WARM_REBOOT || reason > REASON_SYSTEM_FAILURE)
		return SBI_ERR_INVALID_PARAM;
	if (type == RESET_SHUTDOWN)
		bis_machine_request_stop(c->sbi->machine, BIS_STOP_POWER_OFF, reason == REASON_NONE ? 0 : 1);
	else
		bis_machine_request_reset(c->sbi->machine);
	c->flow = SBI_REPEATS;
	return SBI_SUCCESS;
}
