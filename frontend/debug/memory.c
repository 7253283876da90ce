/* Guest memory by a hart's translation. At a safepoint, or while the machine is paused. */
#include <errno.h>
#include <inttypes.h>

#include <biscuit/error.h>

#include "frontend/debug/debug_internal.h"

static uint64_t last_address(const struct bis_hart *h)
{
	return bis_hart_isa(h)->xlen == 64 ? UINT64_MAX : UINT32_MAX;
}

/* Where a page lies. User code's view leaves the kernel out; who debugs sees both. */
static int locate(struct bis_hart *h, uint64_t va, bool physical, bis_gpa *out)
{
	enum bis_priv priv = bis_hart_priv(h);
	int err;

	if (physical) {
		out->v = va;
		return 0;
	}
	if (priv != BIS_PRIV_U)
		return bis_hart_translate(h, va, out);
	bis_hart_set_priv(h, BIS_PRIV_S);
	err = bis_hart_translate(h, va, out);
	bis_hart_set_priv(h, priv);
	return err;
}

/* Does fn(memory, pa, bytes) for each part inside a page; ends at the first failure. */
static int each_part(struct bis_hart *h, uint64_t address, bool physical, uint8_t *bytes, size_t len,
		     int (*fn)(struct bis_memory *m, bis_gpa pa, uint8_t *bytes, size_t len))
{
	struct bis_memory *m = bis_machine_memory(bis_hart_machine(h));

	if (len && (address > last_address(h) || len - 1 > last_address(h) - address))
		return bis_fail(EFAULT, "0x%" PRIx64 " and %zu bytes go beyond the end of the address space", address,
				len);
	while (len) {
		size_t left = BIS_PAGE_SIZE - (size_t)(address & (BIS_PAGE_SIZE - 1)), part = len < left ? len : left;
		bis_gpa pa;
		int err = locate(h, address, physical, &pa);

		if (!err && fn(m, pa, bytes, part))
			err = bis_fail(EFAULT, "there is no RAM at 0x%" PRIx64, pa.v);
		if (err)
			return err;
		address += part;
		bytes += part;
		len -= part;
	}
	return 0;
}

static int read_part(struct bis_memory *m, bis_gpa pa, uint8_t *bytes, size_t len)
{
	return bis_mem_read(m, pa, bytes, len);
}

static int check_part(struct bis_memory *m, bis_gpa pa, uint8_t *bytes, size_t len)
{
	(void)bytes;
	return bis_mem_is_ram(m, pa, len) ? 0 : -EFAULT;
}

static int write_part(struct bis_memory *m, bis_gpa pa, uint8_t *bytes, size_t len)
{
	return bis_mem_write(m, pa, bytes, len);
}

int debug_read(struct bis_hart *h, uint64_t address, bool physical, void *buf, size_t len)
{
	return each_part(h, address, physical, buf, len, read_part);
}

int debug_write(struct bis_hart *h, uint64_t address, bool physical, const void *buf, size_t len)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)buf; /* only read */
	int err = each_part(h, address, physical, bytes, len, check_part);

	return err ? err : each_part(h, address, physical, bytes, len, write_part);
}
