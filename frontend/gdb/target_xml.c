/*
 * The description of a hart's registers for gdb (GDB manual, "Target Descriptions", "RISC-V Features"): from the
 * machine's own tables of registers, CSRs and CSR fields.
 */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/gdb/session.h"

static void put_x(FILE *f, const struct bis_hart *h)
{
	unsigned xlen = bis_hart_isa(h)->xlen;
	const struct bis_reg_desc *r;

	fputs("<feature name=\"org.gnu.gdb.riscv.cpu\">\n", f);
	for (size_t i = 0; (r = bis_hart_reg_desc(h, i)); i++) {
		const char *type = "int";

		if (r->slot >= 32)
			continue;
		if (r->slot == 1)
			type = "code_ptr";
		else if (r->slot >= 2 && r->slot <= 4)
			type = "data_ptr";
		fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"%s\"/>\n",
			r->slot == 8 ? "fp" : r->alias, xlen, r->slot, type);
	}
	fprintf(f, "<reg name=\"pc\" bitsize=\"%u\" regnum=\"%d\" type=\"code_ptr\"/>\n</feature>\n", xlen, GDB_REG_PC);
}

static void put_f(FILE *f, const struct bis_hart *h)
{
	static const char *const csrs[] = {"fflags", "frm", "fcsr"};
	bool d = bis_isa_has(bis_hart_isa(h), "d");
	const struct bis_reg_desc *r;

	if (!d && !bis_isa_has(bis_hart_isa(h), "f"))
		return;
	fputs("<feature name=\"org.gnu.gdb.riscv.fpu\">\n", f);
	if (d)
		fputs("<union id=\"riscv_double\"><field name=\"float\" type=\"ieee_single\"/>"
		      "<field name=\"double\" type=\"ieee_double\"/></union>\n",
		      f);
	for (size_t i = 0; (r = bis_hart_reg_desc(h, i)); i++)
		if (r->slot >= 32)
			fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%d\" type=\"%s\"/>\n", r->alias,
				d ? 64 : 32, GDB_REG_F + r->slot - 32, d ? "riscv_double" : "ieee_single");
	for (int i = 0; i < 3; i++)
		fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%d\" type=\"int\"/>\n", csrs[i],
			bis_hart_isa(h)->xlen, GDB_REG_CSR + 1 + i);
	fputs("</feature>\n", f);
}

/* The fields of a CSR as a type of its own; false where it has none. */
static bool put_fields(FILE *f, const char *csr, unsigned xlen)
{
	const struct bis_csr_field *field = bis_csr_field(csr, xlen, 0);

	if (!field)
		return false;
	fprintf(f, "<flags id=\"%s_fields\" size=\"%u\">", csr, xlen / 8);
	for (size_t i = 0; (field = bis_csr_field(csr, xlen, i)); i++)
		fprintf(f, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", field->name, field->low,
			field->low + field->width - 1u);
	fputs("</flags>\n", f);
	return true;
}

static void put_csr(FILE *f, struct bis_hart *h, unsigned address)
{
	unsigned xlen = bis_hart_isa(h)->xlen;
	char name[64];
	uint64_t value;

	if (bis_hart_csr_name(h, address, name, sizeof(name)) <= 0 || bis_hart_csr_get(h, address, &value))
		return;
	if (put_fields(f, name, xlen))
		fprintf(f,
			"<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"%s_fields\" save-restore=\"no\" "
			"group=\"csr\"/>\n",
			name, xlen, GDB_REG_CSR + address, name);
	else
		fprintf(f,
			"<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"int\" save-restore=\"no\" "
			"group=\"csr\"/>\n",
			name, xlen, GDB_REG_CSR + address);
}

struct job {
	struct gdb_session *s;
	FILE *f;
};

/* For a program of an operating system gdb would step by itself, and miss where traps lead to. */
static int put_all(void *arg)
{
	struct job *j = arg;
	struct bis_hart *h = gdb_hart(j->s);
	bool f = bis_isa_has(bis_hart_isa(h), "f");

	fprintf(j->f,
		"<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
		"<target version=\"1.0\">\n<architecture>riscv:rv%u</architecture>\n<osabi>none</osabi>\n",
		bis_hart_isa(h)->xlen);
	put_x(j->f, h);
	put_f(j->f, h);
	fputs("<feature name=\"org.gnu.gdb.riscv.csr\">\n", j->f);
	for (unsigned i = f ? 4 : 1; i < 0x1000; i++)
		put_csr(j->f, h, i);
	fprintf(j->f,
		"</feature>\n<feature name=\"org.gnu.gdb.riscv.virtual\">\n"
		"<reg name=\"priv\" bitsize=\"%u\" regnum=\"%d\" type=\"int\" "
		"save-restore=\"no\"/>\n</feature>\n</target>\n",
		bis_hart_isa(h)->xlen, GDB_REG_PRIV);
	return 0;
}

char *gdb_target_xml(struct gdb_session *s)
{
	struct job j = {.s = s};
	char *text = NULL;
	size_t size;

	j.f = open_memstream(&text, &size);
	if (!j.f)
		return NULL;
	(void)bis_machine_at_safepoint(s->m, put_all, &j);
	if (fclose(j.f)) {
		free(text);
		return NULL;
	}
	return text;
}
