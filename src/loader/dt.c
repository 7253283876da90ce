/*
 * The machine's device tree (Devicetree Specification; bindings riscv/cpus, simple-bus): root, cpus, memory, chosen,
 * and one node a device module, completed by the module itself. Runs on the control thread; the blob belongs to the
 * caller.
 */
#include "dt_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <biscuit/error.h>
#include <biscuit/machine.h>

#define FIRST_SIZE 16384
#define LAST_SIZE  (2 << 20) /* Linux maps no more */
#define PATH_SIZE  96

#define DTB_VERSION 17 /* Devicetree Specification 0.4, section 5.2 */

static uint32_t node_phandle(const struct bis_dt_machine *m, size_t index)
{
	return 1 + m->harts + (uint32_t)index;
}

/* "name@address", or the instance name for a device that has no address. */
static void node_name(const struct bis_dt_node *n, char *buf, size_t size)
{
	if (n->n_windows || n->has_address)
		snprintf(buf, size, "%s@%" PRIx64, n->name, n->n_windows ? n->windows[0].base : n->address);
	else
		snprintf(buf, size, "%s", n->instance);
}

/* --- Processors and memory --- */

static void write_extensions(struct bis_dt *dt, const struct bis_isa_spec *isa)
{
	char list[512];
	size_t len = 0;
	const char *help, *name;

	for (size_t i = 0; (name = bis_isa_ext_name(i, &help)); i++) {
		size_t n = strlen(name) + 1;

		if (!bis_isa_has(isa, name) || n > sizeof(list) - len)
			continue;
		memcpy(list + len, name, n);
		len += n;
	}
	bis_dt_string(dt, "riscv,isa-base", isa->xlen == 32 ? "rv32i" : "rv64i");
	bis_dt_strings(dt, "riscv,isa-extensions", list, len);
}

static void write_cpu(struct bis_dt *dt, const struct bis_dt_machine *m, unsigned hart)
{
	char text[256];

	snprintf(text, sizeof(text), "cpu@%x", hart);
	bis_dt_begin(dt, text);
	bis_dt_string(dt, "device_type", "cpu");
	bis_dt_u32(dt, "reg", hart);
	bis_dt_string(dt, "status", "okay");
	bis_dt_string(dt, "compatible", "riscv");
	bis_isa_format(m->isa, text, sizeof(text));
	bis_dt_string(dt, "riscv,isa", text);
	write_extensions(dt, m->isa);
	if (m->paging) {
		snprintf(text, sizeof(text), "riscv,%s", m->paging);
		bis_dt_string(dt, "mmu-type", text);
	}
	bis_dt_begin_reserved(dt, "interrupt-controller", bis_dt_hart_intc(dt, hart));
	bis_dt_string(dt, "compatible", "riscv,cpu-intc");
	bis_dt_flag(dt, "interrupt-controller");
	bis_dt_u32(dt, "#interrupt-cells", 1);
	bis_dt_u32(dt, "#address-cells", 0);
	(void)bis_dt_phandle(dt);
	bis_dt_end(dt);
	bis_dt_end(dt);
}

static void write_cpus(struct bis_dt *dt, const struct bis_dt_machine *m)
{
	bis_dt_begin(dt, "cpus");
	bis_dt_u32(dt, "#address-cells", 1);
	bis_dt_u32(dt, "#size-cells", 0);
	bis_dt_u32(dt, "timebase-frequency", BIS_TIMEBASE_HZ);
	for (unsigned i = 0; i < m->harts; i++)
		write_cpu(dt, m, i);
	bis_dt_end(dt);
}

static void put_pair(uint32_t *cells, uint64_t base, uint64_t size)
{
	cells[0] = (uint32_t)(base >> 32);
	cells[1] = (uint32_t)base;
	cells[2] = (uint32_t)(size >> 32);
	cells[3] = (uint32_t)size;
}

static void write_memory(struct bis_dt *dt, const struct bis_memory *mem)
{
	struct bis_mem_region r;

	for (size_t i = 0; !bis_mem_region(mem, i, &r); i++) {
		uint32_t cells[4];
		char name[32];

		if (r.of_device)
			continue;
		put_pair(cells, r.base.v, r.size);
		snprintf(name, sizeof(name), "memory@%" PRIx64, r.base.v);
		bis_dt_begin(dt, name);
		bis_dt_string(dt, "device_type", "memory");
		bis_dt_cells(dt, "reg", cells, 4);
		bis_dt_end(dt);
	}
}

/* --- Devices --- */

static void write_device(struct bis_dt *dt, const struct bis_dt_machine *m, size_t index, uint32_t controller)
{
	const struct bis_dt_node *n = &m->nodes[index];
	uint32_t cells[4 * BIS_DT_WINDOWS];
	char name[PATH_SIZE];
	unsigned depth = dt->depth;

	for (unsigned i = 0; i < n->n_windows; i++)
		put_pair(cells + (size_t)4 * i, n->windows[i].base, n->windows[i].size);
	node_name(n, name, sizeof(name));
	bis_dt_begin_reserved(dt, name, node_phandle(m, index));
	if (n->n_windows)
		bis_dt_cells(dt, "reg", cells, (size_t)4 * n->n_windows);
	if (n->n_irqs && controller) {
		bis_dt_u32(dt, "interrupt-parent", controller);
		bis_dt_cells(dt, "interrupts", n->irqs, n->n_irqs);
	}
	if (n->controller)
		(void)bis_dt_phandle(dt);
	n->write(n->self, dt);
	if (!dt->fault && !dt->error && dt->depth != depth + 1)
		dt->fault = "a node left open";
	bis_dt_end(dt);
}

/* Devices with register windows lie on the bus, the others beside it. */
static void write_devices(struct bis_dt *dt, const struct bis_dt_machine *m, bool on_bus, const char **at_fault)
{
	uint32_t controller = 0;

	for (size_t i = 0; i < m->count && !controller; i++)
		if (m->nodes[i].controller)
			controller = node_phandle(m, i);
	for (size_t i = 0; i < m->count; i++) {
		if ((m->nodes[i].n_windows > 0) != on_bus)
			continue;
		write_device(dt, m, i, controller);
		if (dt->fault && !*at_fault)
			*at_fault = m->nodes[i].instance;
	}
}

static void write_bus(struct bis_dt *dt, const struct bis_dt_machine *m, const char **at_fault)
{
	bis_dt_begin(dt, "soc");
	bis_dt_u32(dt, "#address-cells", 2);
	bis_dt_u32(dt, "#size-cells", 2);
	bis_dt_string(dt, "compatible", "simple-bus");
	bis_dt_flag(dt, "ranges");
	write_devices(dt, m, true, at_fault);
	bis_dt_end(dt);
}

/* --- The whole tree --- */

/* The path of the console's node; "" if there is none. -EINVAL if the user named one that is not there. */
static int find_stdout(const struct bis_dt_machine *m, const char *wanted, char *buf, size_t size)
{
	char name[PATH_SIZE - 8];

	buf[0] = '\0';
	for (size_t i = 0; i < m->count; i++) {
		const struct bis_dt_node *n = &m->nodes[i];

		if (strcmp(wanted ? n->instance : n->name, wanted ? wanted : "serial"))
			continue;
		node_name(n, name, sizeof(name));
		snprintf(buf, size, "%s/%s", n->n_windows ? "/soc" : "", name);
		return 0;
	}
	if (wanted)
		return bis_fail(EINVAL, "device tree: the console '%s' has no node", wanted);
	return 0;
}

static void write_chosen(struct bis_dt *dt, const struct bis_dt_config *cfg, const char *console, const void *seed,
			 size_t seed_size)
{
	if (console[0]) {
		bis_dt_begin(dt, "aliases");
		bis_dt_string(dt, "serial0", console);
		bis_dt_end(dt);
	}
	bis_dt_begin(dt, "chosen");
	if (cfg->bootargs)
		bis_dt_string(dt, "bootargs", cfg->bootargs);
	if (console[0])
		bis_dt_string(dt, "stdout-path", console);
	if (cfg->initrd_end > cfg->initrd_start) {
		bis_dt_u64(dt, "linux,initrd-start", cfg->initrd_start);
		bis_dt_u64(dt, "linux,initrd-end", cfg->initrd_end);
	}
	bis_dt_bytes(dt, "rng-seed", seed, seed_size);
	bis_dt_end(dt);
}

static int write_tree(struct bis_dt *dt, int size, const struct bis_dt_machine *m, const struct bis_dt_config *cfg,
		      const char *console)
{
	const char *at_fault = NULL;
	uint8_t seed[32];

	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return bis_fail(errno, "device tree: no random numbers from the host: %s", strerror(errno));
	dt->error = fdt_create(dt->fdt, size);
	if (!dt->error)
		dt->error = fdt_finish_reservemap(dt->fdt);
	bis_dt_begin(dt, "");
	bis_dt_u32(dt, "#address-cells", 2);
	bis_dt_u32(dt, "#size-cells", 2);
	bis_dt_string(dt, "compatible", "riscv-virtio");
	bis_dt_string(dt, "model", "biscuit");
	write_chosen(dt, cfg, console, seed, sizeof(seed));
	write_cpus(dt, m);
	write_memory(dt, m->memory);
	write_bus(dt, m, &at_fault);
	write_devices(dt, m, false, &at_fault);
	bis_dt_end(dt);
	if (!dt->error && !dt->fault)
		dt->error = fdt_finish(dt->fdt);
	if (dt->fault)
		return bis_fail(EINVAL, "device tree: module %s writes %s", at_fault ? at_fault : "?", dt->fault);
	if (dt->error == -FDT_ERR_NOSPACE)
		return -ENOSPC;
	if (dt->error)
		return bis_fail(EINVAL, "device tree: %s", fdt_strerror(dt->error));
	return 0;
}

int bis_dt_generate(const struct bis_dt_machine *m, const struct bis_dt_config *cfg, void **blob, size_t *size)
{
	char console[PATH_SIZE];
	int err = find_stdout(m, cfg->stdout_path, console, sizeof(console));

	for (int room = FIRST_SIZE; !err; room *= 2) {
		struct bis_dt dt = {.harts = m->harts, .next_phandle = node_phandle(m, m->count)};

		if (room > LAST_SIZE)
			return bis_fail(ENOSPC, "device tree: larger than %d bytes", LAST_SIZE);
		dt.fdt = calloc(1, (size_t)room);
		if (!dt.fdt)
			return bis_fail(ENOMEM, "device tree: out of memory");
		err = write_tree(&dt, room, m, cfg, console);
		if (!err) {
			*blob = dt.fdt;
			*size = fdt_totalsize(dt.fdt);
			return 0;
		}
		free(dt.fdt);
		if (err == -ENOSPC)
			err = 0;
	}
	return err;
}

/* A part of the blob: words at known offsets. */
struct part {
	const uint8_t *at;
	uint32_t size;
};

/* Takes `len` bytes, padded to whole words, at *off. False if they are not all there. */
static bool take(const struct part *p, uint32_t *off, uint32_t len)
{
	if (len > p->size - *off)
		return false;
	*off += len;
	if (*off % 4)
		*off += 4 - *off % 4;
	return *off <= p->size;
}

static uint32_t word_at(const struct part *p, uint32_t off)
{
	return fdt32_ld((const fdt32_t *)(const void *)(p->at + off));
}

/* One token of the structure block at *off; false if it does not fit. */
static bool take_token(const struct part *p, uint32_t *off, uint32_t token)
{
	const void *end;

	if (token == FDT_BEGIN_NODE) {
		end = memchr(p->at + *off, 0, p->size - *off);
		return end && take(p, off, (uint32_t)((const uint8_t *)end - (p->at + *off)) + 1);
	}
	if (token == FDT_PROP)
		return p->size - *off >= 8 && word_at(p, *off) <= p->size && take(p, off, 8 + word_at(p, *off));
	return token == FDT_END_NODE || token == FDT_NOP;
}

/*
 * Does every token of the structure block lie inside it? Versions of libfdt exist whose own check follows lengths that
 * wrap around (section 5.4.1 of the specification for the tokens).
 */
static bool structure_holds(const void *blob, uint32_t total)
{
	uint32_t start = fdt_off_dt_struct(blob), off = 0;
	struct part p = {.at = (const uint8_t *)blob + start, .size = fdt_size_dt_struct(blob)};

	if (start > total || p.size > total - start || start % 4)
		return false;
	while (p.size - off >= 4) {
		uint32_t token = word_at(&p, off);

		off += 4;
		if (token == FDT_END)
			return true;
		if (!take_token(&p, &off, token))
			return false;
	}
	return false;
}

int bis_check_dtb(const void *blob, size_t size)
{
	int err;

	if (size < sizeof(struct fdt_header))
		return bis_fail(EINVAL, "device tree: %zu bytes, expected at least a header of %zu", size,
				sizeof(struct fdt_header));
	if (size > LAST_SIZE)
		return bis_fail(EINVAL, "device tree: %zu bytes, expected at most %d", size, LAST_SIZE);
	err = fdt_check_header(blob);
	/* Older ones do not say how long their parts are, and nothing could check them. */
	if (!err && fdt_version(blob) < DTB_VERSION)
		return bis_fail(EINVAL, "device tree: version %u, expected %d or newer", fdt_version(blob),
				DTB_VERSION);
	if (!err && (fdt_totalsize(blob) > size || !structure_holds(blob, fdt_totalsize(blob))))
		err = -FDT_ERR_BADSTRUCTURE;
	if (!err)
		err = fdt_check_full(blob, size);
	if (err)
		return bis_fail(EINVAL, "device tree: not a valid blob (%s)", fdt_strerror(err));
	return 0;
}
