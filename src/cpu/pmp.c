/*
 * Physical memory protection: privileged specification 1.12, section 3.7. Sixteen entries with byte granularity
 * above 4. Hart's thread.
 */
#include "src/cpu/hart_internal.h"

enum {
	PMP_R = 1,
	PMP_W = 2,
	PMP_X = 4,
	PMP_MODE = 0x18,
	PMP_TOR = 0x08,
	PMP_NA4 = 0x10,
	PMP_NAPOT = 0x18,
	PMP_LOCK = 0x80
};

static struct bis_pmp_range decode_entry(const struct bis_hart *h, unsigned i)
{
	struct bis_pmp_range r = {.cfg = h->pmpcfg[i]};
	uint64_t addr = h->pmpaddr[i];
	uint64_t low_bits;

	switch (r.cfg & PMP_MODE) {
	case PMP_TOR:
		r.lo = i ? h->pmpaddr[i - 1] << 2 : 0;
		if (addr << 2 <= r.lo)
			r.cfg = 0;
		r.hi = (addr << 2) - 1;
		break;
	case PMP_NA4:
		r.lo = addr << 2;
		r.hi = r.lo + 3;
		break;
	case PMP_NAPOT:
		/* n trailing ones stand for a range of 2^(n+3) bytes; pmpaddr has at most 54 bits, so nothing wraps. */
		low_bits = addr ^ (addr + 1);
		r.lo = (addr & ~low_bits) << 2;
		r.hi = r.lo | (low_bits << 2 | 3);
		break;
	default:
		r.cfg = 0;
	}
	return r;
}

void bis_pmp_update(struct bis_hart *h)
{
	h->pmp_active = 0;
	for (unsigned i = 0; i < PMP_ENTRIES; i++) {
		h->pmp[i] = decode_entry(h, i);
		if (h->pmp[i].cfg)
			h->pmp_active = i + 1;
	}
	bis_tlb_flush(h);
}

enum bis_pmp_answer bis_pmp_check(const struct bis_hart *h, uint64_t pa, uint64_t len, enum bis_access access,
				  unsigned priv)
{
	static const uint8_t need[] = {
		[BIS_ACCESS_READ] = PMP_R, [BIS_ACCESS_WRITE] = PMP_W, [BIS_ACCESS_FETCH] = PMP_X};
	uint64_t last = pa + (len - 1);

	for (unsigned i = 0; i < h->pmp_active; i++) {
		const struct bis_pmp_range *r = &h->pmp[i];

		if (!r->cfg || last < r->lo || pa > r->hi)
			continue;
		if (pa < r->lo || last > r->hi)
			return PMP_PARTIAL;
		if (priv == BIS_PRIV_M && !(r->cfg & PMP_LOCK))
			return PMP_ALLOW;
		return r->cfg & need[access] ? PMP_ALLOW : PMP_DENY;
	}
	/* No match: M-mode may; S and U may not, as entries are implemented. */
	return priv == BIS_PRIV_M ? PMP_ALLOW : PMP_DENY;
}
