/*
 * The device tree writer and what it needs to know of a machine, apart from the machine itself.
 */
#ifndef BISCUIT_DT_INTERNAL_H
#define BISCUIT_DT_INTERNAL_H

#include <biscuit/device.h>
#include <biscuit/isa.h>
#include <biscuit/loader.h>
#include <biscuit/memory.h>

#define BIS_DT_DEPTH   8
#define BIS_DT_WINDOWS 4
#define BIS_DT_IRQS    8

/* One device: what the core adds to its node, and the callback that writes the rest. */
struct bis_dt_node {
	const char *name;     /* of the node, without unit address */
	const char *instance; /* of the module */
	struct {
		uint64_t base, size;
	} windows[BIS_DT_WINDOWS];
	unsigned n_windows;
	bool has_address; /* without windows: it writes "reg" by itself, which begins at `address` */
	uint64_t address;
	uint32_t irqs[BIS_DT_IRQS]; /* inputs of the platform interrupt controller */
	unsigned n_irqs;
	bool controller; /* it is the platform interrupt controller */
	void (*write)(void *self, struct bis_dt *dt);
	void *self;
};

struct bis_dt_machine {
	unsigned harts;
	const struct bis_isa_spec *isa;
	const char *paging; /* the widest paging scheme, "sv57"; NULL: none */
	const struct bis_memory *memory;
	const struct bis_dt_node *nodes;
	size_t count;
};

/* As bis_build_dtb, for a described machine. */
BIS_MUST_CHECK int bis_dt_generate(const struct bis_dt_machine *m, const struct bis_dt_config *cfg, void **blob,
				   size_t *size);

/* A tree being written. Errors stick: the first one ends up in `error` and everything after it does nothing. */
struct bis_dt {
	void *fdt;
	int error;	   /* of libfdt, negative; 0 = none */
	const char *fault; /* a rule broken by the caller; NULL = none */
	unsigned harts;
	uint32_t next_phandle;
	unsigned depth; /* of the current node; the root is 1 */
	struct {
		uint32_t phandle;     /* reserved for the node; 0 = none yet */
		bool phandle_written; /* the property is there */
		bool has_child;
	} levels[BIS_DT_DEPTH];
};

/* Opens a node for which `phandle` is reserved. */
void bis_dt_begin_reserved(struct bis_dt *dt, const char *name, uint32_t phandle);
void bis_dt_bytes(struct bis_dt *dt, const char *name, const void *data, size_t size);

#endif
