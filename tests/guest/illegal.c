/*
 * Encodings that no implemented extension defines: each must raise an illegal-instruction exception at its own address
 * with its bits in mtval. Each row is written into memory, made visible with fence.i and called.
 */
#include "guest.h"

struct row {
	uint32_t bits;
	const char *what;
};

static const struct row everywhere[] = {
	{0xffffffff, "all ones"},
	{0x0000001f, "48-bit prefix"},
	{0x0000003f, "64-bit prefix"},
	{0x0000007f, "long prefix"},
	{0x0000006b, "reserved major opcode"},
	{0x00001067, "jalr with funct3 1"},
	{0x00002063, "branch with funct3 2"},
	{0x00003063, "branch with funct3 3"},
	{0x00007003, "load with funct3 7"},
	{0x00004023, "store with funct3 4"},
	{0x00007023, "store with funct3 7"},
	{0xfe000033, "op with funct7 0x7f"},
	{0x04000033, "op with funct7 2"},
	{0x40001033, "sll with funct7 0x20"},
	{0x08001013, "slli with funct6 2"},
	{0x0000002f, "amo with funct3 0"},
	{0x0000102f, "amo with funct3 1"},
	{0x1010202f, "lr.w with rs2"},
	{0x2800202f, "amo with funct5 5"},
	{0xf800202f, "amo with funct5 0x1f"},
	{0x00004073, "system with funct3 4"},
	{0x00200073, "uret"},
	{0x00000173, "ecall with rd"},
	{0x00008073, "ecall with rs1"},
	{0x7b200073, "dret"},
	{0xfff00073, "system with funct12 0xfff"},
	{0x0000200f, "misc-mem with funct3 2"},
	{0x0000700f, "misc-mem with funct3 7"},
	{0x00000007, "load-fp with funct3 0"},
	{0x00004007, "flq"},
	{0x00004027, "fsq"},
	{0x04000053, "fadd.h"},
	{0x06000053, "fadd.q"},
	{0x00005053, "fadd.s with rounding mode 5"},
	{0x00006053, "fadd.s with rounding mode 6"},
	{0x02005053, "fadd.d with rounding mode 5"},
	{0x58100053, "fsqrt.s with rs2"},
	{0x20003053, "fsgnj.s with funct3 3"},
	{0x28002053, "fmin.s with funct3 2"},
	{0xa0003053, "fcmp.s with funct3 3"},
	{0x40000053, "fcvt.s.s"},
	{0x42100053, "fcvt.d.d"},
	{0xc0400053, "fcvt with rs2 4"},
	{0xe0002053, "fclass.s with funct3 2"},
	{0xe0100053, "fmv.x.w with rs2"},
	{0xf0001053, "fmv.w.x with funct3 1"},
	{0x04000043, "fmadd.h"},
	{0x00005043, "fmadd.s with rounding mode 5"},
};

#if XLEN == 64
static const struct row by_width[] = {
	{0x0200101b, "slliw by 32"},	       {0x0200501b, "srliw by 32"},
	{0x4200501b, "sraiw by 32"},	       {0x0000201b, "op-imm-32 with funct3 2"},
	{0x0000203b, "op-32 with funct3 2"},   {0x0200103b, "op-32 with M and funct3 1"},
	{0x4000103b, "sllw with funct7 0x20"},
};
#else
static const struct row by_width[] = {
	{0x02001013, "slli by 32"}, {0x02005013, "srli by 32"}, {0x42005013, "srai by 32"}, {0x00003003, "ld"},
	{0x00006003, "lwu"},	    {0x00003023, "sd"},		{0x0000001b, "addiw"},	    {0x0000003b, "addw"},
	{0x0200003b, "mulw"},	    {0x1000302f, "lr.d"},	{0x0000302f, "amoadd.d"},   {0xc0200053, "fcvt.l.s"},
	{0xd0200053, "fcvt.s.l"},   {0xe2000053, "fmv.x.d"},	{0xf2000053, "fmv.d.x"},
};
#endif

static uint32_t code[2] __attribute__((aligned(64)));

enum { RET = 0x00008067 };

static void refused(const struct row *row)
{
	code[0] = row->bits;
	code[1] = RET;
	__asm__ volatile("fence.i" ::: "memory");
	__asm__ volatile(TRY("jalr ra, 0(%0)")::"r"(code) : "ra", "memory", TRY_CLOBBERS);
	trap.at = (ulong)code;
	check_trap(row->what, CAUSE_ILLEGAL, row->bits);
}

int main(void)
{
	for (ulong i = 0; i < ARRAY_SIZE(everywhere); i++)
		refused(&everywhere[i]);
	for (ulong i = 0; i < ARRAY_SIZE(by_width); i++)
		refused(&by_width[i]);
	return 0;
}
