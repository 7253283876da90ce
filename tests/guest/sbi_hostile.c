/*
 * Four harts make calls with random numbers and arguments at once. Each call must answer with an error code and leave
 * the caller running; the machine must still work in the end.
 */
#include "sbi_guest.h"

enum { CALLS = 20000 };

static volatile ulong ready, calls[HARTS], strange[HARTS];

static ulong next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (ulong)(*state >> 16);
}

/* Values at which checks go wrong, or any; never one that points into this program. */
static ulong wild(uint64_t *rng)
{
	static const ulong edges[] = {0,
				      1,
				      2,
				      3,
				      HARTS,
				      31,
				      63,
				      64,
				      0x1000,
				      0x2000000,
				      0x10000000,
				      0x7fffffff,
				      ALL_ONES,
				      ALL_ONES >> 1,
				      ALL_ONES - 1,
				      ALL_ONES - 7,
				      0xf0000000ul,
				      0xfffff000};
	ulong r = next_random(rng);

	if (r % 4)
		return edges[r / 4 % ARRAY_SIZE(edges)];
	return (r >> 8) | ~(ALL_ONES >> 1) | BIT(XLEN - 2);
}

/* These end what the test is about: the machine, this hart, its peace. */
static bool forbidden(ulong eid, ulong fid, const ulong *a)
{
	if (eid == 8 || (eid == EXT_HSM && (fid == HSM_STOP || fid == HSM_SUSPEND)))
		return true;
	if (eid == 1 || (eid == EXT_DBCN && fid == DBCN_WRITE_BYTE)) /* noise on the console */
		return true;
	return eid == EXT_SRST && fid == 0 && (uint32_t)a[0] <= 2 && (uint32_t)a[1] <= 1;
}

static void one_call(ulong hart, uint64_t *rng)
{
	static const uint32_t eids[] = {0,	    1,	     2,	       3,	 4,	   5,
					6,	    7,	     8,	       EXT_BASE, EXT_TIME, EXT_IPI,
					EXT_RFENCE, EXT_HSM, EXT_SRST, EXT_DBCN, EXT_DBCN, EXT_RFENCE};
	ulong r = next_random(rng);
	ulong eid = r % 16 ? eids[r / 16 % ARRAY_SIZE(eids)] : wild(rng);
	ulong fid = r >> 20 & 7 ? r >> 24 & 3 : wild(rng);
	ulong a[5] = {wild(rng), wild(rng), wild(rng), wild(rng), wild(rng)};
	struct sbi_reply reply;

	if (forbidden(eid, fid, a))
		return;
	reply = sbi(eid, fid, a[0], a[1], a[2], a[3], a[4]);
	calls[hart]++;
	if (eid > 8 && (reply.error > 0 || reply.error < -8))
		strange[hart]++;
}

static void make_calls(ulong hart)
{
	uint64_t rng = 0x9e3779b97f4a7c15u * (hart + 1);

	for (ulong i = 0; i < CALLS; i++)
		one_call(hart, &rng);
}

void secondary_main(ulong hart, ulong opaque)
{
	(void)opaque;
	make_calls(hart);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
}

void sbi_main(ulong hart, const void *dtb)
{
	(void)dtb;
	for (ulong h = 1; h < HARTS; h++)
		check("start", h, sbi_error(EXT_HSM, HSM_START, h, (ulong)secondary_start, 0), 0);
	make_calls(hart);
	while (ready != HARTS - 1)
		;
	for (ulong h = 0; h < HARTS; h++) {
		check("calls made", h, calls[h] > CALLS / 2, 1);
		check("strange answers", h, (long)strange[h], 0);
	}
	check("version", 0, sbi(EXT_BASE, 0, 0, 0, 0, 0, 0).value, 2 << 24);
	sbi_finish();
}
