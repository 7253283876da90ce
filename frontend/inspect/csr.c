/*
 * Control and status registers: csr/NAME each, csr.fields/NAME/FIELD for those whose fields are described. Which there
 * are is what the hart says (lists.c), their fields are rows of the core's table.
 */
#include <errno.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

/* The privileged specification, CSR address mapping: bits 11:10 are 3 where software cannot write. */
#define IS_READ_ONLY(number) ((number) >> 10 == 3)

/* One access: bits `mask` of CSR `number`. */
struct access {
	struct inspect *in;
	struct bis_hart *h;
	unsigned number;
	uint64_t value;
	unsigned low, width; /* width 0: the whole register */
};

static uint64_t field_mask(const struct access *a)
{
	return (a->width >= 64 ? UINT64_MAX : (UINT64_C(1) << a->width) - 1) << a->low;
}

static int get(void *arg)
{
	struct access *a = arg;
	int err = bis_hart_csr_get(a->h, a->number, &a->value);

	if (!err && a->width)
		a->value = (a->value & field_mask(a)) >> a->low;
	return err;
}

static int set(void *arg)
{
	struct access *a = arg;
	uint64_t value = a->value, old;
	int err = inspect_need_paused(a->in);

	if (!err && a->width) {
		err = bis_hart_csr_get(a->h, a->number, &old);
		value = err ? 0 : (old & ~field_mask(a)) | a->value << a->low;
	}
	return err ? err : bis_hart_csr_set(a->h, a->number, value);
}

static struct access access_of(struct inspect *in, const struct inspect_node *n)
{
	const struct bis_csr_field *f = n->arg.row;

	return (struct access){.in = in,
			       .h = inspect_hart(in, n),
			       .number = n->arg.number,
			       .low = f ? f->low : 0,
			       .width = f ? f->width : 0};
}

static int generate_csr(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct access a = access_of(in, n);
	int err = bis_machine_at_safepoint(in->machine, get, &a);

	inspect_put_hex(out, a.value, a.width ? a.width : inspect_xlen(in));
	inspect_put(out, "\n");
	return err;
}

static int accept_csr(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	struct access a = access_of(in, n);
	int err = inspect_parse_number(text, a.width ? a.width : inspect_xlen(in), &a.value);

	(void)reply;
	return err ? err : bis_machine_at_safepoint(in->machine, set, &a);
}

static bool csr_writable(struct inspect *in, const struct inspect_node *n)
{
	(void)in;
	return !IS_READ_ONLY(n->arg.number);
}

static const struct inspect_type csr_type = {.kind = INSPECT_TEXT,
					     .fleeting = true,
					     .generate = generate_csr,
					     .accept = accept_csr,
					     .writable = csr_writable};

static bool csr_at(struct inspect *in, size_t index, struct inspect_csr *out)
{
	bool found;

	pthread_mutex_lock(&in->lock);
	found = index < in->n_csrs;
	if (found)
		*out = in->csrs[index];
	pthread_mutex_unlock(&in->lock);
	return found;
}

static bool csr_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	struct inspect_csr csr;

	(void)dir;
	if (!csr_at(in, index, &csr))
		return false;
	snprintf(out->name, sizeof(out->name), "%s", csr.name);
	out->type = &csr_type;
	out->arg.number = csr.number;
	return true;
}

const struct inspect_type inspect_csrs_type = {.kind = INSPECT_DIR, .child = csr_child};

/* --- Fields --- */

static bool field_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	const struct bis_csr_field *f = bis_csr_field(dir->name, inspect_xlen(in), index);

	if (!f)
		return false;
	snprintf(out->name, sizeof(out->name), "%s", f->name);
	out->type = &csr_type;
	out->arg.row = f;
	return true;
}

static const struct inspect_type fields_type = {.kind = INSPECT_DIR, .fleeting = true, .child = field_child};

static bool described_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	struct inspect_csr csr;

	(void)dir;
	for (size_t i = 0; csr_at(in, i, &csr); i++) {
		if (!csr.described || index--)
			continue;
		snprintf(out->name, sizeof(out->name), "%s", csr.name);
		out->type = &fields_type;
		out->arg.number = csr.number;
		return true;
	}
	return false;
}

const struct inspect_type inspect_csr_fields_type = {.kind = INSPECT_DIR, .child = described_child};
