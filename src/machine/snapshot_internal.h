/*
 * The format of snapshots. A file is the magic text, a version (32 bits) and compressed pieces with checksums; in them,
 * records: tag, length of the name (32 bits each), length of the data (64 bits), name, data. Numbers are little-endian.
 * Records about one thing come in the order below; unknown tags are refused.
 *
 *     snapshot_save.c       writing
 *     snapshot_open.c       reading up to where state begins
 *     snapshot_compare.c    is this machine like that one?
 *     snapshot_restore.c    reading the state
 *     snapshot_stream.c     the pieces
 *     snapshot_crew.c       threads that compress and decompress them
 */
#ifndef BISCUIT_SNAPSHOT_INTERNAL_H
#define BISCUIT_SNAPSHOT_INTERNAL_H

#include <biscuit/field.h>
#include <biscuit/module.h>
#include <biscuit/snapshot.h>

#include "src/machine/snapshot_stream.h"

#define SNAPSHOT_MAGIC	    "BISCUIT SNAPSHOT\n"
#define SNAPSHOT_MAGIC_SIZE (sizeof(SNAPSHOT_MAGIC) - 1)

enum snapshot_tag {
	SNAPSHOT_MACHINE = 1, /* struct snapshot_machine, then the isa text and the note, each with its NUL */
	SNAPSHOT_MODULE,  /* name: the instance; data: struct snapshot_module, class and specification, each with its
			     NUL, then its constant fields */
	SNAPSHOT_OUTSIDE, /* name: the instance; data: of each thing outside what it is, its name and its state, each
			     with its NUL */
	SNAPSHOT_BEGIN,	  /* what follows is state; no data */
	SNAPSHOT_RAM,	  /* data: physical address (64 bits), then pages */
	SNAPSHOT_HART,	  /* name: its number; data: fields */
	SNAPSHOT_FIELDS,  /* name: the instance; data: a byte for the level of each line, then fields */
	SNAPSHOT_TIMERS,  /* name: the instance; data: when each of its timers is due (64 bits), in order of creation */
	SNAPSHOT_OWN,	  /* name: the instance; data: what its save() wrote */
	SNAPSHOT_CHARDEV, /* name: the device; data: input queue, output queue, each with its length (32 bits) before */
	SNAPSHOT_END,
	SNAPSHOT_TAGS
};

struct snapshot_machine {
	uint64_t ram_size, now;		       /* machine time, ns */
	uint64_t entry_pc, entry_a1, entry_a2; /* where harts start after a reset */
	uint32_t harts, clock;
};

struct snapshot_module {
	uint64_t base;	     /* of its registers */
	uint32_t irq;	     /* input of its first line; 0: none */
	int32_t slot;	     /* -1: none */
	uint8_t version;     /* of the class */
	uint8_t placed;	     /* base counts */
	uint8_t backend;     /* as the class says */
	uint8_t reserved[5]; /* 0 */
};

/* A field: length of its name (8 bits), type (8), count (32), name, then its bytes as they lie in the instance. */
struct snapshot_record {
	uint32_t tag, name_len;
	uint64_t len;
};

#define SNAPSHOT_NAME_MAX 255
#define SNAPSHOT_DATA_MAX (UINT64_C(64) << 20) /* of a record */
#define SNAPSHOT_RAM_RUN  (UINT64_C(1) << 20)  /* bytes of a RAM record as it is written */
#define SNAPSHOT_MODULES  256
#define SNAPSHOT_TIME_MAX (UINT64_C(1) << 62) /* of machine time: 146 years */

/* --- An open snapshot --- */

/* A record, all of it; `data` has a NUL behind it, so that texts end. */
struct snapshot_data {
	enum snapshot_tag tag;
	char name[SNAPSHOT_NAME_MAX + 1];
	uint8_t *data; /* freed by whoever read it */
	size_t len;
};

/* A module as it was. */
struct snapshot_described {
	struct snapshot_module at;
	char *name, *class, *spec;
	struct snapshot_data constants, outside; /* data NULL: none */
	bool has_fields, has_own;		 /* such a record of it has been restored */
};

struct bis_snapshot {
	int fd;
	struct snapshot_reader *reader;
	struct snapshot_machine machine;
	struct bis_snapshot_machine shown;
	char *isa, *note;
	struct snapshot_described modules[SNAPSHOT_MODULES];
	size_t n_modules;
	bool hart_restored[BIS_MAX_HARTS];
	bool changes_allowed;
	bool used;
};

/* -EBADMSG with message. */
int snapshot_damaged(const char *what);
/* The head of the next record and its name; its data comes next. */
BIS_MUST_CHECK int snapshot_read_head(struct bis_snapshot *s, struct snapshot_record *head,
				      char name[SNAPSHOT_NAME_MAX + 1]);
/* The data behind a head. */
BIS_MUST_CHECK int snapshot_read_data(struct bis_snapshot *s, const struct snapshot_record *head, const char *name,
				      struct snapshot_data *out);
/* The text at *at, of which it is moved to the end; NULL where none ends inside the data. */
const char *snapshot_text(const struct snapshot_data *r, size_t *at);

/* One field of a list. */
struct snapshot_field {
	const struct bis_field *row; /* of the table that it was looked up in */
	const uint8_t *bytes;	     /* not aligned */
	size_t size;
};
/* The field at *at, which is moved behind it. -EBADMSG where the table has none such. */
BIS_MUST_CHECK int snapshot_field(const struct snapshot_data *r, size_t *at, const struct bis_field *table,
				  struct snapshot_field *out);

/* snapshot_compare.c: 0, or -EINVAL with a message that lists all that differs. */
BIS_MUST_CHECK int snapshot_compare(const struct bis_snapshot *s, struct bis_machine *m);

/* --- Elsewhere --- */

/* The field table of harts, and what has to be computed anew after its fields were set. src/cpu/hart_fields.c */
struct bis_hart;
extern const struct bis_field bis_hart_fields[];
void bis_hart_restored(struct bis_hart *h);

#endif
